-- Who has no policy sees nothing.
DO $$
DECLARE
    unguarded regclass;
BEGIN
    FOR unguarded IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'notion_sync'::regnamespace AND relkind IN ('r', 'p') AND NOT relrowsecurity
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', unguarded);
    END LOOP;
END
$$;

-- Tenants see what is theirs; runs of the whole tool are for operators, who own these tables.
-- A policy is made where it is missing or is another: to make one waits until nobody is at work on the table.
DO $$
DECLARE
    is_theirs CONSTANT text := '(user_id = notion_sync.current_user_id())';
    shared regclass;
BEGIN
    FOREACH shared IN ARRAY ARRAY[
        'notion_sync.accounts',
        'notion_sync.columns',
        'notion_sync.data_sources',
        'notion_sync.database_runs',
        'notion_sync.databases',
        'notion_sync.exclusions',
        'notion_sync.files',
        'notion_sync.left_out',
        'notion_sync.options',
        'notion_sync.unread_minutes',
        'notion_sync.page_bodies',
        'notion_sync.page_changes',
        'notion_sync.page_files',
        'notion_sync.pages',
        'notion_sync.removed_pages',
        'notion_sync.search_documents',
        'notion_sync.sync_requests',
        'notion_sync.users'
    ]::regclass[] LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_policy
            WHERE polrelid = shared AND polname = 'tenant' AND polpermissive AND polcmd = 'r' AND polroles = '{0}'
              AND pg_get_expr(polqual, polrelid) = is_theirs);
        EXECUTE format('DROP POLICY IF EXISTS tenant ON %s', shared);
        EXECUTE format('CREATE POLICY tenant ON %s FOR SELECT USING %s', shared, is_theirs);
    END LOOP;
END
$$;

DROP POLICY IF EXISTS tenant_asks ON notion_sync.sync_requests;
CREATE POLICY tenant_asks ON notion_sync.sync_requests FOR INSERT
    WITH CHECK (
        user_id = notion_sync.current_user_id()
        -- What is for runs to say.
        AND status = 'waiting' AND runid IS NULL AND started_at IS NULL AND message IS NULL AND health IS NULL
        AND (page_id IS NULL OR database_id IS NOT NULL)
    );
