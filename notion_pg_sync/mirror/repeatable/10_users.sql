-- The tenant whose rows a session may see: a setting of the application, or the claim of a signed token.
-- A pooled session leaves an empty string behind where a setting was, hence nullif.
CREATE OR REPLACE FUNCTION notion_sync.current_user_id() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(
        nullif(current_setting('app.user_id', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    );
