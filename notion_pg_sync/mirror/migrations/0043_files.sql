-- The files that Notion hosts, which pages name them, and where their bytes are kept.

-- additive
CREATE TABLE notion_sync.files (
    user_id      text NOT NULL,
    path         text NOT NULL,
    sha256       text,
    bytes        bigint,
    media_type   text,
    stored_as    text,
    fetched_at   timestamptz,
    failure      text,
    failed_at    timestamptz,
    tries        integer NOT NULL DEFAULT 0,
    next_try_at  timestamptz,
    begun_as     text,
    wanted_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    unused_since timestamptz,
    PRIMARY KEY (user_id, path)
);
CREATE INDEX files_to_fetch ON notion_sync.files (user_id, wanted_at) WHERE fetched_at IS NULL;
CREATE INDEX files_unused ON notion_sync.files (user_id, unused_since) WHERE unused_since IS NOT NULL;
ALTER TABLE notion_sync.files ENABLE ROW LEVEL SECURITY;

CREATE TABLE notion_sync.page_files (
    user_id        text NOT NULL,
    page_id        uuid NOT NULL,
    data_source_id uuid NOT NULL,
    place          text NOT NULL CHECK (place IN ('property', 'cover', 'icon', 'body')),
    property       text NOT NULL DEFAULT '',
    "position"     integer NOT NULL,
    name           text NOT NULL,
    path           text NOT NULL,
    PRIMARY KEY (user_id, page_id, place, property, "position"),
    FOREIGN KEY (user_id, path) REFERENCES notion_sync.files ON UPDATE CASCADE
);
CREATE INDEX page_files_by_path ON notion_sync.page_files (user_id, path);
CREATE INDEX page_files_by_data_source ON notion_sync.page_files (user_id, data_source_id);
ALTER TABLE notion_sync.page_files ENABLE ROW LEVEL SECURITY;

-- What nothing names any more, and lies where bytes are kept, which SQL cannot reach.
CREATE TABLE notion_sync.discarded_files (
    stored_as    text PRIMARY KEY,
    discarded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE notion_sync.discarded_files ENABLE ROW LEVEL SECURITY;

-- As with bodies: what the database's entry in notion_databases says; null: nothing.
ALTER TABLE notion_sync.databases ADD COLUMN files boolean;
