-- The names of ours that nobody has in public, where this role may create them (75_public.sql).
CREATE OR REPLACE FUNCTION notion_sync.lacking_in_public() RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT name
    FROM unnest(ARRAY['get_notion_page', 'sync_all_notion_databases', 'sync_notion_database']) AS name, pg_namespace
    WHERE nspname = 'public' AND has_schema_privilege(pg_namespace.oid, 'CREATE')
      AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = pg_namespace.oid AND proname = name)
$$;

-- What the catalog holds of the functions, views, policies and triggers of notion_sync, as a hash. init compares it with
-- what it was when these files were applied: what was dropped or changed since comes back.
CREATE OR REPLACE FUNCTION notion_sync.repeatable_state() RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
    SELECT encode(sha256(convert_to(string_agg(said, E'\n' ORDER BY said COLLATE "C"), 'UTF8')), 'hex')
    FROM (
        -- Whether everybody may call it; whom else an operator lets, as init --role does, is theirs.
        SELECT concat_ws(' ', pg_get_functiondef(oid), EXISTS (
            SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)) FROM pg_proc
        WHERE pronamespace = 'notion_sync'::regnamespace AND prokind = 'f'
        UNION ALL
        SELECT concat_ws(' ', aggfnoid::regprocedure, aggtransfn::regprocedure, EXISTS (
            SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0))
        FROM pg_aggregate JOIN pg_proc ON pg_proc.oid = aggfnoid WHERE pronamespace = 'notion_sync'::regnamespace
        UNION ALL
        SELECT concat_ws(' ', oid::regclass, array_to_string(reloptions, ' '), pg_get_viewdef(oid)) FROM pg_class
        WHERE relnamespace = 'notion_sync'::regnamespace AND relkind = 'v'
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
        -- Also once an application has dropped its own functions of these names.
        SELECT concat_ws(' ', 'public', name) FROM notion_sync.lacking_in_public() AS name
        UNION ALL
        -- What search cannot do without.
        SELECT concat_ws(' ', 'search_settings', count(*)) FROM notion_sync.search_settings
    ) AS catalog (said)
$$;
