-- The older set-up that docs/from-pg-cron.md speaks of, without its extensions, which are packages of the operating
-- system: what pg_cron 1.6 and pg_net 0.8 have in their schemas, as far as people use it, and the application's own.

CREATE SCHEMA cron;
CREATE TABLE cron.job (
    jobid    bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    schedule text NOT NULL,
    command  text NOT NULL,
    nodename text NOT NULL DEFAULT 'localhost',
    nodeport integer NOT NULL DEFAULT 5432,
    database text NOT NULL DEFAULT current_database(),
    username text NOT NULL DEFAULT current_user,
    active   boolean NOT NULL DEFAULT true,
    jobname  text
);
CREATE TABLE cron.job_run_details (
    jobid          bigint,
    runid          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    job_pid        integer,
    database       text,
    username       text,
    command        text,
    status         text,
    return_message text,
    start_time     timestamptz,
    end_time       timestamptz
);
CREATE FUNCTION cron.alter_job(
    job_id bigint, schedule text DEFAULT NULL, command text DEFAULT NULL, database text DEFAULT NULL,
    username text DEFAULT NULL, active boolean DEFAULT NULL
) RETURNS void LANGUAGE sql AS 'UPDATE cron.job SET active = coalesce($6, active) WHERE jobid = $1';
CREATE FUNCTION cron.unschedule(job_id bigint) RETURNS boolean LANGUAGE sql AS
    'DELETE FROM cron.job WHERE jobid = $1 RETURNING true';
CREATE SCHEMA net;
CREATE TABLE net.http_request_queue (
    id bigserial, method text NOT NULL, url text NOT NULL, headers jsonb, body bytea, timeout_milliseconds integer NOT NULL
);
CREATE TABLE net._http_response (
    id bigint, status_code integer, content_type text, headers jsonb, content text, timed_out boolean, error_msg text,
    created timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION public.sync_notion_database(user_id text, database_id text, database_name text)
    RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT';
CREATE FUNCTION public.sync_all_notion_databases(user_id text)
    RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT';
INSERT INTO cron.job (schedule, command, jobname) VALUES
    ('*/15 * * * *', 'SELECT sync_all_notion_databases(user_id) FROM user_settings', 'sync-notion-databases'),
    ('0 3 * * 0', 'DELETE FROM notion_pages_sync WHERE updated_at < now() - interval ''90 days''', 'cleanup'),
    ('0 4 * * *', 'VACUUM', 'vacuum');
INSERT INTO cron.job_run_details (jobid, status, return_message, start_time, end_time)
VALUES (1, 'succeeded', '1 row', now(), now());
