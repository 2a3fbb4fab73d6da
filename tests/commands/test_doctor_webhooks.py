"""doctor and webhooks: whether events come, find something, and are followed by a run."""

from __future__ import annotations

from psycopg.types.json import Jsonb

from notion_pg_sync.commands.doctor.checks.check import Finding, Verdict
from tests.commands.conftest import Mirrored, Patient, only, told

WORLDS = "0a1b2c3d-0000-4000-8000-00000000000a"


async def found(patient: Patient) -> list[Finding]:
    return await patient.found("webhooks")


def count(patient: Patient, *, age: str, events: int = 10, found_nothing: int = 0) -> None:
    """Events of one day, the last of which came `age` ago."""
    patient.execute(
        "INSERT INTO notion_sync.webhook_days"
        " SELECT (at AT TIME ZONE 'UTC')::date, %s, %s, at FROM (SELECT now() - %s::interval AS at) AS _",
        events,
        found_nothing,
        age,
    )


def sync(patient: Patient, *, age: str, mode: str = "incremental", **counts: int) -> None:
    """A sync of Worlds that found something, `age` ago."""
    values = {"inserted": 0, "updated": 0, "removed": 0, **counts}
    patient.execute(
        "WITH run AS (INSERT INTO notion_sync.job_run_details (status, start_time, end_time)"
        " VALUES ('succeeded', now() - %s::interval, now()) RETURNING runid, start_time)"
        " INSERT INTO notion_sync.database_runs (runid, user_id, database_id, database_name, mode, status,"
        "  inserted, updated, removed, start_time, end_time)"
        " SELECT runid, 'anna', %s, 'Worlds', %s, 'succeeded', %s, %s, %s, start_time, now() FROM run",
        age,
        WORLDS,
        mode,
        *values.values(),
    )


async def test_who_never_had_webhooks_is_told_nothing_to_do(patient: Patient) -> None:
    sync(patient, age="1 hour", updated=3)
    finding = only(await found(patient))
    assert (finding.verdict, finding.message) == (
        Verdict.OK,
        "no event of Notion's webhooks has come (nobody needs them)",
    )


async def test_the_last_event_and_the_share_in_vain_are_said(patient: Patient) -> None:
    count(patient, age="2 hours", events=1200, found_nothing=30)
    count(patient, age="3 days", events=5, found_nothing=1)
    count(patient, age="30 days", events=1000, found_nothing=1000)
    finding = only(await found(patient))
    assert (finding.verdict, finding.message) == (
        Verdict.OK,
        "the last event of Notion's webhooks came 2 hours ago; of 1,205 events in 7 days, 31 found nothing",
    )


async def test_events_that_stopped_are_told_once_syncs_find_edits_without_them(patient: Patient) -> None:
    count(patient, age="3 days")
    assert only(await found(patient)).verdict is Verdict.OK
    sync(patient, age="2 hours", updated=1)
    finding = only(await found(patient))
    assert finding.verdict is Verdict.WARNING
    assert finding.message == "the last event of Notion's webhooks came 3 days ago, but a sync found edits 2 hours ago"
    assert "paused" in finding.needs
    # As that says, for who gave them up.
    patient.execute("DELETE FROM notion_sync.webhook_days")
    assert only(await found(patient)).verdict is Verdict.OK


async def test_what_a_full_read_writes_is_no_edit_by_itself(patient: Patient) -> None:
    count(patient, age="3 days")
    # The first read of a database, and values that were computed anew.
    sync(patient, age="5 hours", mode="full", inserted=100)
    sync(patient, age="4 hours", mode="full", updated=7)
    assert only(await found(patient)).verdict is Verdict.OK
    sync(patient, age="3 hours", mode="full", removed=1)
    assert only(await found(patient)).verdict is Verdict.WARNING


async def test_edits_of_the_same_day_are_no_sign(patient: Patient) -> None:
    count(patient, age="3 days")
    sync(patient, age="2 days 12 hours", updated=1)
    assert only(await found(patient)).verdict is Verdict.OK


async def test_events_that_nearly_all_find_nothing_are_told(patient: Patient) -> None:
    count(patient, age="2 hours", events=200, found_nothing=189)
    assert only(await found(patient)).verdict is Verdict.OK
    count(patient, age="30 hours", events=200, found_nothing=200)
    finding = only(await found(patient))
    assert finding.verdict is Verdict.WARNING
    assert finding.message == "of 400 events of Notion's webhooks in 7 days, 389 named nothing that is copied"


async def test_a_few_events_in_vain_say_nothing(patient: Patient) -> None:
    count(patient, age="2 hours", events=99, found_nothing=99)
    assert only(await found(patient)).verdict is Verdict.OK


async def test_pages_that_wait_are_told_until_a_run_serves_them(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    await mirrored.sync()
    for page in mirrored.workspace.page_ids("Three"):
        event = mirrored.workspace.webhook_event("page.created", page)
        mirrored.execute("SELECT notion_sync.receive_webhook(%s)", Jsonb(event))
    assert {one.verdict for one in await mirrored.found("webhooks")} == {Verdict.OK}
    mirrored.execute("UPDATE notion_sync.sync_requests SET requested_at = requested_at - interval '20 minutes'")
    finding = told(await mirrored.found("webhooks"), "3 pages of which events came, or which were asked for")
    assert (finding.verdict, finding.needs) == (
        Verdict.WARNING,
        "let 'notion-pg-sync sync-all --requested' run every minute",
    )
    assert finding.message.endswith("have been waiting for a run, the first for 20 minutes")
    await mirrored.sync()
    assert {one.verdict for one in await mirrored.found("webhooks")} == {Verdict.OK}


async def test_pages_of_a_user_whom_a_run_has_in_hand_wait_for_that(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Three")
    await mirrored.sync()
    event = mirrored.workspace.webhook_event("page.created", mirrored.workspace.page_ids("Three")[0])
    mirrored.execute("SELECT notion_sync.receive_webhook(%s)", Jsonb(event))
    mirrored.execute("UPDATE notion_sync.sync_requests SET requested_at = requested_at - interval '20 minutes'")
    lease = "UPDATE notion_sync.accounts SET lease_runid = 1, lease_expires_at = now() + %s::interval"
    mirrored.execute(lease, "1 minute")
    assert (await mirrored.one("webhooks")).verdict is Verdict.OK
    mirrored.execute(lease, "-1 minute")
    assert (await mirrored.one("webhooks")).verdict is Verdict.WARNING
