-- Where the bytes of files are, each in the place of its URL; null where they are not kept. With the rights of whoever reads the
-- view: to a reader who may not read the tables nothing is known, and the view can be read all the same.

-- A page names a file by its URL; on Notion's storage the path of that, whatever the host, names it for good. Called only where
-- the reader may, and planned once: see 30_names.sql.
CREATE OR REPLACE FUNCTION notion_sync.known_files(whose text, page uuid, property_column text, urls text[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET plan_cache_mode = force_generic_plan
    RETURN ARRAY(
        SELECT (SELECT stored_as
                FROM notion_sync.page_files AS named
                JOIN notion_sync.files AS kept ON kept.user_id = named.user_id AND kept.path = named.path
                WHERE named.user_id = whose AND named.page_id = page
                  AND named.place = 'property' AND named.property = property_column
                  AND named.path = substring(url FROM '^https?://[^/?#]+(/[^?#]*)')
                LIMIT 1)
        FROM unnest(urls) WITH ORDINALITY AS listed (url, number)
        ORDER BY number
    );

CREATE OR REPLACE FUNCTION notion_sync.kept_files_of(whose text, page uuid, property_column text, urls text[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN urls IS NULL THEN NULL
        WHEN cardinality(urls) = 0 THEN '{}'
        WHEN has_table_privilege('notion_sync.page_files'::regclass, 'SELECT')
             AND has_table_privilege('notion_sync.files'::regclass, 'SELECT')
            THEN notion_sync.known_files(whose, page, property_column, urls)
        ELSE array_fill(NULL::text, ARRAY[cardinality(urls)])
    END;

GRANT EXECUTE ON FUNCTION
    notion_sync.known_files(text, uuid, text, text[]), notion_sync.kept_files_of(text, uuid, text, text[])
    TO PUBLIC;
