-- Whose tables count: the triggers of a table run with the rights of whoever writes to it, and its owner makes them.
CREATE TABLE notion_sync.trusted_owners (
    owner      text PRIMARY KEY,
    trusted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE notion_sync.trusted_owners IS 'Roles whose tables are read and written, as "init --trust" was told.';
ALTER TABLE notion_sync.trusted_owners ENABLE ROW LEVEL SECURITY;

-- Whether tables of this role count: of the present role, of a superuser, of who owns this schema, of a role named to init.
CREATE FUNCTION notion_sync.is_trusted(role oid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM pg_roles
        WHERE oid = role AND (rolsuper OR rolname = current_user
                              OR EXISTS (SELECT FROM notion_sync.trusted_owners WHERE owner = rolname::text)
                              OR oid = (SELECT nspowner FROM pg_namespace WHERE nspname = 'notion_sync')))
$$;
