-- Whose rows the typed views show (notion_sync.view_sources): listed by triggers, told to whoever sees the rows.

-- The columns of a data source that have a view of their own, with the type of their property: those that hold several values.
CREATE OR REPLACE FUNCTION notion_sync.bridges_of(whose text, source uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(name, property_type), '{}') FROM notion_sync.columns
    WHERE user_id = whose AND data_source_id = source
      AND part = 'value' AND property_type IN ('relation', 'multi_select', 'people', 'files')
$$;

-- By column and option, the groups of a data source's statuses.
CREATE OR REPLACE FUNCTION notion_sync.status_groups_of(whose text, source uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(name, groups), '{}') FROM (
        SELECT known.name, jsonb_object_agg(option.name, status_group) AS groups
        FROM notion_sync.data_sources
        CROSS JOIN notion_sync.options_in(schema) AS option
        JOIN notion_sync.columns AS known USING (user_id, data_source_id, property_id)
        WHERE user_id = whose AND data_source_id = source AND part = 'value' AND status_group IS NOT NULL
        GROUP BY known.name
    ) AS of_column
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.status_groups_of(text, uuid) FROM PUBLIC;

-- Whether views show the bodies of a data source: they are kept, or some were read.
CREATE OR REPLACE FUNCTION notion_sync.has_bodies(whose text, source uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM notion_sync.data_sources AS known
                   LEFT JOIN notion_sync.databases USING (user_id, database_id)
                   WHERE known.user_id = whose AND data_source_id = source AND coalesce(databases.bodies, known.bodies))
        OR EXISTS (SELECT FROM notion_sync.page_bodies WHERE user_id = whose AND data_source_id = source)
$$;

-- Brings the list for a user (`source`: for one of their data sources) to what the other tables say.
CREATE OR REPLACE FUNCTION notion_sync.list_view_sources(whose text, source text) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    -- The views name the table as it is quoted here.
    SET quote_all_identifiers = off
AS $$
    WITH wanted AS (
        SELECT known.user_id, known.data_source_id, view_name, format('%I.%I', nspname, relname) AS sync_table,
               database_name, known.name AS data_source_name,
               notion_sync.bridges_of(known.user_id, known.data_source_id) AS bridges,
               notion_sync.status_groups_of(known.user_id, known.data_source_id) AS status_groups
        FROM notion_sync.accounts
        JOIN notion_sync.data_sources AS known USING (user_id)
        LEFT JOIN notion_sync.databases USING (user_id, database_id)
        JOIN pg_class ON relkind IN ('r', 'p')
        JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname || '.' || relname = known.sync_table
        WHERE coalesce(databases.views, accounts.views) AND known.user_id = whose
          AND known.data_source_id = coalesce(source::uuid, known.data_source_id)
    ), unwanted AS (
        DELETE FROM notion_sync.view_sources AS listed
        WHERE user_id = whose AND data_source_id = coalesce(source::uuid, data_source_id)
          AND NOT EXISTS (SELECT FROM wanted WHERE wanted.data_source_id = listed.data_source_id)
    )
    INSERT INTO notion_sync.view_sources AS listed
        (user_id, data_source_id, notion_data_source_id, view_name, sync_table, database_name, data_source_name,
         bridges, relations, status_groups)
    SELECT user_id, data_source_id, data_source_id::text, view_name, sync_table, database_name, data_source_name,
           bridges, ARRAY(SELECT key FROM jsonb_each_text(bridges) WHERE value = 'relation' ORDER BY 1), status_groups
    FROM wanted
    ON CONFLICT (user_id, data_source_id) DO UPDATE
    SET view_name = EXCLUDED.view_name, sync_table = EXCLUDED.sync_table, database_name = EXCLUDED.database_name,
        data_source_name = EXCLUDED.data_source_name, bridges = EXCLUDED.bridges, relations = EXCLUDED.relations,
        status_groups = EXCLUDED.status_groups
    WHERE (listed.view_name, listed.sync_table, listed.database_name, listed.data_source_name, listed.bridges,
           listed.relations, listed.status_groups)
        IS DISTINCT FROM (EXCLUDED.view_name, EXCLUDED.sync_table, EXCLUDED.database_name, EXCLUDED.data_source_name,
                          EXCLUDED.bridges, EXCLUDED.relations, EXCLUDED.status_groups)
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.list_view_sources(text, text) FROM PUBLIC;

-- With the owner's rights: who may write the tables that it follows need not know of the list.
CREATE OR REPLACE FUNCTION notion_sync.follow_view_sources() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed CONSTANT jsonb := to_jsonb(coalesce(NEW, OLD));
BEGIN
    PERFORM notion_sync.list_view_sources(changed ->> 'user_id', changed ->> 'data_source_id');
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.follow_view_sources() FROM PUBLIC;

CREATE OR REPLACE TRIGGER follow_view_sources AFTER INSERT OR UPDATE OF views ON notion_sync.accounts
    FOR EACH ROW EXECUTE FUNCTION notion_sync.follow_view_sources();
CREATE OR REPLACE TRIGGER follow_view_sources AFTER INSERT OR UPDATE OF views ON notion_sync.databases
    FOR EACH ROW EXECUTE FUNCTION notion_sync.follow_view_sources();
CREATE OR REPLACE TRIGGER follow_view_sources
    AFTER INSERT OR UPDATE OF view_name, sync_table, database_name, name, schema ON notion_sync.data_sources
    FOR EACH ROW EXECUTE FUNCTION notion_sync.follow_view_sources();
CREATE OR REPLACE TRIGGER follow_view_sources_in AFTER INSERT ON notion_sync.columns
    FOR EACH ROW WHEN (NEW.property_type IN ('relation', 'multi_select', 'people', 'files', 'status'))
    EXECUTE FUNCTION notion_sync.follow_view_sources();
CREATE OR REPLACE TRIGGER follow_view_sources_out AFTER DELETE ON notion_sync.columns
    FOR EACH ROW WHEN (OLD.property_type IN ('relation', 'multi_select', 'people', 'files', 'status'))
    EXECUTE FUNCTION notion_sync.follow_view_sources();
CREATE OR REPLACE TRIGGER follow_view_sources_on AFTER UPDATE OF name, property_type ON notion_sync.columns
    FOR EACH ROW WHEN ((OLD.name, OLD.property_type) IS DISTINCT FROM (NEW.name, NEW.property_type))
    EXECUTE FUNCTION notion_sync.follow_view_sources();

-- What a version without the list, or somebody's statement, left behind.
DO $$
BEGIN
    PERFORM notion_sync.list_view_sources(user_id, NULL) FROM notion_sync.accounts
    WHERE views OR user_id IN (SELECT user_id FROM notion_sync.view_sources
                               UNION SELECT user_id FROM notion_sync.databases WHERE databases.views);
END
$$;

-- Whether a view with these columns can be one of ours, a typed view or one beside it: somebody may have put another in its
-- place. Columns that something depends on may stand there too.
CREATE OR REPLACE FUNCTION notion_sync.is_view_of_ours(columns text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN columns @> '{user_id,page_id}' AND (
        columns @> '{database_id,database_name,data_source_id,url,notion_created_at,notion_edited_at,last_synced_at}'
        OR columns @> '{position}' AND columns && '{related_page_id,person_id,value,url}'
        OR columns @> '{markdown,plain_text}');

-- Gives the column of a property another type in typed views, from the next sync on; false where there is none of that name.
-- For operators.
CREATE OR REPLACE FUNCTION notion_sync.retype_column(user_id text, data_source_id uuid, name text, type text)
    RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF $4 NOT IN ('text', 'numeric', 'boolean', 'date', 'timestamptz', 'uuid', 'text[]', 'uuid[]', 'jsonb') THEN
        RAISE 'there is no column type %', $4 USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE notion_sync.columns AS known SET type = $4, new_type = NULL, unfit_values = 0
    WHERE known.user_id = $1 AND known.data_source_id = $2 AND known.name = $3;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- Search reads the columns of text. A date has further columns, which a full read fills: as after a changed schema.
    UPDATE notion_sync.data_sources AS known
    SET is_searchable = false, schema_fingerprint = CASE WHEN $4 <> 'date' THEN schema_fingerprint ELSE '' END
    WHERE known.user_id = $1 AND known.data_source_id = $2;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.retype_column(text, uuid, text, text) FROM PUBLIC;

-- The sync tables of which this session may see rows that are not notion_sync.current_user_id()'s: all rows, or those that
-- policies of somebody's own let it see.
CREATE OR REPLACE FUNCTION notion_sync.sync_tables_open(all_rows boolean) RETURNS SETOF text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET quote_all_identifiers = off
AS $$
    SELECT format('%I.%I', nspname, relname)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relname LIKE 'notion\_%\_sync' AND relkind IN ('r', 'p')
      AND 2 = (SELECT count(*) FROM pg_attribute
               WHERE attrelid = pg_class.oid AND attname IN ('user_id', 'notion_data_source_id')
                 AND has_column_privilege(attrelid, attnum, 'SELECT'))
      AND CASE WHEN all_rows THEN NOT row_security_active(pg_class.oid) ELSE
          row_security_active(pg_class.oid) AND has_schema_privilege(relnamespace, 'USAGE') AND EXISTS (
              SELECT FROM pg_policy
              WHERE polrelid = pg_class.oid AND polpermissive AND polcmd IN ('r', '*')
                AND pg_get_expr(polqual, polrelid) NOT IN ('(user_id = notion_sync.current_user_id())',
                                                           '((user_id)::text = notion_sync.current_user_id())')
                AND EXISTS (SELECT FROM unnest(polroles) AS role
                            WHERE CASE role WHEN 0 THEN true ELSE pg_has_role(role, 'USAGE') END))
          END
$$;

-- Whether the session sees a row of a data source; its policies run by the session's `path`, as when it reads the table.
CREATE OR REPLACE FUNCTION notion_sync.sees_rows_of(sync_table text, whose text, source text, path text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statement CONSTANT text := format(
        'SELECT EXISTS (SELECT FROM %s WHERE user_id::pg_catalog.text OPERATOR(pg_catalog.=) $1'
        ' AND notion_data_source_id OPERATOR(pg_catalog.=) $2)', to_regclass(sync_table));
    sees boolean;
BEGIN
    PERFORM set_config('search_path', concat_ws(', ', nullif(path, ''), 'pg_temp'), true);
    EXECUTE statement INTO sees USING whose, source;
    RETURN sees;
END
$$;

GRANT EXECUTE ON FUNCTION
    notion_sync.sync_tables_open(boolean), notion_sync.sees_rows_of(text, text, text, text)
    TO PUBLIC;

-- Readers of a view need no other right than before: the policy lets them see of the list what they see of the rows.
GRANT SELECT ON notion_sync.view_sources TO PUBLIC;

DROP POLICY IF EXISTS reader ON notion_sync.view_sources;
CREATE POLICY reader ON notion_sync.view_sources FOR SELECT USING (
    user_id = (SELECT notion_sync.current_user_id())
    OR sync_table = ANY (ARRAY(SELECT notion_sync.sync_tables_open(true)))
    OR sync_table = ANY (ARRAY(SELECT notion_sync.sync_tables_open(false)))
       AND notion_sync.sees_rows_of(sync_table, user_id, notion_data_source_id, current_setting('search_path'))
);
