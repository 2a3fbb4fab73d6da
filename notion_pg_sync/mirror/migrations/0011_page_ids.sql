-- What new rows have in notion_database_id: the id as user_settings has it, null where that is as Notion writes it.
ALTER TABLE notion_sync.data_sources ADD COLUMN database_id_as_written text;
