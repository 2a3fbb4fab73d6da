-- A page by its title, and full text search.

-- What search and look-ups read -------------------------------------------------------------------------------------

-- One row a page, whatever sync table it is in. Of a title, B-tree keys hold no more than 2.7 kB, hence title_key; it is
-- a column since behind row level security an index on an expression would not be used.
CREATE TABLE notion_sync.search_documents (
    user_id        text NOT NULL,
    page_id        text NOT NULL,
    data_source_id text NOT NULL,
    title          text NOT NULL,
    title_key      text NOT NULL GENERATED ALWAYS AS (left(lower(title), 200)) STORED,
    text           text NOT NULL,
    body_hash      text,
    tsv            tsvector NOT NULL,
    is_cut         boolean NOT NULL,
    PRIMARY KEY (user_id, page_id)
);
CREATE INDEX search_documents_by_title ON notion_sync.search_documents (user_id, title_key);
-- With the user in it, so that a search does not go through what others wrote.
CREATE INDEX search_documents_by_word ON notion_sync.search_documents USING gin ((ARRAY[user_id]), tsv);

ALTER TABLE notion_sync.search_documents ENABLE ROW LEVEL SECURITY;

ALTER TABLE notion_sync.data_sources ADD COLUMN is_searchable boolean NOT NULL DEFAULT false;

-- The text search configuration's name, not a regconfig: pg_upgrade refuses columns of that type.
CREATE TABLE notion_sync.search_settings (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    language text NOT NULL DEFAULT 'simple'
);
INSERT INTO notion_sync.search_settings DEFAULT VALUES;
ALTER TABLE notion_sync.search_settings ENABLE ROW LEVEL SECURITY;

-- Look-ups ----------------------------------------------------------------------------------------------------------

CREATE TYPE notion_sync.found_page AS (
    user_id           text,
    page_id           uuid,
    database_name     text,
    title             text,
    url               text,
    properties        jsonb,
    fields            jsonb,
    notion_created_at timestamptz,
    notion_edited_at  timestamptz,
    last_synced_at    timestamptz
);

CREATE TYPE notion_sync.search_result AS (
    user_id       text,
    page_id       uuid,
    database_name text,
    title         text,
    snippet       text,
    rank          real,
    is_cut        boolean
);
