-- What the last sync of an account was to bring, and which run's it was: a run that is to bring more does it all the same.
ALTER TABLE notion_sync.accounts
    ADD COLUMN last_sync_runid  bigint,
    ADD COLUMN last_sync_brings text[] NOT NULL DEFAULT '{}';
