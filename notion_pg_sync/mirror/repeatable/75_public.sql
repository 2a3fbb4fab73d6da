-- For applications that call these names in public, and only where nobody has them.
DO $$
BEGIN
    IF NOT has_schema_privilege(current_user, 'public', 'CREATE') THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'sync_notion_database')
    THEN
        CREATE FUNCTION public.sync_notion_database(user_id text, database_id text, database_name text DEFAULT NULL)
            RETURNS bigint
            LANGUAGE sql
        AS 'SELECT notion_sync.sync_notion_database(user_id, database_id, database_name)';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'sync_all_notion_databases')
    THEN
        CREATE FUNCTION public.sync_all_notion_databases(user_id text)
            RETURNS TABLE (request_id bigint, database_id text, database_name text)
            LANGUAGE sql
        AS 'SELECT * FROM notion_sync.sync_all_notion_databases(user_id)';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'get_notion_page')
    THEN
        CREATE FUNCTION public.get_notion_page(user_id text, database_name text, title text)
            RETURNS SETOF notion_sync.found_page
            LANGUAGE sql STABLE
        AS 'SELECT * FROM notion_sync.get_notion_page(user_id, database_name, title)';
    END IF;
END
$$;

-- Those that are ours, whichever version made them; a role that may not create in public may still alter what it owns.
DO $$
DECLARE
    ours regprocedure;
BEGIN
    FOR ours IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND pg_has_role(proowner, 'USAGE') AND prosrc IN (
            'SELECT notion_sync.sync_notion_database(user_id, database_id, database_name)',
            'SELECT * FROM notion_sync.sync_all_notion_databases(user_id)',
            'SELECT * FROM notion_sync.get_notion_page(user_id, database_name, title)')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', ours);
        EXECUTE format('COMMENT ON FUNCTION %s IS %L', ours, 'The same as the function of this name in notion_sync.');
    END LOOP;
END
$$;
