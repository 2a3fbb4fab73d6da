-- The older set-up that docs/from-pg-cron.md speaks of, beside the application's tables (tests/mirror/app_schema.sql). Its
-- owner runs this, in a database with the real extension pg_cron.
--
-- Two things are no package of the operating system: pg_net, of which the schema `net` is here as far as people use it,
-- and the application's route. So `net.http_post` does at once what the route did that was asked: it writes what is in
-- `route.notion`, as the route wrote what it had read from Notion.

-- The application's own upserts hold in every table.
CREATE UNIQUE INDEX notion_chat_sessions_sync_page ON notion_chat_sessions_sync (notion_page_id);
CREATE UNIQUE INDEX notion_pages_sync_page ON notion_pages_sync (notion_page_id);

CREATE SCHEMA route;
CREATE TABLE route.notion (
    user_id text, database_id text, database_name text, page_id text, title text, PRIMARY KEY (user_id, page_id)
);

CREATE FUNCTION route.sync_to_postgres(asked jsonb) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    CASE asked ->> 'database_name'
    WHEN 'Characters' THEN
        INSERT INTO public.notion_characters_sync (notion_page_id, notion_database_id, user_id, name)
        SELECT page_id, database_id, user_id, title FROM route.notion
        WHERE user_id = asked ->> 'user_id' AND database_id = asked ->> 'database_id'
        ON CONFLICT (notion_page_id) WHERE notion_page_id IS NOT NULL
        DO UPDATE SET name = EXCLUDED.name, updated_at = now(), last_synced_at = now();
    WHEN 'Worlds' THEN
        INSERT INTO public.notion_worlds_sync (notion_page_id, notion_database_id, user_id, name)
        SELECT page_id, database_id, user_id, title FROM route.notion
        WHERE user_id = asked ->> 'user_id' AND database_id = asked ->> 'database_id'
        ON CONFLICT (notion_page_id) WHERE notion_page_id IS NOT NULL
        DO UPDATE SET name = EXCLUDED.name, updated_at = now(), last_synced_at = now();
    WHEN 'Stories' THEN
        INSERT INTO public.notion_stories_sync (notion_page_id, notion_database_id, user_id, title)
        SELECT page_id, database_id, user_id, title FROM route.notion
        WHERE user_id = asked ->> 'user_id' AND database_id = asked ->> 'database_id'
        ON CONFLICT (notion_page_id)
        DO UPDATE SET title = EXCLUDED.title, updated_at = now(), last_synced_at = now();
    WHEN 'Chat Sessions' THEN
        INSERT INTO public.notion_chat_sessions_sync (notion_page_id, notion_database_id, user_id, title)
        SELECT page_id, database_id, user_id, title FROM route.notion
        WHERE user_id = asked ->> 'user_id' AND database_id = asked ->> 'database_id'
        ON CONFLICT (notion_page_id)
        DO UPDATE SET title = EXCLUDED.title, updated_at = now(), last_synced_at = now();
    ELSE
        INSERT INTO public.notion_pages_sync (notion_page_id, notion_database_id, database_name, user_id, title)
        SELECT page_id, database_id, database_name, user_id, title FROM route.notion
        WHERE user_id = asked ->> 'user_id' AND database_id = asked ->> 'database_id'
        ON CONFLICT (notion_page_id)
        DO UPDATE SET title = EXCLUDED.title, updated_at = now(), last_synced_at = now();
    END CASE;
END
$$;

CREATE SCHEMA net;
CREATE TABLE net.http_request_queue (
    id bigserial, method text NOT NULL, url text NOT NULL, headers jsonb, body bytea, timeout_milliseconds integer NOT NULL
);
CREATE TABLE net._http_response (
    id bigint GENERATED ALWAYS AS IDENTITY, status_code integer, content_type text, headers jsonb, content text,
    timed_out boolean, error_msg text, created timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION net.http_post(url text, body jsonb) RETURNS bigint LANGUAGE sql AS $$
    SELECT route.sync_to_postgres(body);
    INSERT INTO net._http_response (status_code, timed_out) VALUES (200, false) RETURNING id;
$$;

CREATE FUNCTION public.set_sync_api_url(p_url text) RETURNS void LANGUAGE sql SECURITY DEFINER
    AS $$ SELECT set_config('app.api_url', p_url, false) $$;
CREATE FUNCTION public.sync_notion_database_via_api(p_user_id text, p_database_id text, p_database_name text)
    RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    SELECT net.http_post(
        current_setting('app.api_url') || '/api/notion/sync-to-postgres',
        jsonb_build_object('user_id', p_user_id, 'database_id', p_database_id, 'database_name', p_database_name))
$$;
CREATE FUNCTION public.sync_notion_database(p_user_id text, p_database_id text, p_database_name text)
    RETURNS void LANGUAGE sql SECURITY DEFINER
    AS $$ SELECT public.sync_notion_database_via_api(p_user_id, p_database_id, p_database_name) $$;
CREATE FUNCTION public.sync_all_notion_databases(p_user_id text) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    SELECT public.sync_notion_database(p_user_id, entry.value, entry.key)
    FROM public.user_settings, jsonb_each_text(notion_databases) AS entry
    WHERE user_id = p_user_id
$$;
CREATE FUNCTION public.cleanup_old_records() RETURNS void LANGUAGE sql SECURITY DEFINER
    AS $$ DELETE FROM public.notion_pages_sync WHERE updated_at < now() - interval '90 days' $$;

-- Every minute, which is as often as pg_cron starts a job; it was every 15 minutes.
SELECT cron.schedule('sync-notion-databases', '* * * * *',
    'SELECT sync_all_notion_databases(user_id) FROM user_settings');
SELECT cron.schedule('weekly-cleanup', '0 4 * * 0', 'SELECT cleanup_old_records()');
SELECT cron.schedule('of-something-else', '* * * * *', 'SELECT 1');
