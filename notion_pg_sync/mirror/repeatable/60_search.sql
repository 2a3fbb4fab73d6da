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

-- The ids in the plain values of properties that name people: a list each, or one. Each once, in order.
CREATE OR REPLACE FUNCTION notion_sync.people_in(plain_values jsonb[]) RETURNS uuid[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY(
        SELECT DISTINCT notion_sync.as_uuid(named) AS id
        FROM unnest(plain_values) AS plain_value
        CROSS JOIN jsonb_array_elements_text(
            CASE jsonb_typeof(plain_value)
                WHEN 'array' THEN plain_value
                WHEN 'string' THEN jsonb_build_array(plain_value)
                ELSE '[]'
            END
        ) AS named
        WHERE notion_sync.as_uuid(named) IS NOT NULL
        ORDER BY id
    );

-- Their names, as far as they are known.
CREATE OR REPLACE FUNCTION notion_sync.names_for_search(whose text, people uuid[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN people = '{}' THEN '' ELSE array_to_string(notion_sync.names_of(whose, people), ', ') END;

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
            NEW.language::regconfig, document.title, concat_ws(E'\n', document.text, document.people_names),
            coalesce(body.plain_text, '')) AS vector);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow_search_language AFTER UPDATE OF language ON notion_sync.search_settings
    FOR EACH ROW WHEN (OLD.language <> NEW.language) EXECUTE FUNCTION notion_sync.follow_search_language();

-- The documents that name a person take over the name; what somebody else changed of them is still told by written_in.
-- Where they are too many for one transaction, the next syncs of their data sources take it over, a batch at a time.
CREATE OR REPLACE FUNCTION notion_sync.follow_names_of_people() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    person CONSTANT notion_sync.users := coalesce(NEW, OLD);
    most CONSTANT integer := 2000;
BEGIN
    IF most < (SELECT count(*) FROM (
                   SELECT FROM notion_sync.search_documents
                   WHERE user_id = person.user_id AND people @> ARRAY[person.id] LIMIT most + 1) AS naming)
    THEN
        UPDATE notion_sync.data_sources SET is_searchable = false
        WHERE user_id = person.user_id AND is_searchable AND data_source_id IN (
            SELECT data_source_id FROM notion_sync.search_documents
            WHERE user_id = person.user_id AND people @> ARRAY[person.id]);
        RETURN NULL;
    END IF;
    WITH settings AS MATERIALIZED (
        SELECT language::regconfig AS language FROM notion_sync.search_settings FOR SHARE
    ), named AS MATERIALIZED (
        SELECT user_id, page_id, title, text, notion_sync.names_for_search(user_id, people) AS names
        FROM notion_sync.search_documents
        WHERE user_id = person.user_id AND people @> ARRAY[person.id]
    )
    UPDATE notion_sync.search_documents AS document
    SET people_names = named.names, tsv = vector.tsv, is_cut = vector.is_cut,
        written_in = CASE WHEN document.written_in = document.xmin THEN pg_current_xact_id()::xid
                          ELSE document.written_in END
    FROM settings, named
    LEFT JOIN notion_sync.page_bodies AS body USING (user_id, page_id),
    notion_sync.search_vector(
        language, named.title, concat_ws(E'\n', named.text, named.names), coalesce(body.plain_text, '')) AS vector
    WHERE document.user_id = person.user_id AND document.page_id = named.page_id
      AND document.people_names <> named.names;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow_names_of_people AFTER INSERT OR DELETE ON notion_sync.users
    FOR EACH ROW EXECUTE FUNCTION notion_sync.follow_names_of_people();
CREATE OR REPLACE TRIGGER follow_names_of_people_on AFTER UPDATE OF name ON notion_sync.users
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION notion_sync.follow_names_of_people();

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
-- query, since PostgreSQL does not trust that operator (it is not leakproof). It shows what the policy shows, also to who may
-- use the role of a reader of one user: app.user_id alone lets it see nobody else's. A session that a superuser began may
-- use any role, and is free.
CREATE OR REPLACE FUNCTION notion_sync.own_search_matches(query tsquery, sources text[], most integer)
    RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT notion_sync.search_matches(notion_sync.current_user_id(), query, sources, most)
    WHERE NOT EXISTS (
        SELECT FROM notion_sync.readers, pg_roles AS session
        WHERE session.rolname = session_user AND NOT rolsuper AND readers.user_id <> notion_sync.current_user_id()
          AND (pg_has_role(session.oid, role_oid, 'MEMBER')
               OR pg_has_role(session.oid, to_regrole(quote_ident(role))::oid, 'MEMBER')))
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.own_search_matches(tsquery, text[], integer) FROM PUBLIC;

-- The same of every user whose pages the session sees, in databases of these names (lower case).
CREATE OR REPLACE FUNCTION notion_sync.search_matches_of_all(query tsquery, names text[], most integer)
    RETURNS TABLE (user_id text, page_id uuid)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT user_id, page_id FROM (
        SELECT document.user_id, page_id, title, tsv FROM notion_sync.search_documents AS document
        WHERE tsv @@ query AND (names IS NULL OR EXISTS (
            SELECT FROM notion_sync.data_sources AS known
            WHERE (known.user_id, known.data_source_id) = (document.user_id, document.data_source_id)
              AND lower(known.database_name) = ANY (names)))
        LIMIT 10000
    ) AS matching
    ORDER BY ts_rank(tsv, query) DESC, title, user_id, page_id
    LIMIT most
$$;

-- Words that stand one after the other, of which those with an asterisk behind them are the beginnings of words. A
-- beginning that the language leaves out, as "the" in English, counts as it stands.
CREATE OR REPLACE FUNCTION notion_sync.search_phrase(language regconfig, words text) RETURNS tsquery
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    phrase tsquery := '';
    word text;
    beginning text;
    asked tsquery;
BEGIN
    IF words NOT LIKE '%*%' THEN
        RETURN phraseto_tsquery(language, words);
    END IF;
    FOREACH word IN ARRAY regexp_split_to_array(words, '\s+') LOOP
        IF word ~ '[[:alnum:]]\*[^[:alnum:]]*$' THEN
            beginning := regexp_replace(word, '\*[^[:alnum:]]*$', '');
            beginning := concat('''', replace(replace(beginning, '\', '\\'), '''', ''''''), ''':*');
            asked := to_tsquery(language, beginning);
            IF numnode(asked) = 0 THEN
                asked := to_tsquery('simple', beginning);
            END IF;
        ELSE
            asked := phraseto_tsquery(language, word);
        END IF;
        phrase := phrase <-> asked;
    END LOOP;
    RETURN phrase;
END
$$;

-- What is asked, in the syntax of websearch_to_tsquery, and with beginnings of words. A word of 2 kB PostgreSQL refuses, so
-- that 500 characters count. What leaves no words is no reason for a notice.
CREATE OR REPLACE FUNCTION notion_sync.search_query(language regconfig, query text) RETURNS tsquery
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
AS $$
DECLARE
    term record;
    asked tsquery;
    together tsquery := '';
    either tsquery := '';
    awaits_term boolean := true;
BEGIN
    FOR term IN
        SELECT length(regexp_replace(part[1], '[^-]', '', 'g')) AS minuses, part[2] AS phrase, part[3] AS word,
               place = count(*) OVER () AS is_last
        FROM regexp_matches(left(query, 500), '([\s!&|()-]*)(?:"([^"]*)"?|([^\s"]+))', 'g')
            WITH ORDINALITY AS terms (part, place)
        WHERE part[2] IS NOT NULL OR part[3] ~ '[^!&|()-]'
        ORDER BY place
    LOOP
        IF lower(term.word) = 'or' AND term.minuses = 0 AND NOT awaits_term AND NOT term.is_last THEN
            either := either || together;
            together := '';
            awaits_term := true;
        ELSE
            asked := notion_sync.search_phrase(language, coalesce(term.phrase, term.word));
            together := together && CASE WHEN term.minuses % 2 = 1 THEN !! asked ELSE asked END;
            awaits_term := false;
        END IF;
    END LOOP;
    RETURN either || together;
END
$$;

-- Whatever is asked for, whether together or not: one of its words suffices, and what is to be left out does not count. Where
-- nothing else is asked, the same query: no line has a word of it, and an empty one would be reason for a notice.
CREATE OR REPLACE FUNCTION notion_sync.any_word_of(query tsquery) RETURNS tsquery
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
AS $$
    SELECT coalesce(string_agg(found[1], ' | ')::tsquery, query)
    FROM regexp_matches(querytree(query), '(''(?:[^''\\]|''''|\\.)*''(?::\*?[ABCD]*)?)', 'g') AS words (found)
$$;

-- The lines of a text that answer best, three at the most, in their order: properties are lines, and do not run together.
-- Where none answers, the first ones.
CREATE OR REPLACE FUNCTION notion_sync.search_snippet(language regconfig, text text, query tsquery) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(
        ts_headline(language, line, query, 'StartSel=**, StopSel=**, MaxWords=30, MinWords=10'), ' · ' ORDER BY place)
    FROM (
        SELECT line, place FROM (
            SELECT line, place, rank, max(rank) OVER () AS best
            FROM regexp_split_to_table(left(text, 20000), '\n') WITH ORDINALITY AS lines (line, place),
                 ts_rank(to_tsvector(language, line), query) AS rank
            WHERE line ~ '\S'
        ) AS ranked
        WHERE rank > 0 OR best = 0
        ORDER BY rank DESC, place LIMIT 3
    ) AS chosen
$$;

-- Full text search over titles, text properties, names of people and bodies: of a user or, where there is none, of all
-- whose pages the session sees.
CREATE OR REPLACE FUNCTION notion_sync.search(
    query text, user_id text DEFAULT notion_sync.current_user_id(), databases text[] DEFAULT NULL,
    most integer DEFAULT 20)
    RETURNS SETOF notion_sync.search_result
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := coalesce(search.user_id, notion_sync.current_user_id());
    names CONSTANT text[] := (SELECT array_agg(lower(one)) FROM unnest(search.databases) AS one);
    language CONSTANT regconfig := notion_sync.search_language();
    words CONSTANT tsquery := notion_sync.search_query(language, search.query);
    shown CONSTANT tsquery := notion_sync.any_word_of(words);
    limited CONSTANT integer := greatest(coalesce(search.most, 20), 0);
    sources text[];
    whose text[];
    best uuid[];
BEGIN
    IF coalesce(numnode(words), 0) = 0 THEN
        RETURN;
    END IF;
    IF asked IS NULL THEN
        SELECT array_agg(match.user_id), array_agg(match.page_id) INTO whose, best
        FROM notion_sync.search_matches_of_all(words, names, limited) AS match;
    ELSE
        IF names IS NOT NULL THEN
            sources := ARRAY(
                SELECT known.data_source_id FROM notion_sync.data_sources AS known
                WHERE known.user_id = asked AND lower(known.database_name) = ANY (names));
        END IF;
        IF asked = notion_sync.current_user_id() AND row_security_active('notion_sync.search_documents')
            AND has_function_privilege('notion_sync.own_search_matches(tsquery, text[], integer)', 'EXECUTE')
        THEN
            best := ARRAY(SELECT notion_sync.own_search_matches(words, sources, limited)::uuid);
        ELSE
            best := ARRAY(SELECT notion_sync.search_matches(asked, words, sources, limited)::uuid);
        END IF;
        whose := array_fill(asked, ARRAY[cardinality(best)]);
    END IF;
    RETURN QUERY
        SELECT document.user_id, document.page_id, known.database_name, document.title,
               notion_sync.search_snippet(
                   language,
                   coalesce(
                       nullif(concat_ws(E'\n', nullif(document.text, ''), nullif(document.people_names, ''),
                                        nullif(body.plain_text, '')), ''),
                       document.title),
                   shown),
               ts_rank(document.tsv, words), document.is_cut
        FROM unnest(whose, best) WITH ORDINALITY AS match (user_id, page_id, place)
        JOIN notion_sync.search_documents AS document USING (user_id, page_id)
        JOIN notion_sync.data_sources AS known USING (user_id, data_source_id)
        LEFT JOIN notion_sync.page_bodies AS body USING (user_id, page_id)
        ORDER BY match.place;
END
$$;

-- The same for ids of type uuid (40_requests.sql).
CREATE OR REPLACE FUNCTION notion_sync.get_notion_page(user_id uuid, database_name text, title text)
    RETURNS SETOF notion_sync.found_page
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS 'SELECT * FROM notion_sync.get_notion_page(user_id::text, database_name, title)';
CREATE OR REPLACE FUNCTION notion_sync.search(
    query text, user_id uuid, databases text[] DEFAULT NULL, most integer DEFAULT 20)
    RETURNS SETOF notion_sync.search_result
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS 'SELECT * FROM notion_sync.search(query, user_id::text, databases, most)';

GRANT EXECUTE ON FUNCTION
    notion_sync.text_in(jsonb), notion_sync.search_language(), notion_sync.search_vector(regconfig, text, text, text),
    notion_sync.get_notion_page(text, text, text), notion_sync.search_matches(text, tsquery, text[], integer),
    notion_sync.search_matches_of_all(tsquery, text[], integer), notion_sync.search_phrase(regconfig, text),
    notion_sync.search_query(regconfig, text), notion_sync.any_word_of(tsquery),
    notion_sync.search_snippet(regconfig, text, tsquery), notion_sync.people_in(jsonb[]),
    notion_sync.names_for_search(text, uuid[]), notion_sync.search(text, text, text[], integer),
    notion_sync.get_notion_page(uuid, text, text), notion_sync.search(text, uuid, text[], integer)
    TO PUBLIC;
