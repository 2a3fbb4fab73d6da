-- The options of selects, multi-selects and statuses; and in what search reads of a page, the people whom it names.

-- additive
CREATE TABLE notion_sync.options (
    user_id        text NOT NULL,
    data_source_id uuid NOT NULL,
    database_name  text NOT NULL,
    property_id    text NOT NULL,
    property       text NOT NULL,
    column_name    text,
    option_id      text NOT NULL,
    name           text NOT NULL,
    color          text,
    "position"     integer NOT NULL,
    status_group   text,
    is_done        boolean,
    PRIMARY KEY (user_id, data_source_id, property_id, option_id),
    FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE
);
ALTER TABLE notion_sync.options ENABLE ROW LEVEL SECURITY;

ALTER TABLE notion_sync.search_documents
    ADD COLUMN people       uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN people_names text NOT NULL DEFAULT '';
CREATE INDEX search_documents_by_person ON notion_sync.search_documents USING gin (people);

-- The next sync of each takes the people in.
UPDATE notion_sync.data_sources SET is_searchable = false;
