-- Which place keeps the bytes of this database's files, so that another one, or a disk that is not mounted, is told from it.

-- additive
CREATE TABLE notion_sync.file_places (
    place_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Null until the place has its mark.
    taken_at timestamptz
);
ALTER TABLE notion_sync.file_places ENABLE ROW LEVEL SECURITY;

-- Kept in a place that was taken since, and not seen in it yet.
ALTER TABLE notion_sync.files ADD COLUMN unseen boolean NOT NULL DEFAULT false;
CREATE INDEX files_unseen ON notion_sync.files (user_id) WHERE unseen;
