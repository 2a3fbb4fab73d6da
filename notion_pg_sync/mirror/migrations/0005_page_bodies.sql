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
COMMENT ON TABLE notion_sync.page_bodies IS 'The bodies of pages, as far as runs or data_sources.bodies ask for them.';
COMMENT ON COLUMN notion_sync.page_bodies.markdown IS 'Notion''s enhanced Markdown; URLs of hosted files without signature.';
COMMENT ON COLUMN notion_sync.page_bodies.plain_text IS 'The same without marks, for search.';
COMMENT ON COLUMN notion_sync.page_bodies.missing IS 'What could not be read, a word or a sentence each, and is not in the Markdown.';
COMMENT ON COLUMN notion_sync.page_bodies.content_hash IS 'SHA-256 of the Markdown.';
COMMENT ON COLUMN notion_sync.page_bodies.last_edited_time IS 'The edit of the page that the body stands for, to the minute.';
COMMENT ON COLUMN notion_sync.page_bodies.is_settled IS
    'Whether it was read long enough after that minute that no edit of the minute can be missing.';
COMMENT ON COLUMN notion_sync.page_bodies.fetched_at IS 'When it was asked for, by Notion''s clock.';
CREATE INDEX page_bodies_by_data_source ON notion_sync.page_bodies (user_id, data_source_id);

ALTER TABLE notion_sync.page_bodies ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notion_sync.page_bodies FOR SELECT USING (user_id = notion_sync.current_user_id());

ALTER TABLE notion_sync.data_sources ADD COLUMN bodies boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN notion_sync.data_sources.bodies IS
    'Yours to set: whether its bodies are read by every run, also by those without --bodies.';

ALTER TABLE notion_sync.database_runs
    ADD COLUMN bodies_read bigint NOT NULL DEFAULT 0,
    ADD COLUMN bodies_failed bigint NOT NULL DEFAULT 0;
