-- Made by: python -m tests.mirror.freezing 0.1.0
--
-- PostgreSQL database dump
--


-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: notion; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA notion;


--
-- Name: SCHEMA notion; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA notion IS 'Typed views of mirrored Notion databases, kept by notion-pg-sync.';


--
-- Name: notion_sync; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA notion_sync;


--
-- Name: SCHEMA notion_sync; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA notion_sync IS 'Bookkeeping of notion-pg-sync: runs, accounts, data sources.';


--
-- Name: found_page; Type: TYPE; Schema: notion_sync; Owner: -
--

CREATE TYPE notion_sync.found_page AS (
	user_id text,
	page_id uuid,
	database_name text,
	title text,
	url text,
	properties jsonb,
	fields jsonb,
	notion_created_at timestamp with time zone,
	notion_edited_at timestamp with time zone,
	last_synced_at timestamp with time zone
);


--
-- Name: search_result; Type: TYPE; Schema: notion_sync; Owner: -
--

CREATE TYPE notion_sync.search_result AS (
	user_id text,
	page_id uuid,
	database_name text,
	title text,
	snippet text,
	rank real,
	is_cut boolean
);


--
-- Name: as_boolean(jsonb); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.as_boolean(value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (jsonb_typeof(value) = 'boolean'::text) THEN (value)::boolean ELSE NULL::boolean END;


--
-- Name: as_date(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.as_date(value text) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN ((value !~~ '0000%'::text) AND ((value COLLATE "C") ~ '^([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$'::text)) THEN (value)::date ELSE NULL::date END;


--
-- Name: as_notion_id(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.as_notion_id(value text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((value COLLATE "C") ~ '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'::text) THEN (value)::uuid ELSE NULL::uuid END;


--
-- Name: as_numeric(jsonb); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.as_numeric(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (jsonb_typeof(value) = 'number'::text) THEN (value)::numeric ELSE NULL::numeric END;


--
-- Name: as_text_array(jsonb); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.as_text_array(value jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (jsonb_typeof(value) = 'array'::text) THEN ARRAY(SELECT jsonb_array_elements_text(value) AS jsonb_array_elements_text) ELSE NULL::text[] END;


--
-- Name: as_timestamptz(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.as_timestamptz(value text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (notion_sync.as_date("left"(value, 10)) IS NULL) THEN NULL::timestamp with time zone WHEN ((value COLLATE "C") !~ '^.{10}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?[+-](0[0-9]|1[0-5]):[0-5][0-9]$'::text) THEN NULL::timestamp with time zone WHEN (((value)::timestamp with time zone >= '0001-01-02 00:00:00+00'::timestamp with time zone) AND ((value)::timestamp with time zone < '9999-12-31 00:00:00+00'::timestamp with time zone)) THEN (value)::timestamp with time zone ELSE NULL::timestamp with time zone END;


--
-- Name: as_uuid(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.as_uuid(value text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((value COLLATE "C") ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'::text) THEN (value)::uuid ELSE NULL::uuid END;


--
-- Name: as_uuid_array(jsonb); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.as_uuid_array(value jsonb) RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (((value)::text COLLATE "C") ~ '^\[("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"(, )?)*\]$'::text) THEN (translate((value)::text, '[]" '::text, '{}'::text))::uuid[] ELSE NULL::uuid[] END;


--
-- Name: bound_requests(); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.bound_requests() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF (SELECT count(*) FROM notion_sync.sync_requests WHERE user_id = NEW.user_id AND status = 'waiting') >= 1000 THEN
        RAISE EXCEPTION 'user % has 1,000 requests waiting: let a sync-all serve them first', NEW.user_id
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    RETURN NEW;
END
$$;


--
-- Name: check_that_it_stays_away(text, text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.check_that_it_stays_away(whose text, hex text, path text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
                'user %L is still connected, so the next run would bring it all back: first empty notion_token, '
                'notion_access_token and notion_databases in %s ("forget --disconnect" does).', whose, settings);
        ELSIF wanted ->> '*' = '*' THEN
            RAISE object_not_in_prerequisite_state USING MESSAGE = format(
                'user %L mirrors everything that is shared with the token, so the next run would bring the database '
                'back: first name the databases that are wanted in notion_databases of %s, or take the connection '
                'off the database in Notion and forget the user.', whose, settings);
        ELSIF EXISTS (SELECT FROM jsonb_each_text(wanted) AS one
                      WHERE position(hex IN replace(lower(one.value), '-', '')) > 0) THEN
            RAISE object_not_in_prerequisite_state USING MESSAGE = format(
                'the database is still among notion_databases of user %L, so the next run would bring it back: first '
                'take it out there, in %s ("forget --disconnect" does).', whose, settings);
        END IF;
    END LOOP;
END
$_$;


--
-- Name: current_user_id(); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.current_user_id() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN COALESCE(NULLIF(current_setting('app.user_id'::text, true), ''::text), ((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text));


--
-- Name: delete_from_sync_table(regclass, text, text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.delete_from_sync_table(relation regclass, whose text, hex text, path text, OUT row_count bigint, OUT gone text[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;


--
-- Name: delete_rows_of(text, text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.delete_rows_of(whose text, hex text, path text) RETURNS TABLE(relation text, row_count bigint)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;


--
-- Name: drop_views_of_nobody(); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.drop_views_of_nobody() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
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
              AND (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
                   WHERE attrelid = pg_class.oid AND attnum BETWEEN 1 AND 9)
                  IN ('{page_id,user_id,database_id,database_name,data_source_id,url,notion_created_at,notion_edited_at,'
                      'last_synced_at}',
                      '{user_id,page_id,related_page_id,position}');
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


--
-- Name: follow_search_language(); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.follow_search_language() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    UPDATE notion_sync.search_documents AS document SET (tsv, is_cut) = (
        SELECT vector.tsv, vector.is_cut
        FROM (SELECT) AS page
        LEFT JOIN notion_sync.page_bodies AS body
            ON body.user_id = document.user_id AND body.page_id = document.page_id,
        notion_sync.search_vector(
            NEW.language::regconfig, document.title, document.text, coalesce(body.plain_text, '')) AS vector);
    RETURN NULL;
END
$$;


--
-- Name: follow_view_sources(); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.follow_view_sources() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    changed CONSTANT jsonb := to_jsonb(coalesce(NEW, OLD));
BEGIN
    PERFORM notion_sync.list_view_sources(changed ->> 'user_id', changed ->> 'data_source_id');
    RETURN NULL;
END
$$;


--
-- Name: forget_rows(text, text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.forget_rows(whose text, hex text, path text) RETURNS TABLE(relation text, row_count bigint)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
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


--
-- Name: forget(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.forget(user_id text) RETURNS TABLE(relation text, row_count bigint)
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT forget_rows.relation,
     forget_rows.row_count
    FROM notion_sync.forget_rows(forget.user_id, NULL::text, current_setting('search_path'::text)) forget_rows(relation, row_count);
END;


--
-- Name: FUNCTION forget(user_id text); Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON FUNCTION notion_sync.forget(user_id text) IS 'Removes every trace of a user''s mirrored rows, and says how many rows of which tables went.';


--
-- Name: hex_of(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.hex_of(database_id text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    hex CONSTANT text := replace(lower(database_id), '-', '');
BEGIN
    IF hex !~ '^[0-9a-f]{32}$' IS NOT FALSE THEN
        RAISE invalid_parameter_value USING MESSAGE =
            'that is not the id of a Notion database: give its 32 characters, with or without dashes.';
    END IF;
    RETURN hex;
END
$_$;


--
-- Name: forget(text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.forget(user_id text, database_id text) RETURNS TABLE(relation text, row_count bigint)
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT forget_rows.relation,
     forget_rows.row_count
    FROM notion_sync.forget_rows(forget.user_id, notion_sync.hex_of(forget.database_id), current_setting('search_path'::text)) forget_rows(relation, row_count);
END;


--
-- Name: FUNCTION forget(user_id text, database_id text); Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON FUNCTION notion_sync.forget(user_id text, database_id text) IS 'Removes every trace of one mirrored database of a user, and says how many rows of which tables went.';


--
-- Name: get_notion_page(text, text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.get_notion_page(user_id text, database_name text, title text) RETURNS SETOF notion_sync.found_page
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
                        SELECT document.page_id::text
                        UNION SELECT replace(document.page_id::text, '-', '')
                        UNION SELECT upper(document.page_id::text)
                        UNION SELECT upper(replace(document.page_id::text, '-', ''))
                    ) AS spelled (notion_page_id)
                    WHERE document.user_id = $1 AND document.title_key = left($2, 200) AND lower(document.title) = $2
                      AND document.data_source_id = $3
                )
                SELECT page.user_id::text, found.page_id, $4, found.title,
                       page.url::text, page.properties, page.fields, page.notion_created_at, page.notion_edited_at,
                       page.last_synced_at
                FROM found JOIN %I.%I AS page USING (user_id, notion_page_id)
                ORDER BY page.notion_edited_at DESC, found.page_id
            $query$,
            place.nspname, place.relname
        ) USING asked, wanted, place.data_source_id, place.database_name;
    END LOOP;
END
$_$;


--
-- Name: id_in(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.id_in(written text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    SELECT substring(replace(lower(split_part(split_part(trim(written), '#', 1), '?', 1)), '-', '')
                     FROM '(?:^|[^0-9a-f])([0-9a-f]{32})/?$')::uuid::text
$_$;


--
-- Name: is_trusted(oid); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.is_trusted(role oid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT EXISTS (
        SELECT FROM pg_roles
        WHERE oid = role AND (rolsuper OR rolname = current_user
                              OR EXISTS (SELECT FROM notion_sync.trusted_owners WHERE owner = rolname::text)
                              OR oid = (SELECT nspowner FROM pg_namespace WHERE nspname = 'notion_sync')))
$$;


--
-- Name: keep_runs_off(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.keep_runs_off(whose text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
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


--
-- Name: list_view_sources(text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.list_view_sources(whose text, source text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $$
    WITH wanted AS (
        SELECT known.user_id, known.data_source_id, view_name, format('%I.%I', nspname, relname) AS sync_table,
               database_name,
               ARRAY(SELECT columns.name FROM notion_sync.columns
                     WHERE (columns.user_id, columns.data_source_id) = (known.user_id, known.data_source_id)
                       AND property_type = 'relation' ORDER BY 1) AS relations
        FROM notion_sync.accounts
        JOIN notion_sync.data_sources AS known USING (user_id)
        JOIN pg_class ON relkind IN ('r', 'p')
        JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname || '.' || relname = known.sync_table
        WHERE accounts.views AND known.user_id = whose
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


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: users; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.users (
    user_id text NOT NULL,
    id uuid NOT NULL,
    kind text,
    name text,
    email text,
    avatar_url text,
    asked_at timestamp with time zone,
    written_in xid,
    CONSTRAINT users_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'bot'::text, 'group'::text])))
);


--
-- Name: TABLE users; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON TABLE notion_sync.users IS 'People, bots and groups of a user''s Notion workspace, as far as rows name them.';


--
-- Name: COLUMN users.user_id; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.users.user_id IS 'The user in user_settings whose copy names them.';


--
-- Name: COLUMN users.id; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.users.id IS 'Notion''s id, as in fields and views.';


--
-- Name: COLUMN users.kind; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.users.kind IS 'Null: Notion has not told who it is.';


--
-- Name: COLUMN users.asked_at; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.users.asked_at IS 'When Notion was last asked for it by itself.';


--
-- Name: COLUMN users.written_in; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.users.written_in IS 'The transaction in which the tool wrote it; where its xmin is another, Notion is asked again.';


--
-- Name: names_of(text, uuid[]); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.names_of(whose text, ids uuid[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (ids IS NOT NULL) THEN ARRAY(SELECT users.name FROM (unnest(names_of.ids) WITH ORDINALITY listed(id, place) LEFT JOIN notion_sync.users ON (((users.user_id = names_of.whose) AND (users.id = listed.id)))) ORDER BY listed.place) ELSE NULL::text[] END;


--
-- Name: names_user(text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.names_user(said text, whose text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE((translate(said, '''"\'::text, ''::text) ~ concat('(^|[^\w-])', regexp_replace(translate(whose, '''"\'::text, ''::text), '([^\w])'::text, '\\\1'::text, 'g'::text), '($|[^\w-])')), false);


--
-- Name: own_search_matches(tsquery, text[], integer); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.own_search_matches(query tsquery, sources text[], most integer) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$SELECT notion_sync.search_matches(notion_sync.current_user_id(), query, sources, most)$$;


--
-- Name: pages_without_row(regclass, text, text[], text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.pages_without_row(relation regclass, whose text, pages text[], path text) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;


--
-- Name: repeatable_state(); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.repeatable_state() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $$
    SELECT encode(sha256(convert_to(string_agg(said, E'\n' ORDER BY said COLLATE "C"), 'UTF8')), 'hex')
    FROM (
        SELECT concat_ws(' ', pg_get_functiondef(oid), proacl) FROM pg_proc
        WHERE pronamespace = 'notion_sync'::regnamespace AND prokind = 'f'
        UNION ALL
        SELECT concat_ws(' ', polrelid::regclass, polname, polpermissive, polcmd, polroles,
                         pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
        FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
        WHERE relnamespace = 'notion_sync'::regnamespace
        UNION ALL
        SELECT concat_ws(' ', pg_get_triggerdef(pg_trigger.oid), tgenabled)
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = 'notion_sync'::regnamespace AND NOT tgisinternal
        UNION ALL
        SELECT concat_ws(' ', pg_class.oid::regclass, relrowsecurity) FROM pg_class
        WHERE relnamespace = 'notion_sync'::regnamespace AND relkind IN ('r', 'p')
    ) AS catalog (said)
$$;


--
-- Name: search(text, text, text[], integer); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.search(query text, user_id text DEFAULT notion_sync.current_user_id(), databases text[] DEFAULT NULL::text[], most integer DEFAULT 20) RETURNS SETOF notion_sync.search_result
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := search.user_id;
    named CONSTANT text[] := search.databases;
    language CONSTANT regconfig := notion_sync.search_language();
    words CONSTANT tsquery := notion_sync.search_query(language, search.query);
    limited CONSTANT integer := greatest(coalesce(search.most, 20), 0);
    sources text[];
    best uuid[];
BEGIN
    IF asked IS NULL OR coalesce(numnode(words), 0) = 0 THEN
        RETURN;
    END IF;
    IF named IS NOT NULL THEN
        sources := ARRAY(
            SELECT known.data_source_id FROM notion_sync.data_sources AS known
            WHERE known.user_id = asked
              AND lower(known.database_name) IN (SELECT lower(one) FROM unnest(named) AS one));
    END IF;
    IF row_security_active('notion_sync.search_documents')
        AND has_function_privilege('notion_sync.own_search_matches(tsquery, text[], integer)', 'EXECUTE')
    THEN
        IF asked IS DISTINCT FROM notion_sync.current_user_id() THEN
            RETURN;
        END IF;
        best := ARRAY(SELECT notion_sync.own_search_matches(words, sources, limited)::uuid);
    ELSE
        best := ARRAY(SELECT notion_sync.search_matches(asked, words, sources, limited)::uuid);
    END IF;
    RETURN QUERY
        SELECT document.user_id, document.page_id, known.database_name, document.title,
               ts_headline(
                   language,
                   left(coalesce(nullif(concat_ws(E'\n', nullif(document.text, ''), body.plain_text), ''), document.title),
                        20000),
                   words,
                   'StartSel=**, StopSel=**, MaxWords=30, MinWords=10'),
               ts_rank(document.tsv, words), document.is_cut
        FROM unnest(best) WITH ORDINALITY AS match (page_id, place)
        JOIN notion_sync.search_documents AS document ON document.user_id = asked AND document.page_id = match.page_id
        JOIN notion_sync.data_sources AS known
            ON known.user_id = asked AND known.data_source_id = document.data_source_id
        LEFT JOIN notion_sync.page_bodies AS body ON body.user_id = asked AND body.page_id = document.page_id
        ORDER BY match.place;
END
$$;


--
-- Name: search_language(); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.search_language() RETURNS regconfig
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$SELECT language::regconfig FROM notion_sync.search_settings$$;


--
-- Name: search_matches(text, tsquery, text[], integer); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.search_matches(asked text, query tsquery, sources text[], most integer) RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT page_id::text FROM (
        SELECT page_id, title, tsv FROM notion_sync.search_documents
        WHERE ARRAY[user_id] @> ARRAY[asked] AND user_id = asked AND tsv @@ query
          AND (sources IS NULL OR data_source_id::text = ANY (sources))
        LIMIT 10000
    ) AS matching
    ORDER BY ts_rank(tsv, query) DESC, title, page_id
    LIMIT most
$$;


--
-- Name: search_query(regconfig, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.search_query(language regconfig, query text) RETURNS tsquery
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN websearch_to_tsquery(language, left(query, 500));
EXCEPTION WHEN internal_error THEN
    RETURN plainto_tsquery(language, left(query, 500));
END
$$;


--
-- Name: search_vector(regconfig, text, text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.search_vector(language regconfig, title text, text text, body text, OUT tsv tsvector, OUT is_cut boolean) RETURNS record
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    room integer := 1000000;
BEGIN
    IF octet_length(title) + octet_length(text) + octet_length(body) <= 50000 THEN
        tsv := setweight(to_tsvector(language, title), 'A') || setweight(to_tsvector(language, text), 'B')
            || setweight(to_tsvector(language, body), 'C');
        is_cut := false;
        RETURN;
    END IF;
    LOOP
        BEGIN
            tsv := setweight(to_tsvector(language, left(title, room)), 'A')
                || setweight(to_tsvector(language, left(text, room)), 'B')
                || setweight(to_tsvector(language, left(body, room)), 'C');
            is_cut := greatest(char_length(title), char_length(text), char_length(body)) > room;
            RETURN;
        EXCEPTION WHEN program_limit_exceeded THEN
            room := room / 2;
        END;
    END LOOP;
END
$$;


--
-- Name: sees_rows_of(text, text, text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.sees_rows_of(sync_table text, whose text, source text, path text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;


--
-- Name: settings_by(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.settings_by(path text) RETURNS regclass
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
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


--
-- Name: spell_page_id(); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.spell_page_id() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;


--
-- Name: sync_all_notion_databases(text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.sync_all_notion_databases(user_id text) RETURNS TABLE(request_id bigint, database_id text, database_name text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := sync_all_notion_databases.user_id;
    waiting bigint;
BEGIN
    IF asked IS NULL OR asked = '' THEN
        RAISE EXCEPTION 'no user is given: name the one whose databases are to be synced'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    INSERT INTO notion_sync.sync_requests (user_id) VALUES (asked)
    ON CONFLICT (user_id, database_id) WHERE status = 'waiting' DO NOTHING
    RETURNING sync_requests.request_id INTO waiting;
    waiting := coalesce(waiting, (
        SELECT max(open.request_id) FROM notion_sync.sync_requests AS open
        WHERE open.user_id = asked AND open.database_id IS NULL AND open.status = 'waiting'));
    RETURN QUERY
        SELECT waiting, known.database_id::text, known.name FROM notion_sync.databases AS known
        WHERE known.user_id = asked ORDER BY known.name, known.database_id;
    IF NOT FOUND THEN
        RETURN QUERY SELECT waiting, NULL::text, NULL::text;
    END IF;
END
$$;


--
-- Name: sync_notion_database(text, text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.sync_notion_database(user_id text, database_id text, database_name text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := sync_notion_database.user_id;
    wanted uuid := notion_sync.id_in(sync_notion_database.database_id)::uuid;
    waiting bigint;
BEGIN
    IF asked IS NULL OR asked = '' THEN
        RAISE EXCEPTION 'no user is given: name the one whose database is to be synced'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF wanted IS NULL AND coalesce(sync_notion_database.database_id, '') = '' THEN
        SELECT known.database_id INTO wanted FROM notion_sync.databases AS known
        WHERE known.user_id = asked AND known.name = sync_notion_database.database_name
        ORDER BY known.database_id LIMIT 1;
    END IF;
    IF wanted IS NULL THEN
        RAISE EXCEPTION 'there is no such database (id %, name %): give its Notion id, its link, or its name in '
            'notion_databases', sync_notion_database.database_id, sync_notion_database.database_name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO notion_sync.sync_requests (user_id, database_id, database_name)
    VALUES (asked, wanted, sync_notion_database.database_name)
    ON CONFLICT (user_id, database_id) WHERE status = 'waiting' DO NOTHING
    RETURNING request_id INTO waiting;
    RETURN coalesce(waiting, (
        SELECT max(request_id) FROM notion_sync.sync_requests
        WHERE user_id = asked AND database_id = wanted AND status = 'waiting'));
END
$$;


--
-- Name: sync_tables_open(boolean); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.sync_tables_open(all_rows boolean) RETURNS SETOF text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
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


--
-- Name: text_in(jsonb); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.text_in(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof(value) WHEN 'string'::text THEN (value #>> '{}'::text[]) WHEN 'array'::text THEN array_to_string(notion_sync.as_text_array(value), ', '::text) ELSE NULL::text END;


--
-- Name: views_of_nobody(); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.views_of_nobody() RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT view_name FROM notion_sync.views
    WHERE NOT EXISTS (
        SELECT FROM notion_sync.accounts JOIN notion_sync.data_sources AS known USING (user_id)
        WHERE accounts.views AND known.view_name = coalesce(typed_view, views.view_name)
          AND (relation IS NULL OR EXISTS (
              SELECT FROM notion_sync.columns
              WHERE (columns.user_id, columns.data_source_id) = (known.user_id, known.data_source_id)
                AND columns.name = relation AND property_type = 'relation')))
$$;


--
-- Name: write_settings(text, text); Type: FUNCTION; Schema: notion_sync; Owner: -
--

CREATE FUNCTION notion_sync.write_settings(statement text, token text, OUT stored text, OUT refused_as text, OUT because text) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE statement INTO stored USING token;
EXCEPTION
    WHEN data_exception OR integrity_constraint_violation OR insufficient_privilege THEN
        refused_as := SQLSTATE;
        because := SQLERRM;
END
$$;


--
-- Name: get_notion_page(text, text, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.get_notion_page(user_id text, database_name text, title text) RETURNS SETOF notion_sync.found_page
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$SELECT * FROM notion_sync.get_notion_page(user_id, database_name, title)$$;


--
-- Name: sync_all_notion_databases(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.sync_all_notion_databases(user_id text) RETURNS TABLE(request_id bigint, database_id text, database_name text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$SELECT * FROM notion_sync.sync_all_notion_databases(user_id)$$;


--
-- Name: sync_notion_database(text, text, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.sync_notion_database(user_id text, database_id text, database_name text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$SELECT notion_sync.sync_notion_database(user_id, database_id, database_name)$$;


--
-- Name: view_sources; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.view_sources (
    user_id text NOT NULL,
    notion_data_source_id text CONSTRAINT view_sources_data_source_id_not_null NOT NULL,
    view_name text NOT NULL,
    sync_table text NOT NULL,
    database_name text NOT NULL,
    relations text[] NOT NULL,
    data_source_id uuid CONSTRAINT view_sources_data_source_id_not_null1 NOT NULL,
    CONSTRAINT both_are_one_id CHECK ((notion_data_source_id = (data_source_id)::text))
);


--
-- Name: TABLE view_sources; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON TABLE notion_sync.view_sources IS 'Whose rows the typed views show; a session sees those whose rows it sees.';


--
-- Name: COLUMN view_sources.notion_data_source_id; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.view_sources.notion_data_source_id IS 'The same id as sync tables have it.';


--
-- Name: COLUMN view_sources.sync_table; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.view_sources.sync_table IS 'As it stands in a statement, quoted where it has to be.';


--
-- Name: COLUMN view_sources.relations; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.view_sources.relations IS 'The columns that hold related pages.';


--
-- Name: notion_characters_sync; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notion_characters_sync (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    notion_page_id text,
    notion_database_id text NOT NULL,
    user_id text NOT NULL,
    name text,
    description text,
    properties jsonb DEFAULT '{}'::jsonb,
    content_hash text,
    last_synced_at timestamp with time zone DEFAULT now(),
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    notion_data_source_id text,
    fields jsonb,
    url text,
    notion_created_at timestamp with time zone,
    notion_edited_at timestamp with time zone
);


--
-- Name: characters; Type: VIEW; Schema: notion; Owner: -
--

CREATE VIEW notion.characters WITH (security_invoker='true') AS
 SELECT notion_sync.as_notion_id(page.notion_page_id) AS page_id,
    page.user_id,
    notion_sync.as_notion_id(page.notion_database_id) AS database_id,
    shown.database_name,
    notion_sync.as_uuid(page.notion_data_source_id) AS data_source_id,
    page.url,
    page.notion_created_at,
    page.notion_edited_at,
    page.last_synced_at,
    (page.fields ->> 'name'::text) AS name,
    notion_sync.as_numeric((page.fields -> 'age'::text)) AS age,
    notion_sync.as_date((page.fields ->> 'born'::text)) AS born,
    notion_sync.as_timestamptz((page.fields ->> 'born_at'::text)) AS born_at,
    notion_sync.as_date((page.fields ->> 'born_end'::text)) AS born_end,
    notion_sync.as_timestamptz((page.fields ->> 'born_end_at'::text)) AS born_end_at,
    (page.fields ->> 'description'::text) AS description,
    notion_sync.as_uuid_array((page.fields -> 'friend'::text)) AS friend,
    notion_sync.names_of(page.user_id, notion_sync.as_uuid_array((page.fields -> 'friend'::text))) AS friend_names,
    notion_sync.as_text_array((page.fields -> 'traits'::text)) AS traits,
    notion_sync.as_uuid_array((page.fields -> 'world'::text)) AS world
   FROM (notion_sync.view_sources shown
     JOIN public.notion_characters_sync page ON (((page.user_id = shown.user_id) AND (page.notion_data_source_id = shown.notion_data_source_id))))
  WHERE ((shown.view_name = 'characters'::text) AND (shown.sync_table = 'public.notion_characters_sync'::text));


--
-- Name: VIEW characters; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON VIEW notion.characters IS 'Notion: Characters (kept by notion-pg-sync)';


--
-- Name: COLUMN characters.name; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.name IS 'Notion: Name (title)';


--
-- Name: COLUMN characters.age; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.age IS 'Notion: Age (number)';


--
-- Name: COLUMN characters.born; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.born IS 'Notion: Born (date)';


--
-- Name: COLUMN characters.born_at; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.born_at IS 'Notion: Born (date)';


--
-- Name: COLUMN characters.born_end; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.born_end IS 'Notion: Born (date)';


--
-- Name: COLUMN characters.born_end_at; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.born_end_at IS 'Notion: Born (date)';


--
-- Name: COLUMN characters.description; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.description IS 'Notion: Description (rich_text)';


--
-- Name: COLUMN characters.friend; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.friend IS 'Notion: Friend (people)';


--
-- Name: COLUMN characters.friend_names; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.friend_names IS 'Notion: Friend (people), by name';


--
-- Name: COLUMN characters.traits; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.traits IS 'Notion: Traits (multi_select)';


--
-- Name: COLUMN characters.world; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.characters.world IS 'Notion: World (relation)';


--
-- Name: characters__world; Type: VIEW; Schema: notion; Owner: -
--

CREATE VIEW notion.characters__world WITH (security_invoker='true') AS
 SELECT page.user_id,
    notion_sync.as_notion_id(page.notion_page_id) AS page_id,
    related.page_id AS related_page_id,
    (related."position")::integer AS "position"
   FROM ((notion_sync.view_sources shown
     JOIN public.notion_characters_sync page ON (((page.user_id = shown.user_id) AND (page.notion_data_source_id = shown.notion_data_source_id))))
     CROSS JOIN LATERAL unnest(notion_sync.as_uuid_array((page.fields -> 'world'::text))) WITH ORDINALITY related(page_id, "position"))
  WHERE ((shown.view_name = 'characters'::text) AND (shown.sync_table = 'public.notion_characters_sync'::text) AND ('world'::text = ANY (shown.relations)));


--
-- Name: VIEW characters__world; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON VIEW notion.characters__world IS 'Notion: Characters, related pages of world (kept by notion-pg-sync)';


--
-- Name: notion_pages_sync; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notion_pages_sync (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    notion_page_id text,
    notion_database_id text NOT NULL,
    database_name text NOT NULL,
    user_id text NOT NULL,
    title text,
    content text,
    properties jsonb DEFAULT '{}'::jsonb,
    content_hash text,
    last_synced_at timestamp with time zone DEFAULT now(),
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    notion_data_source_id text,
    fields jsonb,
    url text,
    notion_created_at timestamp with time zone,
    notion_edited_at timestamp with time zone
);


--
-- Name: notes; Type: VIEW; Schema: notion; Owner: -
--

CREATE VIEW notion.notes WITH (security_invoker='true') AS
 SELECT notion_sync.as_notion_id(page.notion_page_id) AS page_id,
    page.user_id,
    notion_sync.as_notion_id(page.notion_database_id) AS database_id,
    shown.database_name,
    notion_sync.as_uuid(page.notion_data_source_id) AS data_source_id,
    page.url,
    page.notion_created_at,
    page.notion_edited_at,
    page.last_synced_at,
    (page.fields ->> 'name'::text) AS name
   FROM (notion_sync.view_sources shown
     JOIN public.notion_pages_sync page ON (((page.user_id = shown.user_id) AND (page.notion_data_source_id = shown.notion_data_source_id))))
  WHERE ((shown.view_name = 'notes'::text) AND (shown.sync_table = 'public.notion_pages_sync'::text));


--
-- Name: VIEW notes; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON VIEW notion.notes IS 'Notion: Notes (kept by notion-pg-sync)';


--
-- Name: COLUMN notes.name; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.notes.name IS 'Notion: Name (title)';


--
-- Name: notion_worlds_sync; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notion_worlds_sync (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    notion_page_id text,
    notion_database_id text NOT NULL,
    user_id text NOT NULL,
    name text,
    description text,
    properties jsonb DEFAULT '{}'::jsonb,
    content_hash text,
    last_synced_at timestamp with time zone DEFAULT now(),
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    notion_data_source_id text,
    fields jsonb,
    url text,
    notion_created_at timestamp with time zone,
    notion_edited_at timestamp with time zone
);


--
-- Name: worlds; Type: VIEW; Schema: notion; Owner: -
--

CREATE VIEW notion.worlds WITH (security_invoker='true') AS
 SELECT notion_sync.as_notion_id(page.notion_page_id) AS page_id,
    page.user_id,
    notion_sync.as_notion_id(page.notion_database_id) AS database_id,
    shown.database_name,
    notion_sync.as_uuid(page.notion_data_source_id) AS data_source_id,
    page.url,
    page.notion_created_at,
    page.notion_edited_at,
    page.last_synced_at,
    (page.fields ->> 'name'::text) AS name,
    (page.fields ->> 'concept_premise'::text) AS concept_premise
   FROM (notion_sync.view_sources shown
     JOIN public.notion_worlds_sync page ON (((page.user_id = shown.user_id) AND (page.notion_data_source_id = shown.notion_data_source_id))))
  WHERE ((shown.view_name = 'worlds'::text) AND (shown.sync_table = 'public.notion_worlds_sync'::text));


--
-- Name: VIEW worlds; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON VIEW notion.worlds IS 'Notion: Worlds (kept by notion-pg-sync)';


--
-- Name: COLUMN worlds.name; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.worlds.name IS 'Notion: Name (title)';


--
-- Name: COLUMN worlds.concept_premise; Type: COMMENT; Schema: notion; Owner: -
--

COMMENT ON COLUMN notion.worlds.concept_premise IS 'Notion: Concept/Premise (rich_text)';


--
-- Name: accounts; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.accounts (
    user_id text NOT NULL,
    views boolean DEFAULT false NOT NULL,
    lease_runid bigint,
    lease_expires_at timestamp with time zone,
    last_sync_started_at timestamp with time zone,
    last_sync_ended_at timestamp with time zone,
    rate_limited_until timestamp with time zone,
    token_fingerprint text,
    last_sync_runid bigint,
    last_sync_brings text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT leases_expire CHECK (((lease_runid IS NULL) = (lease_expires_at IS NULL)))
);


--
-- Name: COLUMN accounts.views; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.accounts.views IS 'Whether typed views are kept for this user.';


--
-- Name: COLUMN accounts.rate_limited_until; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.accounts.rate_limited_until IS 'Until when Notion''s rate limit holds this token back.';


--
-- Name: COLUMN accounts.token_fingerprint; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.accounts.token_fingerprint IS 'SHA-256 of the token of the last sync: another token lifts the suspension of databases.';


--
-- Name: COLUMN accounts.last_sync_brings; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.accounts.last_sync_brings IS 'What the last sync-all was to bring for this user: rows, and full read, bodies or full bodies where it was asked to.';


--
-- Name: columns; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.columns (
    user_id text NOT NULL,
    data_source_id uuid NOT NULL,
    property_id text NOT NULL,
    part text NOT NULL,
    property_name text NOT NULL,
    property_type text NOT NULL,
    name text NOT NULL,
    type text NOT NULL
);


--
-- Name: data_sources; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.data_sources (
    user_id text NOT NULL,
    data_source_id uuid NOT NULL,
    database_id uuid NOT NULL,
    database_name text NOT NULL,
    view_name text NOT NULL,
    name text NOT NULL,
    sync_table text NOT NULL,
    schema jsonb NOT NULL,
    schema_fingerprint text NOT NULL,
    row_count bigint,
    watermark timestamp with time zone,
    full_read_at timestamp with time zone,
    full_read_started_at timestamp with time zone,
    full_read_covered tstzmultirange DEFAULT '{}'::tstzmultirange NOT NULL,
    held_back bigint DEFAULT 0 NOT NULL,
    synced_at timestamp with time zone,
    fresh_as_of timestamp with time zone,
    full_as_of timestamp with time zone,
    full_read_began_at timestamp with time zone,
    bodies boolean DEFAULT false NOT NULL,
    is_searchable boolean DEFAULT false NOT NULL,
    database_id_as_written text,
    full_read_progress_at timestamp with time zone,
    full_read_version integer,
    table_shape text
);


--
-- Name: COLUMN data_sources.database_name; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.database_name IS 'The name under which its rows are in the sync table.';


--
-- Name: COLUMN data_sources.view_name; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.view_name IS 'The typed view that shows its rows, for users who want one.';


--
-- Name: COLUMN data_sources.watermark; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.watermark IS 'Every edit before this minute, by Notion''s clock, is in the copy.';


--
-- Name: COLUMN data_sources.full_read_at; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.full_read_at IS 'When the last complete full read began.';


--
-- Name: COLUMN data_sources.full_read_started_at; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.full_read_started_at IS 'When the full read that is under way began.';


--
-- Name: COLUMN data_sources.full_read_covered; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.full_read_covered IS 'Creation times whose rows the full read under way has written; it is complete when nothing is left out.';


--
-- Name: COLUMN data_sources.held_back; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.held_back IS 'Rows that the last full read did not find in Notion, too many to remove without somebody''s word.';


--
-- Name: COLUMN data_sources.fresh_as_of; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.fresh_as_of IS 'Every edit before this time is in the copy.';


--
-- Name: COLUMN data_sources.full_as_of; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.full_as_of IS 'When the last complete full read began: what had left Notion by then has left the copy.';


--
-- Name: COLUMN data_sources.full_read_began_at; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.full_read_began_at IS 'When the last full read, complete or not, began.';


--
-- Name: COLUMN data_sources.bodies; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.bodies IS 'Yours to set: whether its bodies are read by every run, also by those without --bodies.';


--
-- Name: COLUMN data_sources.is_searchable; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.is_searchable IS 'Whether all its rows are in search_documents; the next sync brings those there that an earlier version wrote.';


--
-- Name: COLUMN data_sources.database_id_as_written; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.database_id_as_written IS 'What new rows have in notion_database_id: the id as user_settings has it; null: as Notion writes it.';


--
-- Name: COLUMN data_sources.full_read_progress_at; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.full_read_progress_at IS 'When the full read that is under way last recorded progress; null: it is not carried on.';


--
-- Name: COLUMN data_sources.full_read_version; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.full_read_version IS 'The version of the conversion that the full read under way began with.';


--
-- Name: COLUMN data_sources.table_shape; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.data_sources.table_shape IS 'Columns and triggers of the sync table when the notes on its rows were begun: once they change, every row is compared.';


--
-- Name: database_runs; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.database_runs (
    runid bigint NOT NULL,
    user_id text NOT NULL,
    database_id uuid NOT NULL,
    database_name text NOT NULL,
    mode text,
    status text NOT NULL,
    rows_read bigint DEFAULT 0 NOT NULL,
    inserted bigint DEFAULT 0 NOT NULL,
    updated bigint DEFAULT 0 NOT NULL,
    unchanged bigint DEFAULT 0 NOT NULL,
    removed bigint DEFAULT 0 NOT NULL,
    requests bigint DEFAULT 0 NOT NULL,
    retries bigint DEFAULT 0 NOT NULL,
    seconds double precision,
    error_code text,
    message text,
    start_time timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    end_time timestamp with time zone,
    bodies_read bigint DEFAULT 0 NOT NULL,
    bodies_failed bigint DEFAULT 0 NOT NULL,
    CONSTRAINT database_runs_mode_check CHECK ((mode = ANY (ARRAY['full'::text, 'incremental'::text]))),
    CONSTRAINT database_runs_status_check CHECK ((status = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text]))),
    CONSTRAINT ended_runs_have_times CHECK (((status = 'running'::text) OR (end_time IS NOT NULL)))
);


--
-- Name: databases; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.databases (
    user_id text NOT NULL,
    database_id uuid NOT NULL,
    name text NOT NULL,
    found_by_search boolean DEFAULT false NOT NULL,
    last_runid bigint,
    last_mode text,
    last_status text,
    last_rows_read bigint,
    last_requests bigint,
    last_seconds double precision,
    last_error_code text,
    last_message text,
    last_started_at timestamp with time zone,
    last_ended_at timestamp with time zone,
    last_succeeded_at timestamp with time zone,
    failing_since timestamp with time zone,
    failures_in_a_row integer DEFAULT 0 NOT NULL,
    suspended_since timestamp with time zone,
    next_try_at timestamp with time zone,
    CONSTRAINT databases_last_status_check CHECK ((last_status = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text])))
);


--
-- Name: COLUMN databases.name; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.databases.name IS 'As configured in user_settings, or as found by search.';


--
-- Name: COLUMN databases.suspended_since; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.databases.suspended_since IS 'Since when it is tried only now and then: it failed three times in a row for want of access.';


--
-- Name: COLUMN databases.next_try_at; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.databases.next_try_at IS 'Before this time a suspended database is not tried.';


--
-- Name: job; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.job (
    jobid bigint NOT NULL,
    schedule text NOT NULL,
    command text NOT NULL,
    nodename text DEFAULT 'localhost'::text NOT NULL,
    nodeport integer DEFAULT COALESCE(inet_server_port(), (current_setting('port'::text))::integer) NOT NULL,
    database text DEFAULT current_database() NOT NULL,
    username text DEFAULT CURRENT_USER NOT NULL,
    active boolean DEFAULT true NOT NULL,
    jobname text
);


--
-- Name: job_run_details; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.job_run_details (
    jobid bigint,
    runid bigint NOT NULL,
    job_pid integer,
    database text,
    username text,
    command text,
    status text,
    return_message text,
    start_time timestamp with time zone,
    end_time timestamp with time zone,
    CONSTRAINT ended_runs_have_times CHECK (((status <> ALL (ARRAY['succeeded'::text, 'failed'::text])) OR ((start_time IS NOT NULL) AND (end_time IS NOT NULL)))),
    CONSTRAINT job_run_details_status_check CHECK ((status = ANY (ARRAY['starting'::text, 'running'::text, 'succeeded'::text, 'failed'::text])))
);


--
-- Name: jobid_seq; Type: SEQUENCE; Schema: notion_sync; Owner: -
--

CREATE SEQUENCE notion_sync.jobid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: jobid_seq; Type: SEQUENCE OWNED BY; Schema: notion_sync; Owner: -
--

ALTER SEQUENCE notion_sync.jobid_seq OWNED BY notion_sync.job.jobid;


--
-- Name: migrations; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.migrations (
    version integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    must_know integer NOT NULL,
    CONSTRAINT only_earlier_ones CHECK ((must_know <= version))
);


--
-- Name: COLUMN migrations.must_know; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.migrations.must_know IS 'Versions of the tool that know the migrations up to this one work with the tables: what came later only adds.';


--
-- Name: page_bodies; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.page_bodies (
    user_id text NOT NULL,
    page_id uuid CONSTRAINT page_bodies_notion_page_id_not_null NOT NULL,
    data_source_id uuid NOT NULL,
    markdown text NOT NULL,
    plain_text text NOT NULL,
    is_complete boolean GENERATED ALWAYS AS ((missing = '{}'::text[])) STORED NOT NULL,
    missing text[] DEFAULT '{}'::text[] NOT NULL,
    content_hash text NOT NULL,
    last_edited_time timestamp with time zone NOT NULL,
    is_settled boolean NOT NULL,
    fetched_at timestamp with time zone NOT NULL,
    written_in xid,
    stored_digest bytea
);


--
-- Name: TABLE page_bodies; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON TABLE notion_sync.page_bodies IS 'The bodies of pages, as far as runs or data_sources.bodies ask for them.';


--
-- Name: COLUMN page_bodies.markdown; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.page_bodies.markdown IS 'Notion''s enhanced Markdown; URLs of hosted files without signature.';


--
-- Name: COLUMN page_bodies.plain_text; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.page_bodies.plain_text IS 'The same without marks, for search.';


--
-- Name: COLUMN page_bodies.missing; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.page_bodies.missing IS 'What could not be read, a word or a sentence each, and is not in the Markdown.';


--
-- Name: COLUMN page_bodies.content_hash; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.page_bodies.content_hash IS 'SHA-256 of the Markdown.';


--
-- Name: COLUMN page_bodies.last_edited_time; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.page_bodies.last_edited_time IS 'The edit of the page that the body stands for, to the minute.';


--
-- Name: COLUMN page_bodies.is_settled; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.page_bodies.is_settled IS 'Whether it was read long enough after that minute that no edit of the minute can be missing.';


--
-- Name: COLUMN page_bodies.fetched_at; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.page_bodies.fetched_at IS 'When it was asked for, by Notion''s clock.';


--
-- Name: COLUMN page_bodies.written_in; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.page_bodies.written_in IS 'The transaction in which the tool wrote it; where its xmin is another, stored_digest tells whether it is still the same.';


--
-- Name: COLUMN page_bodies.stored_digest; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.page_bodies.stored_digest IS 'SHA-256 of all that the tool wrote of it.';


--
-- Name: pages; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.pages (
    user_id text NOT NULL,
    page_id uuid NOT NULL,
    data_source_id uuid NOT NULL,
    source_hash bytea NOT NULL,
    row_id uuid,
    row_xmin xid,
    stored_digest bytea,
    icon jsonb,
    cover jsonb,
    public_url text,
    created_by uuid,
    last_edited_by uuid,
    is_locked boolean,
    incomplete text[] DEFAULT '{}'::text[] NOT NULL,
    written_in xid
);


--
-- Name: TABLE pages; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON TABLE notion_sync.pages IS 'One row a page of a sync table: what the page is, what the tool wrote there, and in which transaction.';


--
-- Name: COLUMN pages.source_hash; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.pages.source_hash IS 'SHA-256 of what Notion said of the page (its row has it as content_hash).';


--
-- Name: COLUMN pages.row_id; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.pages.row_id IS 'The id of its row: a row that was deleted comes back under it.';


--
-- Name: COLUMN pages.row_xmin; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.pages.row_xmin IS 'The transaction that wrote the row (its xmin): another one means that somebody else wrote it since. Null: there is no row, a trigger keeps it out.';


--
-- Name: COLUMN pages.stored_digest; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.pages.stored_digest IS 'SHA-256 of the row as it is stored, where a trigger changed what was written.';


--
-- Name: COLUMN pages.icon; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.pages.icon IS 'As Notion gives it; URLs of hosted files without signature. So is cover.';


--
-- Name: COLUMN pages.public_url; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.pages.public_url IS 'Where the page is published on the web; null: it is not.';


--
-- Name: COLUMN pages.created_by; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.pages.created_by IS 'An id of notion_sync.users, as last_edited_by is.';


--
-- Name: COLUMN pages.incomplete; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.pages.incomplete IS 'The properties, by name, whose values Notion did not give whole or did not compute.';


--
-- Name: COLUMN pages.written_in; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.pages.written_in IS 'The transaction in which the tool wrote this; where its xmin is another, the next full read writes it again.';


--
-- Name: removed_pages; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.removed_pages (
    removal_id bigint NOT NULL,
    user_id text NOT NULL,
    page_id uuid,
    database_id uuid,
    data_source_id uuid,
    sync_table text NOT NULL,
    reason text NOT NULL,
    removed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    "row" jsonb NOT NULL,
    CONSTRAINT removed_pages_reason_check CHECK ((reason = ANY (ARRAY['trashed'::text, 'archived'::text, 'moved'::text, 'not_found'::text, 'missing'::text, 'duplicate'::text])))
);


--
-- Name: COLUMN removed_pages.page_id; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.removed_pages.page_id IS 'Null: the row was one too many, under something that is no id of Notion; row has it.';


--
-- Name: COLUMN removed_pages."row"; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.removed_pages."row" IS 'The row as it was, ids included.';


--
-- Name: removed_pages_removal_id_seq; Type: SEQUENCE; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.removed_pages ALTER COLUMN removal_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME notion_sync.removed_pages_removal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: repeatable; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.repeatable (
    only_row boolean DEFAULT true NOT NULL,
    checksum text NOT NULL,
    tool_version text NOT NULL,
    state text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT repeatable_only_row_check CHECK (only_row)
);


--
-- Name: TABLE repeatable; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON TABLE notion_sync.repeatable IS 'Which functions, policies, grants and comments init applied last.';


--
-- Name: COLUMN repeatable.checksum; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.repeatable.checksum IS 'SHA-256 of the files that say them.';


--
-- Name: COLUMN repeatable.tool_version; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.repeatable.tool_version IS 'The version of notion-pg-sync that applied them.';


--
-- Name: COLUMN repeatable.state; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.repeatable.state IS 'SHA-256 of what the catalog held of them afterwards.';


--
-- Name: run_processes; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.run_processes (
    runid bigint NOT NULL,
    host text NOT NULL,
    machine text NOT NULL,
    pid integer NOT NULL,
    process_started_at double precision NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: COLUMN run_processes.machine; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.run_processes.machine IS 'Within one value of it, process ids are comparable.';


--
-- Name: COLUMN run_processes.process_started_at; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.run_processes.process_started_at IS 'Seconds since 1970, as the operating system says.';


--
-- Name: runid_seq; Type: SEQUENCE; Schema: notion_sync; Owner: -
--

CREATE SEQUENCE notion_sync.runid_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: runid_seq; Type: SEQUENCE OWNED BY; Schema: notion_sync; Owner: -
--

ALTER SEQUENCE notion_sync.runid_seq OWNED BY notion_sync.job_run_details.runid;


--
-- Name: search_documents; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.search_documents (
    user_id text NOT NULL,
    page_id uuid NOT NULL,
    data_source_id uuid NOT NULL,
    title text NOT NULL,
    title_key text GENERATED ALWAYS AS ("left"(lower(title), 200)) STORED NOT NULL,
    text text NOT NULL,
    body_hash text,
    tsv tsvector NOT NULL,
    is_cut boolean NOT NULL,
    written_in xid
);


--
-- Name: TABLE search_documents; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON TABLE notion_sync.search_documents IS 'Titles, texts and words of the pages in the sync tables, for search and look-ups.';


--
-- Name: COLUMN search_documents.text; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.search_documents.text IS 'The values of the text properties, a line each.';


--
-- Name: COLUMN search_documents.body_hash; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.search_documents.body_hash IS 'The content_hash of the body in page_bodies whose words tsv holds.';


--
-- Name: COLUMN search_documents.is_cut; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.search_documents.is_cut IS 'Whether text or body is too long for tsv, which holds the beginning.';


--
-- Name: COLUMN search_documents.written_in; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.search_documents.written_in IS 'The transaction in which the tool wrote it; where its xmin is another, the next full read writes it again.';


--
-- Name: search_settings; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.search_settings (
    only_row boolean DEFAULT true NOT NULL,
    language text DEFAULT 'simple'::text NOT NULL,
    CONSTRAINT search_settings_only_row_check CHECK (only_row)
);


--
-- Name: COLUMN search_settings.language; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.search_settings.language IS 'A text search configuration, simple or german for example; all documents follow in the transaction that changes it.';


--
-- Name: seen_pages; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.seen_pages (
    user_id text NOT NULL,
    data_source_id uuid NOT NULL,
    page_ids uuid[] NOT NULL
);


--
-- Name: sync_requests; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.sync_requests (
    request_id bigint NOT NULL,
    user_id text NOT NULL,
    database_id uuid,
    database_name text,
    status text DEFAULT 'waiting'::text NOT NULL,
    runid bigint,
    message text,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT ended_requests_have_times CHECK (((status = ANY (ARRAY['succeeded'::text, 'failed'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT sync_requests_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'running'::text, 'succeeded'::text, 'failed'::text])))
);


--
-- Name: COLUMN sync_requests.database_id; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.sync_requests.database_id IS 'Null: every database of the user.';


--
-- Name: sync_requests_request_id_seq; Type: SEQUENCE; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.sync_requests ALTER COLUMN request_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME notion_sync.sync_requests_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: trusted_owners; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.trusted_owners (
    owner text NOT NULL,
    trusted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE trusted_owners; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON TABLE notion_sync.trusted_owners IS 'Roles whose tables are read and written, as "init --trust" was told.';


--
-- Name: views; Type: TABLE; Schema: notion_sync; Owner: -
--

CREATE TABLE notion_sync.views (
    view_name text NOT NULL,
    fingerprint text NOT NULL,
    typed_view text,
    relation text,
    rule_xmin xid
);


--
-- Name: TABLE views; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON TABLE notion_sync.views IS 'The views in the schema notion that are ours, and what their definitions follow from.';


--
-- Name: COLUMN views.typed_view; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.views.typed_view IS 'Of a relation''s view: the typed view of its database.';


--
-- Name: COLUMN views.relation; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.views.relation IS 'Of a relation''s view: the column of the typed view that it takes apart.';


--
-- Name: COLUMN views.rule_xmin; Type: COMMENT; Schema: notion_sync; Owner: -
--

COMMENT ON COLUMN notion_sync.views.rule_xmin IS 'The transaction that made the view''s definition (xmin in pg_rewrite): where it is another, somebody replaced the view.';


--
-- Name: notion_chat_sessions_sync; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notion_chat_sessions_sync (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    notion_page_id text,
    notion_database_id text NOT NULL,
    user_id text NOT NULL,
    title text,
    transcript text,
    message_count integer DEFAULT 0,
    properties jsonb DEFAULT '{}'::jsonb,
    content_hash text,
    last_synced_at timestamp with time zone DEFAULT now(),
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    notion_data_source_id text,
    fields jsonb,
    url text,
    notion_created_at timestamp with time zone,
    notion_edited_at timestamp with time zone
);


--
-- Name: notion_stories_sync; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notion_stories_sync (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    notion_page_id text,
    notion_database_id text NOT NULL,
    user_id text NOT NULL,
    title text,
    description text,
    properties jsonb DEFAULT '{}'::jsonb,
    content_hash text,
    last_synced_at timestamp with time zone DEFAULT now(),
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    notion_data_source_id text,
    fields jsonb,
    url text,
    notion_created_at timestamp with time zone,
    notion_edited_at timestamp with time zone
);


--
-- Name: user_settings; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.user_settings (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    notion_access_token text,
    notion_token text,
    notion_databases jsonb DEFAULT '{}'::jsonb,
    auto_sync_enabled boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: job jobid; Type: DEFAULT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.job ALTER COLUMN jobid SET DEFAULT nextval('notion_sync.jobid_seq'::regclass);


--
-- Name: job_run_details runid; Type: DEFAULT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.job_run_details ALTER COLUMN runid SET DEFAULT nextval('notion_sync.runid_seq'::regclass);


--
-- Data for Name: accounts; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.accounts VALUES ('ben', true, NULL, NULL, '2026-11-29 06:58:48.606876+00', '2026-11-29 06:58:48.97501+00', NULL, '4ebd945e33f326732bb3575b00f1c25af81911a8a1e9e3006a2c21d0798c44fc', 2, '{rows}');
INSERT INTO notion_sync.accounts VALUES ('anna', true, NULL, NULL, '2026-11-29 06:58:48.592902+00', '2026-11-29 06:58:49.04062+00', NULL, 'b48850fb1f0438b9bd5d59dbc8e0e4826e8c3c805ef8fd19e72d859962ed5cab', 2, '{rows}');


--
-- Data for Name: columns; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.columns VALUES ('ben', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'SeM%3D', 'value', 'Concept/Premise', 'rich_text', 'concept_premise', 'text');
INSERT INTO notion_sync.columns VALUES ('ben', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'title', 'value', 'Name', 'title', 'name', 'text');
INSERT INTO notion_sync.columns VALUES ('anna', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'SeM%3D', 'value', 'Concept/Premise', 'rich_text', 'concept_premise', 'text');
INSERT INTO notion_sync.columns VALUES ('anna', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'title', 'value', 'Name', 'title', 'name', 'text');
INSERT INTO notion_sync.columns VALUES ('anna', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', 'title', 'value', 'Name', 'title', 'name', 'text');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', '%3CA%7DB', 'value', 'Traits', 'multi_select', 'traits', 'text[]');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', '%5CQTk', 'value', 'Description', 'rich_text', 'description', 'text');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'HcD%3F', 'value', 'Friend', 'people', 'friend', 'uuid[]');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'WbR%5B', 'value', 'World', 'relation', 'world', 'uuid[]');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'XSJn', 'value', 'Age', 'number', 'age', 'numeric');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'qosU', 'at', 'Born', 'date', 'born_at', 'timestamptz');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'qosU', 'end', 'Born', 'date', 'born_end', 'date');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'qosU', 'end_at', 'Born', 'date', 'born_end_at', 'timestamptz');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'qosU', 'value', 'Born', 'date', 'born', 'date');
INSERT INTO notion_sync.columns VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'title', 'value', 'Name', 'title', 'name', 'text');


--
-- Data for Name: data_sources; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.data_sources VALUES ('ben', '41452ca2-e5d2-4c67-acde-7c9971d11652', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'Worlds', 'worlds', 'Worlds', 'public.notion_worlds_sync', '{"Name": {"id": "title", "name": "Name", "type": "title", "title": {}, "description": null}, "Concept/Premise": {"id": "SeM%3D", "name": "Concept/Premise", "type": "rich_text", "rich_text": {}, "description": null}}', 'f1e30718f025a48d5642deaef76f00a573b103bd9e7f80f2352e256c87d115e4', 2, '2026-11-02 11:30:00+00', '2026-11-02 11:30:26.98664+00', NULL, '{}', 0, '2026-11-29 06:58:48.885495+00', '2026-11-29 06:58:48.719723+00', '2026-11-29 06:58:48.719723+00', '2026-11-29 06:58:48.719723+00', false, true, NULL, NULL, 3, '03277f59c9d6f1074d653ca3c7ba66ba1ff4a11f644ef31ae088d8d2f4f0b042');
INSERT INTO notion_sync.data_sources VALUES ('anna', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '9206defa-fb33-4ef2-b024-ba38470be2af', 'Notes', 'notes', 'Notes', 'public.notion_pages_sync', '{"Name": {"id": "title", "name": "Name", "type": "title", "title": {}, "description": null}}', 'a966a402d49465df2856ce808c9f26f7eb5ef56f6a7dc747388d04dbae85bc50', 3, '2026-11-02 11:30:00+00', '2026-11-02 11:30:26.993309+00', NULL, '{}', 0, '2026-11-29 06:58:48.92007+00', '2026-11-29 06:58:48.785538+00', '2026-11-29 06:58:48.785538+00', '2026-11-29 06:58:48.785538+00', false, true, NULL, NULL, 3, '6e98152b5cc9884a5ed2074ef6588c4ccdfbb5a26cb6524b4b231a8ee84dbb3b');
INSERT INTO notion_sync.data_sources VALUES ('anna', '41452ca2-e5d2-4c67-acde-7c9971d11652', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'Worlds', 'worlds', 'Worlds', 'public.notion_worlds_sync', '{"Name": {"id": "title", "name": "Name", "type": "title", "title": {}, "description": null}, "Concept/Premise": {"id": "SeM%3D", "name": "Concept/Premise", "type": "rich_text", "rich_text": {}, "description": null}}', 'f1e30718f025a48d5642deaef76f00a573b103bd9e7f80f2352e256c87d115e4', 2, '2026-11-02 11:30:00+00', '2026-11-02 11:30:26.992111+00', NULL, '{}', 0, '2026-11-29 06:58:48.995775+00', '2026-11-29 06:58:48.754401+00', '2026-11-29 06:58:48.754401+00', '2026-11-29 06:58:48.754401+00', false, true, NULL, NULL, 3, '03277f59c9d6f1074d653ca3c7ba66ba1ff4a11f644ef31ae088d8d2f4f0b042');
INSERT INTO notion_sync.data_sources VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', '41d8d809-f0e3-45c1-8f95-dcbb2a059cb2', 'Characters', 'characters', 'Characters', 'public.notion_characters_sync', '{"Age": {"id": "XSJn", "name": "Age", "type": "number", "number": {"format": "number"}, "description": null}, "Born": {"id": "qosU", "date": {}, "name": "Born", "type": "date", "description": null}, "Name": {"id": "title", "name": "Name", "type": "title", "title": {}, "description": null}, "World": {"id": "WbR%5B", "name": "World", "type": "relation", "relation": {"type": "single_property", "database_id": "63830e16-c85d-48ab-ba78-d4a0faf7269f", "data_source_id": "41452ca2-e5d2-4c67-acde-7c9971d11652", "single_property": {}}, "description": null}, "Friend": {"id": "HcD%3F", "name": "Friend", "type": "people", "people": {}, "description": null}, "Traits": {"id": "%3CA%7DB", "name": "Traits", "type": "multi_select", "description": null, "multi_select": {"options": [{"id": "54bdb2e2-b58c-43d7-bbf9-e183d5dd5fcc", "name": "Brave", "color": "default", "description": null}, {"id": "8e9efe6c-32df-4b99-91d0-46d1bef8ae82", "name": "Sly", "color": "blue", "description": null}]}}, "Description": {"id": "%5CQTk", "name": "Description", "type": "rich_text", "rich_text": {}, "description": null}}', '8c36b083683d74582df027be5ed1c1ac1745e3198c7a52596bc794c7f017caa1', 4, '2026-11-02 11:30:00+00', '2026-11-02 11:30:26.985499+00', NULL, '{}', 0, '2026-11-29 06:58:48.936793+00', '2026-11-29 06:58:48.805118+00', '2026-11-29 06:58:48.805118+00', '2026-11-29 06:58:48.805118+00', false, true, NULL, NULL, 3, '5995e73acd8f76b5ba07a623a8dafe4c1ad167debb00c122d236a5c997029caf');


--
-- Data for Name: database_runs; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.database_runs VALUES (1, 'ben', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'Worlds', 'full', 'succeeded', 3, 3, 0, 0, 0, 6, 0, 0.35706, NULL, '3 rows read, 3 inserted. 3 page bodies read.', '2026-11-29 06:58:47.830374+00', '2026-11-29 06:58:48.187439+00', 3, 0);
INSERT INTO notion_sync.database_runs VALUES (1, 'anna', '41d8d809-f0e3-45c1-8f95-dcbb2a059cb2', 'Characters', 'full', 'succeeded', 4, 4, 0, 0, 0, 7, 0, 0.555486, NULL, '4 rows read, 4 inserted. 4 page bodies read.', '2026-11-29 06:58:47.774009+00', '2026-11-29 06:58:48.329499+00', 4, 0);
INSERT INTO notion_sync.database_runs VALUES (1, 'anna', '9206defa-fb33-4ef2-b024-ba38470be2af', 'Notes', 'full', 'succeeded', 3, 3, 0, 0, 0, 6, 0, 0.567303, NULL, '3 rows read, 3 inserted. 3 page bodies read.', '2026-11-29 06:58:47.829746+00', '2026-11-29 06:58:48.397053+00', 3, 0);
INSERT INTO notion_sync.database_runs VALUES (1, 'anna', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'Worlds', 'full', 'succeeded', 3, 3, 0, 0, 0, 6, 0, 0.617577, NULL, '3 rows read, 3 inserted. 3 page bodies read.', '2026-11-29 06:58:47.85097+00', '2026-11-29 06:58:48.46855+00', 3, 0);
INSERT INTO notion_sync.database_runs VALUES (2, 'ben', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'Worlds', 'full', 'succeeded', 2, 0, 0, 2, 1, 4, 0, 0.299356, NULL, '2 rows read, 1 removed.', '2026-11-29 06:58:48.641793+00', '2026-11-29 06:58:48.941159+00', 0, 0);
INSERT INTO notion_sync.database_runs VALUES (2, 'anna', '9206defa-fb33-4ef2-b024-ba38470be2af', 'Notes', 'full', 'succeeded', 3, 0, 0, 3, 0, 3, 0, 0.269091, NULL, '3 rows read, nothing changed.', '2026-11-29 06:58:48.688756+00', '2026-11-29 06:58:48.957856+00', 0, 0);
INSERT INTO notion_sync.database_runs VALUES (2, 'anna', '41d8d809-f0e3-45c1-8f95-dcbb2a059cb2', 'Characters', 'full', 'succeeded', 4, 0, 0, 4, 0, 3, 0, 0.267383, NULL, '4 rows read, nothing changed.', '2026-11-29 06:58:48.714489+00', '2026-11-29 06:58:48.98188+00', 0, 0);
INSERT INTO notion_sync.database_runs VALUES (2, 'anna', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'Worlds', 'full', 'succeeded', 2, 0, 0, 2, 1, 4, 0, 0.347172, NULL, '2 rows read, 1 removed.', '2026-11-29 06:58:48.673679+00', '2026-11-29 06:58:49.020858+00', 0, 0);


--
-- Data for Name: databases; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.databases VALUES ('ben', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'Worlds', false, 2, 'full', 'succeeded', 2, 4, 0.300483, NULL, '2 rows read, 1 removed.', '2026-11-29 06:58:48.642671+00', '2026-11-29 06:58:48.943157+00', '2026-11-29 06:58:48.943157+00', NULL, 0, NULL, NULL);
INSERT INTO notion_sync.databases VALUES ('anna', '9206defa-fb33-4ef2-b024-ba38470be2af', 'Notes', false, 2, 'full', 'succeeded', 3, 3, 0.267312, NULL, '3 rows read, nothing changed.', '2026-11-29 06:58:48.693263+00', '2026-11-29 06:58:48.960579+00', '2026-11-29 06:58:48.960579+00', NULL, 0, NULL, NULL);
INSERT INTO notion_sync.databases VALUES ('anna', '41d8d809-f0e3-45c1-8f95-dcbb2a059cb2', 'Characters', false, 2, 'full', 'succeeded', 4, 3, 0.262922, NULL, '4 rows read, nothing changed.', '2026-11-29 06:58:48.719487+00', '2026-11-29 06:58:48.982414+00', '2026-11-29 06:58:48.982414+00', NULL, 0, NULL, NULL);
INSERT INTO notion_sync.databases VALUES ('anna', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'Worlds', false, 2, 'full', 'succeeded', 2, 4, 0.345697, NULL, '2 rows read, 1 removed.', '2026-11-29 06:58:48.675512+00', '2026-11-29 06:58:49.021211+00', '2026-11-29 06:58:49.021211+00', NULL, 0, NULL, NULL);


--
-- Data for Name: job; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.job VALUES (1, '*/15 * * * *', 'notion-pg-sync sync-all', 'localhost', 5432, 'notion', 'postgres', true, 'sync-notion-databases');


--
-- Data for Name: job_run_details; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.job_run_details VALUES (1, 1, 18838, 'notion', 'postgres', 'notion-pg-sync sync-all', 'succeeded', '4 of 4 databases of 2 users synced: 13 rows inserted, 0 updated, 0 removed, 0 unchanged. 13 page bodies read, 0 failed.', '2026-11-29 06:58:47.619476+00', '2026-11-29 06:58:48.492502+00');
INSERT INTO notion_sync.job_run_details VALUES (1, 2, 18838, 'notion', 'postgres', 'notion-pg-sync sync-all', 'succeeded', '4 of 4 databases of 2 users synced: 0 rows inserted, 0 updated, 2 removed, 11 unchanged.', '2026-11-29 06:58:48.561862+00', '2026-11-29 06:58:49.059341+00');


--
-- Data for Name: migrations; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.migrations VALUES (1, '0001_bookkeeping', '2026-11-29 06:58:47.342914+00', 1);
INSERT INTO notion_sync.migrations VALUES (2, '0002_views', '2026-11-29 06:58:47.343574+00', 2);
INSERT INTO notion_sync.migrations VALUES (3, '0003_requests', '2026-11-29 06:58:47.345249+00', 3);
INSERT INTO notion_sync.migrations VALUES (4, '0004_forget', '2026-11-29 06:58:47.345261+00', 4);
INSERT INTO notion_sync.migrations VALUES (5, '0005_page_bodies', '2026-11-29 06:58:47.352353+00', 5);
INSERT INTO notion_sync.migrations VALUES (6, '0006_people', '2026-11-29 06:58:47.353455+00', 6);
INSERT INTO notion_sync.migrations VALUES (7, '0007_search', '2026-11-29 06:58:47.359302+00', 7);
INSERT INTO notion_sync.migrations VALUES (8, '0008_write_settings', '2026-11-29 06:58:47.359318+00', 8);
INSERT INTO notion_sync.migrations VALUES (9, '0009_repeatable_and_view_sources', '2026-11-29 06:58:47.361171+00', 9);
INSERT INTO notion_sync.migrations VALUES (10, '0010_trusted_owners', '2026-11-29 06:58:47.361935+00', 10);
INSERT INTO notion_sync.migrations VALUES (11, '0011_page_ids', '2026-11-29 06:58:47.361993+00', 11);
INSERT INTO notion_sync.migrations VALUES (12, '0012_full_reads', '2026-11-29 06:58:47.362054+00', 12);
INSERT INTO notion_sync.migrations VALUES (13, '0013_bodies_follow_their_pages', '2026-11-29 06:58:47.366634+00', 13);
INSERT INTO notion_sync.migrations VALUES (14, '0014_what_a_sync_brings', '2026-11-29 06:58:47.366922+00', 14);
INSERT INTO notion_sync.migrations VALUES (15, '0015_pages', '2026-11-29 06:58:47.368007+00', 15);
INSERT INTO notion_sync.migrations VALUES (16, '0016_ids_are_uuid', '2026-11-29 06:58:47.397416+00', 16);
INSERT INTO notion_sync.migrations VALUES (17, '0017_additive_migrations', '2026-11-29 06:58:47.397658+00', 17);
INSERT INTO notion_sync.migrations VALUES (18, '0018_what_pages_are', '2026-11-29 06:58:47.397952+00', 17);
INSERT INTO notion_sync.migrations VALUES (19, '0019_codes_and_names', '2026-11-29 06:58:47.398259+00', 19);


--
-- Data for Name: page_bodies; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.page_bodies VALUES ('ben', '8e93461a-7458-47d9-94a3-ac69e8936ad7', '41452ca2-e5d2-4c67-acde-7c9971d11652', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.992671+00', '803', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');
INSERT INTO notion_sync.page_bodies VALUES ('ben', '040dbbd2-f66e-4d7a-a20b-f4ec38a75f71', '41452ca2-e5d2-4c67-acde-7c9971d11652', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.926727+00', '803', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');
INSERT INTO notion_sync.page_bodies VALUES ('anna', 'ded4efe3-bcd7-4303-9f29-4e2a07267350', 'a72545a4-fba9-4ba3-8d31-300d78444297', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.984737+00', '820', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');
INSERT INTO notion_sync.page_bodies VALUES ('anna', 'ccd0dcd0-e86e-43dc-a008-321e1340390c', 'a72545a4-fba9-4ba3-8d31-300d78444297', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.98187+00', '820', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');
INSERT INTO notion_sync.page_bodies VALUES ('anna', '92aff5c2-26e5-4f4d-9715-8435216cf6df', 'a72545a4-fba9-4ba3-8d31-300d78444297', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.975058+00', '820', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');
INSERT INTO notion_sync.page_bodies VALUES ('anna', '23c4adc7-2690-4f26-9c6f-a4b2a6ffaaf8', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'The story of a character.', 'The story of a character.', DEFAULT, '{}', 'd1426f46c6cea831b6be40a13bf22a5c2cf42344838ae84e6f9bb86646306d61', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.975022+00', '820', '\x987daa9051247bd46e04a6334bf9fd29099aa631ca9293b763d6ffda6b3d0ff8');
INSERT INTO notion_sync.page_bodies VALUES ('anna', 'e53769d9-8b77-4209-9bc7-3829d60edf6f', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.990534+00', '823', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');
INSERT INTO notion_sync.page_bodies VALUES ('anna', '6dadff18-8fd3-41bc-a910-2306c2a6c269', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.988576+00', '823', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');
INSERT INTO notion_sync.page_bodies VALUES ('anna', '04d1e0d8-3f39-4c81-b062-c790813166ef', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.988641+00', '823', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');
INSERT INTO notion_sync.page_bodies VALUES ('anna', '8e93461a-7458-47d9-94a3-ac69e8936ad7', '41452ca2-e5d2-4c67-acde-7c9971d11652', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.986259+00', '826', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');
INSERT INTO notion_sync.page_bodies VALUES ('anna', '040dbbd2-f66e-4d7a-a20b-f4ec38a75f71', '41452ca2-e5d2-4c67-acde-7c9971d11652', '', '', DEFAULT, '{}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '2026-11-02 09:30:00+00', true, '2026-11-02 10:30:26.981423+00', '826', '\xa448b2975249ae30b5a24624413b06fcc0452dbfdd31155819cba94ad41d1b91');


--
-- Data for Name: pages; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.pages VALUES ('ben', '8e93461a-7458-47d9-94a3-ac69e8936ad7', '41452ca2-e5d2-4c67-acde-7c9971d11652', '\x5960038a67960b7c13f45f50511a33eb87b47154eecd2276d09b932637e60b47', 'b23d8d37-43d8-4b78-8373-4ee8bc49058d', '788', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '788');
INSERT INTO notion_sync.pages VALUES ('ben', '040dbbd2-f66e-4d7a-a20b-f4ec38a75f71', '41452ca2-e5d2-4c67-acde-7c9971d11652', '\x7bbb6d19cc3414a82ef302e6bb66212839a272d909caf0c43d7c0dd30f01b735', '7c583948-f3f7-43ad-bfe6-247a4fc11e8f', '788', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '788');
INSERT INTO notion_sync.pages VALUES ('anna', 'ded4efe3-bcd7-4303-9f29-4e2a07267350', 'a72545a4-fba9-4ba3-8d31-300d78444297', '\xdc4f6ba865191cc9c4f20acd199a8a577279a2ee55673c873d079b12705b87d2', '433909db-5ad2-404a-bcc7-21cf7aaebba8', '787', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '787');
INSERT INTO notion_sync.pages VALUES ('anna', '23c4adc7-2690-4f26-9c6f-a4b2a6ffaaf8', 'a72545a4-fba9-4ba3-8d31-300d78444297', '\x16067313a5093c48d36a93ea114f2acc7166c8bd786ffc6bb41d438c1293705d', '055469c3-9967-467b-8c56-0e1f9a8d3a33', '787', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '787');
INSERT INTO notion_sync.pages VALUES ('anna', '92aff5c2-26e5-4f4d-9715-8435216cf6df', 'a72545a4-fba9-4ba3-8d31-300d78444297', '\x9ab0f0ec91e8d543df8a34f7a5d50943e0b6d884c3b284c5aafac2af478f9562', 'e674fe93-96ad-4ec5-bf79-23fcc55f030a', '787', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '787');
INSERT INTO notion_sync.pages VALUES ('anna', 'ccd0dcd0-e86e-43dc-a008-321e1340390c', 'a72545a4-fba9-4ba3-8d31-300d78444297', '\x01b9450e3496ed9b4541f39a0096dac3ef5532dad06ed49aee7ef0ee2c4208c0', 'a147e3aa-f801-4f35-934f-93594183fa03', '787', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '787');
INSERT INTO notion_sync.pages VALUES ('anna', 'e53769d9-8b77-4209-9bc7-3829d60edf6f', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '\xe632f66e69f827882b6a682ca1b5eca0d8909af8a8963d45bf472e83c2490cd9', '3c3894ea-063c-4e30-a1a0-66608952ce2c', '790', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '790');
INSERT INTO notion_sync.pages VALUES ('anna', '6dadff18-8fd3-41bc-a910-2306c2a6c269', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '\x024693283a05aa434f1909702c00224ede5dbc7fb058e6ad967176df5939d983', '74f25f7b-8291-4f73-a1da-ec287261857e', '790', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '790');
INSERT INTO notion_sync.pages VALUES ('anna', '04d1e0d8-3f39-4c81-b062-c790813166ef', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '\x96232eea483d665d2db84b19517f42cef54f686ced339f038a77b4ba201e8342', 'f1fc900e-8398-49a6-bc72-f63b9e707873', '790', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '790');
INSERT INTO notion_sync.pages VALUES ('anna', '8e93461a-7458-47d9-94a3-ac69e8936ad7', '41452ca2-e5d2-4c67-acde-7c9971d11652', '\x5960038a67960b7c13f45f50511a33eb87b47154eecd2276d09b932637e60b47', '818006d9-f0f3-49d4-aead-0c907f8a3544', '798', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '798');
INSERT INTO notion_sync.pages VALUES ('anna', '040dbbd2-f66e-4d7a-a20b-f4ec38a75f71', '41452ca2-e5d2-4c67-acde-7c9971d11652', '\x7bbb6d19cc3414a82ef302e6bb66212839a272d909caf0c43d7c0dd30f01b735', 'ba950fc8-163b-48e2-983c-c888d2664c4e', '798', NULL, NULL, NULL, NULL, '04d06b39-33a3-458a-b909-c04be636e07c', '04d06b39-33a3-458a-b909-c04be636e07c', false, '{}', '798');


--
-- Data for Name: removed_pages; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.removed_pages OVERRIDING SYSTEM VALUE VALUES (1, 'ben', '594668e6-9507-4a5b-b64e-2b23423631d6', '63830e16-c85d-48ab-ba78-d4a0faf7269f', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'public.notion_worlds_sync', 'trashed', '2026-11-29 06:58:48.849896+00', '{"id": "7bd1075f-36eb-4a2e-81b1-977cdd9b5ef2", "url": "https://www.notion.so/World-3-594668e695074a5bb64e2b23423631d6", "name": "World 3", "fields": {"name": "World 3", "concept_premise": "Premise 3."}, "user_id": "ben", "created_at": "2026-11-29T06:58:47.927798+00:00", "properties": {"Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "World 3"}, "type": "text", "plain_text": "World 3", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "Concept/Premise": {"id": "SeM%3D", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Premise 3."}, "type": "text", "plain_text": "Premise 3.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}, "updated_at": "2026-11-29T06:58:47.927798+00:00", "description": "Premise 3.", "content_hash": "ef4f526306457160f9f26a3fa5e3f98627dbc5df188f81baf4b6c1bdaadba7e4", "last_synced_at": "2026-11-29T06:58:47.927798+00:00", "notion_page_id": "594668e6-9507-4a5b-b64e-2b23423631d6", "notion_edited_at": "2026-11-02T09:30:00+00:00", "notion_created_at": "2026-11-02T09:30:00+00:00", "notion_database_id": "63830e16-c85d-48ab-ba78-d4a0faf7269f", "notion_data_source_id": "41452ca2-e5d2-4c67-acde-7c9971d11652"}');
INSERT INTO notion_sync.removed_pages OVERRIDING SYSTEM VALUE VALUES (2, 'anna', '594668e6-9507-4a5b-b64e-2b23423631d6', '63830e16-c85d-48ab-ba78-d4a0faf7269f', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'public.notion_worlds_sync', 'trashed', '2026-11-29 06:58:48.942259+00', '{"id": "b1209b46-5a39-4e4f-b133-60357dd021e4", "url": "https://www.notion.so/World-3-594668e695074a5bb64e2b23423631d6", "name": "World 3", "fields": {"name": "World 3", "concept_premise": "Premise 3."}, "user_id": "anna", "created_at": "2026-11-29T06:58:48.029329+00:00", "properties": {"Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "World 3"}, "type": "text", "plain_text": "World 3", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "Concept/Premise": {"id": "SeM%3D", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Premise 3."}, "type": "text", "plain_text": "Premise 3.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}, "updated_at": "2026-11-29T06:58:48.029329+00:00", "description": "Premise 3.", "content_hash": "ef4f526306457160f9f26a3fa5e3f98627dbc5df188f81baf4b6c1bdaadba7e4", "last_synced_at": "2026-11-29T06:58:48.029329+00:00", "notion_page_id": "594668e6-9507-4a5b-b64e-2b23423631d6", "notion_edited_at": "2026-11-02T09:30:00+00:00", "notion_created_at": "2026-11-02T09:30:00+00:00", "notion_database_id": "63830e16-c85d-48ab-ba78-d4a0faf7269f", "notion_data_source_id": "41452ca2-e5d2-4c67-acde-7c9971d11652"}');


--
-- Data for Name: repeatable; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.repeatable VALUES (true, 'df599ff57021e8924ff72ee595ed1ba8422452c097443de707f87fe8ed906ad4', '0.1.0', '389765d74b7f163acabc7bcd1c6195bbb817b9b6e7d83ba22659caf717d5397a', '2026-11-29 06:58:47.426661+00');


--
-- Data for Name: run_processes; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.run_processes VALUES (1, 'host', 'machine', 18838, 1795935524.6, '2026-11-29 06:58:47.620106+00');
INSERT INTO notion_sync.run_processes VALUES (2, 'host', 'machine', 18838, 1795935524.6, '2026-11-29 06:58:48.562081+00');


--
-- Data for Name: search_documents; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.search_documents VALUES ('ben', '8e93461a-7458-47d9-94a3-ac69e8936ad7', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'World 1', DEFAULT, 'Premise 1.', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''1'':2A,4B ''premise'':3B ''world'':1A', false, '803');
INSERT INTO notion_sync.search_documents VALUES ('ben', '040dbbd2-f66e-4d7a-a20b-f4ec38a75f71', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'World 2', DEFAULT, 'Premise 2.', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''2'':2A,4B ''premise'':3B ''world'':1A', false, '803');
INSERT INTO notion_sync.search_documents VALUES ('anna', 'ded4efe3-bcd7-4303-9f29-4e2a07267350', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'Character 4', DEFAULT, 'Has a past.
Brave', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''4'':2A ''a'':4B ''brave'':6B ''character'':1A ''has'':3B ''past'':5B', false, '820');
INSERT INTO notion_sync.search_documents VALUES ('anna', 'ccd0dcd0-e86e-43dc-a008-321e1340390c', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'Character 2', DEFAULT, 'Has a past.
Brave', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''2'':2A ''a'':4B ''brave'':6B ''character'':1A ''has'':3B ''past'':5B', false, '820');
INSERT INTO notion_sync.search_documents VALUES ('anna', '92aff5c2-26e5-4f4d-9715-8435216cf6df', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'Character 3', DEFAULT, 'Has a past.
Brave', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''3'':2A ''a'':4B ''brave'':6B ''character'':1A ''has'':3B ''past'':5B', false, '820');
INSERT INTO notion_sync.search_documents VALUES ('anna', '23c4adc7-2690-4f26-9c6f-a4b2a6ffaaf8', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'Character 1', DEFAULT, 'Has a past.
Brave', 'd1426f46c6cea831b6be40a13bf22a5c2cf42344838ae84e6f9bb86646306d61', '''1'':2A ''a'':4B,10C ''brave'':6B ''character'':1A,11C ''has'':3B ''of'':9C ''past'':5B ''story'':8C ''the'':7C', false, '820');
INSERT INTO notion_sync.search_documents VALUES ('anna', 'e53769d9-8b77-4209-9bc7-3829d60edf6f', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', 'Note 2', DEFAULT, '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''2'':2A ''note'':1A', false, '823');
INSERT INTO notion_sync.search_documents VALUES ('anna', '6dadff18-8fd3-41bc-a910-2306c2a6c269', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', 'Note 3', DEFAULT, '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''3'':2A ''note'':1A', false, '823');
INSERT INTO notion_sync.search_documents VALUES ('anna', '04d1e0d8-3f39-4c81-b062-c790813166ef', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', 'Note 1', DEFAULT, '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''1'':2A ''note'':1A', false, '823');
INSERT INTO notion_sync.search_documents VALUES ('anna', '8e93461a-7458-47d9-94a3-ac69e8936ad7', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'World 1', DEFAULT, 'Premise 1.', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''1'':2A,4B ''premise'':3B ''world'':1A', false, '826');
INSERT INTO notion_sync.search_documents VALUES ('anna', '040dbbd2-f66e-4d7a-a20b-f4ec38a75f71', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'World 2', DEFAULT, 'Premise 2.', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '''2'':2A,4B ''premise'':3B ''world'':1A', false, '826');


--
-- Data for Name: search_settings; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.search_settings VALUES (true, 'simple');


--
-- Data for Name: seen_pages; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.seen_pages VALUES ('anna', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '{e53769d9-8b77-4209-9bc7-3829d60edf6f,6dadff18-8fd3-41bc-a910-2306c2a6c269,04d1e0d8-3f39-4c81-b062-c790813166ef}');
INSERT INTO notion_sync.seen_pages VALUES ('ben', '41452ca2-e5d2-4c67-acde-7c9971d11652', '{8e93461a-7458-47d9-94a3-ac69e8936ad7,040dbbd2-f66e-4d7a-a20b-f4ec38a75f71}');
INSERT INTO notion_sync.seen_pages VALUES ('anna', '41452ca2-e5d2-4c67-acde-7c9971d11652', '{8e93461a-7458-47d9-94a3-ac69e8936ad7,040dbbd2-f66e-4d7a-a20b-f4ec38a75f71}');
INSERT INTO notion_sync.seen_pages VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', '{ded4efe3-bcd7-4303-9f29-4e2a07267350,ccd0dcd0-e86e-43dc-a008-321e1340390c,92aff5c2-26e5-4f4d-9715-8435216cf6df,23c4adc7-2690-4f26-9c6f-a4b2a6ffaaf8}');


--
-- Data for Name: sync_requests; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.sync_requests OVERRIDING SYSTEM VALUE VALUES (1, 'anna', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'Worlds', 'waiting', NULL, NULL, '2026-11-29 06:58:49.084568+00', NULL);


--
-- Data for Name: trusted_owners; Type: TABLE DATA; Schema: notion_sync; Owner: -
--



--
-- Data for Name: users; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.users VALUES ('anna', 'b911bd74-83fe-448e-8049-46d736983e3f', 'person', 'Ben', 'ben@example.com', NULL, NULL, '787');


--
-- Data for Name: view_sources; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.view_sources VALUES ('anna', 'a72545a4-fba9-4ba3-8d31-300d78444297', 'characters', 'public.notion_characters_sync', 'Characters', '{world}', 'a72545a4-fba9-4ba3-8d31-300d78444297');
INSERT INTO notion_sync.view_sources VALUES ('ben', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'worlds', 'public.notion_worlds_sync', 'Worlds', '{}', '41452ca2-e5d2-4c67-acde-7c9971d11652');
INSERT INTO notion_sync.view_sources VALUES ('anna', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', 'notes', 'public.notion_pages_sync', 'Notes', '{}', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b');
INSERT INTO notion_sync.view_sources VALUES ('anna', '41452ca2-e5d2-4c67-acde-7c9971d11652', 'worlds', 'public.notion_worlds_sync', 'Worlds', '{}', '41452ca2-e5d2-4c67-acde-7c9971d11652');


--
-- Data for Name: views; Type: TABLE DATA; Schema: notion_sync; Owner: -
--

INSERT INTO notion_sync.views VALUES ('worlds', '81aad9c02e89f499ac3b21390fd6b08efcc1c8d0fccda4f1367462b105a191d4', NULL, NULL, '795');
INSERT INTO notion_sync.views VALUES ('characters', '654bda5bc61d67480f1e6fc0527f84a0566284f5af5265d75c22b0767ea13f44', NULL, NULL, '806');
INSERT INTO notion_sync.views VALUES ('characters__world', '4462681d96f1a02fa3476fc408e97cff36cdc0c33c1b4f126709557adc291caf', 'characters', 'world', '807');
INSERT INTO notion_sync.views VALUES ('notes', '3f83adfb5a08c60371d8bc25a8d1378050a356f029ca88c2f70f9b801496bb22', NULL, NULL, '813');


--
-- Data for Name: notion_characters_sync; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.notion_characters_sync VALUES ('433909db-5ad2-404a-bcc7-21cf7aaebba8', 'ded4efe3-bcd7-4303-9f29-4e2a07267350', '41d8d809-f0e3-45c1-8f95-dcbb2a059cb2', 'anna', 'Character 4', 'Has a past.', '{"Age": {"id": "XSJn", "type": "number", "number": 4}, "Born": {"id": "qosU", "date": null, "type": "date"}, "Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "Character 4"}, "type": "text", "plain_text": "Character 4", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "World": {"id": "WbR%5B", "type": "relation", "has_more": false, "relation": [{"id": "8e93461a-7458-47d9-94a3-ac69e8936ad7"}, {"id": "040dbbd2-f66e-4d7a-a20b-f4ec38a75f71"}]}, "Friend": {"id": "HcD%3F", "type": "people", "people": [{"id": "b911bd74-83fe-448e-8049-46d736983e3f", "name": "Ben", "type": "person", "object": "user", "person": {"email": "ben@example.com"}, "avatar_url": null}]}, "Traits": {"id": "%3CA%7DB", "type": "multi_select", "multi_select": [{"id": "54bdb2e2-b58c-43d7-bbf9-e183d5dd5fcc", "name": "Brave", "color": "default"}]}, "Description": {"id": "%5CQTk", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Has a past."}, "type": "text", "plain_text": "Has a past.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', 'dc4f6ba865191cc9c4f20acd199a8a577279a2ee55673c873d079b12705b87d2', '2026-11-29 06:58:47.927733+00', '2026-11-29 06:58:47.927733+00', '2026-11-29 06:58:47.927733+00', 'a72545a4-fba9-4ba3-8d31-300d78444297', '{"age": 4, "born": null, "name": "Character 4", "world": ["8e93461a-7458-47d9-94a3-ac69e8936ad7", "040dbbd2-f66e-4d7a-a20b-f4ec38a75f71"], "friend": ["b911bd74-83fe-448e-8049-46d736983e3f"], "traits": ["Brave"], "born_at": null, "born_end": null, "born_end_at": null, "description": "Has a past."}', 'https://www.notion.so/Character-4-ded4efe3bcd743039f294e2a07267350', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');
INSERT INTO public.notion_characters_sync VALUES ('055469c3-9967-467b-8c56-0e1f9a8d3a33', '23c4adc7-2690-4f26-9c6f-a4b2a6ffaaf8', '41d8d809-f0e3-45c1-8f95-dcbb2a059cb2', 'anna', 'Character 1', 'Has a past.', '{"Age": {"id": "XSJn", "type": "number", "number": 1}, "Born": {"id": "qosU", "date": null, "type": "date"}, "Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "Character 1"}, "type": "text", "plain_text": "Character 1", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "World": {"id": "WbR%5B", "type": "relation", "has_more": false, "relation": [{"id": "8e93461a-7458-47d9-94a3-ac69e8936ad7"}, {"id": "040dbbd2-f66e-4d7a-a20b-f4ec38a75f71"}]}, "Friend": {"id": "HcD%3F", "type": "people", "people": [{"id": "b911bd74-83fe-448e-8049-46d736983e3f", "name": "Ben", "type": "person", "object": "user", "person": {"email": "ben@example.com"}, "avatar_url": null}]}, "Traits": {"id": "%3CA%7DB", "type": "multi_select", "multi_select": [{"id": "54bdb2e2-b58c-43d7-bbf9-e183d5dd5fcc", "name": "Brave", "color": "default"}]}, "Description": {"id": "%5CQTk", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Has a past."}, "type": "text", "plain_text": "Has a past.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', '16067313a5093c48d36a93ea114f2acc7166c8bd786ffc6bb41d438c1293705d', '2026-11-29 06:58:47.927733+00', '2026-11-29 06:58:47.927733+00', '2026-11-29 06:58:47.927733+00', 'a72545a4-fba9-4ba3-8d31-300d78444297', '{"age": 1, "born": null, "name": "Character 1", "world": ["8e93461a-7458-47d9-94a3-ac69e8936ad7", "040dbbd2-f66e-4d7a-a20b-f4ec38a75f71"], "friend": ["b911bd74-83fe-448e-8049-46d736983e3f"], "traits": ["Brave"], "born_at": null, "born_end": null, "born_end_at": null, "description": "Has a past."}', 'https://www.notion.so/Character-1-23c4adc726904f269c6fa4b2a6ffaaf8', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');
INSERT INTO public.notion_characters_sync VALUES ('e674fe93-96ad-4ec5-bf79-23fcc55f030a', '92aff5c2-26e5-4f4d-9715-8435216cf6df', '41d8d809-f0e3-45c1-8f95-dcbb2a059cb2', 'anna', 'Character 3', 'Has a past.', '{"Age": {"id": "XSJn", "type": "number", "number": 3}, "Born": {"id": "qosU", "date": null, "type": "date"}, "Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "Character 3"}, "type": "text", "plain_text": "Character 3", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "World": {"id": "WbR%5B", "type": "relation", "has_more": false, "relation": [{"id": "8e93461a-7458-47d9-94a3-ac69e8936ad7"}, {"id": "040dbbd2-f66e-4d7a-a20b-f4ec38a75f71"}]}, "Friend": {"id": "HcD%3F", "type": "people", "people": [{"id": "b911bd74-83fe-448e-8049-46d736983e3f", "name": "Ben", "type": "person", "object": "user", "person": {"email": "ben@example.com"}, "avatar_url": null}]}, "Traits": {"id": "%3CA%7DB", "type": "multi_select", "multi_select": [{"id": "54bdb2e2-b58c-43d7-bbf9-e183d5dd5fcc", "name": "Brave", "color": "default"}]}, "Description": {"id": "%5CQTk", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Has a past."}, "type": "text", "plain_text": "Has a past.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', '9ab0f0ec91e8d543df8a34f7a5d50943e0b6d884c3b284c5aafac2af478f9562', '2026-11-29 06:58:47.927733+00', '2026-11-29 06:58:47.927733+00', '2026-11-29 06:58:47.927733+00', 'a72545a4-fba9-4ba3-8d31-300d78444297', '{"age": 3, "born": null, "name": "Character 3", "world": ["8e93461a-7458-47d9-94a3-ac69e8936ad7", "040dbbd2-f66e-4d7a-a20b-f4ec38a75f71"], "friend": ["b911bd74-83fe-448e-8049-46d736983e3f"], "traits": ["Brave"], "born_at": null, "born_end": null, "born_end_at": null, "description": "Has a past."}', 'https://www.notion.so/Character-3-92aff5c226e54f4d97158435216cf6df', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');
INSERT INTO public.notion_characters_sync VALUES ('a147e3aa-f801-4f35-934f-93594183fa03', 'ccd0dcd0-e86e-43dc-a008-321e1340390c', '41d8d809-f0e3-45c1-8f95-dcbb2a059cb2', 'anna', 'Character 2', 'Has a past.', '{"Age": {"id": "XSJn", "type": "number", "number": 2}, "Born": {"id": "qosU", "date": null, "type": "date"}, "Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "Character 2"}, "type": "text", "plain_text": "Character 2", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "World": {"id": "WbR%5B", "type": "relation", "has_more": false, "relation": [{"id": "8e93461a-7458-47d9-94a3-ac69e8936ad7"}, {"id": "040dbbd2-f66e-4d7a-a20b-f4ec38a75f71"}]}, "Friend": {"id": "HcD%3F", "type": "people", "people": [{"id": "b911bd74-83fe-448e-8049-46d736983e3f", "name": "Ben", "type": "person", "object": "user", "person": {"email": "ben@example.com"}, "avatar_url": null}]}, "Traits": {"id": "%3CA%7DB", "type": "multi_select", "multi_select": [{"id": "54bdb2e2-b58c-43d7-bbf9-e183d5dd5fcc", "name": "Brave", "color": "default"}]}, "Description": {"id": "%5CQTk", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Has a past."}, "type": "text", "plain_text": "Has a past.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', '01b9450e3496ed9b4541f39a0096dac3ef5532dad06ed49aee7ef0ee2c4208c0', '2026-11-29 06:58:47.927733+00', '2026-11-29 06:58:47.927733+00', '2026-11-29 06:58:47.927733+00', 'a72545a4-fba9-4ba3-8d31-300d78444297', '{"age": 2, "born": null, "name": "Character 2", "world": ["8e93461a-7458-47d9-94a3-ac69e8936ad7", "040dbbd2-f66e-4d7a-a20b-f4ec38a75f71"], "friend": ["b911bd74-83fe-448e-8049-46d736983e3f"], "traits": ["Brave"], "born_at": null, "born_end": null, "born_end_at": null, "description": "Has a past."}', 'https://www.notion.so/Character-2-ccd0dcd0e86e43dca008321e1340390c', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');
INSERT INTO public.notion_characters_sync VALUES ('a2d4280f-87d0-4105-b4ed-549342258f99', NULL, 'none', 'anna', 'Of the application', NULL, '{}', NULL, '2026-11-29 06:58:49.113638+00', '2026-11-29 06:58:49.113638+00', '2026-11-29 06:58:49.113638+00', NULL, NULL, NULL, NULL, NULL);


--
-- Data for Name: notion_chat_sessions_sync; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: notion_pages_sync; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.notion_pages_sync VALUES ('3c3894ea-063c-4e30-a1a0-66608952ce2c', 'e53769d9-8b77-4209-9bc7-3829d60edf6f', '9206defa-fb33-4ef2-b024-ba38470be2af', 'Notes', 'anna', 'Note 2', NULL, '{"Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "Note 2"}, "type": "text", "plain_text": "Note 2", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', 'e632f66e69f827882b6a682ca1b5eca0d8909af8a8963d45bf472e83c2490cd9', '2026-11-29 06:58:47.963934+00', '2026-11-29 06:58:47.963934+00', '2026-11-29 06:58:47.963934+00', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '{"name": "Note 2"}', 'https://www.notion.so/Note-2-e53769d98b7742099bc73829d60edf6f', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');
INSERT INTO public.notion_pages_sync VALUES ('74f25f7b-8291-4f73-a1da-ec287261857e', '6dadff18-8fd3-41bc-a910-2306c2a6c269', '9206defa-fb33-4ef2-b024-ba38470be2af', 'Notes', 'anna', 'Note 3', NULL, '{"Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "Note 3"}, "type": "text", "plain_text": "Note 3", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', '024693283a05aa434f1909702c00224ede5dbc7fb058e6ad967176df5939d983', '2026-11-29 06:58:47.963934+00', '2026-11-29 06:58:47.963934+00', '2026-11-29 06:58:47.963934+00', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '{"name": "Note 3"}', 'https://www.notion.so/Note-3-6dadff188fd341bca9102306c2a6c269', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');
INSERT INTO public.notion_pages_sync VALUES ('f1fc900e-8398-49a6-bc72-f63b9e707873', '04d1e0d8-3f39-4c81-b062-c790813166ef', '9206defa-fb33-4ef2-b024-ba38470be2af', 'Notes', 'anna', 'Note 1', NULL, '{"Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "Note 1"}, "type": "text", "plain_text": "Note 1", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', '96232eea483d665d2db84b19517f42cef54f686ced339f038a77b4ba201e8342', '2026-11-29 06:58:47.963934+00', '2026-11-29 06:58:47.963934+00', '2026-11-29 06:58:47.963934+00', '97688c2f-6399-4e14-8882-ec1f4cbc1b0b', '{"name": "Note 1"}', 'https://www.notion.so/Note-1-04d1e0d83f394c81b062c790813166ef', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');


--
-- Data for Name: notion_stories_sync; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: notion_worlds_sync; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.notion_worlds_sync VALUES ('b23d8d37-43d8-4b78-8373-4ee8bc49058d', '8e93461a-7458-47d9-94a3-ac69e8936ad7', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'ben', 'World 1', 'Premise 1.', '{"Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "World 1"}, "type": "text", "plain_text": "World 1", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "Concept/Premise": {"id": "SeM%3D", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Premise 1."}, "type": "text", "plain_text": "Premise 1.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', '5960038a67960b7c13f45f50511a33eb87b47154eecd2276d09b932637e60b47', '2026-11-29 06:58:47.927798+00', '2026-11-29 06:58:47.927798+00', '2026-11-29 06:58:47.927798+00', '41452ca2-e5d2-4c67-acde-7c9971d11652', '{"name": "World 1", "concept_premise": "Premise 1."}', 'https://www.notion.so/World-1-8e93461a745847d994a3ac69e8936ad7', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');
INSERT INTO public.notion_worlds_sync VALUES ('7c583948-f3f7-43ad-bfe6-247a4fc11e8f', '040dbbd2-f66e-4d7a-a20b-f4ec38a75f71', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'ben', 'World 2', 'Premise 2.', '{"Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "World 2"}, "type": "text", "plain_text": "World 2", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "Concept/Premise": {"id": "SeM%3D", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Premise 2."}, "type": "text", "plain_text": "Premise 2.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', '7bbb6d19cc3414a82ef302e6bb66212839a272d909caf0c43d7c0dd30f01b735', '2026-11-29 06:58:47.927798+00', '2026-11-29 06:58:47.927798+00', '2026-11-29 06:58:47.927798+00', '41452ca2-e5d2-4c67-acde-7c9971d11652', '{"name": "World 2", "concept_premise": "Premise 2."}', 'https://www.notion.so/World-2-040dbbd2f66e4d7aa20bf4ec38a75f71', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');
INSERT INTO public.notion_worlds_sync VALUES ('818006d9-f0f3-49d4-aead-0c907f8a3544', '8e93461a-7458-47d9-94a3-ac69e8936ad7', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'anna', 'World 1', 'Premise 1.', '{"Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "World 1"}, "type": "text", "plain_text": "World 1", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "Concept/Premise": {"id": "SeM%3D", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Premise 1."}, "type": "text", "plain_text": "Premise 1.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', '5960038a67960b7c13f45f50511a33eb87b47154eecd2276d09b932637e60b47', '2026-11-29 06:58:48.029329+00', '2026-11-29 06:58:48.029329+00', '2026-11-29 06:58:48.029329+00', '41452ca2-e5d2-4c67-acde-7c9971d11652', '{"name": "World 1", "concept_premise": "Premise 1."}', 'https://www.notion.so/World-1-8e93461a745847d994a3ac69e8936ad7', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');
INSERT INTO public.notion_worlds_sync VALUES ('ba950fc8-163b-48e2-983c-c888d2664c4e', '040dbbd2-f66e-4d7a-a20b-f4ec38a75f71', '63830e16-c85d-48ab-ba78-d4a0faf7269f', 'anna', 'World 2', 'Premise 2.', '{"Name": {"id": "title", "type": "title", "title": [{"href": null, "text": {"link": null, "content": "World 2"}, "type": "text", "plain_text": "World 2", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}, "Concept/Premise": {"id": "SeM%3D", "type": "rich_text", "rich_text": [{"href": null, "text": {"link": null, "content": "Premise 2."}, "type": "text", "plain_text": "Premise 2.", "annotations": {"bold": false, "code": false, "color": "default", "italic": false, "underline": false, "strikethrough": false}}]}}', '7bbb6d19cc3414a82ef302e6bb66212839a272d909caf0c43d7c0dd30f01b735', '2026-11-29 06:58:48.029329+00', '2026-11-29 06:58:48.029329+00', '2026-11-29 06:58:48.029329+00', '41452ca2-e5d2-4c67-acde-7c9971d11652', '{"name": "World 2", "concept_premise": "Premise 2."}', 'https://www.notion.so/World-2-040dbbd2f66e4d7aa20bf4ec38a75f71', '2026-11-02 09:30:00+00', '2026-11-02 09:30:00+00');


--
-- Data for Name: user_settings; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.user_settings VALUES ('8145131b-a978-4760-b56c-31b1a943e986', 'anna', NULL, 'ntn_27a47d2aa930614fd98ff9b51596fa34cf1d862b0ed3e8', '{"Notes": "9206defa-fb33-4ef2-b024-ba38470be2af", "Worlds": "63830e16-c85d-48ab-ba78-d4a0faf7269f", "Characters": "41d8d809-f0e3-45c1-8f95-dcbb2a059cb2"}', true, '2026-11-29 06:58:47.527055+00', '2026-11-29 06:58:47.527055+00');
INSERT INTO public.user_settings VALUES ('51388f86-c3af-49de-b7ec-43240a1e22f6', 'ben', NULL, 'ntn_06e3af5f4d30844f3ec765d6bfded84e26c31002e2da88', '{"Worlds": "63830e16-c85d-48ab-ba78-d4a0faf7269f"}', true, '2026-11-29 06:58:47.549525+00', '2026-11-29 06:58:47.549525+00');


--
-- Name: jobid_seq; Type: SEQUENCE SET; Schema: notion_sync; Owner: -
--

SELECT pg_catalog.setval('notion_sync.jobid_seq', 2, true);


--
-- Name: removed_pages_removal_id_seq; Type: SEQUENCE SET; Schema: notion_sync; Owner: -
--

SELECT pg_catalog.setval('notion_sync.removed_pages_removal_id_seq', 2, true);


--
-- Name: runid_seq; Type: SEQUENCE SET; Schema: notion_sync; Owner: -
--

SELECT pg_catalog.setval('notion_sync.runid_seq', 2, true);


--
-- Name: sync_requests_request_id_seq; Type: SEQUENCE SET; Schema: notion_sync; Owner: -
--

SELECT pg_catalog.setval('notion_sync.sync_requests_request_id_seq', 1, true);


--
-- Name: accounts accounts_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (user_id);


--
-- Name: columns columns_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.columns
    ADD CONSTRAINT columns_pkey PRIMARY KEY (user_id, data_source_id, property_id, part);


--
-- Name: columns columns_user_id_data_source_id_name_key; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.columns
    ADD CONSTRAINT columns_user_id_data_source_id_name_key UNIQUE (user_id, data_source_id, name);


--
-- Name: data_sources data_sources_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.data_sources
    ADD CONSTRAINT data_sources_pkey PRIMARY KEY (user_id, data_source_id);


--
-- Name: database_runs database_runs_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.database_runs
    ADD CONSTRAINT database_runs_pkey PRIMARY KEY (runid, user_id, database_id);


--
-- Name: databases databases_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.databases
    ADD CONSTRAINT databases_pkey PRIMARY KEY (user_id, database_id);


--
-- Name: job job_jobname_key; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.job
    ADD CONSTRAINT job_jobname_key UNIQUE (jobname);


--
-- Name: job job_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (jobid);


--
-- Name: job_run_details job_run_details_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.job_run_details
    ADD CONSTRAINT job_run_details_pkey PRIMARY KEY (runid);


--
-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (version);


--
-- Name: page_bodies page_bodies_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.page_bodies
    ADD CONSTRAINT page_bodies_pkey PRIMARY KEY (user_id, page_id);


--
-- Name: pages pages_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.pages
    ADD CONSTRAINT pages_pkey PRIMARY KEY (user_id, page_id);


--
-- Name: removed_pages removed_pages_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.removed_pages
    ADD CONSTRAINT removed_pages_pkey PRIMARY KEY (removal_id);


--
-- Name: repeatable repeatable_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.repeatable
    ADD CONSTRAINT repeatable_pkey PRIMARY KEY (only_row);


--
-- Name: run_processes run_processes_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.run_processes
    ADD CONSTRAINT run_processes_pkey PRIMARY KEY (runid);


--
-- Name: search_documents search_documents_by_data_source; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.search_documents
    ADD CONSTRAINT search_documents_by_data_source UNIQUE (user_id, data_source_id, page_id);


--
-- Name: search_documents search_documents_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.search_documents
    ADD CONSTRAINT search_documents_pkey PRIMARY KEY (user_id, page_id);


--
-- Name: search_settings search_settings_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.search_settings
    ADD CONSTRAINT search_settings_pkey PRIMARY KEY (only_row);


--
-- Name: sync_requests sync_requests_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.sync_requests
    ADD CONSTRAINT sync_requests_pkey PRIMARY KEY (request_id);


--
-- Name: trusted_owners trusted_owners_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.trusted_owners
    ADD CONSTRAINT trusted_owners_pkey PRIMARY KEY (owner);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (user_id, id);


--
-- Name: view_sources view_sources_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.view_sources
    ADD CONSTRAINT view_sources_pkey PRIMARY KEY (user_id, data_source_id);


--
-- Name: views views_pkey; Type: CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.views
    ADD CONSTRAINT views_pkey PRIMARY KEY (view_name);


--
-- Name: notion_characters_sync notion_characters_sync_page_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_characters_sync
    ADD CONSTRAINT notion_characters_sync_page_key UNIQUE (user_id, notion_page_id);


--
-- Name: notion_characters_sync notion_characters_sync_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_characters_sync
    ADD CONSTRAINT notion_characters_sync_pkey PRIMARY KEY (id);


--
-- Name: notion_chat_sessions_sync notion_chat_sessions_sync_page_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_chat_sessions_sync
    ADD CONSTRAINT notion_chat_sessions_sync_page_key UNIQUE (user_id, notion_page_id);


--
-- Name: notion_chat_sessions_sync notion_chat_sessions_sync_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_chat_sessions_sync
    ADD CONSTRAINT notion_chat_sessions_sync_pkey PRIMARY KEY (id);


--
-- Name: notion_pages_sync notion_pages_sync_page_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_pages_sync
    ADD CONSTRAINT notion_pages_sync_page_key UNIQUE (user_id, notion_page_id);


--
-- Name: notion_pages_sync notion_pages_sync_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_pages_sync
    ADD CONSTRAINT notion_pages_sync_pkey PRIMARY KEY (id);


--
-- Name: notion_stories_sync notion_stories_sync_page_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_stories_sync
    ADD CONSTRAINT notion_stories_sync_page_key UNIQUE (user_id, notion_page_id);


--
-- Name: notion_stories_sync notion_stories_sync_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_stories_sync
    ADD CONSTRAINT notion_stories_sync_pkey PRIMARY KEY (id);


--
-- Name: notion_worlds_sync notion_worlds_sync_page_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_worlds_sync
    ADD CONSTRAINT notion_worlds_sync_page_key UNIQUE (user_id, notion_page_id);


--
-- Name: notion_worlds_sync notion_worlds_sync_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notion_worlds_sync
    ADD CONSTRAINT notion_worlds_sync_pkey PRIMARY KEY (id);


--
-- Name: user_settings user_settings_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.user_settings
    ADD CONSTRAINT user_settings_pkey PRIMARY KEY (id);


--
-- Name: user_settings user_settings_user_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.user_settings
    ADD CONSTRAINT user_settings_user_id_key UNIQUE (user_id);


--
-- Name: accounts_by_lease; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX accounts_by_lease ON notion_sync.accounts USING btree (lease_runid) WHERE (lease_runid IS NOT NULL);


--
-- Name: database_runs_by_database; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX database_runs_by_database ON notion_sync.database_runs USING btree (user_id, database_id, runid DESC);


--
-- Name: database_runs_without_changes; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX database_runs_without_changes ON notion_sync.database_runs USING btree (end_time) WHERE ((status = 'succeeded'::text) AND (inserted = 0) AND (updated = 0) AND (removed = 0));


--
-- Name: job_run_details_by_job; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX job_run_details_by_job ON notion_sync.job_run_details USING btree (jobid, runid DESC);


--
-- Name: job_run_details_open; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX job_run_details_open ON notion_sync.job_run_details USING btree (runid) WHERE (end_time IS NULL);


--
-- Name: page_bodies_by_data_source; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX page_bodies_by_data_source ON notion_sync.page_bodies USING btree (user_id, data_source_id);


--
-- Name: removed_pages_by_age; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX removed_pages_by_age ON notion_sync.removed_pages USING btree (removed_at);


--
-- Name: removed_pages_by_page; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX removed_pages_by_page ON notion_sync.removed_pages USING btree (user_id, page_id);


--
-- Name: search_documents_by_title; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX search_documents_by_title ON notion_sync.search_documents USING btree (user_id, title_key);


--
-- Name: search_documents_by_word; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX search_documents_by_word ON notion_sync.search_documents USING gin ((ARRAY[user_id]), tsv);


--
-- Name: seen_pages_by_data_source; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX seen_pages_by_data_source ON notion_sync.seen_pages USING btree (user_id, data_source_id);


--
-- Name: sync_requests_by_age; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX sync_requests_by_age ON notion_sync.sync_requests USING btree (ended_at) WHERE (ended_at IS NOT NULL);


--
-- Name: sync_requests_of_runs; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX sync_requests_of_runs ON notion_sync.sync_requests USING btree (runid) WHERE (status = 'running'::text);


--
-- Name: sync_requests_waiting; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE UNIQUE INDEX sync_requests_waiting ON notion_sync.sync_requests USING btree (user_id, database_id) NULLS NOT DISTINCT WHERE (status = 'waiting'::text);


--
-- Name: users_not_told; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX users_not_told ON notion_sync.users USING btree (user_id) WHERE (kind IS NULL);


--
-- Name: view_sources_by_view; Type: INDEX; Schema: notion_sync; Owner: -
--

CREATE INDEX view_sources_by_view ON notion_sync.view_sources USING btree (view_name, user_id);


--
-- Name: notion_characters_sync_by_data_source; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notion_characters_sync_by_data_source ON public.notion_characters_sync USING btree (user_id, notion_data_source_id);


--
-- Name: notion_chat_sessions_sync_by_data_source; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notion_chat_sessions_sync_by_data_source ON public.notion_chat_sessions_sync USING btree (user_id, notion_data_source_id);


--
-- Name: notion_pages_sync_by_data_source; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notion_pages_sync_by_data_source ON public.notion_pages_sync USING btree (user_id, notion_data_source_id);


--
-- Name: notion_stories_sync_by_data_source; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notion_stories_sync_by_data_source ON public.notion_stories_sync USING btree (user_id, notion_data_source_id);


--
-- Name: notion_worlds_sync_by_data_source; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notion_worlds_sync_by_data_source ON public.notion_worlds_sync USING btree (user_id, notion_data_source_id);


--
-- Name: sync_requests bound_requests; Type: TRIGGER; Schema: notion_sync; Owner: -
--

CREATE TRIGGER bound_requests BEFORE INSERT ON notion_sync.sync_requests FOR EACH ROW EXECUTE FUNCTION notion_sync.bound_requests();


--
-- Name: search_settings follow_search_language; Type: TRIGGER; Schema: notion_sync; Owner: -
--

CREATE TRIGGER follow_search_language AFTER UPDATE OF language ON notion_sync.search_settings FOR EACH ROW WHEN ((old.language <> new.language)) EXECUTE FUNCTION notion_sync.follow_search_language();


--
-- Name: accounts follow_view_sources; Type: TRIGGER; Schema: notion_sync; Owner: -
--

CREATE TRIGGER follow_view_sources AFTER INSERT OR UPDATE OF views ON notion_sync.accounts FOR EACH ROW EXECUTE FUNCTION notion_sync.follow_view_sources();


--
-- Name: data_sources follow_view_sources; Type: TRIGGER; Schema: notion_sync; Owner: -
--

CREATE TRIGGER follow_view_sources AFTER INSERT OR UPDATE OF view_name, sync_table, database_name ON notion_sync.data_sources FOR EACH ROW EXECUTE FUNCTION notion_sync.follow_view_sources();


--
-- Name: columns follow_view_sources_in; Type: TRIGGER; Schema: notion_sync; Owner: -
--

CREATE TRIGGER follow_view_sources_in AFTER INSERT ON notion_sync.columns FOR EACH ROW WHEN ((new.property_type = 'relation'::text)) EXECUTE FUNCTION notion_sync.follow_view_sources();


--
-- Name: columns follow_view_sources_on; Type: TRIGGER; Schema: notion_sync; Owner: -
--

CREATE TRIGGER follow_view_sources_on AFTER UPDATE OF name, property_type ON notion_sync.columns FOR EACH ROW WHEN (((old.name IS DISTINCT FROM new.name) OR (old.property_type IS DISTINCT FROM new.property_type))) EXECUTE FUNCTION notion_sync.follow_view_sources();


--
-- Name: columns follow_view_sources_out; Type: TRIGGER; Schema: notion_sync; Owner: -
--

CREATE TRIGGER follow_view_sources_out AFTER DELETE ON notion_sync.columns FOR EACH ROW WHEN ((old.property_type = 'relation'::text)) EXECUTE FUNCTION notion_sync.follow_view_sources();


--
-- Name: notion_characters_sync notion_sync_page_id; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER notion_sync_page_id BEFORE INSERT OR UPDATE OF notion_page_id ON public.notion_characters_sync FOR EACH ROW WHEN ((NOT ((new.notion_page_id COLLATE "C") ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text))) EXECUTE FUNCTION notion_sync.spell_page_id('dashed');


--
-- Name: notion_chat_sessions_sync notion_sync_page_id; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER notion_sync_page_id BEFORE INSERT OR UPDATE OF notion_page_id ON public.notion_chat_sessions_sync FOR EACH ROW WHEN ((NOT ((new.notion_page_id COLLATE "C") ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text))) EXECUTE FUNCTION notion_sync.spell_page_id('dashed');


--
-- Name: notion_pages_sync notion_sync_page_id; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER notion_sync_page_id BEFORE INSERT OR UPDATE OF notion_page_id ON public.notion_pages_sync FOR EACH ROW WHEN ((NOT ((new.notion_page_id COLLATE "C") ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text))) EXECUTE FUNCTION notion_sync.spell_page_id('dashed');


--
-- Name: notion_stories_sync notion_sync_page_id; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER notion_sync_page_id BEFORE INSERT OR UPDATE OF notion_page_id ON public.notion_stories_sync FOR EACH ROW WHEN ((NOT ((new.notion_page_id COLLATE "C") ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text))) EXECUTE FUNCTION notion_sync.spell_page_id('dashed');


--
-- Name: notion_worlds_sync notion_sync_page_id; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER notion_sync_page_id BEFORE INSERT OR UPDATE OF notion_page_id ON public.notion_worlds_sync FOR EACH ROW WHEN ((NOT ((new.notion_page_id COLLATE "C") ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text))) EXECUTE FUNCTION notion_sync.spell_page_id('dashed');


--
-- Name: accounts accounts_lease_runid_fkey; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.accounts
    ADD CONSTRAINT accounts_lease_runid_fkey FOREIGN KEY (lease_runid) REFERENCES notion_sync.job_run_details(runid);


--
-- Name: columns columns_user_id_data_source_id_fkey; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.columns
    ADD CONSTRAINT columns_user_id_data_source_id_fkey FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources(user_id, data_source_id) ON DELETE CASCADE;


--
-- Name: data_sources data_sources_user_id_database_id_fkey; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.data_sources
    ADD CONSTRAINT data_sources_user_id_database_id_fkey FOREIGN KEY (user_id, database_id) REFERENCES notion_sync.databases(user_id, database_id) ON DELETE CASCADE;


--
-- Name: database_runs database_runs_runid_fkey; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.database_runs
    ADD CONSTRAINT database_runs_runid_fkey FOREIGN KEY (runid) REFERENCES notion_sync.job_run_details(runid) ON DELETE CASCADE;


--
-- Name: databases databases_user_id_fkey; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.databases
    ADD CONSTRAINT databases_user_id_fkey FOREIGN KEY (user_id) REFERENCES notion_sync.accounts(user_id) ON DELETE CASCADE;


--
-- Name: page_bodies page_bodies_of_documents; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.page_bodies
    ADD CONSTRAINT page_bodies_of_documents FOREIGN KEY (user_id, data_source_id, page_id) REFERENCES notion_sync.search_documents(user_id, data_source_id, page_id) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: run_processes run_processes_runid_fkey; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.run_processes
    ADD CONSTRAINT run_processes_runid_fkey FOREIGN KEY (runid) REFERENCES notion_sync.job_run_details(runid) ON DELETE CASCADE;


--
-- Name: search_documents search_documents_of_data_sources; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.search_documents
    ADD CONSTRAINT search_documents_of_data_sources FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources(user_id, data_source_id) ON DELETE CASCADE;


--
-- Name: seen_pages seen_pages_user_id_data_source_id_fkey; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.seen_pages
    ADD CONSTRAINT seen_pages_user_id_data_source_id_fkey FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources(user_id, data_source_id) ON DELETE CASCADE;


--
-- Name: users users_user_id_fkey; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.users
    ADD CONSTRAINT users_user_id_fkey FOREIGN KEY (user_id) REFERENCES notion_sync.accounts(user_id) ON DELETE CASCADE;


--
-- Name: view_sources view_sources_user_id_data_source_id_fkey; Type: FK CONSTRAINT; Schema: notion_sync; Owner: -
--

ALTER TABLE ONLY notion_sync.view_sources
    ADD CONSTRAINT view_sources_user_id_data_source_id_fkey FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources(user_id, data_source_id) ON DELETE CASCADE;


--
-- Name: accounts; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.accounts ENABLE ROW LEVEL SECURITY;

--
-- Name: columns; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.columns ENABLE ROW LEVEL SECURITY;

--
-- Name: data_sources; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.data_sources ENABLE ROW LEVEL SECURITY;

--
-- Name: database_runs; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.database_runs ENABLE ROW LEVEL SECURITY;

--
-- Name: databases; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.databases ENABLE ROW LEVEL SECURITY;

--
-- Name: job; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.job ENABLE ROW LEVEL SECURITY;

--
-- Name: job_run_details; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.job_run_details ENABLE ROW LEVEL SECURITY;

--
-- Name: migrations; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.migrations ENABLE ROW LEVEL SECURITY;

--
-- Name: page_bodies; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.page_bodies ENABLE ROW LEVEL SECURITY;

--
-- Name: pages; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.pages ENABLE ROW LEVEL SECURITY;

--
-- Name: view_sources reader; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY reader ON notion_sync.view_sources FOR SELECT USING (((user_id = ( SELECT notion_sync.current_user_id() AS current_user_id)) OR (sync_table = ANY (ARRAY( SELECT notion_sync.sync_tables_open(true) AS sync_tables_open))) OR ((sync_table = ANY (ARRAY( SELECT notion_sync.sync_tables_open(false) AS sync_tables_open))) AND notion_sync.sees_rows_of(sync_table, user_id, notion_data_source_id, current_setting('search_path'::text)))));


--
-- Name: removed_pages; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.removed_pages ENABLE ROW LEVEL SECURITY;

--
-- Name: repeatable; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.repeatable ENABLE ROW LEVEL SECURITY;

--
-- Name: run_processes; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.run_processes ENABLE ROW LEVEL SECURITY;

--
-- Name: search_documents; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.search_documents ENABLE ROW LEVEL SECURITY;

--
-- Name: search_settings; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.search_settings ENABLE ROW LEVEL SECURITY;

--
-- Name: seen_pages; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.seen_pages ENABLE ROW LEVEL SECURITY;

--
-- Name: sync_requests; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.sync_requests ENABLE ROW LEVEL SECURITY;

--
-- Name: accounts tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.accounts FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: columns tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.columns FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: data_sources tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.data_sources FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: database_runs tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.database_runs FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: databases tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.databases FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: page_bodies tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.page_bodies FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: pages tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.pages FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: removed_pages tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.removed_pages FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: search_documents tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.search_documents FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: sync_requests tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.sync_requests FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: users tenant; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant ON notion_sync.users FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: sync_requests tenant_asks; Type: POLICY; Schema: notion_sync; Owner: -
--

CREATE POLICY tenant_asks ON notion_sync.sync_requests FOR INSERT WITH CHECK (((user_id = notion_sync.current_user_id()) AND (status = 'waiting'::text) AND (runid IS NULL)));


--
-- Name: trusted_owners; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.trusted_owners ENABLE ROW LEVEL SECURITY;

--
-- Name: users; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.users ENABLE ROW LEVEL SECURITY;

--
-- Name: view_sources; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.view_sources ENABLE ROW LEVEL SECURITY;

--
-- Name: views; Type: ROW SECURITY; Schema: notion_sync; Owner: -
--

ALTER TABLE notion_sync.views ENABLE ROW LEVEL SECURITY;

--
-- Name: notion_characters_sync notion-pg-sync as postgres; Type: POLICY; Schema: public; Owner: -
--



--
-- Name: notion_chat_sessions_sync notion-pg-sync as postgres; Type: POLICY; Schema: public; Owner: -
--



--
-- Name: notion_pages_sync notion-pg-sync as postgres; Type: POLICY; Schema: public; Owner: -
--



--
-- Name: notion_stories_sync notion-pg-sync as postgres; Type: POLICY; Schema: public; Owner: -
--



--
-- Name: notion_worlds_sync notion-pg-sync as postgres; Type: POLICY; Schema: public; Owner: -
--



--
-- Name: notion_characters_sync notion-pg-sync tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY "notion-pg-sync tenant" ON public.notion_characters_sync FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: notion_chat_sessions_sync notion-pg-sync tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY "notion-pg-sync tenant" ON public.notion_chat_sessions_sync FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: notion_pages_sync notion-pg-sync tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY "notion-pg-sync tenant" ON public.notion_pages_sync FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: notion_stories_sync notion-pg-sync tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY "notion-pg-sync tenant" ON public.notion_stories_sync FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: notion_worlds_sync notion-pg-sync tenant; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY "notion-pg-sync tenant" ON public.notion_worlds_sync FOR SELECT USING ((user_id = notion_sync.current_user_id()));


--
-- Name: notion_characters_sync; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.notion_characters_sync ENABLE ROW LEVEL SECURITY;

--
-- Name: notion_chat_sessions_sync; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.notion_chat_sessions_sync ENABLE ROW LEVEL SECURITY;

--
-- Name: notion_pages_sync; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.notion_pages_sync ENABLE ROW LEVEL SECURITY;

--
-- Name: notion_stories_sync; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.notion_stories_sync ENABLE ROW LEVEL SECURITY;

--
-- Name: notion_worlds_sync; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.notion_worlds_sync ENABLE ROW LEVEL SECURITY;

--
-- Name: user_settings; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.user_settings ENABLE ROW LEVEL SECURITY;

--
-- Name: FUNCTION check_that_it_stays_away(whose text, hex text, path text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.check_that_it_stays_away(whose text, hex text, path text) FROM PUBLIC;


--
-- Name: FUNCTION delete_from_sync_table(relation regclass, whose text, hex text, path text, OUT row_count bigint, OUT gone text[]); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.delete_from_sync_table(relation regclass, whose text, hex text, path text, OUT row_count bigint, OUT gone text[]) FROM PUBLIC;


--
-- Name: FUNCTION delete_rows_of(whose text, hex text, path text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.delete_rows_of(whose text, hex text, path text) FROM PUBLIC;


--
-- Name: FUNCTION drop_views_of_nobody(); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.drop_views_of_nobody() FROM PUBLIC;


--
-- Name: FUNCTION follow_view_sources(); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.follow_view_sources() FROM PUBLIC;


--
-- Name: FUNCTION forget_rows(whose text, hex text, path text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.forget_rows(whose text, hex text, path text) FROM PUBLIC;


--
-- Name: FUNCTION forget(user_id text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.forget(user_id text) FROM PUBLIC;


--
-- Name: FUNCTION hex_of(database_id text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.hex_of(database_id text) FROM PUBLIC;


--
-- Name: FUNCTION forget(user_id text, database_id text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.forget(user_id text, database_id text) FROM PUBLIC;


--
-- Name: FUNCTION keep_runs_off(whose text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.keep_runs_off(whose text) FROM PUBLIC;


--
-- Name: FUNCTION list_view_sources(whose text, source text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.list_view_sources(whose text, source text) FROM PUBLIC;


--
-- Name: FUNCTION names_user(said text, whose text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.names_user(said text, whose text) FROM PUBLIC;


--
-- Name: FUNCTION own_search_matches(query tsquery, sources text[], most integer); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.own_search_matches(query tsquery, sources text[], most integer) FROM PUBLIC;


--
-- Name: FUNCTION pages_without_row(relation regclass, whose text, pages text[], path text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.pages_without_row(relation regclass, whose text, pages text[], path text) FROM PUBLIC;


--
-- Name: FUNCTION settings_by(path text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.settings_by(path text) FROM PUBLIC;


--
-- Name: FUNCTION spell_page_id(); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.spell_page_id() FROM PUBLIC;


--
-- Name: FUNCTION write_settings(statement text, token text, OUT stored text, OUT refused_as text, OUT because text); Type: ACL; Schema: notion_sync; Owner: -
--

REVOKE ALL ON FUNCTION notion_sync.write_settings(statement text, token text, OUT stored text, OUT refused_as text, OUT because text) FROM PUBLIC;


--
-- Name: TABLE view_sources; Type: ACL; Schema: notion_sync; Owner: -
--

GRANT SELECT ON TABLE notion_sync.view_sources TO PUBLIC;


--
-- PostgreSQL database dump complete
--


