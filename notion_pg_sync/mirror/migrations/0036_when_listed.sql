-- When Notion last named the data sources of a database, so that it need not be asked for them at every sync.

-- additive
ALTER TABLE notion_sync.databases ADD COLUMN listed_at timestamptz;
