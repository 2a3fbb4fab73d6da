-- The options of select, multi-select and status properties in a schema as Notion gives it, in Notion's order. Of a status,
-- the name of its group, and whether that is the last group, whose options mean that something is done.
CREATE OR REPLACE FUNCTION notion_sync.options_in(schema jsonb)
    RETURNS TABLE (
        property_id text, property text, option_id text, name text, color text, "position" integer, status_group text,
        is_done boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH configured AS (
        SELECT value ->> 'id' AS property_id, coalesce(value ->> 'name', key) AS property,
               value -> (value ->> 'type') -> 'options' AS options, value -> (value ->> 'type') -> 'groups' AS groups
        FROM jsonb_each(CASE WHEN jsonb_typeof(schema) = 'object' THEN schema ELSE '{}' END)
        WHERE value ->> 'type' IN ('select', 'multi_select', 'status')
    )
    SELECT property_id, property, option ->> 'id', option ->> 'name', option ->> 'color', listed.place::integer,
           of_status.name, of_status.place = jsonb_array_length(groups)
    FROM configured
    CROSS JOIN jsonb_array_elements(CASE WHEN jsonb_typeof(options) = 'array' THEN options ELSE '[]' END)
        WITH ORDINALITY AS listed (option, place)
    LEFT JOIN LATERAL (
        SELECT status_group ->> 'name' AS name, group_place AS place
        FROM jsonb_array_elements(CASE WHEN jsonb_typeof(groups) = 'array' THEN groups ELSE '[]' END)
            WITH ORDINALITY AS grouped (status_group, group_place)
        WHERE status_group -> 'option_ids' @> jsonb_build_array(option -> 'id')
        LIMIT 1
    ) AS of_status ON true
    ORDER BY property_id, listed.place
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.options_in(jsonb) FROM PUBLIC;
