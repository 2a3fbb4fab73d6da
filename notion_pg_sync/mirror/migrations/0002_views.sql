-- Typed views, and the casts that they are made of: no stored value can make a view fail. What a type cannot hold is null.

CREATE SCHEMA notion;

COMMENT ON SCHEMA notion IS 'Typed views of mirrored Notion databases, kept by notion-pg-sync.';

CREATE TABLE notion_sync.views (
    view_name   text PRIMARY KEY,
    fingerprint text NOT NULL
);
COMMENT ON TABLE notion_sync.views IS 'The views in the schema notion that are ours, and what their definitions follow from.';
ALTER TABLE notion_sync.views ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION notion_sync.as_numeric(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) = 'number' THEN value::numeric END;

CREATE FUNCTION notion_sync.as_boolean(value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) = 'boolean' THEN value::boolean END;

-- jsonpath reads dates without raising an error, and takes years that clients cannot: hence the patterns and bounds,
-- which leave a day for any time zone.
CREATE FUNCTION notion_sync.as_date(value jsonb) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN value #>> '{}' ~ '^(?!0000)\d{4}-\d{2}-\d{2}$'
        THEN (jsonb_path_query_first(value, '$.datetime()', '{}', true) #>> '{}')::date END;

CREATE FUNCTION notion_sync.as_timestamptz(value jsonb) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT instant
        FROM (SELECT CASE WHEN value #>> '{}' ~ '^\d{4}-\d{2}-\d{2}T'
            THEN (jsonb_path_query_first_tz(value, '$.datetime()', '{}', true) #>> '{}')::timestamptz END) AS read (instant)
        WHERE instant >= '0001-01-02 00:00:00+00' AND instant < '9999-12-31 00:00:00+00'
    );

CREATE FUNCTION notion_sync.as_uuid(value text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN value::uuid END;

CREATE FUNCTION notion_sync.as_uuid(value jsonb) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN notion_sync.as_uuid(value #>> '{}');

CREATE FUNCTION notion_sync.as_text_array(value jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(value)) END;

CREATE FUNCTION notion_sync.as_uuid_array(value jsonb) RETURNS uuid[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN jsonb_typeof(value) <> 'array' THEN NULL
        WHEN EXISTS (SELECT FROM jsonb_array_elements(value) AS item WHERE notion_sync.as_uuid(item) IS NULL) THEN NULL
        ELSE ARRAY(SELECT notion_sync.as_uuid(item) FROM jsonb_array_elements(value) AS item)
    END;
