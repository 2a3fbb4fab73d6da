-- What each page is, beside its properties, which its row has.

-- additive
ALTER TABLE notion_sync.pages
    ADD COLUMN icon           jsonb,
    ADD COLUMN cover          jsonb,
    ADD COLUMN public_url     text,
    ADD COLUMN created_by     uuid,
    ADD COLUMN last_edited_by uuid,
    ADD COLUMN is_locked      boolean,
    ADD COLUMN incomplete     text[] NOT NULL DEFAULT '{}',
    ADD COLUMN written_in     xid;
