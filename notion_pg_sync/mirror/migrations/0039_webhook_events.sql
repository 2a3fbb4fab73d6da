-- How many events of Notion's webhooks came, by day, and of how many no copy has the page or the data source.

-- additive
CREATE TABLE notion_sync.webhook_days (
    day           date PRIMARY KEY,
    events        bigint NOT NULL,
    found_nothing bigint NOT NULL,
    last_event_at timestamptz NOT NULL
);
ALTER TABLE notion_sync.webhook_days ENABLE ROW LEVEL SECURITY;
