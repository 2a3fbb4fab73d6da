-- A full read that was left under way is carried on only for a while, and only by a version whose rows are alike.
-- Where these are null, as of those that are under way now, it begins anew.
ALTER TABLE notion_sync.data_sources
    ADD COLUMN full_read_progress_at timestamptz,
    ADD COLUMN full_read_version     integer;

COMMENT ON COLUMN notion_sync.data_sources.full_read_progress_at IS
    'When the full read that is under way last recorded progress, by PostgreSQL''s clock; null: it is not carried on.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_version IS
    'The version of the conversion that the full read under way began with.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_at IS
    'When the last complete full read began, by Notion''s clock.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_started_at IS
    'When the full read that is under way began, by Notion''s clock.';
COMMENT ON COLUMN notion_sync.data_sources.full_as_of IS
    'When the last complete full read began: as of then, what left Notion has left the copy.';
