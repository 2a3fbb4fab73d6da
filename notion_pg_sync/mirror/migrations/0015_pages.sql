-- What the tool noted of each page: so that a row which somebody else changed or deleted is found out.

-- Beside the sync tables and not in them: what is noted here fires no trigger of an application and changes none of its
-- rows, and a role that may write a sync table cannot forge it.
CREATE TABLE notion_sync.pages (
    user_id        text NOT NULL,
    page_id        uuid NOT NULL,
    data_source_id uuid NOT NULL,
    source_hash    bytea NOT NULL,
    row_id         uuid,
    row_xmin       xid,
    stored_digest  bytea,
    PRIMARY KEY (user_id, page_id)
);

ALTER TABLE notion_sync.pages ENABLE ROW LEVEL SECURITY;

ALTER TABLE notion_sync.data_sources ADD COLUMN table_shape text;

-- The same in tables of our own, in the row itself.
ALTER TABLE notion_sync.search_documents ADD COLUMN written_in xid;

ALTER TABLE notion_sync.page_bodies ADD COLUMN written_in xid, ADD COLUMN stored_digest bytea;

ALTER TABLE notion_sync.users ADD COLUMN written_in xid;

ALTER TABLE notion_sync.views ADD COLUMN rule_xmin xid;
