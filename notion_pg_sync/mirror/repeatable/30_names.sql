-- Names of people and titles of pages, each in the place of its id; null where it is not known. With the rights of whoever
-- reads the view: to a reader who may not read the table nothing is known, and the view can be read all the same.

-- The functions that look them up are called only where the reader may; so PostgreSQL asks for no right before. With values
-- to plan for, PostgreSQL would plan at each call, which takes ten times as long as the look-up.
CREATE OR REPLACE FUNCTION notion_sync.known_names(whose text, ids uuid[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET plan_cache_mode = force_generic_plan
    RETURN ARRAY(
        SELECT name FROM unnest(ids) WITH ORDINALITY AS listed (id, place)
        LEFT JOIN notion_sync.users ON users.user_id = whose AND users.id = listed.id
        ORDER BY place
    );
CREATE OR REPLACE FUNCTION notion_sync.known_titles(whose text, ids uuid[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET plan_cache_mode = force_generic_plan
    RETURN ARRAY(
        SELECT title FROM unnest(ids) WITH ORDINALITY AS listed (id, place)
        LEFT JOIN notion_sync.search_documents AS page ON page.user_id = whose AND page.page_id = listed.id
        ORDER BY place
    );

CREATE OR REPLACE FUNCTION notion_sync.names_of(whose text, ids uuid[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN ids IS NULL THEN NULL
        WHEN cardinality(ids) = 0 THEN '{}'
        WHEN has_table_privilege('notion_sync.users'::regclass, 'SELECT')
             OR has_column_privilege('notion_sync.users'::regclass, 'user_id', 'SELECT')
                AND has_column_privilege('notion_sync.users'::regclass, 'id', 'SELECT')
                AND has_column_privilege('notion_sync.users'::regclass, 'name', 'SELECT')
            THEN notion_sync.known_names(whose, ids)
        ELSE array_fill(NULL::text, ARRAY[cardinality(ids)])
    END;
CREATE OR REPLACE FUNCTION notion_sync.titles_of(whose text, ids uuid[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN ids IS NULL THEN NULL
        WHEN cardinality(ids) = 0 THEN '{}'
        WHEN has_table_privilege('notion_sync.search_documents'::regclass, 'SELECT')
             OR has_column_privilege('notion_sync.search_documents'::regclass, 'user_id', 'SELECT')
                AND has_column_privilege('notion_sync.search_documents'::regclass, 'page_id', 'SELECT')
                AND has_column_privilege('notion_sync.search_documents'::regclass, 'title', 'SELECT')
            THEN notion_sync.known_titles(whose, ids)
        ELSE array_fill(NULL::text, ARRAY[cardinality(ids)])
    END;

GRANT EXECUTE ON FUNCTION
    notion_sync.known_names(text, uuid[]), notion_sync.known_titles(text, uuid[]),
    notion_sync.names_of(text, uuid[]), notion_sync.titles_of(text, uuid[])
    TO PUBLIC;
