-- What is known of the functions, policies, grants and comments that init applies (repeatable/).
CREATE TABLE notion_sync.repeatable (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    checksum     text NOT NULL,
    tool_version text NOT NULL,
    state        text NOT NULL,
    applied_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE notion_sync.repeatable ENABLE ROW LEVEL SECURITY;

-- Whose rows the typed views show, for their readers to read: the views' definitions, which every role can read in the
-- catalog, name nobody. `sync_table` is quoted where it has to be; `relations` are the columns that hold related pages.
CREATE TABLE notion_sync.view_sources (
    user_id        text NOT NULL,
    data_source_id text NOT NULL,
    view_name      text NOT NULL,
    sync_table     text NOT NULL,
    database_name  text NOT NULL,
    relations      text[] NOT NULL,
    PRIMARY KEY (user_id, data_source_id),
    FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE
);
CREATE INDEX view_sources_by_view ON notion_sync.view_sources (view_name, user_id);
ALTER TABLE notion_sync.view_sources ENABLE ROW LEVEL SECURITY;
