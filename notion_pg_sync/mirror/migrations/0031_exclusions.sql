-- What owners exclude from the copies of their databases, and whether the e-mail addresses of people are copied.

-- additive
CREATE TABLE notion_sync.exclusions (
    user_id         text NOT NULL,
    database_id     uuid NOT NULL,
    entry           text NOT NULL,
    properties      jsonb NOT NULL DEFAULT '{}',
    data_source_ids uuid[] NOT NULL DEFAULT '{}',
    since           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, database_id, entry),
    FOREIGN KEY (user_id, database_id) REFERENCES notion_sync.databases ON DELETE CASCADE
);
ALTER TABLE notion_sync.exclusions ENABLE ROW LEVEL SECURITY;

ALTER TABLE notion_sync.accounts
    ADD COLUMN emails boolean NOT NULL DEFAULT true,
    ADD COLUMN has_emails boolean NOT NULL DEFAULT true;
