-- Migration 0001_bookkeeping
BEGIN;
-- Everything that the tool knows about its own work. The copies of people's rows live in the sync tables, beside
-- user_settings; nothing here is needed to read those.

CREATE SCHEMA notion_sync;

COMMENT ON SCHEMA notion_sync IS 'Bookkeeping of notion-pg-sync: runs, accounts, data sources.';

CREATE TABLE notion_sync.migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The tenant whose rows a session may see: a setting of the application, or the claim of a signed token.
-- A pooled session leaves an empty string behind where a setting was, hence nullif.
CREATE FUNCTION notion_sync.current_user_id() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog
AS $$
    SELECT coalesce(
        nullif(current_setting('app.user_id', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )
$$;

-- Runs ----------------------------------------------------------------------------------------------------------

-- The columns of cron.job and cron.job_run_details of pg_cron, in their order, so that queries written for those
-- work with the schema's name changed.
CREATE SEQUENCE notion_sync.jobid_seq;
CREATE SEQUENCE notion_sync.runid_seq;

CREATE TABLE notion_sync.job (
    jobid    bigint PRIMARY KEY DEFAULT nextval('notion_sync.jobid_seq'),
    schedule text NOT NULL,
    command  text NOT NULL,
    nodename text NOT NULL DEFAULT 'localhost',
    nodeport integer NOT NULL DEFAULT coalesce(inet_server_port(), current_setting('port')::integer),
    database text NOT NULL DEFAULT current_database(),
    username text NOT NULL DEFAULT current_user,
    active   boolean NOT NULL DEFAULT true,
    jobname  text UNIQUE
);
ALTER SEQUENCE notion_sync.jobid_seq OWNED BY notion_sync.job.jobid;

CREATE TABLE notion_sync.job_run_details (
    jobid          bigint,
    runid          bigint PRIMARY KEY DEFAULT nextval('notion_sync.runid_seq'),
    job_pid        integer,
    database       text,
    username       text,
    command        text,
    status         text CHECK (status IN ('starting', 'running', 'succeeded', 'failed')),
    return_message text,
    start_time     timestamptz,
    end_time       timestamptz,
    CONSTRAINT ended_runs_have_times
        CHECK (status NOT IN ('succeeded', 'failed') OR (start_time IS NOT NULL AND end_time IS NOT NULL))
);
ALTER SEQUENCE notion_sync.runid_seq OWNED BY notion_sync.job_run_details.runid;
CREATE INDEX job_run_details_by_job ON notion_sync.job_run_details (jobid, runid DESC);
-- Runs that are under way, or whose process went away, among all that there ever were.
CREATE INDEX job_run_details_open ON notion_sync.job_run_details (runid) WHERE end_time IS NULL;

-- How a dead run is told from a working one: pids are comparable within one machine, and a pid that was given to
-- another process since has another start.
CREATE TABLE notion_sync.run_processes (
    runid              bigint PRIMARY KEY REFERENCES notion_sync.job_run_details ON DELETE CASCADE,
    host               text NOT NULL,
    machine            text NOT NULL,
    pid                integer NOT NULL,
    process_started_at double precision NOT NULL,
    heartbeat_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN notion_sync.run_processes.machine IS 'Within one value of it, process ids are comparable.';
COMMENT ON COLUMN notion_sync.run_processes.process_started_at IS 'Seconds since 1970, as the operating system says.';

-- Accounts and what they mirror -----------------------------------------------------------------------------------

CREATE TABLE notion_sync.accounts (
    user_id              text PRIMARY KEY,
    views                boolean NOT NULL DEFAULT false,
    lease_runid          bigint REFERENCES notion_sync.job_run_details,
    lease_expires_at     timestamptz,
    last_sync_started_at timestamptz,
    last_sync_ended_at   timestamptz,
    rate_limited_until   timestamptz,
    token_fingerprint    text,
    CONSTRAINT leases_expire CHECK ((lease_runid IS NULL) = (lease_expires_at IS NULL))
);
COMMENT ON COLUMN notion_sync.accounts.views IS 'Whether typed views are kept for this user.';
COMMENT ON COLUMN notion_sync.accounts.rate_limited_until IS 'Until when Notion''s rate limit holds this token back.';
COMMENT ON COLUMN notion_sync.accounts.token_fingerprint IS
    'SHA-256 of the token of the last sync: another token lifts the suspension of databases.';
CREATE INDEX accounts_by_lease ON notion_sync.accounts (lease_runid) WHERE lease_runid IS NOT NULL;

CREATE TABLE notion_sync.databases (
    user_id              text NOT NULL REFERENCES notion_sync.accounts ON DELETE CASCADE,
    database_id          text NOT NULL,
    name                 text NOT NULL,
    found_by_search      boolean NOT NULL DEFAULT false,
    last_runid           bigint,
    last_mode            text,
    last_status          text CHECK (last_status IN ('running', 'succeeded', 'failed')),
    last_rows_read       bigint,
    last_requests        bigint,
    last_seconds         double precision,
    last_error_code      text,
    last_message         text,
    last_started_at      timestamptz,
    last_ended_at        timestamptz,
    last_succeeded_at    timestamptz,
    failing_since        timestamptz,
    failures_in_a_row    integer NOT NULL DEFAULT 0,
    suspended_since      timestamptz,
    next_try_at          timestamptz,
    PRIMARY KEY (user_id, database_id)
);
COMMENT ON COLUMN notion_sync.databases.suspended_since IS
    'Since when it is tried only now and then: it failed three times in a row for want of access.';
COMMENT ON COLUMN notion_sync.databases.next_try_at IS 'Before this time a suspended database is not tried.';
COMMENT ON COLUMN notion_sync.databases.name IS 'As configured in user_settings, or as found by search.';

CREATE TABLE notion_sync.data_sources (
    user_id              text NOT NULL,
    data_source_id       text NOT NULL,
    database_id          text NOT NULL,
    database_name        text NOT NULL,
    view_name            text NOT NULL,
    name                 text NOT NULL,
    sync_table           text NOT NULL,
    schema               jsonb NOT NULL,
    schema_fingerprint   text NOT NULL,
    row_count            bigint,
    watermark            timestamptz,
    full_read_at         timestamptz,
    full_read_started_at timestamptz,
    full_read_covered    tstzmultirange NOT NULL DEFAULT '{}',
    held_back            bigint NOT NULL DEFAULT 0,
    synced_at            timestamptz,
    fresh_as_of          timestamptz,
    full_as_of           timestamptz,
    full_read_began_at   timestamptz,
    PRIMARY KEY (user_id, data_source_id),
    FOREIGN KEY (user_id, database_id) REFERENCES notion_sync.databases ON DELETE CASCADE
);
COMMENT ON COLUMN notion_sync.data_sources.database_name IS 'The name under which its rows are in the sync table.';
COMMENT ON COLUMN notion_sync.data_sources.view_name IS 'The typed view that shows its rows, for users who want one.';
COMMENT ON COLUMN notion_sync.data_sources.watermark IS 'Every edit before this minute, by Notion''s clock, is in the copy.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_at IS 'When the last complete full read began.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_started_at IS 'When the full read that is under way began.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_covered IS
    'Creation times whose rows the full read under way has written; it is complete when nothing is left out.';

COMMENT ON COLUMN notion_sync.data_sources.held_back IS
    'Rows that the last full read did not find in Notion, too many to remove without somebody''s word.';

-- The same by PostgreSQL's clock, by which ages are told.
COMMENT ON COLUMN notion_sync.data_sources.fresh_as_of IS 'Every edit before this time is in the copy.';
COMMENT ON COLUMN notion_sync.data_sources.full_as_of IS 'When the last complete full read began.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_began_at IS 'When the last full read, complete or not, began.';

-- What the full read under way has seen, one row a batch: what it has not seen may have left Notion.
CREATE TABLE notion_sync.seen_pages (
    user_id        text NOT NULL,
    data_source_id text NOT NULL,
    page_ids       text[] NOT NULL,
    FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE
);
CREATE INDEX seen_pages_by_data_source ON notion_sync.seen_pages (user_id, data_source_id);

-- Names and types of columns are given once and kept, by property id, so that SQL written against them goes on
-- working when other properties come and go.
CREATE TABLE notion_sync.columns (
    user_id        text NOT NULL,
    data_source_id text NOT NULL,
    property_id    text NOT NULL,
    part           text NOT NULL,
    property_name  text NOT NULL,
    property_type  text NOT NULL,
    name           text NOT NULL,
    type           text NOT NULL,
    PRIMARY KEY (user_id, data_source_id, property_id, part),
    UNIQUE (user_id, data_source_id, name),
    FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE
);

-- One row a database a run.
CREATE TABLE notion_sync.database_runs (
    runid         bigint NOT NULL REFERENCES notion_sync.job_run_details ON DELETE CASCADE,
    user_id       text NOT NULL,
    database_id   text NOT NULL,
    database_name text NOT NULL,
    mode          text CHECK (mode IN ('full', 'incremental')),
    status        text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed')),
    rows_read     bigint NOT NULL DEFAULT 0,
    inserted      bigint NOT NULL DEFAULT 0,
    updated       bigint NOT NULL DEFAULT 0,
    unchanged     bigint NOT NULL DEFAULT 0,
    removed       bigint NOT NULL DEFAULT 0,
    requests      bigint NOT NULL DEFAULT 0,
    retries       bigint NOT NULL DEFAULT 0,
    seconds       double precision,
    error_code    text,
    message       text,
    start_time    timestamptz NOT NULL DEFAULT clock_timestamp(),
    end_time      timestamptz,
    PRIMARY KEY (runid, user_id, database_id),
    CONSTRAINT ended_runs_have_times CHECK (status = 'running' OR end_time IS NOT NULL)
);
CREATE INDEX database_runs_by_database ON notion_sync.database_runs (user_id, database_id, runid DESC);
-- What goes first.
CREATE INDEX database_runs_without_changes ON notion_sync.database_runs (end_time)
    WHERE status = 'succeeded' AND inserted = 0 AND updated = 0 AND removed = 0;

-- Rows that are no longer in the sync tables, as they last were.
CREATE TABLE notion_sync.removed_pages (
    removal_id            bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id               text NOT NULL,
    notion_page_id        text NOT NULL,
    notion_database_id    text,
    notion_data_source_id text,
    sync_table            text NOT NULL,
    reason                text NOT NULL
        CHECK (reason IN ('trashed', 'archived', 'moved', 'gone or no longer shared', 'missing', 'duplicate')),
    removed_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    row                   jsonb NOT NULL
);
CREATE INDEX removed_pages_by_page ON notion_sync.removed_pages (user_id, notion_page_id);
CREATE INDEX removed_pages_by_age ON notion_sync.removed_pages (removed_at);

-- Row level security ------------------------------------------------------------------------------------------------

ALTER TABLE notion_sync.migrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.job ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.job_run_details ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.run_processes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.databases ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.data_sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.seen_pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.columns ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.database_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE notion_sync.removed_pages ENABLE ROW LEVEL SECURITY;

-- Tenants see what is theirs; runs of the whole tool are for operators, who own these tables.
CREATE POLICY tenant ON notion_sync.accounts FOR SELECT USING (user_id = notion_sync.current_user_id());
CREATE POLICY tenant ON notion_sync.databases FOR SELECT USING (user_id = notion_sync.current_user_id());
CREATE POLICY tenant ON notion_sync.data_sources FOR SELECT USING (user_id = notion_sync.current_user_id());
CREATE POLICY tenant ON notion_sync.columns FOR SELECT USING (user_id = notion_sync.current_user_id());
CREATE POLICY tenant ON notion_sync.database_runs FOR SELECT USING (user_id = notion_sync.current_user_id());
CREATE POLICY tenant ON notion_sync.removed_pages FOR SELECT USING (user_id = notion_sync.current_user_id());

INSERT INTO notion_sync.migrations (version, name) VALUES (1, '0001_bookkeeping');
COMMIT;

-- Migration 0002_views
BEGIN;
-- Typed views, and the casts that they are made of: no stored value can make a view fail. What a type cannot hold is null.

CREATE SCHEMA notion;

COMMENT ON SCHEMA notion IS 'Typed views of mirrored Notion databases, kept by notion-pg-sync.';

CREATE TABLE notion_sync.views (
    view_name   text PRIMARY KEY,
    fingerprint text NOT NULL,
    typed_view  text,
    relation    text
);
COMMENT ON TABLE notion_sync.views IS 'The views in the schema notion that are ours, and what their definitions follow from.';
COMMENT ON COLUMN notion_sync.views.typed_view IS 'Of a relation''s view: the typed view of its database.';
COMMENT ON COLUMN notion_sync.views.relation IS 'Of a relation''s view: the column of the typed view that it takes apart.';
ALTER TABLE notion_sync.views ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION notion_sync.as_numeric(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) = 'number' THEN value::numeric END;

CREATE FUNCTION notion_sync.as_boolean(value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) = 'boolean' THEN value::boolean END;

-- Every day of the years 1 to 9999: in months of 31 days, of 30, in February, and in leap years. With the pattern alone to
-- tell, nothing that the cast could refuse reaches it, and the same holds in every version of PostgreSQL.
CREATE FUNCTION notion_sync.as_date(value text) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN value NOT LIKE '0000%' AND value COLLATE "C" ~ (
            '^([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])'
            '|(0[469]|11)-(0[1-9]|[12][0-9]|30)'
            '|02-(0[1-9]|1[0-9]|2[0-8]))'
            '|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$'
        ) THEN value::date
    END;

-- With an offset, without which the reader's time zone would decide; within bounds that leave a day for any time zone,
-- since clients cannot read other years.
CREATE FUNCTION notion_sync.as_timestamptz(value text) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN notion_sync.as_date(left(value, 10)) IS NULL THEN NULL
        WHEN value COLLATE "C" !~ (
            '^.{10}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?[+-](0[0-9]|1[0-5]):[0-5][0-9]$'
        ) THEN NULL
        WHEN value::timestamptz >= '0001-01-02 00:00:00+00' AND value::timestamptz < '9999-12-31 00:00:00+00'
            THEN value::timestamptz
    END;

CREATE FUNCTION notion_sync.as_uuid(value text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN value COLLATE "C" ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN value::uuid
    END;

CREATE FUNCTION notion_sync.as_text_array(value jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(value)) END;

-- Without a subquery, so that the planner can put it in line.
CREATE FUNCTION notion_sync.as_uuid_array(value jsonb) RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN value::text COLLATE "C" ~ '^\[("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"(, )?)*\]$'
            THEN translate(value::text, '[]" ', '{}')::uuid[]
    END;

-- Also where an operator's default privileges say otherwise: a view calls them as its reader.
GRANT EXECUTE ON FUNCTION
    notion_sync.as_numeric(jsonb), notion_sync.as_boolean(jsonb), notion_sync.as_date(text),
    notion_sync.as_timestamptz(text), notion_sync.as_uuid(text), notion_sync.as_text_array(jsonb),
    notion_sync.as_uuid_array(jsonb)
    TO PUBLIC;

INSERT INTO notion_sync.migrations (version, name) VALUES (2, '0002_views');
COMMIT;

-- Migration 0003_requests
BEGIN;
-- Requests from SQL: an application asks for a sync, and the next sync-all serves it first.

CREATE TABLE notion_sync.sync_requests (
    request_id    bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id       text NOT NULL,
    database_id   text,
    database_name text,
    status        text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'running', 'succeeded', 'failed')),
    runid         bigint,
    message       text,
    requested_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at      timestamptz,
    CONSTRAINT ended_requests_have_times CHECK ((status IN ('succeeded', 'failed')) = (ended_at IS NOT NULL)),
    CONSTRAINT ids_are_notion_ids CHECK (database_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
);
COMMENT ON COLUMN notion_sync.sync_requests.database_id IS 'Null: every database of the user.';

-- A request that a run has begun to serve may have come too late for it, so one more may wait.
CREATE UNIQUE INDEX sync_requests_waiting ON notion_sync.sync_requests (user_id, database_id) NULLS NOT DISTINCT
    WHERE status = 'waiting';
CREATE INDEX sync_requests_of_runs ON notion_sync.sync_requests (runid) WHERE status = 'running';
CREATE INDEX sync_requests_by_age ON notion_sync.sync_requests (ended_at) WHERE ended_at IS NOT NULL;

ALTER TABLE notion_sync.sync_requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notion_sync.sync_requests FOR SELECT USING (user_id = notion_sync.current_user_id());
CREATE POLICY tenant_asks ON notion_sync.sync_requests FOR INSERT
    WITH CHECK (user_id = notion_sync.current_user_id() AND status = 'waiting' AND runid IS NULL);

-- One request a database does not bound ids that somebody makes up.
CREATE FUNCTION notion_sync.bound_requests() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    IF (SELECT count(*) FROM notion_sync.sync_requests WHERE user_id = NEW.user_id AND status = 'waiting') >= 1000 THEN
        RAISE EXCEPTION 'user % has 1,000 requests waiting: let a sync-all serve them first', NEW.user_id
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER bound_requests BEFORE INSERT ON notion_sync.sync_requests
    FOR EACH ROW EXECUTE FUNCTION notion_sync.bound_requests();

-- The id in what people write: an id with or without dashes, or a link, whose part behind ? and # names views.
CREATE FUNCTION notion_sync.id_in(written text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
AS $$
    SELECT substring(replace(lower(split_part(split_part(trim(written), '#', 1), '?', 1)), '-', '')
                     FROM '(?:^|[^0-9a-f])([0-9a-f]{32})/?$')::uuid::text
$$;

-- Queues a sync of one database, given by its id (or link) or, where that is null or empty, by its name; returns the
-- number of the request. Where one waits already, its number. Row level security lets tenants ask for themselves only.
CREATE FUNCTION notion_sync.sync_notion_database(user_id text, database_id text, database_name text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := sync_notion_database.user_id;
    wanted text := notion_sync.id_in(sync_notion_database.database_id);
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

-- Queues a sync of every database of a user; returns a row a database that is known. What is configured since and not
-- known yet is synced too.
CREATE FUNCTION notion_sync.sync_all_notion_databases(user_id text)
    RETURNS TABLE (request_id bigint, database_id text, database_name text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog
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
        SELECT waiting, known.database_id, known.name FROM notion_sync.databases AS known
        WHERE known.user_id = asked ORDER BY known.name, known.database_id;
    IF NOT FOUND THEN
        RETURN QUERY SELECT waiting, NULL::text, NULL::text;
    END IF;
END
$$;

-- For applications that called these names in public before, and only where nobody has them.
DO $$
BEGIN
    IF NOT has_schema_privilege(current_user, 'public', 'CREATE') THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'sync_notion_database')
    THEN
        CREATE FUNCTION public.sync_notion_database(user_id text, database_id text, database_name text DEFAULT NULL)
            RETURNS bigint
            LANGUAGE sql
            SET search_path = pg_catalog
        AS 'SELECT notion_sync.sync_notion_database(user_id, database_id, database_name)';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'sync_all_notion_databases')
    THEN
        CREATE FUNCTION public.sync_all_notion_databases(user_id text)
            RETURNS TABLE (request_id bigint, database_id text, database_name text)
            LANGUAGE sql
            SET search_path = pg_catalog
        AS 'SELECT * FROM notion_sync.sync_all_notion_databases(user_id)';
    END IF;
END
$$;

INSERT INTO notion_sync.migrations (version, name) VALUES (3, '0003_requests');
COMMIT;

-- Migration 0004_forget
BEGIN;
-- Forgetting a user, or one database of a user: no trace of what was mirrored stays in any table.
-- SECURITY INVOKER throughout: whoever calls it needs the rights for all that it does, and tenants may not call it.

-- Whether a sentence or a command names a user, as a word of its own. Quotes and backslashes do not count, since they differ
-- between what a shell, a sentence and user_settings make of one id.
CREATE FUNCTION notion_sync.names_user(said text, whose text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        translate(said, '''"\', '') ~ concat(
            '(^|[^\w-])', regexp_replace(translate(whose, '''"\', ''), '([^\w])', '\\\1', 'g'), '($|[^\w-])'
        ),
        false
    );

-- Raises an exception while a run works on the user's databases. Until the transaction ends, no other may begin to.
CREATE FUNCTION notion_sync.keep_runs_off(whose text) RETURNS void
    LANGUAGE plpgsql
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
CREATE FUNCTION notion_sync.check_that_it_stays_away(whose text, hex text) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    settings regclass := coalesce(to_regclass('user_settings'), to_regclass('public.user_settings'));
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
$$;

-- Deletes the user's rows (of one database, where `hex` is not null) from every sync table and every table of ours.
-- Tables of ours are found by their columns, so that those of later migrations are covered.
CREATE FUNCTION notion_sync.delete_rows_of(whose text, hex text)
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
            ' RETURNING notion_page_id::text'
            ') SELECT count(*), array_agg(notion_page_id) FILTER (WHERE $2 IS NOT NULL) FROM gone', relation)
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

-- The views of ours that show nobody's rows any more.
CREATE FUNCTION notion_sync.views_of_nobody() RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
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

-- Drops them: their names and their columns' are words of Notion. A view that somebody's own depends on stays, and is
-- told.
CREATE FUNCTION notion_sync.drop_views_of_nobody() RETURNS void
    LANGUAGE plpgsql
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

CREATE FUNCTION notion_sync.forget_rows(whose text, hex text) RETURNS TABLE (relation text, row_count bigint)
    LANGUAGE plpgsql
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
    PERFORM notion_sync.check_that_it_stays_away(whose, hex);
    RETURN QUERY SELECT * FROM notion_sync.delete_rows_of(whose, hex);
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

-- For applications: SELECT * FROM notion_sync.forget('user-1'), in the transaction that deletes the account.
CREATE FUNCTION notion_sync.forget(user_id text) RETURNS TABLE (relation text, row_count bigint)
    LANGUAGE sql
AS $$
    SELECT * FROM notion_sync.forget_rows(user_id, NULL)
$$;
COMMENT ON FUNCTION notion_sync.forget(text) IS
    'Removes every trace of a user''s mirrored rows, and says how many rows of which tables went.';

CREATE FUNCTION notion_sync.forget(user_id text, database_id text) RETURNS TABLE (relation text, row_count bigint)
    LANGUAGE plpgsql
AS $$
DECLARE
    hex text := replace(lower(database_id), '-', '');
BEGIN
    IF hex !~ '^[0-9a-f]{32}$' IS NOT FALSE THEN
        RAISE invalid_parameter_value USING MESSAGE =
            'that is not the id of a Notion database: give its 32 characters, with or without dashes.';
    END IF;
    RETURN QUERY SELECT * FROM notion_sync.forget_rows(user_id, hex);
END
$$;
COMMENT ON FUNCTION notion_sync.forget(text, text) IS
    'Removes every trace of one mirrored database of a user, and says how many rows of which tables went.';

REVOKE ALL ON FUNCTION
    notion_sync.names_user(text, text), notion_sync.keep_runs_off(text),
    notion_sync.check_that_it_stays_away(text, text), notion_sync.delete_rows_of(text, text),
    notion_sync.drop_views_of_nobody(), notion_sync.forget_rows(text, text), notion_sync.forget(text),
    notion_sync.forget(text, text)
    FROM PUBLIC;

INSERT INTO notion_sync.migrations (version, name) VALUES (4, '0004_forget');
COMMIT;

-- Migration 0005_page_bodies
BEGIN;
-- What stands inside pages, below their properties: kept where it is asked for.

CREATE TABLE notion_sync.page_bodies (
    user_id          text NOT NULL,
    notion_page_id   text NOT NULL,
    data_source_id   text NOT NULL,
    markdown         text NOT NULL,
    plain_text       text NOT NULL,
    is_complete      boolean NOT NULL GENERATED ALWAYS AS (missing = '{}') STORED,
    missing          text[] NOT NULL DEFAULT '{}',
    content_hash     text NOT NULL,
    last_edited_time timestamptz NOT NULL,
    is_settled       boolean NOT NULL,
    fetched_at       timestamptz NOT NULL,
    PRIMARY KEY (user_id, notion_page_id),
    FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE
);
COMMENT ON TABLE notion_sync.page_bodies IS 'The bodies of pages, as far as runs or data_sources.bodies ask for them.';
COMMENT ON COLUMN notion_sync.page_bodies.markdown IS 'Notion''s enhanced Markdown; URLs of hosted files without signature.';
COMMENT ON COLUMN notion_sync.page_bodies.plain_text IS 'The same without marks, for search.';
COMMENT ON COLUMN notion_sync.page_bodies.missing IS 'What could not be read, a word or a sentence each, and is not in the Markdown.';
COMMENT ON COLUMN notion_sync.page_bodies.content_hash IS 'SHA-256 of the Markdown.';
COMMENT ON COLUMN notion_sync.page_bodies.last_edited_time IS 'The edit of the page that the body stands for, to the minute.';
COMMENT ON COLUMN notion_sync.page_bodies.is_settled IS
    'Whether it was read long enough after that minute that no edit of the minute can be missing.';
COMMENT ON COLUMN notion_sync.page_bodies.fetched_at IS 'When it was asked for, by Notion''s clock.';
CREATE INDEX page_bodies_by_data_source ON notion_sync.page_bodies (user_id, data_source_id);

ALTER TABLE notion_sync.page_bodies ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notion_sync.page_bodies FOR SELECT USING (user_id = notion_sync.current_user_id());

ALTER TABLE notion_sync.data_sources ADD COLUMN bodies boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN notion_sync.data_sources.bodies IS
    'Yours to set: whether its bodies are read by every run, also by those without --bodies.';

ALTER TABLE notion_sync.database_runs
    ADD COLUMN bodies_read bigint NOT NULL DEFAULT 0,
    ADD COLUMN bodies_failed bigint NOT NULL DEFAULT 0;

INSERT INTO notion_sync.migrations (version, name) VALUES (5, '0005_page_bodies');
COMMIT;

-- Migration 0006_people
BEGIN;
-- Who the people of rows are: pages name them by id.

CREATE TABLE notion_sync.users (
    user_id    text NOT NULL REFERENCES notion_sync.accounts ON DELETE CASCADE,
    id         uuid NOT NULL,
    kind       text CHECK (kind IN ('person', 'bot', 'group')),
    name       text,
    email      text,
    avatar_url text,
    asked_at   timestamptz,
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE notion_sync.users IS 'People, bots and groups of a user''s Notion workspace, as far as rows name them.';
COMMENT ON COLUMN notion_sync.users.user_id IS 'The user in user_settings whose copy names them.';
COMMENT ON COLUMN notion_sync.users.id IS 'Notion''s id, as in fields and views.';
COMMENT ON COLUMN notion_sync.users.kind IS 'Null: Notion has not told who it is.';
COMMENT ON COLUMN notion_sync.users.asked_at IS 'When Notion was last asked for it by itself.';
CREATE INDEX users_not_told ON notion_sync.users (user_id) WHERE kind IS NULL;

ALTER TABLE notion_sync.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notion_sync.users FOR SELECT USING (user_id = notion_sync.current_user_id());

-- Names of people, each in the place of its id; null where it is not known. With the rights of whoever reads the view.
CREATE FUNCTION notion_sync.names_of(whose text, ids uuid[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN ids IS NOT NULL THEN ARRAY(
        SELECT name FROM unnest(ids) WITH ORDINALITY AS listed (id, place)
        LEFT JOIN notion_sync.users ON users.user_id = whose AND users.id = listed.id
        ORDER BY place
    ) END;
GRANT EXECUTE ON FUNCTION notion_sync.names_of(text, uuid[]) TO PUBLIC;

INSERT INTO notion_sync.migrations (version, name) VALUES (6, '0006_people');
COMMIT;

-- Migration 0007_search
BEGIN;
-- A page by its title, and full text search.

-- What search and look-ups read -------------------------------------------------------------------------------------

-- One row a page, whatever sync table it is in. Of a title, B-tree keys hold no more than 2.7 kB, hence title_key; it is
-- a column since behind row level security an index on an expression would not be used.
CREATE TABLE notion_sync.search_documents (
    user_id        text NOT NULL,
    page_id        text NOT NULL,
    data_source_id text NOT NULL,
    title          text NOT NULL,
    title_key      text NOT NULL GENERATED ALWAYS AS (left(lower(title), 200)) STORED,
    text           text NOT NULL,
    body_hash      text,
    tsv            tsvector NOT NULL,
    is_cut         boolean NOT NULL,
    PRIMARY KEY (user_id, page_id)
);
COMMENT ON TABLE notion_sync.search_documents IS 'Titles, texts and words of the pages in the sync tables, for search and look-ups.';
COMMENT ON COLUMN notion_sync.search_documents.text IS 'The values of the text properties, a line each.';
COMMENT ON COLUMN notion_sync.search_documents.body_hash IS 'The content_hash of the body in page_bodies whose words tsv holds.';
COMMENT ON COLUMN notion_sync.search_documents.is_cut IS 'Whether text or body is too long for tsv, which holds the beginning.';
CREATE INDEX search_documents_by_title ON notion_sync.search_documents (user_id, title_key);
-- With the user in it, so that a search does not go through what others wrote.
CREATE INDEX search_documents_by_word ON notion_sync.search_documents USING gin ((ARRAY[user_id]), tsv);

ALTER TABLE notion_sync.search_documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notion_sync.search_documents FOR SELECT USING (user_id = notion_sync.current_user_id());

ALTER TABLE notion_sync.data_sources ADD COLUMN is_searchable boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN notion_sync.data_sources.is_searchable IS
    'Whether all its rows are in search_documents; the next sync brings those there that an earlier version wrote.';

-- The text search configuration's name, not a regconfig: pg_upgrade refuses columns of that type.
CREATE TABLE notion_sync.search_settings (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    language text NOT NULL DEFAULT 'simple'
);
INSERT INTO notion_sync.search_settings DEFAULT VALUES;
COMMENT ON COLUMN notion_sync.search_settings.language IS
    'A text search configuration, simple or german for example; all documents follow in the transaction that changes it.';
ALTER TABLE notion_sync.search_settings ENABLE ROW LEVEL SECURITY;

-- With its owner's rights, since tenants do not read the settings.
CREATE FUNCTION notion_sync.search_language() RETURNS regconfig
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
AS 'SELECT language::regconfig FROM notion_sync.search_settings';

-- The text of a plain value: a text as it is, a list with commas, anything else null.
CREATE FUNCTION notion_sync.text_in(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof(value)
        WHEN 'string' THEN value #>> '{}'
        WHEN 'array' THEN array_to_string(notion_sync.as_text_array(value), ', ')
    END;

-- What the index holds of a page. PostgreSQL refuses a tsvector of 1 MB: a text that comes to more is halved until it fits.
-- A text of 50 kB fits in any case; a million characters are the most that is tried.
CREATE FUNCTION notion_sync.search_vector(
    language regconfig, title text, text text, body text, OUT tsv tsvector, OUT is_cut boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog
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

CREATE FUNCTION notion_sync.follow_search_language() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    UPDATE notion_sync.search_documents AS document SET (tsv, is_cut) = (
        SELECT vector.tsv, vector.is_cut
        FROM (SELECT) AS page
        LEFT JOIN notion_sync.page_bodies AS body
            ON body.user_id = document.user_id AND body.notion_page_id = document.page_id,
        notion_sync.search_vector(
            NEW.language::regconfig, document.title, document.text, coalesce(body.plain_text, '')) AS vector);
    RETURN NULL;
END
$$;
CREATE TRIGGER follow_search_language AFTER UPDATE OF language ON notion_sync.search_settings
    FOR EACH ROW WHEN (OLD.language <> NEW.language) EXECUTE FUNCTION notion_sync.follow_search_language();

-- Look-ups ----------------------------------------------------------------------------------------------------------

CREATE TYPE notion_sync.found_page AS (
    user_id           text,
    page_id           uuid,
    database_name     text,
    title             text,
    url               text,
    properties        jsonb,
    fields            jsonb,
    notion_created_at timestamptz,
    notion_edited_at  timestamptz,
    last_synced_at    timestamptz
);

-- The pages of a title, in a database of that name or, where that is null, in any; neither minds capital letters.
CREATE FUNCTION notion_sync.get_notion_page(user_id text, database_name text, title text)
    RETURNS SETOF notion_sync.found_page
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
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
                SELECT page.user_id::text, notion_sync.as_uuid(page.notion_page_id), $4, document.title,
                       page.url::text, page.properties, page.fields, page.notion_created_at, page.notion_edited_at,
                       page.last_synced_at
                FROM notion_sync.search_documents AS document
                JOIN %I.%I AS page ON page.user_id = document.user_id AND page.notion_page_id = document.page_id
                WHERE document.user_id = $1 AND document.title_key = left($2, 200) AND lower(document.title) = $2
                  AND document.data_source_id = $3
                ORDER BY page.notion_edited_at DESC, page.notion_page_id
            $query$,
            place.nspname, place.relname
        ) USING asked, wanted, place.data_source_id, place.database_name;
    END LOOP;
END
$$;

-- Search ------------------------------------------------------------------------------------------------------------

-- The best pages of a user for a query, the best first. Of many thousand matches, 10,000 are ranked.
CREATE FUNCTION notion_sync.search_matches(asked text, query tsquery, sources text[], most integer)
    RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
AS $$
    SELECT page_id FROM (
        SELECT page_id, title, tsv FROM notion_sync.search_documents
        WHERE ARRAY[user_id] @> ARRAY[asked] AND user_id = asked AND tsv @@ query
          AND (sources IS NULL OR data_source_id = ANY (sources))
        LIMIT 10000
    ) AS matching
    ORDER BY ts_rank(tsv, query) DESC, title, page_id
    LIMIT most
$$;

-- The same for the session's own user, with the owner's rights: behind row level security no index is used for tsv @@
-- query, since PostgreSQL does not trust that operator (it is not leakproof). It shows what the policy shows.
CREATE FUNCTION notion_sync.own_search_matches(query tsquery, sources text[], most integer)
    RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
AS 'SELECT notion_sync.search_matches(notion_sync.current_user_id(), query, sources, most)';
REVOKE EXECUTE ON FUNCTION notion_sync.own_search_matches(tsquery, text[], integer) FROM PUBLIC;

CREATE TYPE notion_sync.search_result AS (
    user_id       text,
    page_id       uuid,
    database_name text,
    title         text,
    snippet       text,
    rank          real,
    is_cut        boolean
);

-- What is asked, in the syntax of websearch_to_tsquery. A word of 2 kB it refuses, so that 500 characters count; where it
-- gives up ("tsquery stack too small", with many minuses in a row) the words count as they stand.
CREATE FUNCTION notion_sync.search_query(language regconfig, query text) RETURNS tsquery
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
AS $$
BEGIN
    RETURN websearch_to_tsquery(language, left(query, 500));
EXCEPTION WHEN internal_error THEN
    RETURN plainto_tsquery(language, left(query, 500));
END
$$;

-- Full text search over titles, text properties and bodies.
CREATE FUNCTION notion_sync.search(
    query text, user_id text DEFAULT notion_sync.current_user_id(), databases text[] DEFAULT NULL,
    most integer DEFAULT 20)
    RETURNS SETOF notion_sync.search_result
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := search.user_id;
    named CONSTANT text[] := search.databases;
    language CONSTANT regconfig := notion_sync.search_language();
    words CONSTANT tsquery := notion_sync.search_query(language, search.query);
    limited CONSTANT integer := greatest(coalesce(search.most, 20), 0);
    sources text[];
    found text[];
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
        found := ARRAY(SELECT notion_sync.own_search_matches(words, sources, limited));
    ELSE
        found := ARRAY(SELECT notion_sync.search_matches(asked, words, sources, limited));
    END IF;
    RETURN QUERY
        SELECT document.user_id, notion_sync.as_uuid(document.page_id), known.database_name, document.title,
               ts_headline(
                   language,
                   left(coalesce(nullif(concat_ws(E'\n', nullif(document.text, ''), body.plain_text), ''), document.title),
                        20000),
                   words,
                   'StartSel=**, StopSel=**, MaxWords=30, MinWords=10'),
               ts_rank(document.tsv, words), document.is_cut
        FROM unnest(found) WITH ORDINALITY AS match (page_id, place)
        JOIN notion_sync.search_documents AS document ON document.user_id = asked AND document.page_id = match.page_id
        JOIN notion_sync.data_sources AS known
            ON known.user_id = asked AND known.data_source_id = document.data_source_id
        LEFT JOIN notion_sync.page_bodies AS body ON body.user_id = asked AND body.notion_page_id = document.page_id
        ORDER BY match.place;
END
$$;

GRANT EXECUTE ON FUNCTION
    notion_sync.text_in(jsonb), notion_sync.search_language(), notion_sync.search_vector(regconfig, text, text, text),
    notion_sync.get_notion_page(text, text, text), notion_sync.search_matches(text, tsquery, text[], integer),
    notion_sync.search_query(regconfig, text), notion_sync.search(text, text, text[], integer)
    TO PUBLIC;

-- For applications that call this name in public, and only where nobody has it.
DO $$
BEGIN
    IF has_schema_privilege(current_user, 'public', 'CREATE') AND NOT EXISTS (
        SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'get_notion_page')
    THEN
        CREATE FUNCTION public.get_notion_page(user_id text, database_name text, title text)
            RETURNS SETOF notion_sync.found_page
            LANGUAGE sql STABLE
            SET search_path = pg_catalog
        AS 'SELECT * FROM notion_sync.get_notion_page(user_id, database_name, title)';
    END IF;
END
$$;

INSERT INTO notion_sync.migrations (version, name) VALUES (7, '0007_search');
COMMIT;

-- Migration 0008_write_settings
BEGIN;
-- Runs one statement on user_settings, in which $1 is the token, and returns what it returns, or why PostgreSQL refused.
-- An error that left here would be written to the server's log with the whole row that was refused, token included.
CREATE FUNCTION notion_sync.write_settings(
    statement text, token text, OUT stored text, OUT refused_as text, OUT because text
)
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

-- Whoever reaches the schema's functions and nothing else, by way of PostgREST, is not to run statements of their own.
REVOKE EXECUTE ON FUNCTION notion_sync.write_settings(text, text) FROM PUBLIC;

INSERT INTO notion_sync.migrations (version, name) VALUES (8, '0008_write_settings');
COMMIT;
