"""doctor and what an older set-up left behind.

pg_cron comes with a package of the operating system, and one test has the real one. The checks read nothing but
catalogs and its tables; the others make these, in the form that pg_cron 1.4 gives them.
"""

from __future__ import annotations

import re

import pytest
from psycopg import sql

from notion_pg_sync.commands.doctor.checks.check import Verdict
from tests.commands.conftest import Patient, findings_of, told
from tests.older_setup import CLEANS, OTHER, OlderSetup

pytestmark = pytest.mark.slow

PG_CRON = """
    CREATE SCHEMA cron;
    CREATE SEQUENCE cron.jobid_seq;
    CREATE SEQUENCE cron.runid_seq;
    CREATE TABLE cron.job (
        jobid    bigint PRIMARY KEY DEFAULT nextval('cron.jobid_seq'),
        schedule text NOT NULL,
        command  text NOT NULL,
        nodename text NOT NULL DEFAULT 'localhost',
        nodeport int NOT NULL DEFAULT inet_server_port(),
        database text NOT NULL DEFAULT current_database(),
        username text NOT NULL DEFAULT current_user,
        active   boolean NOT NULL DEFAULT true,
        jobname  name,
        CONSTRAINT jobname_username_uniq UNIQUE (jobname, username)
    );
    ALTER TABLE cron.job ENABLE ROW LEVEL SECURITY;
    CREATE POLICY cron_job_policy ON cron.job USING (username = CURRENT_USER);
    CREATE TABLE cron.job_run_details (
        jobid          bigint,
        runid          bigint PRIMARY KEY DEFAULT nextval('cron.runid_seq'),
        job_pid        integer,
        database       text,
        username       text,
        command        text,
        status         text,
        return_message text,
        start_time     timestamptz,
        end_time       timestamptz
    );
    ALTER TABLE cron.job_run_details ENABLE ROW LEVEL SECURITY;
    CREATE POLICY cron_job_run_details_policy ON cron.job_run_details USING (username = CURRENT_USER);
    CREATE FUNCTION cron.unschedule(job_id bigint) RETURNS boolean LANGUAGE sql AS
        'WITH gone AS (DELETE FROM cron.job WHERE jobid = job_id RETURNING 1) SELECT EXISTS (SELECT FROM gone)';
    CREATE FUNCTION cron.unschedule(job_name name) RETURNS boolean LANGUAGE sql AS
        'WITH gone AS (DELETE FROM cron.job WHERE jobname = job_name AND username = CURRENT_USER RETURNING 1)
         SELECT EXISTS (SELECT FROM gone)';
    CREATE FUNCTION cron.alter_job(
        job_id bigint, schedule text DEFAULT NULL, command text DEFAULT NULL, database text DEFAULT NULL,
        username text DEFAULT NULL, active boolean DEFAULT NULL
    ) RETURNS void LANGUAGE sql AS
        'UPDATE cron.job SET active = coalesce(alter_job.active, job.active) WHERE jobid = job_id';
"""

JOB = """
    INSERT INTO cron.job (schedule, command, nodeport, username, active, jobname)
    VALUES ('*/15 * * * *', 'SELECT sync_all_notion_databases()', 5432, coalesce(%s, current_user), %s, %s)
"""

OLDER_FUNCTIONS = """
    DROP FUNCTION public.sync_notion_database, public.sync_all_notion_databases;
    CREATE FUNCTION public.sync_notion_database(p_user_id text, p_database_id text, p_database_name text)
        RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN '{}'; END $$;
    CREATE FUNCTION public.sync_all_notion_databases() RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path = public, pg_temp AS 'SELECT';
"""


async def test_what_doctor_says_of_a_real_older_setup_removes_it_as_it_is_typed() -> None:
    with OlderSetup(uuids=False) as setup:
        url = setup.socket_url()
        for check in ("pg_cron", "app.api_url", "sync functions"):
            found = await findings_of(url, check)
            assert found
            for finding in found:
                setup.execute(finding.fix)
            assert [finding.verdict for finding in await findings_of(url, check)] == [Verdict.OK]
        assert setup.ask("SELECT jobname, active FROM cron.job ORDER BY jobname") == [(OTHER, True), (CLEANS, False)]


async def test_an_active_job_of_pg_cron_is_warned_of_and_unscheduled(patient: Patient) -> None:
    patient.execute(PG_CRON)
    assert [finding.message for finding in await patient.found("pg_cron")] == [
        "no active job of pg_cron syncs Notion, or writes to the tables"
    ]
    patient.execute(JOB, None, True, "sync-notion-databases")
    (finding,) = await patient.found("pg_cron")
    assert finding.verdict is Verdict.WARNING
    assert "still starts the job sync-notion-databases (*/15 * * * *)" in finding.message
    assert finding.fix == "SELECT cron.unschedule('sync-notion-databases');"
    await patient.assert_mended("pg_cron")


async def test_a_job_of_another_role_or_without_a_name_is_unscheduled_by_its_number(patient: Patient) -> None:
    patient.execute(PG_CRON)
    patient.execute(JOB, "somebody", True, "sync-notion-databases")
    patient.execute(JOB, None, True, None)
    named, nameless = await patient.found("pg_cron")
    assert (named.fix, nameless.fix) == ("SELECT cron.unschedule(1);", "SELECT cron.unschedule(2);")
    assert "the job number 2" in nameless.message
    await patient.assert_mended("pg_cron")


async def test_jobs_that_sleep_or_do_something_else_are_left_alone(patient: Patient) -> None:
    patient.execute(PG_CRON)
    patient.execute(JOB, None, False, "sync-notion-databases")
    patient.execute("INSERT INTO cron.job (schedule, command, nodeport) VALUES ('@daily', 'VACUUM', 5432)")
    assert [finding.verdict for finding in await patient.found("pg_cron")] == [Verdict.OK]


@pytest.mark.parametrize(
    "command",
    [
        "DELETE FROM notion_pages_sync WHERE updated_at < now() - interval '90 days'",
        'SELECT 1; TRUNCATE TABLE ONLY public."notion_worlds_sync"',
        "SELECT tidy()",
        "CALL public.tidy_all( )",
    ],
)
async def test_a_job_that_writes_to_the_tables_through_whatever_functions_is_put_to_rest(
    patient: Patient, command: str
) -> None:
    patient.execute(PG_CRON)
    patient.execute(
        """
        CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS
            $$ BEGIN EXECUTE format('DELETE FROM %I', 'notion_pages_sync'); END $$;
        CREATE PROCEDURE tidy_all() LANGUAGE sql AS 'SELECT 1; SELECT tidy()';
        """
    )
    patient.execute(
        "INSERT INTO cron.job (schedule, command, nodeport, jobname) VALUES ('@daily', %s, 1, 'a')", command
    )
    (finding,) = await patient.found("pg_cron")
    assert finding.verdict is Verdict.BROKEN
    assert re.search(r"pg_cron's job a \(@daily\) writes to notion_(pages|worlds)_sync, or empties it", finding.message)
    await patient.assert_mended("pg_cron")
    assert patient.execute("SELECT command, active FROM cron.job") == [(command, False)]


@pytest.mark.parametrize(
    "command",
    ["SELECT count(*) FROM notion_pages_sync; DELETE FROM logs", "VACUUM notion_pages_sync", "SELECT now()"],
)
async def test_a_job_that_only_reads_the_tables_is_left_alone(patient: Patient, command: str) -> None:
    patient.execute(PG_CRON)
    patient.execute("INSERT INTO cron.job (schedule, command, nodeport) VALUES ('@daily', %s, 5432)", command)
    (finding,) = await patient.found("pg_cron")
    assert finding.verdict is Verdict.OK
    assert finding.message.endswith("(there are number 1)")


async def test_a_role_that_may_not_see_the_jobs_says_so(patient: Patient) -> None:
    patient.execute(PG_CRON)
    role = patient.new_role()
    (finding,) = await patient.found("pg_cron", role)
    assert finding.verdict is Verdict.SKIPPED
    patient.execute(sql.SQL("GRANT USAGE ON SCHEMA cron TO {}").format(sql.Identifier(role)))
    patient.execute(sql.SQL("GRANT SELECT ON cron.job TO {}").format(sql.Identifier(role)))
    patient.execute(JOB, None, True, "sync-notion-databases")
    (finding,) = await patient.found("pg_cron", role)
    assert (finding.verdict, finding.message) == (
        Verdict.OK,
        "no active job of this role of pg_cron syncs Notion, or writes to the tables",
    )


async def test_the_older_setting_is_found_wherever_it_is_kept(patient: Patient) -> None:
    role = patient.new_role()
    ((database,),) = patient.execute("SELECT current_database()")
    names = {"role": sql.Identifier(role), "database": sql.Identifier(str(database))}
    for statement in (
        "ALTER DATABASE {database} SET app.api_url = 'https://app.example/api?key=secret'",
        "ALTER ROLE {role} SET app.api_url = 'x'",
        "ALTER ROLE {role} IN DATABASE {database} SET app.api_url = 'y'",
    ):
        patient.execute(sql.SQL(statement).format(**names))
    found = await patient.found("app.api_url")
    assert [finding.verdict for finding in found] == [Verdict.WARNING] * 3
    assert "secret" not in str(found)
    await patient.assert_mended("app.api_url")


async def test_functions_under_our_names_are_told_with_their_owner(patient: Patient) -> None:
    patient.execute(OLDER_FUNCTIONS)
    found = await patient.found("sync functions")
    assert [finding.verdict for finding in found] == [Verdict.WARNING] * 2
    signature = "public.sync_notion_database(p_user_id text, p_database_id text, p_database_name text)"
    message = told(found, f"{signature} of an older set-up").message
    assert "its owner is postgres" in message
    assert "once it is dropped, 'notion-pg-sync init' creates its successor" in message
    await patient.assert_mended("sync functions")


async def test_helpers_of_the_older_setup_are_dropped_one_after_the_other(patient: Patient) -> None:
    patient.execute(
        """
        CREATE SCHEMA "the app";
        CREATE FUNCTION set_sync_api_url(url text) RETURNS void LANGUAGE sql
            BEGIN ATOMIC SELECT set_config('app.api_url', url, false); END;
        CREATE FUNCTION "the app".post_to_route(body jsonb) RETURNS text LANGUAGE plpgsql AS
            $$ BEGIN RETURN current_setting('app.api_url') || '/api/notion/sync'; END $$;
        CREATE FUNCTION sync_notion_database_via_api(user_id text) RETURNS text LANGUAGE sql
            RETURN "the app".post_to_route(to_jsonb(user_id));
        CREATE FUNCTION sync_all_users_notion_databases() RETURNS text LANGUAGE sql
            RETURN sync_notion_database_via_api('anna');
        """
    )
    found = await patient.found("sync functions")
    assert [finding.fix for finding in found] == [
        'DROP FUNCTION "public"."set_sync_api_url"(url text);',
        'DROP FUNCTION "public"."sync_all_users_notion_databases"();',
        'DROP FUNCTION "public"."sync_notion_database_via_api"(user_id text);',
        'DROP FUNCTION "the app"."post_to_route"(body jsonb);',
    ]
    assert not any("successor" in finding.message for finding in found)
    await patient.assert_mended("sync functions")


async def test_what_else_an_application_does_with_its_address_is_its_own(patient: Patient) -> None:
    patient.execute(
        """
        CREATE FUNCTION send_mail() RETURNS text LANGUAGE sql RETURN current_setting('app.api_url') || '/mail';
        CREATE FUNCTION tell_of_a_row() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM current_setting('app.api_url') || '/notion_row'; RETURN NEW; END $$;
        CREATE TRIGGER tell AFTER INSERT ON notion_pages_sync FOR EACH ROW EXECUTE FUNCTION tell_of_a_row();
        """
    )
    assert [finding.verdict for finding in await patient.found("sync functions")] == [Verdict.OK]


async def test_a_job_that_calls_a_function_for_all_users_is_known_even_without_the_function(patient: Patient) -> None:
    patient.execute(PG_CRON)
    command = "SELECT sync_all_users_notion_databases()"
    patient.execute("INSERT INTO cron.job (schedule, command, nodeport) VALUES ('@daily', %s, 1)", command)
    (finding,) = await patient.found("pg_cron")
    assert "two schedulers sync side by side" in finding.message
    await patient.assert_mended("pg_cron")


async def test_functions_of_the_tools_own_are_none_of_the_older_setup(patient: Patient) -> None:
    patient.execute(
        """
        CREATE FUNCTION public.sync_all_notion_databases() RETURNS bigint LANGUAGE sql
        RETURN (SELECT count(*) FROM notion_sync.accounts)
        """
    )
    assert [finding.verdict for finding in await patient.found("sync functions")] == [Verdict.OK]
