-- What the entry of a database in notion_databases says beside its id; null: nothing, so that the setting counts that
-- holds for the user's views, and for the data source's bodies.

-- additive
ALTER TABLE notion_sync.databases ADD COLUMN views boolean;
ALTER TABLE notion_sync.databases ADD COLUMN bodies boolean;
