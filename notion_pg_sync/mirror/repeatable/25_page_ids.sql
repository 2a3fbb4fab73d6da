-- One page, one row, however its id is written.

-- An id of Notion in any spelling: with dashes or without, in small letters or capitals. Anything else is null.
CREATE OR REPLACE FUNCTION notion_sync.as_notion_id(value text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        -- As Notion writes it, four times as fast as by the expression below, which would say the same.
        WHEN value COLLATE "C" LIKE '________-____-____-____-____________' AND value COLLATE "C" !~ '[^-0-9a-fA-F]'
             AND length(replace(value COLLATE "C", '-', '')) = 32 THEN value::uuid
        WHEN value COLLATE "C" ~ '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$' THEN value::uuid
    END;
GRANT EXECUTE ON FUNCTION notion_sync.as_notion_id(text) TO PUBLIC;

-- The trigger function of sync tables: writes a page's id as the table's other rows have it, which the argument says. What is
-- no id of Notion stays as it is. Its body names nothing of this schema: whoever writes to an application's table need not
-- be able to use the schema.
CREATE OR REPLACE FUNCTION notion_sync.spell_page_id() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.notion_page_id COLLATE "C" ~ '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$' THEN
        NEW.notion_page_id := CASE TG_ARGV[0]
            WHEN 'dashed' THEN NEW.notion_page_id::uuid::text
            WHEN 'plain' THEN replace(NEW.notion_page_id::uuid::text, '-', '')
            WHEN 'upper-dashed' THEN upper(NEW.notion_page_id::uuid::text COLLATE "C")
            WHEN 'upper-plain' THEN upper(replace(NEW.notion_page_id::uuid::text, '-', '') COLLATE "C")
        END;
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.spell_page_id() FROM PUBLIC;

-- The other trigger function of sync tables: the id of a row's page as a uuid, null for what is no id of Notion.
CREATE OR REPLACE FUNCTION notion_sync.set_page_id() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.page_id := CASE
        WHEN NEW.notion_page_id COLLATE "C" ~ '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'
        THEN NEW.notion_page_id::uuid
    END;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.set_page_id() FROM PUBLIC;
