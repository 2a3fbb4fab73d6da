-- Pages that no listing gives are known by the minute of their creation, and some by nothing else.

-- additive
ALTER TABLE notion_sync.left_out ADD COLUMN created_at timestamptz;

CREATE TABLE notion_sync.unread_minutes (
    user_id        text NOT NULL,
    data_source_id uuid NOT NULL,
    created_at     timestamptz NOT NULL,
    reason         text NOT NULL,
    message        text NOT NULL,
    since          timestamptz NOT NULL DEFAULT clock_timestamp(),
    tried_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, data_source_id, created_at),
    FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE
);
ALTER TABLE notion_sync.unread_minutes ENABLE ROW LEVEL SECURITY;
