-- The roles that read by `grant-reader`: what is made later is granted to them too.

-- additive
CREATE TABLE notion_sync.readers (
    role     text PRIMARY KEY,
    role_oid oid NOT NULL,
    user_id  text,
    since    timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE notion_sync.readers ENABLE ROW LEVEL SECURITY;
