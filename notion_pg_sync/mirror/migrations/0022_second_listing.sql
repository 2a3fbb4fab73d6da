-- How far the second listing of a full read has come, which confirms what the first did not see: a run that is cut off in
-- it is carried on there.

-- additive
ALTER TABLE notion_sync.data_sources ADD COLUMN full_read_confirmed tstzmultirange NOT NULL DEFAULT '{}';
