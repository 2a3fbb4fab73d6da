-- Whether tables of this role count: of the present role, of a superuser, of who owns this schema, of a role named to init.
CREATE OR REPLACE FUNCTION notion_sync.is_trusted(role oid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM pg_roles
        WHERE oid = role AND (rolsuper OR rolname = current_user
                              OR EXISTS (SELECT FROM notion_sync.trusted_owners WHERE owner = rolname::text)
                              OR oid = (SELECT nspowner FROM pg_namespace WHERE nspname = 'notion_sync')))
$$;
