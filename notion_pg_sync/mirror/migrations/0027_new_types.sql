-- The type that a column would have by what its property is in Notion by now, where that is another than it was given.

-- additive
ALTER TABLE notion_sync.columns ADD COLUMN new_type text;
