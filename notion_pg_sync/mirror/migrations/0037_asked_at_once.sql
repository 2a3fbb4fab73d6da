-- Applications may ask for one page too, and for a database by a name that no run has seen yet. A request whose run died
-- waits again beside one that was made for the same since: neither number is lost. A page that is asked for is read by its
-- id, which is no sync of its database.

-- additive
ALTER TABLE notion_sync.sync_requests
    ADD COLUMN page_id uuid,
    ADD COLUMN started_at timestamptz;

DROP INDEX notion_sync.sync_requests_waiting;
CREATE UNIQUE INDEX sync_requests_waiting ON notion_sync.sync_requests
    (user_id, database_id, page_id, (CASE WHEN database_id IS NULL THEN database_name END)) NULLS NOT DISTINCT
    WHERE status = 'waiting' AND runid IS NULL;
CREATE INDEX sync_requests_by_user ON notion_sync.sync_requests (user_id, database_id) WHERE status = 'waiting';
-- Whether a page was read a moment ago.
CREATE INDEX sync_requests_by_page ON notion_sync.sync_requests (user_id, page_id, started_at)
    WHERE page_id IS NOT NULL;

ALTER TABLE notion_sync.database_runs
    DROP CONSTRAINT database_runs_mode_check,
    ADD CONSTRAINT database_runs_mode_check CHECK (mode IN ('full', 'incremental', 'pages'));
