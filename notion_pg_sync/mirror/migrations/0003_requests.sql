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

-- A request that a run has begun to serve may have come too late for it, so one more may wait.
CREATE UNIQUE INDEX sync_requests_waiting ON notion_sync.sync_requests (user_id, database_id) NULLS NOT DISTINCT
    WHERE status = 'waiting';
CREATE INDEX sync_requests_of_runs ON notion_sync.sync_requests (runid) WHERE status = 'running';
CREATE INDEX sync_requests_by_age ON notion_sync.sync_requests (ended_at) WHERE ended_at IS NOT NULL;

ALTER TABLE notion_sync.sync_requests ENABLE ROW LEVEL SECURITY;
