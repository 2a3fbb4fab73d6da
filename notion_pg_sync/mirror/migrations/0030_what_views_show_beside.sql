-- What typed views show beside the values of properties: the name of the data source, the groups of its statuses, and a view
-- of its own for each property that holds several values, and for the bodies.

-- additive
ALTER TABLE notion_sync.view_sources
    ADD COLUMN data_source_name text NOT NULL DEFAULT '',
    ADD COLUMN bridges jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN status_groups jsonb NOT NULL DEFAULT '{}';
ALTER TABLE notion_sync.views
    ADD COLUMN kind text,
    ADD COLUMN reorder boolean NOT NULL DEFAULT false;
