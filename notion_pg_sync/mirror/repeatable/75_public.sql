-- For applications that call these names in public, and only where nobody has them. One function a name: PostgREST chooses
-- by the names of arguments alone, PostGraphile exposes none with overloads. So each takes the ids of users in the type in
-- which the application has them.
DO $$
DECLARE
    id_of_users CONSTANT text := CASE WHEN (
        SELECT bool_and('uuid'::regtype IN (pg_type.oid, typbasetype))
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_type ON pg_type.oid = atttypid
        WHERE relname = 'user_settings' AND attname = 'user_id' AND relkind <> 'i' AND relpersistence <> 't'
        -- It may lie elsewhere on the application's search_path, which these files are applied without.
        GROUP BY nspname = 'public' ORDER BY nspname = 'public' DESC LIMIT 1
    ) THEN 'uuid' ELSE 'text' END;
    lacking text;
BEGIN
    FOR lacking IN SELECT name FROM notion_sync.lacking_in_public() AS name LOOP
        EXECUTE format(CASE lacking
            WHEN 'sync_notion_database' THEN $create$
                CREATE FUNCTION public.sync_notion_database(
                    user_id %s, database_id text, database_name text DEFAULT NULL
                )
                    RETURNS bigint
                    LANGUAGE sql
                AS 'SELECT notion_sync.sync_notion_database(user_id, database_id, database_name)'
            $create$
            WHEN 'sync_all_notion_databases' THEN $create$
                CREATE FUNCTION public.sync_all_notion_databases(user_id %s)
                    RETURNS TABLE (request_id bigint, database_id text, database_name text, problem text)
                    LANGUAGE sql
                AS 'SELECT * FROM notion_sync.sync_all_notion_databases(user_id)'
            $create$
            WHEN 'get_notion_page' THEN $create$
                CREATE FUNCTION public.get_notion_page(user_id %s, database_name text, title text)
                    RETURNS SETOF notion_sync.found_page
                    LANGUAGE sql STABLE
                AS 'SELECT * FROM notion_sync.get_notion_page(user_id, database_name, title)'
            $create$
        END, id_of_users);
    END LOOP;
END
$$;

-- Those that are ours, whichever version made them; a role that may not create in public may still alter what it owns.
DO $$
DECLARE
    ours regprocedure;
BEGIN
    FOR ours IN
        SELECT pg_proc.oid FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname = 'public' AND pg_has_role(proowner, 'USAGE') AND prosrc IN (
            'SELECT notion_sync.sync_notion_database(user_id, database_id, database_name)',
            'SELECT * FROM notion_sync.sync_all_notion_databases(user_id)',
            'SELECT * FROM notion_sync.get_notion_page(user_id, database_name, title)')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', ours);
        EXECUTE format('COMMENT ON FUNCTION %s IS %L', ours, 'The same as the function of this name in notion_sync.');
    END LOOP;
END
$$;
