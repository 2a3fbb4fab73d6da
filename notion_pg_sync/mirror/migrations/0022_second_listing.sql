-- How far the second listing of a full read has come, which confirms what the first did not see: a run that is cut off in
-- it is carried on there. It counts for the full read that began then; a version that does not know it begins others.

-- additive
ALTER TABLE notion_sync.data_sources
    ADD COLUMN full_read_confirmed    tstzmultirange NOT NULL DEFAULT '{}',
    ADD COLUMN full_read_confirmed_of timestamptz;
