-- Requests from SQL: an application asks for a sync, and the next sync-all serves it first.

-- The number of the request of this kind that waits, of several the latest; null where none does.
CREATE OR REPLACE FUNCTION notion_sync.waiting_request(user_id text, database_id uuid, database_name text, page_id uuid)
    RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT max(known.request_id) FROM notion_sync.sync_requests AS known
    WHERE known.user_id = waiting_request.user_id AND known.status = 'waiting'
      AND known.database_id IS NOT DISTINCT FROM waiting_request.database_id
      AND known.page_id IS NOT DISTINCT FROM waiting_request.page_id
      AND (known.database_id IS NOT NULL OR known.database_name IS NOT DISTINCT FROM waiting_request.database_name)
$$;

-- One request a database, a page or a name does not bound those that somebody makes up. Pages count by themselves: so many
-- of them wait after a flood of webhook events, and the application may ask for a database all the same.
CREATE OR REPLACE FUNCTION notion_sync.bound_requests() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF octet_length(NEW.database_name) > 2000 THEN
        RAISE EXCEPTION 'the name is longer than 2,000 bytes: give the id of the database instead'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF (SELECT count(*) FROM notion_sync.sync_requests
        WHERE user_id = NEW.user_id AND status = 'waiting' AND (page_id IS NULL) = (NEW.page_id IS NULL)) >= 1000
        -- Who asks once more is given the number of the one that waits.
        AND notion_sync.waiting_request(NEW.user_id, NEW.database_id, NEW.database_name, NEW.page_id) IS NULL
    THEN
        RAISE EXCEPTION 'user % has 1,000 requests waiting%: let a sync-all serve them first',
            NEW.user_id, CASE WHEN NEW.page_id IS NULL THEN '' ELSE ' for pages' END
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

-- Queues a request, of the kind that its ids and its name make it; returns its number, or that of the same one if it waits
-- already. Row level security lets tenants ask for themselves only.
CREATE OR REPLACE FUNCTION notion_sync.queue_request(
    user_id text, database_id uuid DEFAULT NULL, database_name text DEFAULT NULL, page_id uuid DEFAULT NULL
)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    waiting bigint;
BEGIN
    -- A run may take the one that waits up between the two statements.
    FOR attempt IN 1..10 LOOP
        -- Who was never granted the column page_id may ask for databases.
        IF queue_request.page_id IS NULL THEN
            INSERT INTO notion_sync.sync_requests AS known (user_id, database_id, database_name)
            VALUES (queue_request.user_id, queue_request.database_id, queue_request.database_name)
            ON CONFLICT DO NOTHING
            RETURNING known.request_id INTO waiting;
        ELSE
            INSERT INTO notion_sync.sync_requests AS known (user_id, database_id, page_id)
            VALUES (queue_request.user_id, queue_request.database_id, queue_request.page_id)
            ON CONFLICT DO NOTHING
            RETURNING known.request_id INTO waiting;
        END IF;
        EXIT WHEN waiting IS NOT NULL;
        waiting := notion_sync.waiting_request(
            queue_request.user_id, queue_request.database_id, queue_request.database_name, queue_request.page_id);
        EXIT WHEN waiting IS NOT NULL;
    END LOOP;
    IF waiting IS NULL THEN
        RAISE EXCEPTION 'the same request waits already, and a policy hides it from this role'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN waiting;
END
$$;

-- Queues a sync of one database, given by its id (or link) or, where that is null or empty, by its name. A name that no run
-- has seen yet is queued as such: the run that serves it knows what is configured. A name that several databases have is
-- refused, with their ids.
CREATE OR REPLACE FUNCTION notion_sync.sync_notion_database(user_id text, database_id text, database_name text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := sync_notion_database.user_id;
    wanted uuid := notion_sync.id_in(sync_notion_database.database_id)::uuid;
    wanted_name CONSTANT text := sync_notion_database.database_name;
    meant uuid[];
BEGIN
    IF coalesce(asked, '') = '' THEN
        RAISE EXCEPTION 'no user is given: name the one whose database is to be synced'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF wanted IS NULL AND coalesce(trim(sync_notion_database.database_id), '') <> '' THEN
        RAISE EXCEPTION 'this is not the id of a Notion database: %; give the id or the link, or null and the name in '
            'notion_databases', left(sync_notion_database.database_id, 100)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF wanted IS NULL AND coalesce(trim(wanted_name), '') = '' THEN
        RAISE EXCEPTION 'no database is given: give its Notion id, its link, or null and its name in notion_databases'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF wanted IS NULL THEN
        SELECT array_agg(known.database_id ORDER BY known.database_id) INTO meant FROM notion_sync.databases AS known
        WHERE known.user_id = asked
          AND (known.name = wanted_name OR known.found_by_search AND known.title = wanted_name);
        IF cardinality(meant) > 1 THEN
            RAISE EXCEPTION '% databases are called %: give the id of the one that is meant (%)',
                cardinality(meant), wanted_name, array_to_string(meant, ', ')
                USING ERRCODE = 'ambiguous_parameter';
        END IF;
        wanted := meant[1];
    END IF;
    RETURN notion_sync.queue_request(asked, wanted, wanted_name);
END
$$;

-- Queues a sync of one page that the user's copy holds, given by its id or its link. The link of a page that is open beside
-- its database has the page's id behind "p=".
CREATE OR REPLACE FUNCTION notion_sync.sync_notion_page(user_id text, page_id text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := sync_notion_page.user_id;
    wanted CONSTANT uuid := notion_sync.id_in(coalesce(
        substring(lower(sync_notion_page.page_id) FROM '[?&]p=([0-9a-f]{32})(?:[&#]|$)'),
        sync_notion_page.page_id))::uuid;
    holding uuid;
BEGIN
    IF coalesce(asked, '') = '' THEN
        RAISE EXCEPTION 'no user is given: name the one whose page is to be synced'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF wanted IS NULL THEN
        RAISE EXCEPTION 'this is not the id of a Notion page: %; give the id or the link',
            left(sync_notion_page.page_id, 100)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT source.database_id INTO holding
    FROM notion_sync.pages AS held JOIN notion_sync.data_sources AS source USING (user_id, data_source_id)
    WHERE held.user_id = asked AND held.page_id = wanted;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the copy of user % has no page %: ask for its database instead '
            '(notion_sync.sync_notion_database)', asked, wanted
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN notion_sync.queue_request(asked, holding, page_id => wanted);
END
$$;

-- Its rows had no column for what keeps a request from being queued. What is made anew has the rights, the owner and the
-- body that it had; the one in public needs the other.
DO $$
DECLARE
    former record;
    granted record;
    dependents text;
BEGIN
    FOR former IN
        SELECT pg_proc.oid::regprocedure::text AS called, proowner::regrole AS owner,
               coalesce(proacl, acldefault('f', proowner)) AS acl,
               replace(pg_get_functiondef(pg_proc.oid), 'database_name text)', 'database_name text, problem text)')
                   AS definition
        FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE proname = 'sync_all_notion_databases' AND NOT 'problem' = ANY (proargnames)
          AND (nspname = 'notion_sync'
               OR nspname = 'public' AND prosrc = 'SELECT * FROM notion_sync.sync_all_notion_databases(user_id)')
        ORDER BY nspname
    LOOP
        BEGIN
            EXECUTE format('DROP FUNCTION %s', former.called);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            GET STACKED DIAGNOSTICS dependents = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION 'the rows of % get one more column', former.called
                USING ERRCODE = 'feature_not_supported', DETAIL = dependents;
        END;
        EXECUTE former.definition;
        EXECUTE format('ALTER FUNCTION %s OWNER TO %s', former.called, former.owner);
        CONTINUE WHEN former.acl = (
            SELECT coalesce(proacl, acldefault('f', proowner)) FROM pg_proc WHERE oid = former.called::regprocedure);
        -- Default privileges may have given it other rights.
        FOR granted IN
            SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS role
            FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
            WHERE oid = former.called::regprocedure
        LOOP
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s', former.called, granted.role);
        END LOOP;
        FOR granted IN
            SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS role,
                   CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS passed_on
            FROM aclexplode(former.acl)
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s%s', former.called, granted.role, granted.passed_on);
        END LOOP;
    END LOOP;
END
$$;

-- Queues a sync of every database of a user; returns a row a database that is known. What is configured since and not
-- known yet is synced too. Asked for many users at once, one of them is no error of the statement: `problem` says what keeps
-- a request from being queued, and is null where it is. What the role may not do is an error all the same.
CREATE OR REPLACE FUNCTION notion_sync.sync_all_notion_databases(user_id text)
    RETURNS TABLE (request_id bigint, database_id text, database_name text, problem text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := sync_all_notion_databases.user_id;
    waiting bigint;
    refusal text;
BEGIN
    IF coalesce(asked, '') = '' THEN
        RETURN QUERY SELECT NULL::bigint, NULL::text, NULL::text,
            'no user is given: name the one whose databases are to be synced';
        RETURN;
    END IF;
    BEGIN
        waiting := notion_sync.queue_request(asked);
    EXCEPTION WHEN program_limit_exceeded THEN
        refusal := SQLERRM;
    END;
    RETURN QUERY
        SELECT waiting, known.database_id::text, known.name, refusal FROM notion_sync.databases AS known
        WHERE known.user_id = asked ORDER BY known.name, known.database_id;
    IF NOT FOUND THEN
        RETURN QUERY SELECT waiting, NULL::text, NULL::text, refusal;
    END IF;
END
$$;

-- The same for ids of type uuid, which nothing casts to text unasked. What has no type yet (a literal, null, most drivers'
-- parameters) is taken as text, which PostgreSQL prefers.
CREATE OR REPLACE FUNCTION notion_sync.sync_notion_database(user_id uuid, database_id text, database_name text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS 'SELECT notion_sync.sync_notion_database(user_id::text, database_id, database_name)';
CREATE OR REPLACE FUNCTION notion_sync.sync_notion_database(user_id text, database_id uuid, database_name text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS 'SELECT notion_sync.sync_notion_database(user_id, database_id::text, database_name)';
CREATE OR REPLACE FUNCTION notion_sync.sync_notion_database(user_id uuid, database_id uuid, database_name text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS 'SELECT notion_sync.sync_notion_database(user_id::text, database_id::text, database_name)';
CREATE OR REPLACE FUNCTION notion_sync.sync_notion_page(user_id uuid, page_id text) RETURNS bigint
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS 'SELECT notion_sync.sync_notion_page(user_id::text, page_id)';
CREATE OR REPLACE FUNCTION notion_sync.sync_notion_page(user_id text, page_id uuid) RETURNS bigint
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS 'SELECT notion_sync.sync_notion_page(user_id, page_id::text)';
CREATE OR REPLACE FUNCTION notion_sync.sync_notion_page(user_id uuid, page_id uuid) RETURNS bigint
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS 'SELECT notion_sync.sync_notion_page(user_id::text, page_id::text)';
CREATE OR REPLACE FUNCTION notion_sync.sync_all_notion_databases(user_id uuid)
    RETURNS TABLE (request_id bigint, database_id text, database_name text, problem text)
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS 'SELECT * FROM notion_sync.sync_all_notion_databases(user_id::text)';
