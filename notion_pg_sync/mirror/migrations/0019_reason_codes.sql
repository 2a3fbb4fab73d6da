-- What programs compare is a code: a page that Notion does not find is removed as not_found.

-- not additive
ALTER TABLE notion_sync.removed_pages DROP CONSTRAINT removed_pages_reason_check;
UPDATE notion_sync.removed_pages SET reason = 'not_found' WHERE reason = 'gone or no longer shared';
ALTER TABLE notion_sync.removed_pages ADD CONSTRAINT removed_pages_reason_check
    CHECK (reason IN ('trashed', 'archived', 'moved', 'not_found', 'missing', 'duplicate'));
