-- Views of relations, a page by its title, and full text search.

-- Relations ---------------------------------------------------------------------------------------------------------

ALTER TABLE notion_sync.views ADD COLUMN typed_view text, ADD COLUMN relation text;
COMMENT ON COLUMN notion_sync.views.typed_view IS 'Of a relation''s view: the typed view of its database.';
COMMENT ON COLUMN notion_sync.views.relation IS 'Of a relation''s view: the column of the typed view that it takes apart.';
