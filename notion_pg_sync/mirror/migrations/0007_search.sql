-- A page by its title, and full text search.

-- What search and look-ups read -------------------------------------------------------------------------------------

-- One row a page, whatever sync table it is in. Of a title, B-tree keys hold no more than 2.7 kB, hence title_key; it is
-- a column since behind row level security an index on an expression would not be used.
CREATE TABLE notion_sync.search_documents (
    user_id        text NOT NULL,
    page_id        text NOT NULL,
    data_source_id text NOT NULL,
    title          text NOT NULL,
    title_key      text NOT NULL GENERATED ALWAYS AS (left(lower(title), 200)) STORED,
    text           text NOT NULL,
    body_hash      text,
    tsv            tsvector NOT NULL,
    is_cut         boolean NOT NULL,
    PRIMARY KEY (user_id, page_id)
);
COMMENT ON TABLE notion_sync.search_documents IS 'Titles, texts and words of the pages in the sync tables, for search and look-ups.';
COMMENT ON COLUMN notion_sync.search_documents.text IS 'The values of the text properties, a line each.';
COMMENT ON COLUMN notion_sync.search_documents.body_hash IS 'The content_hash of the body in page_bodies whose words tsv holds.';
COMMENT ON COLUMN notion_sync.search_documents.is_cut IS 'Whether text or body is too long for tsv, which holds the beginning.';
CREATE INDEX search_documents_by_title ON notion_sync.search_documents (user_id, title_key);
-- With the user in it, so that a search does not go through what others wrote.
CREATE INDEX search_documents_by_word ON notion_sync.search_documents USING gin ((ARRAY[user_id]), tsv);

ALTER TABLE notion_sync.search_documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notion_sync.search_documents FOR SELECT USING (user_id = notion_sync.current_user_id());

ALTER TABLE notion_sync.data_sources ADD COLUMN is_searchable boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN notion_sync.data_sources.is_searchable IS
    'Whether all its rows are in search_documents; the next sync brings those there that an earlier version wrote.';

-- The text search configuration's name, not a regconfig: pg_upgrade refuses columns of that type.
CREATE TABLE notion_sync.search_settings (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    language text NOT NULL DEFAULT 'simple'
);
INSERT INTO notion_sync.search_settings DEFAULT VALUES;
COMMENT ON COLUMN notion_sync.search_settings.language IS
    'A text search configuration, simple or german for example; all documents follow in the transaction that changes it.';
ALTER TABLE notion_sync.search_settings ENABLE ROW LEVEL SECURITY;

-- With its owner's rights, since tenants do not read the settings.
CREATE FUNCTION notion_sync.search_language() RETURNS regconfig
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
AS 'SELECT language::regconfig FROM notion_sync.search_settings';

-- The text of a plain value: a text as it is, a list with commas, anything else null.
CREATE FUNCTION notion_sync.text_in(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof(value)
        WHEN 'string' THEN value #>> '{}'
        WHEN 'array' THEN array_to_string(notion_sync.as_text_array(value), ', ')
    END;

-- What the index holds of a page. PostgreSQL refuses a tsvector of 1 MB: a text that comes to more is halved until it fits.
-- A text of 50 kB fits in any case; a million characters are the most that is tried.
CREATE FUNCTION notion_sync.search_vector(
    language regconfig, title text, text text, body text, OUT tsv tsvector, OUT is_cut boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog
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

CREATE FUNCTION notion_sync.follow_search_language() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    UPDATE notion_sync.search_documents AS document SET (tsv, is_cut) = (
        SELECT vector.tsv, vector.is_cut
        FROM (SELECT) AS page
        LEFT JOIN notion_sync.page_bodies AS body
            ON body.user_id = document.user_id AND body.notion_page_id = document.page_id,
        notion_sync.search_vector(
            NEW.language::regconfig, document.title, document.text, coalesce(body.plain_text, '')) AS vector);
    RETURN NULL;
END
$$;
CREATE TRIGGER follow_search_language AFTER UPDATE OF language ON notion_sync.search_settings
    FOR EACH ROW WHEN (OLD.language <> NEW.language) EXECUTE FUNCTION notion_sync.follow_search_language();

-- Look-ups ----------------------------------------------------------------------------------------------------------

CREATE TYPE notion_sync.found_page AS (
    user_id           text,
    page_id           uuid,
    database_name     text,
    title             text,
    url               text,
    properties        jsonb,
    fields            jsonb,
    notion_created_at timestamptz,
    notion_edited_at  timestamptz,
    last_synced_at    timestamptz
);

-- The pages of a title, in a database of that name or, where that is null, in any; neither minds capital letters.
CREATE FUNCTION notion_sync.get_notion_page(user_id text, database_name text, title text)
    RETURNS SETOF notion_sync.found_page
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
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
                SELECT page.user_id::text, notion_sync.as_uuid(page.notion_page_id), $4, document.title,
                       page.url::text, page.properties, page.fields, page.notion_created_at, page.notion_edited_at,
                       page.last_synced_at
                FROM notion_sync.search_documents AS document
                JOIN %I.%I AS page ON page.user_id = document.user_id AND page.notion_page_id = document.page_id
                WHERE document.user_id = $1 AND document.title_key = left($2, 200) AND lower(document.title) = $2
                  AND document.data_source_id = $3
                ORDER BY page.notion_edited_at DESC, page.notion_page_id
            $query$,
            place.nspname, place.relname
        ) USING asked, wanted, place.data_source_id, place.database_name;
    END LOOP;
END
$$;

-- Search ------------------------------------------------------------------------------------------------------------

-- The best pages of a user for a query, the best first. Of many thousand matches, 10,000 are ranked.
CREATE FUNCTION notion_sync.search_matches(asked text, query tsquery, sources text[], most integer)
    RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
AS $$
    SELECT page_id FROM (
        SELECT page_id, title, tsv FROM notion_sync.search_documents
        WHERE ARRAY[user_id] @> ARRAY[asked] AND user_id = asked AND tsv @@ query
          AND (sources IS NULL OR data_source_id = ANY (sources))
        LIMIT 10000
    ) AS matching
    ORDER BY ts_rank(tsv, query) DESC, title, page_id
    LIMIT most
$$;

-- The same for the session's own user, with the owner's rights: behind row level security no index is used for tsv @@
-- query, since PostgreSQL does not trust that operator (it is not leakproof). It shows what the policy shows.
CREATE FUNCTION notion_sync.own_search_matches(query tsquery, sources text[], most integer)
    RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
AS 'SELECT notion_sync.search_matches(notion_sync.current_user_id(), query, sources, most)';
REVOKE EXECUTE ON FUNCTION notion_sync.own_search_matches(tsquery, text[], integer) FROM PUBLIC;

CREATE TYPE notion_sync.search_result AS (
    user_id       text,
    page_id       uuid,
    database_name text,
    title         text,
    snippet       text,
    rank          real,
    is_cut        boolean
);

-- What is asked, in the syntax of websearch_to_tsquery. A word of 2 kB it refuses, so that 500 characters count; where it
-- gives up ("tsquery stack too small", with many minuses in a row) the words count as they stand.
CREATE FUNCTION notion_sync.search_query(language regconfig, query text) RETURNS tsquery
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
AS $$
BEGIN
    RETURN websearch_to_tsquery(language, left(query, 500));
EXCEPTION WHEN internal_error THEN
    RETURN plainto_tsquery(language, left(query, 500));
END
$$;

-- Full text search over titles, text properties and bodies.
CREATE FUNCTION notion_sync.search(
    query text, user_id text DEFAULT notion_sync.current_user_id(), databases text[] DEFAULT NULL,
    most integer DEFAULT 20)
    RETURNS SETOF notion_sync.search_result
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := search.user_id;
    named CONSTANT text[] := search.databases;
    language CONSTANT regconfig := notion_sync.search_language();
    words CONSTANT tsquery := notion_sync.search_query(language, search.query);
    limited CONSTANT integer := greatest(coalesce(search.most, 20), 0);
    sources text[];
    found text[];
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
        found := ARRAY(SELECT notion_sync.own_search_matches(words, sources, limited));
    ELSE
        found := ARRAY(SELECT notion_sync.search_matches(asked, words, sources, limited));
    END IF;
    RETURN QUERY
        SELECT document.user_id, notion_sync.as_uuid(document.page_id), known.database_name, document.title,
               ts_headline(
                   language,
                   left(coalesce(nullif(concat_ws(E'\n', nullif(document.text, ''), body.plain_text), ''), document.title),
                        20000),
                   words,
                   'StartSel=**, StopSel=**, MaxWords=30, MinWords=10'),
               ts_rank(document.tsv, words), document.is_cut
        FROM unnest(found) WITH ORDINALITY AS match (page_id, place)
        JOIN notion_sync.search_documents AS document ON document.user_id = asked AND document.page_id = match.page_id
        JOIN notion_sync.data_sources AS known
            ON known.user_id = asked AND known.data_source_id = document.data_source_id
        LEFT JOIN notion_sync.page_bodies AS body ON body.user_id = asked AND body.notion_page_id = document.page_id
        ORDER BY match.place;
END
$$;

GRANT EXECUTE ON FUNCTION
    notion_sync.text_in(jsonb), notion_sync.search_language(), notion_sync.search_vector(regconfig, text, text, text),
    notion_sync.get_notion_page(text, text, text), notion_sync.search_matches(text, tsquery, text[], integer),
    notion_sync.search_query(regconfig, text), notion_sync.search(text, text, text[], integer)
    TO PUBLIC;

-- For applications that call this name in public, and only where nobody has it.
DO $$
BEGIN
    IF has_schema_privilege(current_user, 'public', 'CREATE') AND NOT EXISTS (
        SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'get_notion_page')
    THEN
        CREATE FUNCTION public.get_notion_page(user_id text, database_name text, title text)
            RETURNS SETOF notion_sync.found_page
            LANGUAGE sql STABLE
            SET search_path = pg_catalog
        AS 'SELECT * FROM notion_sync.get_notion_page(user_id, database_name, title)';
    END IF;
END
$$;
