-- Kinds of users that Notion adds later are kept as it names them.

-- additive
ALTER TABLE notion_sync.users DROP CONSTRAINT users_kind_check;
