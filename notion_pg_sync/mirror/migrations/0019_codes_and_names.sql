-- What programs rely on: codes for what they compare, and one name for each id.

-- not additive
ALTER TABLE notion_sync.removed_pages DROP CONSTRAINT removed_pages_reason_check;
UPDATE notion_sync.removed_pages SET reason = 'not_found' WHERE reason = 'gone or no longer shared';
ALTER TABLE notion_sync.removed_pages ADD CONSTRAINT removed_pages_reason_check
    CHECK (reason IN ('trashed', 'archived', 'moved', 'not_found', 'missing', 'duplicate'));

-- Ids have one name in all tables of notion_sync; that they are Notion's goes without saying there.
ALTER TABLE notion_sync.removed_pages RENAME COLUMN notion_page_id TO page_id;
ALTER TABLE notion_sync.removed_pages RENAME COLUMN notion_database_id TO database_id;
ALTER TABLE notion_sync.removed_pages RENAME COLUMN notion_data_source_id TO data_source_id;
ALTER TABLE notion_sync.page_bodies RENAME COLUMN notion_page_id TO page_id;
