"""status, the real command, on mirrors made by real syncs, with what goes wrong made to happen."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from notion_pg_sync.sync.run.token_encryption import seal_token
from tests.cli.conftest import BARE, Ended, Site
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
THOUSANDS = (
    """
    INSERT INTO user_settings (user_id, notion_token, notion_databases)
    SELECT 'user ' || number, 'ntn_' || number,
           jsonb_object_agg('DB ' || one, lpad((number * 100 + one)::text, 32, '0'))
    FROM generate_series(1, 40) number, generate_series(1, 50) one GROUP BY number
    """,
    """
    INSERT INTO notion_sync.accounts (user_id, token_problem, token_problem_since, suspended_since)
    SELECT user_id, suspended.why, suspended.since, suspended.since FROM user_settings
    LEFT JOIN (VALUES ('user 7', 'Notion does not accept the token.', clock_timestamp())) AS suspended (who, why, since)
        ON who = user_id
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO notion_sync.databases (user_id, database_id, name, last_status, last_started_at)
    SELECT user_id, value::uuid, key, 'succeeded', clock_timestamp()
    FROM user_settings, jsonb_each_text(notion_databases)
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO notion_sync.data_sources (user_id, data_source_id, database_id, database_name, view_name, name,
        sync_table, schema, schema_fingerprint, row_count, fresh_as_of, full_as_of, synced_at)
    SELECT user_id, database_id, database_id, name, '', name, '', '{}', '', 0, clock_timestamp(), clock_timestamp(),
           clock_timestamp() FROM notion_sync.databases WHERE name LIKE 'DB %%'
    """,
)


@pytest.fixture
def anna(site: Site) -> Site:
    """anna has two databases, synced a moment ago."""
    site.connect("anna", site.small.tokens["anna"], configured(site, "Characters", "Worlds"))
    assert site.command("sync-all").code == 0
    return site


def configured(site: Site, *names: str) -> str:
    return json.dumps({name: site.small.databases[name] for name in names})


def status(site: Site, *arguments: str) -> dict[str, Any]:
    ended = site.command("status", "--json", *arguments)
    assert ended.err == ""
    found: dict[str, Any] = json.loads(ended.out)
    assert found["exit_code"] == ended.code
    return found


def conditions(site: Site, *arguments: str) -> dict[tuple[str, str | None], str]:
    """How everything that is not fresh is, by user and database."""
    return {(one["user_id"], one["database"]): one["condition"] for one in status(site, *arguments)["not_fresh"]}


def reason(site: Site, user_id: str) -> str:
    (found,) = {one["reason"] for one in status(site, "--user", user_id)["not_fresh"]}
    return str(found)


@contextmanager
def a_sync_that_hangs(site: Site, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A sync whose requests are not answered."""
    site.small.workspace.faults.add("slow", seconds=60)
    site.small.workspace.requests.clear()
    with subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", *arguments], env={**BARE, **site.command.environment}, cwd=ROOT
    ) as process:
        try:
            wait_until(site.small.workspace.requests.all)
            yield process
        finally:
            process.kill()


def test_all_is_well(anna: Site) -> None:
    ended = anna.command("status")
    assert ended.code == 0
    headline, last_run = ended.out.splitlines()
    assert headline.startswith("Both databases are fresh: edits as of ")
    assert ", deletions as of " in headline
    assert last_run.startswith("Last run: 1, began ")
    assert "2 of 2 databases of 1 user synced" in anna.command("status", "-v").out


@pytest.mark.slow
def test_rows_in_the_trash_are_as_old_as_the_deletions(site: Site) -> None:
    """Edits come at every run; what was deleted shows at a full read, so its age is told beside."""
    site.connect("anna", site.small.tokens["anna"], configured(site, "Chat Sessions"))
    assert site.command("sync-all").code == 0
    site.execute("UPDATE notion_sync.data_sources SET full_as_of = full_as_of - interval '20 hours'")
    for page in site.small.workspace.page_ids("Chat Sessions")[:20]:
        site.small.workspace.trash_page(page)
    assert site.command("sync-all").code == 0
    assert site.execute("SELECT count(*) FROM notion_chat_sessions_sync") == [(250,)]
    headline = site.command("status").out.splitlines()[0]
    assert headline.startswith("The one database is fresh: edits as of ")
    assert headline.endswith(", deletions as of 20 hours ago.")
    found = status(site)
    assert found["deletions_as_of"] == found["databases"][0]["full_as_of"] < found["edits_as_of"]
    assert site.command("sync-all", "--full").code == 0
    assert site.execute("SELECT count(*) FROM notion_chat_sessions_sync") == [(230,)]
    assert "hours" not in site.command("status").out


def test_what_a_sync_left_is_told(anna: Site) -> None:
    characters, worlds = status(anna)["databases"]
    assert (characters["database"], characters["rows"], characters["last_mode"]) == ("Characters", 40, "full")
    assert (worlds["rows"], worlds["last_requests"]) == (12, 4)
    ((began, ended),) = anna.execute("SELECT start_time, end_time FROM notion_sync.job_run_details")
    for one in (characters, worlds):
        assert str(began.isoformat()) < one["fresh_as_of"] < one["last_succeeded_at"] < str(ended.isoformat())  # type: ignore[attr-defined]
        assert one["full_as_of"] == one["fresh_as_of"]


def test_rows_that_somebody_deleted_are_not_called_fresh_until_the_next_sync_brought_them_back(anna: Site) -> None:
    anna.execute("DELETE FROM notion_worlds_sync WHERE name < 'World 2'")
    ended = anna.command("status")
    assert ended.code == 1
    assert "4 of 12 rows were deleted by something else: the next sync brings them back." in " ".join(ended.out.split())
    (worlds,) = [one for one in status(anna)["databases"] if one["database"] == "Worlds"]
    assert (worlds["rows"], worlds["condition"]) == (8, "stale")
    assert anna.command("sync-all").code == 0
    assert anna.command("status").code == 0


def test_rows_that_cannot_be_counted_soon_are_told_as_the_last_sync_left_them(anna: Site) -> None:
    with psycopg.connect(anna.database_url) as locking:
        locking.execute("LOCK TABLE notion_worlds_sync")
        ended = anna.command("status", "--json")
    assert ended.code == 0
    assert [one["rows"] for one in json.loads(ended.out)["databases"]] == [40, 12]


def test_an_incremental_sync_makes_it_fresh_and_leaves_the_age_of_the_full_read(site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], configured(site, "Chat Sessions"))
    before = [site.command("sync-all"), status(site)["databases"][0]][1]
    after = [site.command("sync-all"), status(site)["databases"][0]][1]
    assert (before["last_mode"], after["last_mode"]) == ("full", "incremental")
    assert before["full_as_of"] == after["full_as_of"] == before["fresh_as_of"]
    assert before["last_succeeded_at"] < after["last_started_at"] <= after["fresh_as_of"] < after["last_succeeded_at"]


@pytest.mark.slow
def test_a_full_read_that_was_carried_on_is_as_old_as_its_beginning(site: Site) -> None:
    """What was edited since then, the same run asks for; what was deleted, the next full read finds."""
    site.connect("anna", site.small.tokens["anna"], configured(site, "Chat Sessions"))
    site.small.workspace.faults.add("429", seconds=60, every=5)
    assert site.command("sync-all", "--page-size", "20", "--concurrency", "1", "--timeout", "3s").code == 1
    ((rows, ended),) = site.execute(
        "SELECT (SELECT count(*) FROM notion_chat_sessions_sync), end_time FROM notion_sync.job_run_details"
    )
    assert 0 < int(str(rows)) < 250
    site.small.workspace.faults.clear()
    assert site.command("sync-all").code == 0
    (one,) = status(site)["databases"]
    assert isinstance(ended, datetime)
    assert one["full_as_of"] < ended.isoformat() < one["fresh_as_of"] <= one["last_succeeded_at"]


def test_a_failing_database_is_told_with_the_reason_and_since_when(anna: Site) -> None:
    anna.small.workspace.faults.add("403_html", path=anna.small.databases["Worlds"])
    # Else Notion is not asked for the database within the hour.
    anna.execute("UPDATE notion_sync.databases SET listed_at = NULL")
    for _ in range(2):
        assert anna.command("sync-all").code == 1
    ended = anna.command("status")
    assert ended.code == 1
    headline, aged, first, why, *_ = ended.out.splitlines()
    assert headline == "Failing: 1 of 2 databases is not well: 1 failing."
    assert aged.startswith("What is fresh: edits as of ")
    assert first.startswith("FAILING  anna / Worlds, for ")
    assert first.endswith(", 2 times in a row")
    assert "403" in why
    (one,) = status(anna)["not_fresh"]
    ((began, ended_at),) = anna.execute(
        "SELECT start_time::text, end_time::text FROM notion_sync.job_run_details"
        " WHERE status = 'failed' ORDER BY runid LIMIT 1"
    )
    since = datetime.fromisoformat(one["since"])
    assert datetime.fromisoformat(str(began)) <= since <= datetime.fromisoformat(str(ended_at))


def test_what_is_older_than_max_age_is_stale(anna: Site) -> None:
    anna.execute(
        "UPDATE notion_sync.data_sources SET fresh_as_of = fresh_as_of - interval '1 hour' WHERE row_count = 12"
    )
    assert conditions(anna) == {("anna", "Worlds"): "stale"}
    assert anna.command("status", "--max-age", "2h").code == 0
    assert "BROKEN   stale databases: anna/" in anna.command("doctor", "-v", "--no-cron-check").out
    assert (
        "no copy is older than it should be" in anna.command("doctor", "-v", "--no-cron-check", "--max-age", "2h").out
    )
    assert anna.command("status", "--database", "Characters").code == 0
    assert "Worlds, as of an hour ago" in anna.command("status").out


@pytest.mark.slow
def test_a_suspended_database_counts_only_when_asked_strictly(anna: Site) -> None:
    anna.small.workspace.unshare(anna.small.tokens["anna"], anna.small.databases["Worlds"])
    for _ in range(3):
        anna.command("sync-all")
    ended = anna.command("status")
    assert ended.code == 0
    assert ended.out.startswith("Degraded: 1 of 2 databases is fresh; 1 suspended.")
    assert "3 times in a row, next try in an hour" in ended.out
    assert conditions(anna) == {("anna", "Worlds"): "suspended"}
    assert status(anna)["health"] == "degraded"
    assert anna.command("status", "--strict").code == 1
    assert "not shared with the connection" in reason(anna, "anna")


def test_what_is_under_way_is_told_with_host_and_pid_and_what_it_waits_for(anna: Site) -> None:
    with a_sync_that_hangs(anna, "sync", "anna", "Worlds") as process:
        assert status(anna)["databases"][1]["running"]["pid"] == process.pid
        anna.execute("UPDATE notion_sync.accounts SET rate_limited_until = clock_timestamp() + interval '42 seconds'")
        ended = anna.command("status", "-v", COLUMNS="200")
        assert ended.code == 0
        assert f"(pid {process.pid} on " in ended.out
        assert "waiting for Notion's rate limit, 4" in ended.out


@pytest.mark.slow
def test_a_run_that_was_killed_went_away(anna: Site) -> None:
    with a_sync_that_hangs(anna, "sync", "anna", "Worlds") as process:
        process.kill()
        process.wait()
        assert conditions(anna) == {("anna", "Worlds"): "went_away"}
        assert f"(pid {process.pid} on " in reason(anna, "anna")
        assert "went away" in anna.command("status", "-v").out.split("Latest runs")[1]
    anna.small.workspace.faults.clear()
    assert anna.command("sync-all").code == 0
    assert anna.command("status").code == 0


def test_a_run_of_another_machine_went_away_when_it_is_silent(anna: Site) -> None:
    with a_sync_that_hangs(anna, "sync", "anna", "Worlds"):
        anna.execute("UPDATE notion_sync.run_processes SET machine = 'another'")
        assert conditions(anna) == {}
        anna.execute("UPDATE notion_sync.run_processes SET heartbeat_at = heartbeat_at - interval '1 hour'")
        assert conditions(anna) == {("anna", "Worlds"): "went_away"}


def test_rows_that_are_held_back_are_told(anna: Site) -> None:
    for page in anna.small.workspace.page_ids("Characters")[:30]:
        anna.small.workspace.delete_page(page)
    assert anna.command("sync-all").code == 1
    assert conditions(anna) == {("anna", "Characters"): "failing"}
    assert "--allow-removal" in reason(anna, "anna")
    assert "30 rows held back" in anna.command("status", "-v").out
    assert status(anna)["databases"][0]["held_back"] == 30


@pytest.mark.slow
def test_a_value_that_notion_does_not_give_is_degraded_and_told(site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], configured(site, "Everything"))
    site.small.workspace.faults.add("rewrite", path="/properties/", rewrite=lambda _: {"object": "list"})
    assert site.command("sync-all").code == 0
    assert conditions(site) == {("anna", "Everything"): "incomplete"}
    ended = site.command("status")
    assert (ended.code, site.command("status", "--strict").code) == (0, 1)
    assert ended.out.startswith("Degraded: ")
    assert "values or pages are left out, and tried again at each run: " in reason(site, "anna")
    told = site.command("doctor", "--no-cron-check").out
    assert "anna/Everything" in told
    assert "write to its support" in " ".join(told.split())
    site.small.workspace.faults.clear()
    assert site.command("sync-all").code == 0
    assert conditions(site) == {}


def test_what_is_no_longer_configured_stays_and_is_told(anna: Site) -> None:
    anna.execute("UPDATE user_settings SET notion_databases = %s", configured(anna, "Worlds"))
    assert conditions(anna) == {("anna", "Characters"): "not_configured"}
    assert anna.command("status").code == 0
    anna.execute("DELETE FROM user_settings")
    assert set(conditions(anna, "--user", "anna").values()) == {"not_configured"}
    assert "no database is kept fresh (2 not configured)" in anna.command("status").out
    assert anna.command("status").code == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "condition", "health"),
    [
        ("auto_sync_enabled = false", "switched_off", "ok"),
        ("notion_token = NULL", "not_connected", "degraded"),
        ("notion_token = ''", "not_connected", "degraded"),
    ],
)
def test_who_is_switched_off_or_has_no_token_is_told(anna: Site, change: str, condition: str, health: str) -> None:
    anna.connect("bob", anna.small.tokens["anna"], configured(anna, "Three"))
    assert anna.command("sync-all").code == 0
    anna.execute(f"UPDATE user_settings SET {change} WHERE user_id = 'bob'")
    assert anna.command("sync-all").code == 0
    assert anna.command("sync-all", "--strict").code == (health == "degraded")
    assert str(anna.last_run()[1]).startswith("bob: databases are configured") is (health == "degraded")
    assert anna.command("status", "--strict").code == (health == "degraded")
    assert anna.command("sync-all").code == 0
    assert conditions(anna) == {("bob", "Three"): condition}
    found = status(anna)
    assert (found["exit_code"], found["health"]) == (0, health)
    anna.execute(f"UPDATE user_settings SET {change}")
    assert anna.command("status").code == 1
    assert anna.command("sync-all").code == 3


def test_tokens_that_are_encrypted_without_a_key_are_told_and_never_sent(anna: Site) -> None:
    sealed = seal_token(anna.small.tokens["anna"], b"k" * 32)
    anna.execute("UPDATE user_settings SET notion_token = %s", sealed)
    anna.small.workspace.requests.clear()
    assert anna.command("sync-all").sentence.startswith("anna: the notion_token is encrypted, and NOTION_TOKEN_KEY")
    assert anna.small.workspace.requests.all() == []
    # It stays so, and is told hourly.
    assert anna.command("sync-all") == Ended(1, "", "")
    assert conditions(anna) == {("anna", "Characters"): "failing", ("anna", "Worlds"): "failing"}
    assert reason(anna, "anna").startswith("the notion_token is encrypted")
    assert sealed not in anna.command("status", "-v").out
    assert anna.command("sync-all", NOTION_TOKEN_KEY="k" * 32) == Ended(0, "", "")
    assert anna.command("status").code == 0


def test_a_column_of_databases_that_was_renamed_is_told(anna: Site) -> None:
    anna.execute("ALTER TABLE user_settings RENAME COLUMN notion_databases TO databases")
    ended = anna.command("sync-all")
    assert (ended.code, "has no column notion_databases" in ended.sentence) == (3, True)
    ended = anna.command("status")
    assert ended.code == 1
    assert "has no column notion_databases" in ended.out


def test_databases_that_nobody_asks_for_any_more_are_told(anna: Site) -> None:
    anna.execute("UPDATE user_settings SET notion_databases = NULL")
    ended = anna.command("sync-all")
    assert (ended.code, ended.sentence.startswith("nothing was synced: 2 databases were synced before")) == (1, True)
    anna.execute("DELETE FROM notion_sync.job_run_details")
    assert "no database is kept fresh (2 not configured)" in anna.command("status").out


def test_a_switch_that_is_text_is_told(anna: Site) -> None:
    anna.execute("ALTER TABLE user_settings ALTER COLUMN auto_sync_enabled DROP DEFAULT")
    anna.execute("ALTER TABLE user_settings ALTER COLUMN auto_sync_enabled TYPE text USING 'maybe'")
    ended = anna.command("sync-all")
    assert ended.code == 3
    assert "auto_sync_enabled is of type text, not boolean" in ended.sentence
    ended = anna.command("status")
    assert ended.code == 1
    assert "auto_sync_enabled is of type text, not boolean" in ended.out


def test_a_server_that_can_only_be_read_is_not_well_however_fresh_the_copy_is(anna: Site) -> None:
    ((database,),) = anna.execute("SELECT quote_ident(current_database())")
    anna.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    ended = anna.command("status")
    assert ended.code == 1
    assert "nothing can be synced: PostgreSQL lets this session only read" in ended.out
    assert status(anna)["health"] == "failing"


@pytest.mark.slow
def test_thousands_of_databases_are_one_screen_at_once(anna: Site) -> None:
    """2,000 of 40 users, one of whose token is suspended."""
    for statement in THOUSANDS:
        anna.execute(statement)
    began = time.monotonic()
    ended = anna.command("status")
    # Less than half a second where nothing else is at work.
    assert time.monotonic() - began < 3
    assert ended.code == 0
    first, _, cause, *rest = ended.out.splitlines()
    assert first == "Degraded: 1,952 of 2,002 databases are fresh; 50 suspended."
    assert cause.startswith(
        "suspended  50 databases of 1 user: user 7 / DB 1, user 7 / DB 10, user 7 / DB 11 and 47 more"
    )
    assert len(rest) == 2
    assert len(anna.command("status", "-v").out.splitlines()) > 2_000


@pytest.mark.slow
@pytest.mark.parametrize("table", ["public.user_settings", "notion_sync.databases", "notion_sync.job_run_details"])
def test_a_table_that_somebody_locked_holds_status_up_for_a_moment_only(anna: Site, table: str) -> None:
    with contextlib.closing(psycopg.connect(anna.database_url)) as holder:
        holder.execute(f"LOCK TABLE {table}".encode())
        began = time.monotonic()
        ended = anna.command("status")
        assert time.monotonic() - began < 15
        assert ended.code == 1
        assert "could not be read in time: session " in ended.out
        (fix,) = re.findall(r"pg_terminate_backend\(\d+\)", ended.out)[:1]
        anna.execute(f"SELECT {fix}")
    assert anna.command("status").code == 0


@pytest.mark.parametrize("nothing", [None, "{}"])
def test_a_user_with_nothing_to_sync_is_told(anna: Site, nothing: str | None) -> None:
    anna.connect("bob", anna.small.tokens["anna"], nothing)
    assert conditions(anna) == {("bob", None): "nothing_to_sync"}
    assert anna.command("status").code == 0


def test_a_database_that_no_run_has_come_to_is_told(anna: Site) -> None:
    anna.connect("bob", anna.small.tokens["anna"], configured(anna, "Three"))
    assert conditions(anna) == {("bob", "Three"): "never_synced"}
    assert anna.command("status").code == 1
    assert anna.command("status", "--user", "anna").code == 0


def test_notion_databases_that_cannot_be_read_are_told(anna: Site) -> None:
    anna.execute('UPDATE user_settings SET notion_databases = notion_databases || \'{"Stories": "no id"}\'')
    assert anna.command("sync-all").code == 1
    assert conditions(anna) == {("anna", None): "failing", (None, None): "failing"}
    ended = anna.command("status", "--database", "Stories")
    assert (ended.code, "is not a Notion database id" in ended.sentence) == (2, True)


def test_one_database_can_be_asked_for_by_name_id_and_link(anna: Site) -> None:
    worlds = anna.small.databases["Worlds"]
    for written in ("Worlds", worlds, f"https://www.notion.so/Worlds-{worlds.replace('-', '')}?v=1"):
        found = status(anna, "--user", "anna", "--database", written)
        assert [one["database"] for one in found["databases"]] == ["Worlds"]
        assert [sync["message"] for sync in found["syncs"]] == ["12 rows read, 12 inserted."]


def test_it_knows_as_many_runs_as_are_asked_for(anna: Site) -> None:
    anna.command("sync-all")
    assert [run["runid"] for run in status(anna, "--runs", "1")["runs"]] == [2]
    assert len(status(anna)["runs"]) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--user", "nobody"),
        ("--database", "Nothing"),
        ("--max-age", "soon"),
        ("--json", "--prometheus"),
    ],
)
def test_what_cannot_be_asked_is_wrong_usage(anna: Site, arguments: tuple[str, ...]) -> None:
    ended = anna.command("status", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.sentence


def test_where_there_is_nothing_to_tell_of_it_says_so(site: Site, tmp_path: Path) -> None:
    assert "no user has connected Notion" in (ended := site.command("status")).sentence
    assert ended.code == 3
    ended = site.command("status", DATABASE_URL="", NOTION_PG_SYNC_DATA_DIR=str(tmp_path / "none"))
    assert (ended.code, "DATABASE_URL is not set" in ended.sentence) == (3, True)
    site.execute("DROP SCHEMA notion_sync CASCADE")
    ended = site.command("status")
    assert (ended.code, "run 'notion-pg-sync init'" in ended.sentence) == (3, True)


def test_prometheus_reads_what_it_prints(anna: Site) -> None:
    anna.execute("UPDATE user_settings SET notion_token = 'ntn_revoked'")
    anna.command("sync-all")
    ended = anna.command("status", "--prometheus")
    assert ended.code == 1
    samples = [sample for family in text_string_to_metric_families(ended.out) for sample in family.samples]
    values = {sample.name.removeprefix("notion_pg_sync_"): sample.value for sample in samples}
    assert (values["well"], values["database_up"], values["database_consecutive_failures"]) == (0, 0, 1)
    assert {sample.labels["database"] for sample in samples if "database" in sample.labels} == {"Characters", "Worlds"}


def test_it_reads_where_nothing_can_be_written(anna: Site) -> None:
    assert anna.command("status", PGOPTIONS="-c default_transaction_read_only=on").code == 0


def test_it_asks_notion_nothing(anna: Site) -> None:
    anna.small.workspace.requests.clear()
    anna.command("status")
    assert anna.small.workspace.requests.all() == []


@pytest.mark.parametrize("form", [(), ("-v",), ("--json",), ("--prometheus",)])
def test_it_ends_quietly_where_nobody_reads_on(anna: Site, form: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "status", *form],
        env={**BARE, **anna.command.environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    # As of a process that SIGPIPE ends.
    assert process.returncode == 141


def on_a_terminal(site: Site, columns: int, *arguments: str, **environment: str) -> str:
    """What status shows on a terminal of this width."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 100, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "status", *arguments],
        env={**BARE, "TERM": "xterm-256color", **site.command.environment, **environment},
        cwd=ROOT,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    try:
        while part := os.read(controller, 65536):
            shown += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(controller)
    process.wait()
    return shown.decode()


def test_colour_is_for_terminals_alone_and_for_those_who_want_it(anna: Site) -> None:
    assert "\x1b[1;32mBoth databases are fresh" in on_a_terminal(anna, 80)
    assert "\x1b[1;32m" not in on_a_terminal(anna, 80, NO_COLOR="1")
    assert "\x1b" not in anna.command("status").out


@pytest.mark.parametrize("columns", [80, 160])
def test_it_fits_the_terminal(anna: Site, columns: int) -> None:
    shown = on_a_terminal(anna, columns, "-v", NO_COLOR="1")
    lines = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in shown.splitlines()]
    assert max(len(line) for line in lines if "\x1b" not in line) <= columns
    assert ("user" in shown.split("Characters")[0].split("\n")[-2]) is (columns == 160)


def test_who_was_disconnected_is_nobody_and_it_says_to_connect(anna: Site) -> None:
    assert anna.command("forget", "anna", "--disconnect", "--yes").code == 0
    ended = anna.command("status")
    assert (ended.code, ended.out) == (3, "")
    assert ended.sentence == (
        "no user has connected Notion, so there is nothing to show: connect a user first ('notion-pg-sync connect')."
    )
    assert "notion_databases names no database" in anna.command("status", "--user", "anna").out
