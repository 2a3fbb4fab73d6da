-- Who the people of rows are: pages name them by id.

CREATE TABLE notion_sync.users (
    user_id    text NOT NULL REFERENCES notion_sync.accounts ON DELETE CASCADE,
    id         uuid NOT NULL,
    kind       text CHECK (kind IN ('person', 'bot', 'group')),
    name       text,
    email      text,
    avatar_url text,
    asked_at   timestamptz,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX users_not_told ON notion_sync.users (user_id) WHERE kind IS NULL;

ALTER TABLE notion_sync.users ENABLE ROW LEVEL SECURITY;
