-- Whose rows a reader of one user sees (notion_sync.readers); the policies that limit it ask here, and name nobody.

DROP POLICY IF EXISTS reader ON notion_sync.readers;
-- Of a role that is gone it is null, and no error.
CREATE POLICY reader ON notion_sync.readers FOR SELECT
    USING (pg_has_role(to_regrole(quote_ident(role))::oid, 'USAGE'));

-- Null for who reads no single user's rows. With the rights of the session: by the policy it sees its own entries alone, and
-- can change none.
CREATE OR REPLACE FUNCTION notion_sync.user_of_reader() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT CASE WHEN count(DISTINCT user_id) = 1 THEN min(user_id) END FROM notion_sync.readers);
GRANT EXECUTE ON FUNCTION notion_sync.user_of_reader() TO PUBLIC;
COMMENT ON FUNCTION notion_sync.user_of_reader() IS
    'The user whose rows alone the session''s role sees; null for any role that grant-reader did not limit so.';
