-- What Notion says of a page, without the e-mail addresses of people: those of users, wherever they are named. A property
-- that holds addresses of its own keeps them.
CREATE OR REPLACE FUNCTION notion_sync.without_emails(value jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_user CONSTANT boolean := value ->> 'object' = 'user' OR value ->> 'type' = 'person';
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'object' THEN (
            SELECT coalesce(jsonb_object_agg(name, notion_sync.without_emails(
                CASE WHEN is_user AND name = 'person' AND jsonb_typeof(part) = 'object' THEN part - 'email' ELSE part END
            )), '{}')
            FROM jsonb_each(value) AS member (name, part))
        WHEN 'array' THEN (
            SELECT coalesce(jsonb_agg(notion_sync.without_emails(item) ORDER BY place), '[]')
            FROM jsonb_array_elements(value) WITH ORDINALITY AS listed (item, place))
        ELSE value
    END;
END
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.without_emails(jsonb) FROM PUBLIC;
