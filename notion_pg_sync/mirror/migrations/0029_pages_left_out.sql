-- Pages that no listing gives are known by the minute of their creation, and some by nothing else.

-- additive
ALTER TABLE notion_sync.left_out DROP CONSTRAINT left_out_pkey;
ALTER TABLE notion_sync.left_out ALTER COLUMN page_id DROP NOT NULL;
ALTER TABLE notion_sync.left_out ADD COLUMN created_at timestamptz;
CREATE UNIQUE INDEX left_out_pages ON notion_sync.left_out (user_id, data_source_id, page_id, property)
    WHERE page_id IS NOT NULL;
CREATE UNIQUE INDEX left_out_minutes ON notion_sync.left_out (user_id, data_source_id, created_at)
    WHERE page_id IS NULL;
