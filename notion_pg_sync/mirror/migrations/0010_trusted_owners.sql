-- Whose tables count: the triggers of a table run with the rights of whoever writes to it, and its owner makes them.
CREATE TABLE notion_sync.trusted_owners (
    owner      text PRIMARY KEY,
    trusted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE notion_sync.trusted_owners ENABLE ROW LEVEL SECURITY;
