-- Webhooks: an event of Notion's asks for a sync of what it names, for everybody whose copy holds that.

-- Rights that somebody's default privileges give on each new function are not for this one, which acts for all users.
DO $$
DECLARE
    holder record;
BEGIN
    IF to_regprocedure('notion_sync.receive_webhook(jsonb)') IS NOT NULL THEN
        RETURN;
    END IF;
    CREATE FUNCTION notion_sync.receive_webhook(event jsonb) RETURNS integer
        LANGUAGE sql
        SET search_path = pg_catalog, pg_temp
    AS 'SELECT 0';
    FOR holder IN
        SELECT DISTINCT grantee::regrole AS role FROM pg_proc CROSS JOIN aclexplode(proacl)
        WHERE pg_proc.oid = 'notion_sync.receive_webhook(jsonb)'::regprocedure AND grantee NOT IN (0, proowner)
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION notion_sync.receive_webhook(jsonb) FROM %s', holder.role);
    END LOOP;
END
$$;

-- Which copies hold what an event names. A page is held where the copy has it, and where the data source is held that the
-- event has as its parent: so is a page that is new, moved there, or taken out of the trash. page_id is null where all of the
-- database is to be read: for events of databases and data sources, and for a page of a data source that the copy does not
-- know, or that the event does not name (API versions before 2025-09-03 name the database alone).
CREATE OR REPLACE FUNCTION notion_sync.copies_of_event(event jsonb)
    RETURNS TABLE (user_id text, database_id uuid, page_id uuid)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH named AS (
        SELECT substring(event ->> 'type' FROM '^(page|data_source|database)\.') AS kind,
               notion_sync.as_notion_id(event #>> '{entity,id}') AS id,
               notion_sync.as_notion_id(event #>> '{data,parent,id}') AS parent_id,
               notion_sync.as_notion_id(event #>> '{data,parent,data_source_id}') AS source_id
    ),
    -- Each user's pages are looked at by their key, which begins with the user.
    page_copies AS (
        SELECT source.user_id, source.database_id, named.id AS page_id
        FROM named
        CROSS JOIN notion_sync.accounts AS account
        CROSS JOIN LATERAL (
            SELECT page.data_source_id FROM notion_sync.pages AS page
            WHERE page.user_id = account.user_id AND page.page_id = named.id
            LIMIT 1
        ) AS held
        JOIN notion_sync.data_sources AS source
          ON source.user_id = account.user_id AND source.data_source_id = held.data_source_id
        WHERE named.kind = 'page'
        UNION
        SELECT source.user_id, source.database_id, named.id
        FROM named JOIN notion_sync.data_sources AS source ON source.data_source_id = named.source_id
        WHERE named.kind = 'page' AND named.id IS NOT NULL
    )
    SELECT * FROM page_copies
    UNION
    SELECT known.user_id, known.database_id, NULL
    FROM named JOIN notion_sync.databases AS known ON known.database_id = named.parent_id
    WHERE named.kind = 'page' AND named.id IS NOT NULL AND NOT EXISTS (
        SELECT FROM page_copies AS one WHERE one.user_id = known.user_id AND one.database_id = known.database_id)
    UNION
    SELECT source.user_id, source.database_id, NULL
    FROM named JOIN notion_sync.data_sources AS source ON source.data_source_id = named.id
    WHERE named.kind IN ('data_source', 'database')
    UNION
    SELECT known.user_id, known.database_id, NULL
    FROM named JOIN notion_sync.databases AS known ON known.database_id IN (named.id, named.parent_id)
    WHERE named.kind IN ('data_source', 'database')
$$;

-- Lets a request for a page (null: for its whole database) wait, if none waits that brings it. A hundred pages of a database,
-- or nine hundred requests of the user, and the whole database is asked for. Returns whether a request waits now: where
-- the user has all that may wait, the next sync-all brings it.
CREATE OR REPLACE FUNCTION notion_sync.ask_for_copy(whose text, wanted_database uuid, wanted_page uuid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    waiting record;
BEGIN
    SELECT coalesce(bool_or(request.database_id = wanted_database
                            AND (request.page_id IS NULL OR request.page_id = wanted_page)
                            OR num_nonnulls(request.database_id, request.database_name) = 0), false) AS brings_it,
           count(*) FILTER (WHERE request.database_id = wanted_database) AS of_database,
           count(*) AS of_user
    INTO waiting
    FROM notion_sync.sync_requests AS request WHERE request.user_id = whose AND request.status = 'waiting';
    IF waiting.brings_it THEN
        RETURN true;
    END IF;
    INSERT INTO notion_sync.sync_requests (user_id, database_id, page_id)
    VALUES (whose, wanted_database,
            CASE WHEN waiting.of_database < 100 AND waiting.of_user < 900 THEN wanted_page END)
    ON CONFLICT DO NOTHING;
    RETURN true;
EXCEPTION
    -- Of bound_requests.
    WHEN program_limit_exceeded THEN
        RETURN false;
    -- Above READ COMMITTED: another session let the same wait, which this one's snapshot does not show.
    WHEN serialization_failure THEN
        RETURN true;
END
$$;

-- Counts an event. Whoever keeps a transaction open that counted one holds up no other: it is then not counted, nor is one
-- that is above READ COMMITTED and meets another.
CREATE OR REPLACE FUNCTION notion_sync.count_event(finds_nothing boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '500ms'
AS $$
BEGIN
    INSERT INTO notion_sync.webhook_days AS today (day, events, found_nothing, last_event_at)
    VALUES ((clock_timestamp() AT TIME ZONE 'UTC')::date, 1, finds_nothing::integer, clock_timestamp())
    ON CONFLICT (day) DO UPDATE
        SET events = today.events + 1, found_nothing = today.found_nothing + EXCLUDED.found_nothing,
            last_event_at = EXCLUDED.last_event_at;
EXCEPTION
    WHEN lock_not_available OR serialization_failure THEN
        NULL;
END
$$;

-- Takes an event of Notion's webhooks, whose signature the caller has checked, and asks for a sync of what it names. Returns how
-- many requests wait for that, old ones included; 0 for types that are of no page, data source or database. What
-- is no object is an error, since Notion sends no such event.
-- What is suspended is not asked for: it would be tried at each event, and another user's token may be what brings them.
-- With the rights of its owner, who sees all users: its result tells whether anybody has the page, so nobody may execute it who
-- was not granted that. In one order, so that two calls do not wait for each other.
CREATE OR REPLACE FUNCTION notion_sync.receive_webhook(event jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held record;
    asked integer := 0;
    is_held boolean := false;
BEGIN
    IF event IS NULL OR jsonb_typeof(event) <> 'object' THEN
        RAISE EXCEPTION 'an event of Notion''s webhooks is a JSON object, and this is %: give the body of the request as it came',
            coalesce(jsonb_typeof(event), 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(event -> 'type') IS DISTINCT FROM 'string' THEN
        RETURN 0;
    END IF;
    FOR held IN
        SELECT copy.*, num_nonnulls(account.suspended_since, known.suspended_since) > 0 AS is_suspended
        FROM notion_sync.copies_of_event(event) AS copy
        JOIN notion_sync.accounts AS account USING (user_id)
        JOIN notion_sync.databases AS known USING (user_id, database_id)
        ORDER BY copy.user_id COLLATE "C", copy.database_id, copy.page_id
    LOOP
        is_held := true;
        IF NOT held.is_suspended AND notion_sync.ask_for_copy(held.user_id, held.database_id, held.page_id) THEN
            asked := asked + 1;
        END IF;
    END LOOP;
    PERFORM notion_sync.count_event(NOT is_held AND event ->> 'type' ~ '^(page|data_source|database)\.');
    RETURN asked;
END
$$;
REVOKE EXECUTE ON FUNCTION notion_sync.receive_webhook(jsonb) FROM PUBLIC;
