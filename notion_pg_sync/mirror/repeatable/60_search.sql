-- A page by its title, and full text search.

INSERT INTO notion_sync.search_settings DEFAULT VALUES ON CONFLICT (only_row) DO NOTHING;

-- With its owner's rights, since tenants do not read the settings.
CREATE OR REPLACE FUNCTION notion_sync.search_language() RETURNS regconfig
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS 'SELECT language::regconfig FROM notion_sync.search_settings';

-- The text of a plain value: a text as it is, a list with commas, anything else null.
CREATE OR REPLACE FUNCTION notion_sync.text_in(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof(value)
        WHEN 'string' THEN value #>> '{}'
        WHEN 'array' THEN array_to_string(notion_sync.as_text_array(value), ', ')
    END;

-- What the index holds of a page. PostgreSQL refuses a tsvector of 1 MB: a text that comes to more is halved until it fits.
-- A text of 50 kB fits in any case; a million characters are the most that is tried.
CREATE OR REPLACE FUNCTION notion_sync.search_vector(
    language regconfig, title text, text text, body text, OUT tsv tsvector, OUT is_cut boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    room integer := 1000000;
BEGIN
    IF octet_length(title) + octet_length(text) + octet_length(body) <= 50000 THEN
        tsv := setweight(to_tsvector(language, title), 'A') || setweight(to_tsvector(language, text), 'B')
            || setweight(to_tsvector(language, body), 'C');
        is_cut := false;
        RETURN;
    END IF;
    LOOP
        BEGIN
            tsv := setweight(to_tsvector(language, left(title, room)), 'A')
                || setweight(to_tsvector(language, left(text, room)), 'B')
                || setweight(to_tsvector(language, left(body, room)), 'C');
            is_cut := greatest(char_length(title), char_length(text), char_length(body)) > room;
            RETURN;
        EXCEPTION WHEN program_limit_exceeded THEN
            room := room / 2;
        END;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION notion_sync.follow_search_language() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE notion_sync.search_documents AS document SET (tsv, is_cut) = (
        SELECT vector.tsv, vector.is_cut
        FROM (SELECT) AS page
        LEFT JOIN notion_sync.page_bodies AS body
            ON body.user_id = document.user_id AND body.page_id = document.page_id,
        notion_sync.search_vector(
            NEW.language::regconfig, document.title, document.text, coalesce(body.plain_text, '')) AS vector);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow_search_language AFTER UPDATE OF language ON notion_sync.search_settings
    FOR EACH ROW WHEN (OLD.language <> NEW.language) EXECUTE FUNCTION notion_sync.follow_search_language();

-- The pages of a title, in a database of that name or, where that is null, in any; neither minds capital letters.
CREATE OR REPLACE FUNCTION notion_sync.get_notion_page(user_id text, database_name text, title text)
    RETURNS SETOF notion_sync.found_page
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := get_notion_page.user_id;
    wanted CONSTANT text := lower(get_notion_page.title);
    place record;
BEGIN
    FOR place IN
        SELECT known.data_source_id, known.database_name, nspname, relname
        FROM notion_sync.data_sources AS known
        JOIN pg_class ON relkind IN ('r', 'p')
        JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname || '.' || relname = known.sync_table
        WHERE known.user_id = asked
          AND lower(known.database_name) = lower(coalesce(get_notion_page.database_name, known.database_name))
          AND known.data_source_id IN (
              SELECT document.data_source_id FROM notion_sync.search_documents AS document
              WHERE document.user_id = asked AND document.title_key = left(wanted, 200))
        ORDER BY known.database_name, known.data_source_id
    LOOP
        RETURN QUERY EXECUTE format(
            $query$
                -- Each page by what its table may have for it. Not by a function of the table's column: behind row level
                -- security no index would be used then.
                WITH found AS MATERIALIZED (
                    SELECT document.user_id, document.title, document.page_id, spelled.notion_page_id
                    FROM notion_sync.search_documents AS document
                    CROSS JOIN LATERAL (
                        SELECT document.page_id::text
                        UNION SELECT replace(document.page_id::text, '-', '')
                        UNION SELECT upper(document.page_id::text)
                        UNION SELECT upper(replace(document.page_id::text, '-', ''))
                    ) AS spelled (notion_page_id)
                    WHERE document.user_id = $1 AND document.title_key = left($2, 200) AND lower(document.title) = $2
                      AND document.data_source_id = $3
                )
                SELECT page.user_id::text, found.page_id, $4, found.title,
                       page.url::text, page.properties, page.fields, page.notion_created_at, page.notion_edited_at,
                       page.last_synced_at
                FROM found JOIN %I.%I AS page USING (user_id, notion_page_id)
                ORDER BY page.notion_edited_at DESC, found.page_id
            $query$,
            place.nspname, place.relname
        ) USING asked, wanted, place.data_source_id, place.database_name;
    END LOOP;
END
$$;

-- Search ------------------------------------------------------------------------------------------------------------

-- The best pages of a user for a query, the best first. Of many thousand matches, 10,000 are ranked.
CREATE OR REPLACE FUNCTION notion_sync.search_matches(asked text, query tsquery, sources text[], most integer)
    RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT page_id::text FROM (
        SELECT page_id, title, tsv FROM notion_sync.search_documents
        WHERE ARRAY[user_id] @> ARRAY[asked] AND user_id = asked AND tsv @@ query
          AND (sources IS NULL OR data_source_id::text = ANY (sources))
        LIMIT 10000
    ) AS matching
    ORDER BY ts_rank(tsv, query) DESC, title, page_id
    LIMIT most
$$;

-- The same for the session's own user, with the owner's rights: behind row level security no index is used for tsv @@
-- query, since PostgreSQL does not trust that operator (it is not leakproof). It shows what the policy shows.
CREATE OR REPLACE FUNCTION notion_sync.own_search_matches(query tsquery, sources text[], most integer)
    RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS 'SELECT notion_sync.search_matches(notion_sync.current_user_id(), query, sources, most)';
REVOKE EXECUTE ON FUNCTION notion_sync.own_search_matches(tsquery, text[], integer) FROM PUBLIC;

-- What is asked, in the syntax of websearch_to_tsquery. A word of 2 kB it refuses, so that 500 characters count; where it
-- gives up ("tsquery stack too small", with many minuses in a row) the words count as they stand.
CREATE OR REPLACE FUNCTION notion_sync.search_query(language regconfig, query text) RETURNS tsquery
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN websearch_to_tsquery(language, left(query, 500));
EXCEPTION WHEN internal_error THEN
    RETURN plainto_tsquery(language, left(query, 500));
END
$$;

-- Full text search over titles, text properties and bodies.
CREATE OR REPLACE FUNCTION notion_sync.search(
    query text, user_id text DEFAULT notion_sync.current_user_id(), databases text[] DEFAULT NULL,
    most integer DEFAULT 20)
    RETURNS SETOF notion_sync.search_result
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := search.user_id;
    named CONSTANT text[] := search.databases;
    language CONSTANT regconfig := notion_sync.search_language();
    words CONSTANT tsquery := notion_sync.search_query(language, search.query);
    limited CONSTANT integer := greatest(coalesce(search.most, 20), 0);
    sources text[];
    best uuid[];
BEGIN
    IF asked IS NULL OR coalesce(numnode(words), 0) = 0 THEN
        RETURN;
    END IF;
    IF named IS NOT NULL THEN
        sources := ARRAY(
            SELECT known.data_source_id FROM notion_sync.data_sources AS known
            WHERE known.user_id = asked
              AND lower(known.database_name) IN (SELECT lower(one) FROM unnest(named) AS one));
    END IF;
    IF row_security_active('notion_sync.search_documents')
        AND has_function_privilege('notion_sync.own_search_matches(tsquery, text[], integer)', 'EXECUTE')
    THEN
        IF asked IS DISTINCT FROM notion_sync.current_user_id() THEN
            RETURN;
        END IF;
        best := ARRAY(SELECT notion_sync.own_search_matches(words, sources, limited)::uuid);
    ELSE
        best := ARRAY(SELECT notion_sync.search_matches(asked, words, sources, limited)::uuid);
    END IF;
    RETURN QUERY
        SELECT document.user_id, document.page_id, known.database_name, document.title,
               ts_headline(
                   language,
                   left(coalesce(nullif(concat_ws(E'\n', nullif(document.text, ''), body.plain_text), ''), document.title),
                        20000),
                   words,
                   'StartSel=**, StopSel=**, MaxWords=30, MinWords=10'),
               ts_rank(document.tsv, words), document.is_cut
        FROM unnest(best) WITH ORDINALITY AS match (page_id, place)
        JOIN notion_sync.search_documents AS document ON document.user_id = asked AND document.page_id = match.page_id
        JOIN notion_sync.data_sources AS known
            ON known.user_id = asked AND known.data_source_id = document.data_source_id
        LEFT JOIN notion_sync.page_bodies AS body ON body.user_id = asked AND body.page_id = document.page_id
        ORDER BY match.place;
END
$$;

GRANT EXECUTE ON FUNCTION
    notion_sync.text_in(jsonb), notion_sync.search_language(), notion_sync.search_vector(regconfig, text, text, text),
    notion_sync.get_notion_page(text, text, text), notion_sync.search_matches(text, tsquery, text[], integer),
    notion_sync.search_query(regconfig, text), notion_sync.search(text, text, text[], integer)
    TO PUBLIC;
