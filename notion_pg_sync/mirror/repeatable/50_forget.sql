-- Forgetting a user, or one database of a user: no trace of what was mirrored stays in any table.
-- SECURITY INVOKER throughout: whoever calls it needs the rights for all that it does, and tenants may not call it.
-- Only what touches a table of the application has the caller's search_path, which its triggers need, pg_temp put last;
-- all that such a statement names is qualified.

-- Functions of ours alone that have others in their place.
DROP FUNCTION IF EXISTS
    notion_sync.check_that_it_stays_away(text, text), notion_sync.delete_rows_of(text, text),
    notion_sync.forget_rows(text, text);

-- The first user_settings on that search_path, then in public, whose owner is trusted; null where there is none.
CREATE OR REPLACE FUNCTION notion_sync.settings_by(path text) RETURNS regclass
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schemas name[];
BEGIN
    PERFORM set_config('search_path', concat_ws(', ', nullif(path, ''), 'pg_temp'), true);
    schemas := pg_catalog.current_schemas(false);
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    RETURN (
        SELECT pg_class.oid
        FROM unnest(schemas || name 'public') WITH ORDINALITY AS listed (schema, place)
        JOIN pg_namespace ON nspname = listed.schema AND nspname !~ '^pg_'
        JOIN pg_class ON relnamespace = pg_namespace.oid AND relname = 'user_settings'
        WHERE notion_sync.is_trusted(relowner)
        ORDER BY place LIMIT 1);
END
$$;

-- Whether a sentence or a command names a user, as a word of its own. Quotes and backslashes do not count, since they differ
-- between what a shell, a sentence and user_settings make of one id.
CREATE OR REPLACE FUNCTION notion_sync.names_user(said text, whose text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        translate(said, '''"\', '') ~ concat(
            '(^|[^\w-])', regexp_replace(translate(whose, '''"\', ''), '([^\w])', '\\\1', 'g'), '($|[^\w-])'
        ),
        false
    );

-- Raises an exception while a run works on the user's databases. Until the transaction ends, no other may begin to.
CREATE OR REPLACE FUNCTION notion_sync.keep_runs_off(whose text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    leased_by bigint;
    run record;
BEGIN
    SELECT CASE WHEN lease_expires_at >= clock_timestamp() THEN lease_runid END INTO leased_by
    FROM notion_sync.accounts WHERE user_id = whose FOR UPDATE;
    -- A run that is done with the user may still name them in its message, so its end is waited for too.
    SELECT runid, pid, host INTO run
    FROM notion_sync.run_processes JOIN notion_sync.job_run_details USING (runid)
    WHERE runid = leased_by
       OR (end_time IS NULL AND heartbeat_at > clock_timestamp() - interval '2 minutes'
           AND EXISTS (SELECT FROM notion_sync.database_runs AS done WHERE done.runid = run_processes.runid
                       AND user_id = whose))
    LIMIT 1;
    IF FOUND THEN
        RAISE object_in_use USING MESSAGE = format(
            'user %L is being synced by run %s (pid %s on %s): try again when it has ended.',
            whose, run.runid, run.pid, run.host);
    END IF;
    -- A run that let its lease expire is not to renew it.
    UPDATE notion_sync.accounts SET lease_runid = NULL, lease_expires_at = NULL
    WHERE user_id = whose AND lease_runid IS NOT NULL;
END
$$;

-- Raises an exception where the next run would mirror it all again: the user has a token, and the database (null: any) is wanted.
-- `hex` is a database's id without its dashes.
CREATE OR REPLACE FUNCTION notion_sync.check_that_it_stays_away(whose text, hex text, path text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    settings CONSTANT regclass := notion_sync.settings_by(path);
    -- Those that a role which runs the tool may read; an older user_settings lacks some.
    columns text := (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                     WHERE attrelid = settings AND NOT attisdropped
                       AND attname IN ('notion_access_token', 'notion_token', 'notion_databases'));
    account jsonb;
    wanted jsonb;
BEGIN
    IF columns IS NULL THEN
        RETURN;
    END IF;
    FOR account IN EXECUTE format(
        'SELECT to_jsonb(account) FROM (SELECT %s FROM %s WHERE user_id::text = $1) AS account', columns, settings)
        USING whose
    LOOP
        wanted := account -> 'notion_databases';
        CONTINUE WHEN coalesce(account ->> 'notion_access_token', '') || coalesce(account ->> 'notion_token', '') = '';
        CONTINUE WHEN jsonb_typeof(wanted) IS DISTINCT FROM 'object';
        IF hex IS NULL AND wanted <> '{}' THEN
            RAISE object_not_in_prerequisite_state USING MESSAGE = format(
                'user %L is still connected, so the next run would bring it all back: add --disconnect to '
                '"notion-pg-sync forget", or first empty notion_token, notion_access_token and notion_databases in %s.', whose, settings);
        ELSIF wanted ->> '*' = '*' THEN
            RAISE object_not_in_prerequisite_state USING MESSAGE = format(
                'user %L mirrors everything that is shared with the token, so the next run would bring the database '
                'back: first name the databases that are wanted in notion_databases of %s, or take the connection '
                'off the database in Notion and forget the user.', whose, settings);
        ELSIF EXISTS (SELECT FROM jsonb_each(wanted) AS entry (name, value)
                      -- An id, a link, or an object with one; what is none of these may hold the id anywhere.
                      WHERE position(hex IN replace(lower(coalesce(value ->> 'id', value::text)), '-', '')) > 0) THEN
            RAISE object_not_in_prerequisite_state USING MESSAGE = format(
                'the database is still among notion_databases of user %L, so the next run would bring it back: add '
                '--disconnect to "notion-pg-sync forget", or first take it out there, in %s.', whose, settings);
        END IF;
    END LOOP;
END
$$;

-- Deletes the user's rows (of one database, where `hex` is not null) from a sync table, and returns how many they were and,
-- of one database, their page ids. Rows without a page id are the application's own.
CREATE OR REPLACE FUNCTION notion_sync.delete_from_sync_table(
    relation regclass, whose text, hex text, path text, OUT row_count bigint, OUT gone text[]
)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statement CONSTANT text := format(
        'WITH gone AS ('
        ' DELETE FROM %s WHERE user_id::pg_catalog.text OPERATOR(pg_catalog.=) $1 AND notion_page_id IS NOT NULL'
        ' AND ($2 IS NULL OR pg_catalog.strpos(pg_catalog.replace('
        '  pg_catalog.lower(notion_database_id::pg_catalog.text), ''-'', ''''), $2) OPERATOR(pg_catalog.>) 0)'
        ' RETURNING coalesce(notion_sync.as_notion_id(notion_page_id::pg_catalog.text)::pg_catalog.text,'
        '                    notion_page_id::pg_catalog.text) AS page'
        ') SELECT pg_catalog.count(*), pg_catalog.array_agg(page) FILTER (WHERE $2 IS NOT NULL) FROM gone',
        relation);
BEGIN
    PERFORM set_config('search_path', concat_ws(', ', nullif(path, ''), 'pg_temp'), true);
    EXECUTE statement INTO row_count, gone USING whose, hex;
END
$$;

-- Those of the pages of which the user has no row in a sync table.
CREATE OR REPLACE FUNCTION notion_sync.pages_without_row(relation regclass, whose text, pages text[], path text)
    RETURNS text[]
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statement CONSTANT text := format(
        'SELECT ARRAY(SELECT pg_catalog.unnest($2) EXCEPT'
        ' SELECT coalesce(notion_sync.as_notion_id(notion_page_id::pg_catalog.text)::pg_catalog.text,'
        '                 notion_page_id::pg_catalog.text)'
        ' FROM %s WHERE user_id::pg_catalog.text OPERATOR(pg_catalog.=) $1)', relation);
    missing text[];
BEGIN
    PERFORM set_config('search_path', concat_ws(', ', nullif(path, ''), 'pg_temp'), true);
    EXECUTE statement INTO missing USING whose, pages;
    RETURN missing;
END
$$;

-- Deletes the same from every sync table and every table of ours.
-- Tables of ours are found by their columns, so that those of later migrations are covered.
CREATE OR REPLACE FUNCTION notion_sync.delete_rows_of(whose text, hex text, path text)
    RETURNS TABLE (relation text, row_count bigint)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    settings CONSTANT regclass := notion_sync.settings_by(path);
    sources text[] := ARRAY(SELECT data_source_id FROM notion_sync.data_sources
                            WHERE user_id = whose AND database_id = hex::uuid);
    pages text[] := '{}';
    gone text[];
    conditions text;
    tables text[] := ARRAY(
        SELECT format('%I.%I', nspname, relname)
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind IN ('r', 'p') AND NOT relispartition
          AND (relname LIKE 'notion\_%\_sync' AND notion_sync.is_trusted(relowner)
               AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = settings)
               OR nspname || '.' || relname IN (SELECT sync_table FROM notion_sync.data_sources WHERE user_id = whose
                                                UNION
                                                SELECT sync_table FROM notion_sync.removed_pages WHERE user_id = whose))
          AND 3 = (SELECT count(*) FROM pg_attribute WHERE attrelid = pg_class.oid AND NOT attisdropped
                   AND attname IN ('user_id', 'notion_page_id', 'notion_database_id'))
        ORDER BY 1);
BEGIN
    FOREACH relation IN ARRAY tables LOOP
        -- It has been the tool's, and is somebody's whose triggers would run with the rights of this session.
        IF NOT notion_sync.is_trusted((SELECT relowner FROM pg_class WHERE oid = relation::regclass)) THEN
            RAISE object_not_in_prerequisite_state USING MESSAGE = format(
                '%s holds rows of user %L and belongs to a role that is not trusted: let "notion-pg-sync init --trust" '
                'name its owner first.', relation, whose);
        END IF;
        SELECT deleted.row_count, deleted.gone INTO row_count, gone
        FROM notion_sync.delete_from_sync_table(relation::regclass, whose, hex, path) AS deleted;
        pages := pages || gone;
        RETURN NEXT;
    END LOOP;
    -- A page that has moved may have a row of another database too, which has its own use of what is kept of it.
    FOREACH relation IN ARRAY tables LOOP
        pages := notion_sync.pages_without_row(relation::regclass, whose, pages, path);
    END LOOP;
    FOR relation, conditions IN
        SELECT format('notion_sync.%I', relname),
               string_agg(CASE
                   WHEN attname IN ('database_id', 'notion_database_id')
                       THEN format('position($2 IN replace(lower(%I::text), ''-'', '''')) > 0', attname)
                   WHEN attname IN ('data_source_id', 'notion_data_source_id') THEN format('%I::text = ANY ($3)', attname)
                   WHEN attname IN ('page_id', 'notion_page_id') THEN format('%I::text = ANY ($4)', attname)
                   -- There the database stands as the application wrote it, as a link for example.
                   WHEN relname = 'removed_pages' AND attname = 'row'
                       THEN 'position($2 IN replace(lower(removed_pages.row ->> ''notion_database_id''), ''-'', '''')) > 0'
               END, ' OR ')
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        WHERE relnamespace = 'notion_sync'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        GROUP BY relname
        HAVING bool_or(attname = 'user_id')
        -- What the others refer to goes last.
        ORDER BY relname = 'accounts', relname = 'databases', relname = 'data_sources', relname = 'files', relname
    LOOP
        IF relation = 'notion_sync.files' THEN
            -- Their bytes go too. Of one database: of all that no page names any more, since it may have been one of it.
            row_count := notion_sync.discard_files(whose, NULL);
            RETURN NEXT;
            CONTINUE;
        END IF;
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

-- The views of ours that show nobody's rows any more.
CREATE OR REPLACE FUNCTION notion_sync.views_of_nobody() RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT view_name FROM notion_sync.views
    WHERE NOT EXISTS (
        SELECT FROM notion_sync.accounts JOIN notion_sync.data_sources AS known USING (user_id)
        LEFT JOIN notion_sync.databases USING (user_id, database_id)
        WHERE coalesce(databases.views, accounts.views) AND known.view_name = coalesce(typed_view, views.view_name)
          AND CASE
              WHEN typed_view IS NULL THEN true
              WHEN kind = 'body' THEN notion_sync.has_bodies(known.user_id, known.data_source_id)
              ELSE notion_sync.bridges_of(known.user_id, known.data_source_id) ->> relation = coalesce(kind, 'relation')
          END)
$$;

-- Drops them: their names and their columns' are words of Notion. A view that somebody's own depends on stays, and is
-- told.
CREATE OR REPLACE FUNCTION notion_sync.drop_views_of_nobody() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    -- A statement that waits for a lock holds up everybody who comes after it.
    SET lock_timeout = '5s'
AS $$
DECLARE
    nobodys text;
    shown regclass;
BEGIN
    -- As whoever makes views does.
    PERFORM pg_advisory_xact_lock(7263548191);
    FOR nobodys IN SELECT notion_sync.views_of_nobody() LOOP
        BEGIN
            -- Somebody may have put another view in its place.
            SELECT oid INTO shown FROM pg_class
            WHERE relnamespace = 'notion'::regnamespace AND relname = nobodys AND relkind = 'v'
              AND notion_sync.is_view_of_ours(ARRAY(
                  SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 ORDER BY attnum));
            IF FOUND THEN
                EXECUTE format('DROP VIEW %s RESTRICT', shown);
            END IF;
            DELETE FROM notion_sync.views WHERE view_name = nobodys;
        EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege OR lock_not_available THEN
            RAISE WARNING USING MESSAGE = format(
                'the view %s stays, and with it names of properties (%s): drop it yourself.', shown, SQLERRM);
        END;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION notion_sync.forget_rows(whose text, hex text, path text)
    RETURNS TABLE (relation text, row_count bigint)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF whose IS NULL THEN
        RAISE invalid_parameter_value USING MESSAGE = 'who is to be forgotten? The user is null.';
    END IF;
    -- To a role that sees only some rows all would seem forgotten.
    IF row_security_active('notion_sync.accounts') THEN
        RAISE insufficient_privilege USING MESSAGE =
            'this role does not see every row of notion_sync: forget as the role that owns it.';
    END IF;
    PERFORM notion_sync.keep_runs_off(whose);
    PERFORM notion_sync.check_that_it_stays_away(whose, hex, path);
    RETURN QUERY SELECT * FROM notion_sync.delete_rows_of(whose, hex, path);
    -- A message that names the user may name any database of theirs.
    UPDATE notion_sync.job_run_details AS run
    SET return_message = CASE WHEN notion_sync.names_user(return_message, whose)
                              THEN 'what was said here named a user who was forgotten since.' ELSE return_message END,
        command = CASE WHEN notion_sync.names_user(command, whose)
                       THEN coalesce((SELECT job.command FROM notion_sync.job WHERE job.jobid = run.jobid), '')
                       ELSE command END
    WHERE notion_sync.names_user(return_message, whose) OR notion_sync.names_user(command, whose);
    PERFORM notion_sync.drop_views_of_nobody();
END
$$;

-- The 32 characters of a database's id. Raises an exception where it is none.
CREATE OR REPLACE FUNCTION notion_sync.hex_of(database_id text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hex CONSTANT text := replace(lower(database_id), '-', '');
BEGIN
    IF hex !~ '^[0-9a-f]{32}$' IS NOT FALSE THEN
        RAISE invalid_parameter_value USING MESSAGE =
            'that is not the id of a Notion database: give its 32 characters, with or without dashes.';
    END IF;
    RETURN hex;
END
$$;

-- For applications: SELECT * FROM notion_sync.forget('user-1'), in the transaction that deletes the account.
-- Bound when they are made, so that they need no search_path of their own, and the caller's is still in force.
CREATE OR REPLACE FUNCTION notion_sync.forget(user_id text) RETURNS TABLE (relation text, row_count bigint)
    LANGUAGE sql
BEGIN ATOMIC
    SELECT * FROM notion_sync.forget_rows(user_id, NULL, current_setting('search_path'));
END;
COMMENT ON FUNCTION notion_sync.forget(text) IS
    'Removes every trace of a user''s mirrored rows, and says how many rows of which tables went.';

CREATE OR REPLACE FUNCTION notion_sync.forget(user_id text, database_id text)
    RETURNS TABLE (relation text, row_count bigint)
    LANGUAGE sql
BEGIN ATOMIC
    SELECT * FROM notion_sync.forget_rows(user_id, notion_sync.hex_of(database_id), current_setting('search_path'));
END;
COMMENT ON FUNCTION notion_sync.forget(text, text) IS
    'Removes every trace of one mirrored database of a user, and says how many rows of which tables went.';

REVOKE ALL ON FUNCTION
    notion_sync.settings_by(text), notion_sync.names_user(text, text), notion_sync.keep_runs_off(text),
    notion_sync.check_that_it_stays_away(text, text, text),
    notion_sync.delete_from_sync_table(regclass, text, text, text),
    notion_sync.pages_without_row(regclass, text, text[], text), notion_sync.delete_rows_of(text, text, text),
    notion_sync.drop_views_of_nobody(), notion_sync.forget_rows(text, text, text), notion_sync.hex_of(text),
    notion_sync.forget(text), notion_sync.forget(text, text)
    FROM PUBLIC;
