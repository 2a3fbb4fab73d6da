-- By which a page that is as it was is known without its answer being parsed.

-- additive
ALTER TABLE notion_sync.pages ADD COLUMN answer_hash bytea;
