-- Typed views, and the casts that they are made of: no stored value can make a view fail. What a type cannot hold is null.

CREATE SCHEMA notion;

CREATE TABLE notion_sync.views (
    view_name   text PRIMARY KEY,
    fingerprint text NOT NULL,
    typed_view  text,
    relation    text
);
ALTER TABLE notion_sync.views ENABLE ROW LEVEL SECURITY;
