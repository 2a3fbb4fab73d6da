-- Ids of Notion are uuid in every table of ours; in sync tables, which are the application's, they stay text.

-- Foreign keys join columns of one type.
ALTER TABLE notion_sync.data_sources DROP CONSTRAINT data_sources_user_id_database_id_fkey;
ALTER TABLE notion_sync.seen_pages DROP CONSTRAINT seen_pages_user_id_data_source_id_fkey;
ALTER TABLE notion_sync.columns DROP CONSTRAINT columns_user_id_data_source_id_fkey;
ALTER TABLE notion_sync.view_sources DROP CONSTRAINT view_sources_user_id_data_source_id_fkey;
ALTER TABLE notion_sync.search_documents DROP CONSTRAINT search_documents_of_data_sources;
ALTER TABLE notion_sync.page_bodies DROP CONSTRAINT page_bodies_of_documents;
ALTER TABLE notion_sync.sync_requests DROP CONSTRAINT ids_are_notion_ids;

ALTER TABLE notion_sync.databases ALTER COLUMN database_id TYPE uuid USING database_id::uuid;
ALTER TABLE notion_sync.data_sources
    ALTER COLUMN data_source_id TYPE uuid USING data_source_id::uuid,
    ALTER COLUMN database_id TYPE uuid USING database_id::uuid;
ALTER TABLE notion_sync.seen_pages
    ALTER COLUMN data_source_id TYPE uuid USING data_source_id::uuid,
    ALTER COLUMN page_ids TYPE uuid[] USING page_ids::uuid[];
ALTER TABLE notion_sync.columns ALTER COLUMN data_source_id TYPE uuid USING data_source_id::uuid;
ALTER TABLE notion_sync.database_runs ALTER COLUMN database_id TYPE uuid USING database_id::uuid;
ALTER TABLE notion_sync.sync_requests ALTER COLUMN database_id TYPE uuid USING database_id::uuid;

-- A page that left Notion has an id. A row that was one too many for its page may have been the application's own, under
-- something that is none, and its database's id is as the application wrote it: `row` has both as they were.
ALTER TABLE notion_sync.removed_pages
    ALTER COLUMN notion_page_id DROP NOT NULL,
    ALTER COLUMN notion_page_id TYPE uuid USING CASE
        WHEN notion_page_id COLLATE "C" ~ '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'
            THEN notion_page_id::uuid END,
    ALTER COLUMN notion_database_id TYPE uuid USING CASE
        WHEN notion_database_id COLLATE "C" ~ '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'
            THEN notion_database_id::uuid END,
    ALTER COLUMN notion_data_source_id TYPE uuid USING CASE
        WHEN notion_data_source_id COLLATE "C" ~ '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'
            THEN notion_data_source_id::uuid END;

-- Documents of what is no id of a page, or is not written as Notion does, were made of rows that are not the tool's.
DELETE FROM notion_sync.page_bodies
WHERE notion_page_id COLLATE "C" !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
DELETE FROM notion_sync.search_documents
WHERE page_id COLLATE "C" !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
-- Another type means that each row is written once more, by this transaction. What was as the tool had written it is so
-- still, and need not be written by the next sync.
UPDATE notion_sync.search_documents SET written_in = NULL WHERE written_in <> xmin;
UPDATE notion_sync.page_bodies SET written_in = NULL WHERE written_in <> xmin;
ALTER TABLE notion_sync.search_documents
    ALTER COLUMN page_id TYPE uuid USING page_id::uuid,
    ALTER COLUMN data_source_id TYPE uuid USING data_source_id::uuid,
    ALTER COLUMN written_in TYPE xid USING CASE WHEN written_in IS NOT NULL THEN pg_current_xact_id()::xid END;
ALTER TABLE notion_sync.page_bodies
    ALTER COLUMN notion_page_id TYPE uuid USING notion_page_id::uuid,
    ALTER COLUMN data_source_id TYPE uuid USING data_source_id::uuid,
    ALTER COLUMN written_in TYPE xid USING CASE WHEN written_in IS NOT NULL THEN pg_current_xact_id()::xid END;

-- Typed views join sync tables by it. They depend on the column, so it keeps its type; and a conversion there would keep
-- PostgreSQL, behind row level security, from using an index.
ALTER TABLE notion_sync.view_sources RENAME COLUMN data_source_id TO notion_data_source_id;
ALTER TABLE notion_sync.view_sources ADD COLUMN data_source_id uuid;
UPDATE notion_sync.view_sources SET data_source_id = notion_data_source_id::uuid;
ALTER TABLE notion_sync.view_sources
    DROP CONSTRAINT view_sources_pkey,
    ALTER COLUMN data_source_id SET NOT NULL,
    ADD PRIMARY KEY (user_id, data_source_id),
    ADD CONSTRAINT both_are_one_id CHECK (notion_data_source_id = data_source_id::text);

ALTER TABLE notion_sync.data_sources
    ADD FOREIGN KEY (user_id, database_id) REFERENCES notion_sync.databases ON DELETE CASCADE;
ALTER TABLE notion_sync.seen_pages
    ADD FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE;
ALTER TABLE notion_sync.columns
    ADD FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE;
ALTER TABLE notion_sync.view_sources
    ADD FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE;
ALTER TABLE notion_sync.search_documents
    ADD CONSTRAINT search_documents_of_data_sources
        FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE;
ALTER TABLE notion_sync.page_bodies
    ADD CONSTRAINT page_bodies_of_documents
        FOREIGN KEY (user_id, data_source_id, notion_page_id)
        REFERENCES notion_sync.search_documents (user_id, data_source_id, page_id)
        ON UPDATE CASCADE ON DELETE CASCADE;
