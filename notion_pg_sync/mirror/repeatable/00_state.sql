-- What the catalog holds of the functions, policies and triggers of notion_sync, as a hash. init compares it with what it
-- was when these files were applied: what was dropped or changed since comes back.
CREATE OR REPLACE FUNCTION notion_sync.repeatable_state() RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
    SELECT encode(sha256(convert_to(string_agg(said, E'\n' ORDER BY said COLLATE "C"), 'UTF8')), 'hex')
    FROM (
        SELECT concat_ws(' ', pg_get_functiondef(oid), proacl) FROM pg_proc
        WHERE pronamespace = 'notion_sync'::regnamespace AND prokind = 'f'
        UNION ALL
        SELECT concat_ws(' ', polrelid::regclass, polname, polpermissive, polcmd, polroles,
                         pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
        FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
        WHERE relnamespace = 'notion_sync'::regnamespace
          -- Those of readers' roles come and go (36_readers.sql).
          AND NOT starts_with(polname, 'reader ') AND NOT starts_with(polname, 'limit of reader ')
        UNION ALL
        SELECT concat_ws(' ', pg_get_triggerdef(pg_trigger.oid), tgenabled)
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = 'notion_sync'::regnamespace AND NOT tgisinternal
        UNION ALL
        SELECT concat_ws(' ', pg_class.oid::regclass, relrowsecurity) FROM pg_class
        WHERE relnamespace = 'notion_sync'::regnamespace AND relkind IN ('r', 'p')
        UNION ALL
        -- What search cannot do without.
        SELECT concat_ws(' ', 'search_settings', count(*)) FROM notion_sync.search_settings
    ) AS catalog (said)
$$;
