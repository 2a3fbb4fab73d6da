-- Whose rows the typed views show (notion_sync.view_sources): listed by triggers, told to whoever sees the rows.

-- Brings the list for a user (`source`: for one of their data sources) to what the other tables say.
CREATE OR REPLACE FUNCTION notion_sync.list_view_sources(whose text, source text) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    -- The views name the table as it is quoted here.
    SET quote_all_identifiers = off
AS $$
    WITH wanted AS (
        SELECT known.user_id, known.data_source_id, view_name, format('%I.%I', nspname, relname) AS sync_table,
               database_name,
               ARRAY(SELECT columns.name FROM notion_sync.columns
                     WHERE (columns.user_id, columns.data_source_id) = (known.user_id, known.data_source_id)
                       AND property_type = 'relation' ORDER BY 1) AS relations
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
        (user_id, data_source_id, notion_data_source_id, view_name, sync_table, database_name, relations)
    SELECT user_id, data_source_id, data_source_id::text, view_name, sync_table, database_name, relations FROM wanted
    ON CONFLICT (user_id, data_source_id) DO UPDATE
    SET view_name = EXCLUDED.view_name, sync_table = EXCLUDED.sync_table, database_name = EXCLUDED.database_name,
        relations = EXCLUDED.relations
    WHERE (listed.view_name, listed.sync_table, listed.database_name, listed.relations)
        IS DISTINCT FROM (EXCLUDED.view_name, EXCLUDED.sync_table, EXCLUDED.database_name, EXCLUDED.relations)
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
    AFTER INSERT OR UPDATE OF view_name, sync_table, database_name ON notion_sync.data_sources
    FOR EACH ROW EXECUTE FUNCTION notion_sync.follow_view_sources();
CREATE OR REPLACE TRIGGER follow_view_sources_in AFTER INSERT ON notion_sync.columns
    FOR EACH ROW WHEN (NEW.property_type = 'relation') EXECUTE FUNCTION notion_sync.follow_view_sources();
CREATE OR REPLACE TRIGGER follow_view_sources_out AFTER DELETE ON notion_sync.columns
    FOR EACH ROW WHEN (OLD.property_type = 'relation') EXECUTE FUNCTION notion_sync.follow_view_sources();
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
