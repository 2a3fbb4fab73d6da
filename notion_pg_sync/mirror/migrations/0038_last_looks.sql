-- When a command that does nothing without a request last looked for one, for each job.

-- additive
CREATE TABLE notion_sync.last_looks (
    jobid     bigint PRIMARY KEY REFERENCES notion_sync.job ON DELETE CASCADE,
    looked_at timestamptz NOT NULL
);
ALTER TABLE notion_sync.last_looks ENABLE ROW LEVEL SECURITY;
