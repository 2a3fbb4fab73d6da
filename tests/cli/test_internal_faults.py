"""A fault of the tool's own leaves a trace wherever it is met, also where cron is the only one to see it."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Ended, Site

PLACE = r"internal error \(AttributeError at notion_pg_sync/notion/schema\.py:\d+ in by_id\)"


@pytest.fixture
def faulty(site: Site) -> Site:
    """What the tool noted of Worlds is impossible, and stays so."""
    databases = {name: site.small.databases[name] for name in ("Worlds", "Characters")}
    site.connect("anna", site.small.tokens["anna"], json.dumps(databases))
    assert site.command("sync-all") == Ended(0, "", "")
    site.execute(
        "CREATE FUNCTION notion_sync.spoil() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.schema := '[\"impossible\"]'; RETURN NEW; END $$"
    )
    site.execute(
        "CREATE TRIGGER spoil BEFORE UPDATE ON notion_sync.data_sources"
        " FOR EACH ROW WHEN (NEW.database_name = 'Worlds') EXECUTE FUNCTION notion_sync.spoil()"
    )
    site.execute("UPDATE notion_sync.data_sources SET schema = schema")
    return site


def test_under_cron_its_traceback_is_on_stderr_and_its_place_in_the_records(faulty: Site) -> None:
    ended = faulty.command("sync-all")
    *trace, sentence = ended.err.splitlines()
    assert ended.code == 1
    assert re.fullmatch(rf"notion-pg-sync: anna/Worlds: {PLACE}: report it, .*", sentence)
    assert re.search(rf" ERROR notion_pg_sync\.sync\.run\.failures: {PLACE}", trace[0])
    assert all(line.startswith("    ") for line in trace[1:])
    assert re.search(r'File "\S*/notion_pg_sync/notion/schema\.py", line \d+, in by_id', ended.err)
    assert trace[-1].strip() == "AttributeError"
    assert "Traceback" not in ended.out
    recorded = faulty.execute("SELECT database_name, error_code, message FROM notion_sync.database_runs ORDER BY runid")
    told = {(name, code) for name, code, message in recorded if re.match(PLACE, str(message))}
    assert told == {("Worlds", "internal")}
    assert re.match(f"anna/Worlds: {PLACE}", str(faulty.last_run()[1]))


def test_what_the_error_says_is_told_on_request(faulty: Site) -> None:
    for options, says in (((), False), (("-v",), False), (("-vv",), True)):
        ended = faulty.command("sync-all", *options)
        assert ("'list' object has no attribute" in ended.err) is says
        assert ended.err.count("in by_id\n") == 1


def test_logs_in_json_have_it_in_a_field(faulty: Site) -> None:
    lines = faulty.command("sync-all", "--log-json").err.splitlines()
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    (fault,) = [line for line in logged if line["level"] == "error"]
    assert re.match(PLACE, fault["message"])
    assert fault["traceback"].endswith("AttributeError")


def test_the_same_fault_is_told_once(faulty: Site) -> None:
    faulty.connect("ben", faulty.small.tokens["anna"], json.dumps({"Worlds": faulty.small.databases["Worlds"]}))
    faulty.command("sync-all", "--user", "ben")
    faulty.execute("UPDATE notion_sync.data_sources SET schema = schema")
    ended = faulty.command("sync-all")
    assert len(re.findall(f"notion-pg-sync: anna/Worlds, ben/Worlds: {PLACE}", ended.err)) == 1
    assert ended.err.count(" ERROR ") == 1


def test_a_command_that_it_ends_says_so_in_one_sentence_and_in_its_record(faulty: Site) -> None:
    faulty.execute("ALTER TABLE notion_sync.databases ALTER COLUMN name DROP NOT NULL")
    faulty.execute("UPDATE notion_sync.databases SET name = NULL, title = NULL, found_by_search = true")
    faulty.execute('UPDATE user_settings SET notion_databases = \'{"*": "*"}\'')
    ended = faulty.command("sync", "anna", "Worlds")
    *trace, sentence = ended.err.splitlines()
    place = r"internal error \(\w+ at notion_pg_sync/core/databases\.py:\d+ in \w+\)"
    assert ended.code == 1
    assert re.match(f"notion-pg-sync: {place}: report it", sentence)
    assert " ERROR " in trace[0]
    assert all(line.startswith("    ") for line in trace[1:])
    assert re.match(place, str(faulty.last_run()[1]))
