-- What changed in Notion, page by page, and since when that is known of a data source.

-- additive
CREATE TABLE notion_sync.page_changes (
    change_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    user_id        text NOT NULL,
    page_id        uuid NOT NULL,
    data_source_id uuid NOT NULL,
    database_id    uuid NOT NULL,
    database_name  text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('inserted', 'updated', 'removed')),
    reason         text,
    seen_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    edited_at      timestamptz,
    edited_by      uuid,
    old            jsonb,
    new            jsonb
);
CREATE INDEX page_changes_by_transaction ON notion_sync.page_changes (transaction_id);
CREATE INDEX page_changes_by_time ON notion_sync.page_changes (user_id, data_source_id, seen_at);
ALTER TABLE notion_sync.page_changes ENABLE ROW LEVEL SECURITY;

-- Numbers of transactions compare within one cluster alone. What is restored in another is followed by a new generation,
-- which several transactions may begin at once, each with a row.
CREATE TABLE notion_sync.history_generations (
    generation        uuid NOT NULL,
    transaction_id    xid8 NOT NULL DEFAULT pg_current_xact_id(),
    first_change_id   bigint NOT NULL,
    system_identifier bigint NOT NULL,
    began_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (generation, transaction_id)
);
ALTER TABLE notion_sync.history_generations ENABLE ROW LEVEL SECURITY;

ALTER TABLE notion_sync.accounts
    ADD COLUMN history boolean NOT NULL DEFAULT true,
    ADD COLUMN history_days integer NOT NULL DEFAULT 365 CHECK (history_days > 0);
ALTER TABLE notion_sync.data_sources
    ADD COLUMN history boolean,
    ADD COLUMN history_days integer CHECK (history_days > 0),
    ADD COLUMN history_since timestamptz;

CREATE TYPE notion_sync.seen_change AS (
    "position"     text,
    change_id      bigint,
    transaction_id xid8,
    user_id        text,
    page_id        uuid,
    data_source_id uuid,
    database_id    uuid,
    database_name  text,
    kind           text,
    reason         text,
    seen_at        timestamptz,
    edited_at      timestamptz,
    edited_by      uuid,
    old            jsonb,
    new            jsonb
);
CREATE TYPE notion_sync.past_page AS (
    page_id uuid,
    title   text,
    url     text,
    fields  jsonb
);
