-- The options of a data source's properties (notion_sync.options): listed by triggers, from the schema as Notion gave it.

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
           of_status.name, of_status.is_last
    FROM configured
    CROSS JOIN jsonb_array_elements(CASE WHEN jsonb_typeof(options) = 'array' THEN options ELSE '[]' END)
        WITH ORDINALITY AS listed (option, place)
    LEFT JOIN LATERAL (
        SELECT status_group ->> 'name' AS name, group_place = jsonb_array_length(groups) AS is_last
        FROM jsonb_array_elements(CASE WHEN jsonb_typeof(groups) = 'array' THEN groups ELSE '[]' END)
            WITH ORDINALITY AS grouped (status_group, group_place)
        WHERE status_group -> 'option_ids' @> jsonb_build_array(option -> 'id')
        LIMIT 1
    ) AS of_status ON true
    ORDER BY property_id, listed.place
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.options_in(jsonb) FROM PUBLIC;

-- Brings the list for a user (`source`: for one of their data sources) to what the schemas say. Of what Notion would give
-- without an id or a name, or twice, nothing is listed, or the first.
CREATE OR REPLACE FUNCTION notion_sync.list_options(whose text, source uuid) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT ON (data_source_id, property_id, option_id)
               known.user_id, data_source_id, known.database_name, property_id, option.property,
               columns.name AS column_name, option_id, option.name, color, option."position", status_group, is_done
        FROM notion_sync.data_sources AS known
        CROSS JOIN notion_sync.options_in(known.schema) AS option
        LEFT JOIN notion_sync.columns USING (user_id, data_source_id, property_id)
        WHERE known.user_id = whose AND data_source_id = coalesce(source, data_source_id)
          AND property_id IS NOT NULL AND option_id IS NOT NULL AND option.name IS NOT NULL
          AND coalesce(columns.part, 'value') = 'value'
        ORDER BY data_source_id, property_id, option_id, option."position"
    ), unwanted AS (
        DELETE FROM notion_sync.options AS listed
        WHERE user_id = whose AND data_source_id = coalesce(source, data_source_id)
          AND (data_source_id, property_id, option_id) NOT IN (
              SELECT data_source_id, property_id, option_id FROM wanted)
    )
    INSERT INTO notion_sync.options AS listed
        (user_id, data_source_id, database_name, property_id, property, column_name, option_id, name, color, "position",
         status_group, is_done)
    SELECT * FROM wanted
    ON CONFLICT (user_id, data_source_id, property_id, option_id) DO UPDATE
    SET database_name = EXCLUDED.database_name, property = EXCLUDED.property, column_name = EXCLUDED.column_name,
        name = EXCLUDED.name, color = EXCLUDED.color, "position" = EXCLUDED."position",
        status_group = EXCLUDED.status_group, is_done = EXCLUDED.is_done
    WHERE listed IS DISTINCT FROM EXCLUDED
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.list_options(text, uuid) FROM PUBLIC;

-- With the owner's rights: who may write the tables that it follows need not know of the list.
CREATE OR REPLACE FUNCTION notion_sync.follow_options() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM notion_sync.list_options(NEW.user_id, NEW.data_source_id);
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.follow_options() FROM PUBLIC;

-- Columns are written one by one, behind the schema: of each its name alone is taken over, so that nobody goes through the
-- schema once for each.
CREATE OR REPLACE FUNCTION notion_sync.follow_column_of_options() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed CONSTANT notion_sync.columns := coalesce(NEW, OLD);
BEGIN
    UPDATE notion_sync.options SET column_name = NEW.name
    WHERE user_id = changed.user_id AND data_source_id = changed.data_source_id AND property_id = changed.property_id
      AND changed.part = 'value' AND column_name IS DISTINCT FROM NEW.name;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.follow_column_of_options() FROM PUBLIC;

CREATE OR REPLACE TRIGGER follow_options_in AFTER INSERT ON notion_sync.data_sources
    FOR EACH ROW EXECUTE FUNCTION notion_sync.follow_options();
CREATE OR REPLACE TRIGGER follow_options_on AFTER UPDATE OF schema, database_name ON notion_sync.data_sources
    FOR EACH ROW WHEN ((OLD.schema, OLD.database_name) IS DISTINCT FROM (NEW.schema, NEW.database_name))
    EXECUTE FUNCTION notion_sync.follow_options();
CREATE OR REPLACE TRIGGER follow_column_of_options AFTER INSERT OR DELETE OR UPDATE OF name ON notion_sync.columns
    FOR EACH ROW EXECUTE FUNCTION notion_sync.follow_column_of_options();

-- What a version without the list, or somebody's statement, left behind.
DO $$
BEGIN
    PERFORM notion_sync.list_options(user_id, NULL) FROM notion_sync.accounts;
END
$$;
