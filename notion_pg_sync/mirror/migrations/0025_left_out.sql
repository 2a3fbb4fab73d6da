-- What a sync had to leave out: values, pages and rows that Notion does not give or PostgreSQL refuses. They are tried
-- again at each run, and kept from removal.

-- additive
CREATE TABLE notion_sync.left_out (
    user_id        text NOT NULL,
    data_source_id uuid NOT NULL,
    page_id        uuid NOT NULL,
    property       text NOT NULL DEFAULT '',
    reason         text NOT NULL,
    message        text NOT NULL,
    since          timestamptz NOT NULL DEFAULT clock_timestamp(),
    tried_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, data_source_id, page_id, property),
    FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE
);
ALTER TABLE notion_sync.left_out ENABLE ROW LEVEL SECURITY;
