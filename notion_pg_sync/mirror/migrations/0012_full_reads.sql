-- A full read that was left under way is carried on only for a while, and only by a version whose rows are alike.
-- Where these are null, as of those that are under way now, it begins anew.
ALTER TABLE notion_sync.data_sources
    ADD COLUMN full_read_progress_at timestamptz,
    ADD COLUMN full_read_version     integer;
