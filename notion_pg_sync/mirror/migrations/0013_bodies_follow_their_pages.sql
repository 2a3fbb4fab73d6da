-- A page's document is its one entry here, whichever sync table it is in. A body belongs to it: it moves with it to another
-- data source, and goes when it goes.

DELETE FROM notion_sync.search_documents AS document
WHERE NOT EXISTS (SELECT FROM notion_sync.data_sources AS known
                  WHERE (known.user_id, known.data_source_id) = (document.user_id, document.data_source_id));

-- Where there was no search before, the next sync fills them.
INSERT INTO notion_sync.search_documents (user_id, page_id, data_source_id, title, text, tsv, is_cut)
SELECT user_id, notion_page_id, data_source_id, '', '', '', false
FROM notion_sync.page_bodies JOIN notion_sync.data_sources USING (user_id, data_source_id)
WHERE NOT is_searchable
ON CONFLICT (user_id, page_id) DO NOTHING;

-- Of pages that moved, and left from there.
DELETE FROM notion_sync.page_bodies AS body
WHERE NOT EXISTS (SELECT FROM notion_sync.search_documents AS document
                  WHERE (document.user_id, document.page_id) = (body.user_id, body.notion_page_id));
UPDATE notion_sync.page_bodies AS body SET data_source_id = document.data_source_id
FROM notion_sync.search_documents AS document
WHERE (document.user_id, document.page_id) = (body.user_id, body.notion_page_id)
  AND document.data_source_id <> body.data_source_id;

ALTER TABLE notion_sync.search_documents
    ADD CONSTRAINT search_documents_by_data_source UNIQUE (user_id, data_source_id, page_id),
    ADD CONSTRAINT search_documents_of_data_sources
        FOREIGN KEY (user_id, data_source_id) REFERENCES notion_sync.data_sources ON DELETE CASCADE;
ALTER TABLE notion_sync.page_bodies
    DROP CONSTRAINT page_bodies_user_id_data_source_id_fkey,
    ADD CONSTRAINT page_bodies_of_documents
        FOREIGN KEY (user_id, data_source_id, notion_page_id)
        REFERENCES notion_sync.search_documents (user_id, data_source_id, page_id)
        ON UPDATE CASCADE ON DELETE CASCADE;
