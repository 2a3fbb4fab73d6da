-- Names of people, each in the place of its id; null where it is not known. With the rights of whoever reads the view.
CREATE OR REPLACE FUNCTION notion_sync.names_of(whose text, ids uuid[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN ids IS NOT NULL THEN ARRAY(
        SELECT name FROM unnest(ids) WITH ORDINALITY AS listed (id, place)
        LEFT JOIN notion_sync.users ON users.user_id = whose AND users.id = listed.id
        ORDER BY place
    ) END;
GRANT EXECUTE ON FUNCTION notion_sync.names_of(text, uuid[]) TO PUBLIC;
