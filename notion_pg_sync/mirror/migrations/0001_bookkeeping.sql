-- Everything that the tool knows about its own work. The copies of people's rows live in the sync tables, beside
-- user_settings; nothing here is needed to read those.

CREATE SCHEMA notion_sync;

CREATE TABLE notion_sync.migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

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
