-- One page, one row, however its id is written.

-- An id of Notion in any spelling: with dashes or without, in small letters or capitals. Anything else is null.
CREATE FUNCTION notion_sync.as_notion_id(value text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN value COLLATE "C" ~ '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$' THEN value::uuid
    END;
GRANT EXECUTE ON FUNCTION notion_sync.as_notion_id(text) TO PUBLIC;

-- Writes a page's id as the table's other rows have it, which the argument says; what is no id of Notion stays as it is.
-- Its body names nothing of this schema: whoever writes an application's table need not be able to use the schema.
CREATE FUNCTION notion_sync.spell_page_id() RETURNS trigger
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

ALTER TABLE notion_sync.data_sources ADD COLUMN database_id_as_written text;
COMMENT ON COLUMN notion_sync.data_sources.database_id_as_written IS
    'What new rows have in notion_database_id: the id as user_settings has it, dashes and capitals included.';

-- Deletes the user's rows (of one database, where `hex` is not null) from every sync table and every table of ours.
-- Tables of ours are found by their columns, so that those of later migrations are covered.
CREATE OR REPLACE FUNCTION notion_sync.delete_rows_of(whose text, hex text)
    RETURNS TABLE (relation text, row_count bigint)
    LANGUAGE plpgsql
AS $$
DECLARE
    settings regclass := coalesce(to_regclass('user_settings'), to_regclass('public.user_settings'));
    sources text[] := ARRAY(SELECT data_source_id FROM notion_sync.data_sources
                            WHERE user_id = whose AND replace(database_id, '-', '') = hex);
    pages text[] := '{}';
    gone text[];
    conditions text;
BEGIN
    FOR relation IN
        SELECT format('%I.%I', nspname, relname)
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind IN ('r', 'p') AND NOT relispartition
          AND (relname LIKE 'notion\_%\_sync' AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = settings)
               OR nspname || '.' || relname IN (SELECT sync_table FROM notion_sync.data_sources WHERE user_id = whose
                                                UNION
                                                SELECT sync_table FROM notion_sync.removed_pages WHERE user_id = whose))
          AND 3 = (SELECT count(*) FROM pg_attribute WHERE attrelid = pg_class.oid AND NOT attisdropped
                   AND attname IN ('user_id', 'notion_page_id', 'notion_database_id'))
        ORDER BY 1
    LOOP
        -- Rows without a page id are the application's own.
        EXECUTE format(
            'WITH gone AS ('
            ' DELETE FROM %s WHERE user_id::text = $1 AND notion_page_id IS NOT NULL'
            ' AND ($2 IS NULL OR position($2 IN replace(lower(notion_database_id::text), ''-'', '''')) > 0)'
            ' RETURNING coalesce(notion_sync.as_notion_id(notion_page_id::text)::text, notion_page_id::text) AS page_id'
            ') SELECT count(*), array_agg(page_id) FILTER (WHERE $2 IS NOT NULL) FROM gone', relation)
        INTO row_count, gone USING whose, hex;
        pages := pages || gone;
        RETURN NEXT;
    END LOOP;
    FOR relation, conditions IN
        SELECT format('notion_sync.%I', relname),
               string_agg(CASE
                   WHEN attname IN ('database_id', 'notion_database_id')
                       THEN format('position($2 IN replace(lower(%I::text), ''-'', '''')) > 0', attname)
                   WHEN attname IN ('data_source_id', 'notion_data_source_id') THEN format('%I::text = ANY ($3)', attname)
                   WHEN attname IN ('page_id', 'notion_page_id') THEN format('%I::text = ANY ($4)', attname)
               END, ' OR ')
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        WHERE relnamespace = 'notion_sync'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        GROUP BY relname
        HAVING bool_or(attname = 'user_id')
        -- What the others refer to goes last.
        ORDER BY relname = 'accounts', relname = 'databases', relname = 'data_sources', relname
    LOOP
        -- What has no database belongs to the user as such, and goes with them.
        CONTINUE WHEN hex IS NOT NULL AND conditions IS NULL;
        EXECUTE format('DELETE FROM %s WHERE user_id::text = $1 AND ($2 IS NULL OR %s)', relation,
                       coalesce(conditions, 'false'))
        USING whose, hex, sources, pages;
        GET DIAGNOSTICS row_count = ROW_COUNT;
        RETURN NEXT;
    END LOOP;
END
$$;

-- The pages of a title, in a database of that name or, where that is null, in any; neither minds capital letters.
CREATE OR REPLACE FUNCTION notion_sync.get_notion_page(user_id text, database_name text, title text)
    RETURNS SETOF notion_sync.found_page
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := get_notion_page.user_id;
    wanted CONSTANT text := lower(get_notion_page.title);
    place record;
BEGIN
    FOR place IN
        SELECT known.data_source_id, known.database_name, nspname, relname
        FROM notion_sync.data_sources AS known
        JOIN pg_class ON relkind IN ('r', 'p')
        JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname || '.' || relname = known.sync_table
        WHERE known.user_id = asked
          AND lower(known.database_name) = lower(coalesce(get_notion_page.database_name, known.database_name))
          AND known.data_source_id IN (
              SELECT document.data_source_id FROM notion_sync.search_documents AS document
              WHERE document.user_id = asked AND document.title_key = left(wanted, 200))
        ORDER BY known.database_name, known.data_source_id
    LOOP
        RETURN QUERY EXECUTE format(
            $query$
                -- Each page by what its table may have for it. Not by a function of the table's column: behind row level
                -- security no index would be used then.
                WITH found AS MATERIALIZED (
                    SELECT document.user_id, document.title, document.page_id, spelled.notion_page_id
                    FROM notion_sync.search_documents AS document
                    CROSS JOIN LATERAL (
                        SELECT document.page_id UNION SELECT replace(document.page_id, '-', '')
                        UNION SELECT upper(document.page_id) UNION SELECT upper(replace(document.page_id, '-', ''))
                    ) AS spelled (notion_page_id)
                    WHERE document.user_id = $1 AND document.title_key = left($2, 200) AND lower(document.title) = $2
                      AND document.data_source_id = $3
                )
                SELECT page.user_id::text, notion_sync.as_uuid(found.page_id), $4, found.title,
                       page.url::text, page.properties, page.fields, page.notion_created_at, page.notion_edited_at,
                       page.last_synced_at
                FROM found JOIN %I.%I AS page USING (user_id, notion_page_id)
                ORDER BY page.notion_edited_at DESC, found.page_id
            $query$,
            place.nspname, place.relname
        ) USING asked, wanted, place.data_source_id, place.database_name;
    END LOOP;
END
$$;

