-- What Notion says of a token, which is asked once for all databases of it; and when a failure that only its user can
-- fix was told last.

-- additive
ALTER TABLE notion_sync.accounts
    ADD COLUMN token_problem       text,
    ADD COLUMN token_problem_since timestamptz,
    ADD COLUMN token_refusals      integer NOT NULL DEFAULT 0,
    ADD COLUMN token_refused_at    timestamptz,
    ADD COLUMN suspended_since     timestamptz,
    ADD COLUMN next_try_at         timestamptz,
    ADD COLUMN told_at             timestamptz;
ALTER TABLE notion_sync.databases ADD COLUMN told_at timestamptz;
CREATE INDEX accounts_by_token ON notion_sync.accounts (token_fingerprint);
-- Witnesses: who read anything recently.
CREATE INDEX database_runs_succeeded ON notion_sync.database_runs (end_time) WHERE status = 'succeeded';
-- What was suspended without a witness is tried again.
UPDATE notion_sync.databases SET suspended_since = NULL, next_try_at = NULL WHERE suspended_since IS NOT NULL;
-- As of runs and databases: ok, degraded or failing.
ALTER TABLE notion_sync.sync_requests ADD COLUMN health text CHECK (health IN ('ok', 'degraded', 'failing'));
