-- What Notion gave of a page where a trigger of the table stored it otherwise: what changes next is held against that.

-- additive
ALTER TABLE notion_sync.pages ADD COLUMN given jsonb;
CREATE INDEX pages_as_given ON notion_sync.pages (user_id, page_id) WHERE given IS NOT NULL;
