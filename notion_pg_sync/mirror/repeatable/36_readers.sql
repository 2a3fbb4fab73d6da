-- Whose rows a reader of one user sees (notion_sync.readers); the policies that limit it ask here, and name nobody.

DROP POLICY IF EXISTS reader ON notion_sync.readers;
-- Of a role that is gone it is null, and no error. By number and name: a role that got the name of a reader is none, and in a
-- database restored elsewhere the numbers are other roles'.
CREATE POLICY reader ON notion_sync.readers FOR SELECT
    USING (to_regrole(quote_ident(role)) = role_oid AND pg_has_role(role_oid, 'USAGE'));

-- Null for who reads no single user's rows. With the rights of the session: by the policy it sees its own entries alone, and
-- can change none.
CREATE OR REPLACE FUNCTION notion_sync.user_of_reader() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT CASE WHEN count(DISTINCT user_id) = 1 THEN min(user_id) END FROM notion_sync.readers
            WHERE to_regrole(quote_ident(role)) = role_oid);
GRANT EXECUTE ON FUNCTION notion_sync.user_of_reader() TO PUBLIC;
COMMENT ON FUNCTION notion_sync.user_of_reader() IS
    'The user whose rows alone the session''s role sees; null for any role that grant-reader did not limit so.';
