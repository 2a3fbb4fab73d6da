-- A file that no page names any more: since when, so that it goes after a while. Whoever deletes what pages name needs to
-- know nothing of it.
CREATE OR REPLACE FUNCTION notion_sync.follow_unused_files() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM before) THEN
        UPDATE notion_sync.files AS file SET unused_since = clock_timestamp()
        FROM (SELECT DISTINCT user_id, path FROM before) AS named
        WHERE file.user_id = named.user_id AND file.path = named.path AND unused_since IS NULL
          AND NOT EXISTS (SELECT FROM notion_sync.page_files AS other
                          WHERE other.user_id = named.user_id AND other.path = named.path);
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow_unused_files AFTER DELETE ON notion_sync.page_files
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION notion_sync.follow_unused_files();
CREATE OR REPLACE TRIGGER follow_unused_files_on AFTER UPDATE ON notion_sync.page_files
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION notion_sync.follow_unused_files();

-- Files of a user that no page names go, and of these the bytes; `paths`: those among them, null: all. Returns how many.
CREATE OR REPLACE FUNCTION notion_sync.discard_files(whose text, paths text[]) RETURNS bigint
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM notion_sync.files AS file
        WHERE user_id = whose AND (paths IS NULL OR path = ANY (paths))
          AND NOT EXISTS (SELECT FROM notion_sync.page_files AS named
                          WHERE named.user_id = file.user_id AND named.path = file.path)
        RETURNING stored_as, begun_as
    ), discarded AS (
        INSERT INTO notion_sync.discarded_files (stored_as)
        SELECT DISTINCT key FROM gone CROSS JOIN LATERAL unnest(ARRAY[stored_as, begun_as]) AS key WHERE key IS NOT NULL
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM gone
$$;

REVOKE ALL ON FUNCTION notion_sync.follow_unused_files(), notion_sync.discard_files(text, text[]) FROM PUBLIC;
