-- Of the data sources that a database had: since when what they held is known, and the column of their titles, by id.

-- additive
ALTER TABLE notion_sync.databases
    ADD COLUMN former_since timestamptz,
    ADD COLUMN former_titles jsonb NOT NULL DEFAULT '{}';
