-- Names in SQL are given once. What Notion calls a database by now stands beside its name; the view of a database that gets
-- another name on request is renamed, with its grants.

-- additive
ALTER TABLE notion_sync.databases ADD COLUMN title text;
ALTER TABLE notion_sync.views ADD COLUMN renamed_to text;
