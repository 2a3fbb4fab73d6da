-- What stands inside pages, below their properties: kept where it is asked for.

CREATE TABLE notion_sync.page_bodies (
    user_id          text NOT NULL,
    notion_page_id   text NOT NULL,
    data_source_id   text NOT NULL,
    markdown         text NOT NULL,
    plain_text       text NOT NULL,
    is_complete      boolean NOT NULL GENERATED ALWAYS AS (missing = '{}') STORED,
    missing          text[] NOT NULL DEFAULT '{}',
    content_hash     text NOT NULL,
    last_edited_time timestamptz NOT NULL,
    is_settled       boolean NOT NULL,
    fetched_at       timestamptz NOT NULL,
    PRIMARY KEY (user_id, notion_page_id),
    FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE
);
CREATE INDEX page_bodies_by_data_source ON notion_sync.page_bodies (user_id, data_source_id);

ALTER TABLE notion_sync.page_bodies ENABLE ROW LEVEL SECURITY;

ALTER TABLE notion_sync.data_sources ADD COLUMN bodies boolean NOT NULL DEFAULT false;

ALTER TABLE notion_sync.database_runs
    ADD COLUMN bodies_read bigint NOT NULL DEFAULT 0,
    ADD COLUMN bodies_failed bigint NOT NULL DEFAULT 0;
