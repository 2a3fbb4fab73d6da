-- When a body was read last, by PostgreSQL's own clock, which tells how old it is; null of one that an earlier version read.

-- additive
ALTER TABLE notion_sync.page_bodies ADD COLUMN read_at timestamptz;
