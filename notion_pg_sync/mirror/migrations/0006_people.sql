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
COMMENT ON TABLE notion_sync.users IS 'People, bots and groups of a user''s Notion workspace, as far as rows name them.';
COMMENT ON COLUMN notion_sync.users.user_id IS 'The user in user_settings whose copy names them.';
COMMENT ON COLUMN notion_sync.users.id IS 'Notion''s id, as in fields and views.';
COMMENT ON COLUMN notion_sync.users.kind IS 'Null: Notion has not told who it is.';
COMMENT ON COLUMN notion_sync.users.asked_at IS 'When Notion was last asked for it by itself.';
CREATE INDEX users_not_told ON notion_sync.users (user_id) WHERE kind IS NULL;

ALTER TABLE notion_sync.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notion_sync.users FOR SELECT USING (user_id = notion_sync.current_user_id());

-- Names of people, each in the place of its id; null where it is not known. With the rights of whoever reads the view.
CREATE FUNCTION notion_sync.names_of(whose text, ids uuid[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN ids IS NOT NULL THEN ARRAY(
        SELECT name FROM unnest(ids) WITH ORDINALITY AS listed (id, place)
        LEFT JOIN notion_sync.users ON users.user_id = whose AND users.id = listed.id
        ORDER BY place
    ) END;
GRANT EXECUTE ON FUNCTION notion_sync.names_of(text, uuid[]) TO PUBLIC;
