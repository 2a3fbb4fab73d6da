-- Requests from SQL: an application asks for a sync, and the next sync-all serves it first.

-- One request a database does not bound ids that somebody makes up.
CREATE OR REPLACE FUNCTION notion_sync.bound_requests() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (SELECT count(*) FROM notion_sync.sync_requests WHERE user_id = NEW.user_id AND status = 'waiting') >= 1000 THEN
        RAISE EXCEPTION 'user % has 1,000 requests waiting: let a sync-all serve them first', NEW.user_id
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER bound_requests BEFORE INSERT ON notion_sync.sync_requests
    FOR EACH ROW EXECUTE FUNCTION notion_sync.bound_requests();

-- The id in what people write: an id with or without dashes, a link, which ends in a title, a dash and the id (what
-- follows ? and # names views), or the text of an entry of notion_databases with one of these as its "id".
CREATE OR REPLACE FUNCTION notion_sync.id_in(written text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT substring(
        regexp_replace(rtrim(lower(split_part(split_part(trim(id), '#', 1), '?', 1)), '/'), '^.*/', '')
        FROM '^(?:.*-)?([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$'
    )::uuid::text
    FROM coalesce(substring(written FROM '^\s*\{.*"id"\s*:\s*"([^"]*)"'), written) AS id
$$;

-- Queues a sync of one database, given by its id (or link) or, where that is null or empty, by its name; returns the
-- number of the request. Where one waits already, its number. A name that several have is refused, with their ids. Row
-- level security lets tenants ask for themselves only.
CREATE OR REPLACE FUNCTION notion_sync.sync_notion_database(user_id text, database_id text, database_name text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := sync_notion_database.user_id;
    wanted uuid := notion_sync.id_in(sync_notion_database.database_id)::uuid;
    meant uuid[];
    waiting bigint;
BEGIN
    IF asked IS NULL OR asked = '' THEN
        RAISE EXCEPTION 'no user is given: name the one whose database is to be synced'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF wanted IS NULL AND coalesce(sync_notion_database.database_id, '') = '' THEN
        SELECT array_agg(known.database_id ORDER BY known.database_id) INTO meant FROM notion_sync.databases AS known
        WHERE known.user_id = asked
          AND (known.name = sync_notion_database.database_name
               OR known.found_by_search AND known.title = sync_notion_database.database_name);
        IF cardinality(meant) > 1 THEN
            RAISE EXCEPTION '% databases are called %: give the id of the one that is meant (%)',
                cardinality(meant), sync_notion_database.database_name, array_to_string(meant, ', ')
                USING ERRCODE = 'ambiguous_parameter';
        END IF;
        wanted := meant[1];
    END IF;
    IF wanted IS NULL THEN
        RAISE EXCEPTION 'there is no such database (id %, name %): give its Notion id, its link, or its name in '
            'notion_databases', sync_notion_database.database_id, sync_notion_database.database_name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO notion_sync.sync_requests (user_id, database_id, database_name)
    VALUES (asked, wanted, sync_notion_database.database_name)
    ON CONFLICT (user_id, database_id) WHERE status = 'waiting' DO NOTHING
    RETURNING request_id INTO waiting;
    RETURN coalesce(waiting, (
        SELECT max(request_id) FROM notion_sync.sync_requests
        WHERE user_id = asked AND database_id = wanted AND status = 'waiting'));
END
$$;

-- Queues a sync of every database of a user; returns a row a database that is known. What is configured since and not
-- known yet is synced too.
CREATE OR REPLACE FUNCTION notion_sync.sync_all_notion_databases(user_id text)
    RETURNS TABLE (request_id bigint, database_id text, database_name text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := sync_all_notion_databases.user_id;
    waiting bigint;
BEGIN
    IF asked IS NULL OR asked = '' THEN
        RAISE EXCEPTION 'no user is given: name the one whose databases are to be synced'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    INSERT INTO notion_sync.sync_requests (user_id) VALUES (asked)
    ON CONFLICT (user_id, database_id) WHERE status = 'waiting' DO NOTHING
    RETURNING sync_requests.request_id INTO waiting;
    waiting := coalesce(waiting, (
        SELECT max(open.request_id) FROM notion_sync.sync_requests AS open
        WHERE open.user_id = asked AND open.database_id IS NULL AND open.status = 'waiting'));
    RETURN QUERY
        SELECT waiting, known.database_id::text, known.name FROM notion_sync.databases AS known
        WHERE known.user_id = asked ORDER BY known.name, known.database_id;
    IF NOT FOUND THEN
        RETURN QUERY SELECT waiting, NULL::text, NULL::text;
    END IF;
END
$$;
