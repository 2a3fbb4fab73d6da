"""A page that is asked for is read by its id, at one request to Notion, and goes the way of every row."""

from __future__ import annotations

from typing import Any

import pytest
from notion_workspace import Request, SmallWorkspace
from notion_workspace.literals import number, title

from notion_pg_sync.mirror.runs import Counts, DatabaseRun
from notion_pg_sync.sync.run.listener import ProgressKey, SilentListener
from notion_pg_sync.sync.run.run import sync_all
from tests.installation import Installation, Row
from tests.sync.asking import Asking

pytestmark = pytest.mark.slow

NAMES = ("Characters", "Notes", "Three", "Worlds")
QUICK: dict[str, Any] = {"first_back_off": 0.001}


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Asking:
    """A user whose databases were synced, and who is synced from now on only as far as somebody asks for it."""
    asking = Asking(installation, "anna", {name: small.databases[name] for name in NAMES})
    installation.workspace.share("anna", small.databases["Notes"])
    await installation.connect("anna", small.tokens["anna"], asking.databases)
    installation.workspace.clock.advance(3600)
    assert (await installation.sync_all()).failures == []
    await installation.execute("UPDATE user_settings SET auto_sync_enabled = false")
    installation.workspace.clock.advance(600)
    installation.workspace.requests.clear()
    return asking


async def xmins(anna: Asking, page: str) -> list[Row]:
    """Which transactions have written the page's row, and what is noted of it."""
    return await anna.execute(
        "SELECT r.xmin::text AS row, n.xmin::text AS note, encode(n.answer_hash, 'hex') AS answer"
        " FROM notion_characters_sync AS r JOIN notion_sync.pages AS n ON n.page_id = r.page_id WHERE r.page_id = %s",
        page,
    )


async def test_an_edited_page_costs_one_request(anna: Asking) -> None:
    page = anna.pages("Characters")[3]
    anna.workspace.edit_page(page, {"Age": 4711})
    request = await anna.ask_page("Characters", page)
    assert (await anna.sync()).failures == []
    assert anna.asked() == {"page": 1}
    assert (await anna.rows("Characters"))[page]["fields"]["age"] == 4711
    assert await anna.answers() == {request: ("succeeded", "ok", "1 row read, updated.")}


async def test_of_a_page_that_is_as_it_was_nothing_is_written(anna: Asking) -> None:
    page = anna.pages("Characters")[3]
    before = await xmins(anna, page)
    assert before[0]["answer"]
    request = await anna.ask_page("Characters", page)
    await anna.sync()
    assert await xmins(anna, page) == before
    assert await anna.answers() == {request: ("succeeded", "ok", "1 row read, nothing changed.")}


async def test_pages_of_a_database_are_asked_for_at_once_and_written_together(anna: Asking) -> None:
    pages = anna.pages("Characters")[:30]
    for page in pages:
        anna.workspace.edit_page(page, {"Age": 99})
    requests = [await anna.ask_page("Characters", page) for page in pages]
    # None of two is answered before the other is asked.
    anna.workspace.faults.add("pair", times=2, seconds=10)
    outcome = await anna.sync(**QUICK)
    assert outcome.failures == []
    assert outcome.message() == "30 pages read by id: 0 inserted, 30 updated, 0 removed, 0 unchanged."
    assert anna.asked() == {"page": 30}
    assert {status for status, _, _ in (await anna.answers()).values()} == {"succeeded"}
    assert len(await anna.answers()) == len(set(requests)) == 30
    written = await anna.execute("SELECT DISTINCT xmin::text FROM notion_characters_sync WHERE fields ->> 'age' = '99'")
    assert len(written) == 1
    assert await anna.differences("Characters") == []


async def test_who_watches_is_told_of_its_beginning_first(anna: Asking) -> None:
    class Watching(SilentListener):
        def __init__(self) -> None:
            self.told: list[str] = []

        def started(self, database: ProgressKey) -> None:
            self.told.append(f"started {database.name}")

        def progressed(self, database: ProgressKey, counts: Counts, *, expected: int | None, waiting: bool) -> None:
            self.told.append(f"progressed {database.name}: {counts.rows_read}")

        def ended(self, database: ProgressKey, run: DatabaseRun) -> None:
            self.told.append(f"ended {database.name}: {run.message}")

    await anna.ask_page("Characters", anna.pages("Characters")[0])
    watching = Watching()
    await sync_all(anna.installation.settings, watching, "notion-pg-sync sync-all", None)
    assert watching.told == ["started Characters", "progressed Characters: 1", "ended Characters: 1 page read by id."]


@pytest.mark.parametrize("name", NAMES)
async def test_a_new_page_is_inserted_and_counted(anna: Asking, name: str) -> None:
    page = anna.workspace.add_page(name, {"Name": "New"})
    request = await anna.ask_page(name, page)
    await anna.sync()
    assert anna.asked() == {"page": 1}
    assert page in await anna.rows(name)
    assert await anna.answers() == {request: ("succeeded", "ok", "1 row read, inserted.")}
    assert await anna.are_rows_counted()
    assert await anna.differences(name) == []


async def test_the_next_sync_finds_the_rows_as_they_should_be(anna: Asking) -> None:
    added = anna.workspace.add_page("Notes", {"Name": "New"})
    trashed = anna.pages("Notes")[0]
    anna.workspace.trash_page(trashed)
    await anna.ask_page("Notes", added)
    await anna.ask_page("Notes", trashed)
    await anna.sync()
    await anna.execute("UPDATE user_settings SET auto_sync_enabled = true")
    outcome = await anna.sync()
    # It has too many rows for one query: were their number not as it should be, it would be read whole.
    assert outcome.accounts[0].databases["Notes"].mode == "incremental"
    assert (outcome.totals.inserted, outcome.totals.removed) == (0, 0)
    assert await anna.differences() == []


async def test_each_way_to_leave_is_told_apart(anna: Asking) -> None:
    pages = anna.pages("Characters")[:4]
    anna.workspace.trash_page(pages[0])
    anna.workspace.archive_page(pages[1])
    anna.workspace.delete_page(pages[2])
    anna.workspace.move_page(pages[3], "Private")
    for page in pages:
        await anna.ask_page("Characters", page)
    assert (await anna.sync()).failures == []
    # The data source is asked for once, since all pages of what is in the trash, or is not shared any more, are gone.
    assert anna.asked() == {"page": 4, "data_source": 1}
    assert await anna.removed() == dict(zip(pages, ("trashed", "archived", "not_found", "not_found"), strict=True))
    assert not (await anna.rows("Characters")).keys() & set(pages)
    assert await anna.are_rows_counted()
    assert await anna.differences("Characters") == []
    assert {status for status, _, _ in (await anna.answers()).values()} == {"succeeded"}


@pytest.mark.parametrize("home", ["Three", "Notes"])
async def test_a_page_that_moved_to_another_database_of_the_copy_is_there_then(anna: Asking, home: str) -> None:
    page = anna.pages("Characters")[0]
    anna.workspace.move_page(page, home)
    request = await anna.ask_page("Characters", page)
    assert (await anna.sync()).failures == []
    assert page in await anna.rows(home)
    assert page not in await anna.rows("Characters")
    assert await anna.removed() == {page: "moved"}
    assert await anna.are_rows_counted()
    assert await anna.differences("Characters", home) == []
    assert (await anna.answers())[request][0] == "succeeded"


async def test_a_page_that_moved_within_a_table_keeps_its_row(anna: Asking) -> None:
    page = anna.pages("Notes")[0]
    row_id = (await anna.rows("Notes"))[page]["id"]
    anna.workspace.move_page(page, "Three")
    await anna.ask_page("Notes", page)
    await anna.sync()
    assert (await anna.rows("Three"))[page]["id"] == row_id
    assert await anna.are_rows_counted()
    assert await anna.differences("Notes", "Three") == []


async def test_a_page_of_another_database_than_is_said_is_read_where_it_lies(anna: Asking) -> None:
    page = anna.pages("Three")[0]
    anna.workspace.edit_page(page, {"Name": "Edited"})
    request = await anna.ask_page("Characters", page)
    assert (await anna.sync()).failures == []
    assert (await anna.rows("Three"))[page]["title"] == "Edited"
    assert (await anna.answers())[request] == ("succeeded", "ok", "1 row read, updated.")


async def test_a_page_that_neither_notion_nor_the_copy_has_is_told_of(anna: Asking) -> None:
    request = await anna.ask_page("Characters", "0a1b2c3d-0000-4000-8000-00000000000a")
    assert (await anna.sync()).failures == []
    ((status, _, message),) = (await anna.answers()).values()
    assert (status, message[:14]) == ("succeeded", "Nothing to do:")
    assert request in await anna.answers()


async def test_where_the_schema_is_another_the_database_is_synced(anna: Asking) -> None:
    anna.workspace.add_property(anna.source("Characters"), "Height", number())
    page = anna.pages("Characters")[0]
    anna.workspace.edit_page(page, {"Height": 180})
    request = await anna.ask_page("Characters", page)
    assert (await anna.sync()).failures == []
    assert "query" in anna.asked()
    assert (await anna.rows("Characters"))[page]["fields"]["height"] == 180
    status, _, message = (await anna.answers())[request]
    assert (status, message[:14]) == ("succeeded", "40 rows read, ")


async def test_where_the_database_was_never_read_it_is_synced(
    installation: Installation, small: SmallWorkspace
) -> None:
    asking = Asking(installation, "anna", {"Three": small.databases["Three"]})
    await installation.connect("anna", small.tokens["anna"], asking.databases, auto_sync_enabled=False)
    request = await asking.ask_page("Three", asking.pages("Three")[0])
    assert (await asking.sync()).failures == []
    assert len(await asking.rows("Three")) == 3
    assert (await asking.answers())[request][0] == "succeeded"


async def test_a_page_is_no_sync_of_its_database(anna: Asking) -> None:
    kept = (
        "SELECT last_runid, last_status, last_mode, last_started_at, last_ended_at, last_succeeded_at, listed_at,"
        " watermark, fresh_as_of, full_as_of, synced_at, full_read_at, failures_in_a_row"
        " FROM notion_sync.databases JOIN notion_sync.data_sources USING (user_id, database_id) ORDER BY database_id"
    )
    before = await anna.execute(kept)
    page = anna.pages("Characters")[0]
    anna.workspace.edit_page(page, {"Age": 1})
    await anna.ask_page("Characters", page)
    await anna.sync()
    assert await anna.execute(kept) == before
    runs = await anna.execute(
        "SELECT mode, status, rows_read, updated, requests FROM notion_sync.database_runs"
        " WHERE runid = (SELECT max(runid) FROM notion_sync.job_run_details)"
    )
    assert runs == [{"mode": "pages", "status": "succeeded", "rows_read": 1, "updated": 1, "requests": 1}]


async def test_a_page_that_is_read_lifts_no_suspension_and_is_no_failure_of_the_database(anna: Asking) -> None:
    await anna.execute("UPDATE notion_sync.databases SET suspended_since = now(), next_try_at = now() + '1 hour'")
    kept = "SELECT suspended_since, next_try_at FROM notion_sync.databases ORDER BY database_id"
    before = await anna.execute(kept)
    await anna.ask_page("Characters", anna.pages("Characters")[0])
    await anna.sync()
    assert anna.asked() == {"page": 1}
    assert await anna.execute(kept) == before


async def test_one_page_that_notion_fails_for_does_not_stop_the_others(anna: Asking) -> None:
    bad, good = anna.pages("Characters")[:2]
    anna.workspace.edit_page(good, {"Age": 1})
    requests = [await anna.ask_page("Characters", page) for page in (bad, good)]
    anna.workspace.faults.add("500", path=f"/pages/{bad}")
    outcome = await anna.sync(**QUICK)
    answers = await anna.answers()
    assert [answers[request][:2] for request in requests] == [("failed", "failing"), ("succeeded", "ok")]
    assert (await anna.rows("Characters"))[good]["fields"]["age"] == 1
    assert len(outcome.failures) == 1
    assert outcome.failures[0].startswith("anna: Characters, asked for by page: ")


async def test_a_row_that_postgresql_refuses_is_its_requests_failure_alone(anna: Asking) -> None:
    bad, good = anna.pages("Characters")[:2]
    await anna.execute(
        "ALTER TABLE notion_characters_sync ADD CONSTRAINT young CHECK ((fields ->> 'age')::numeric < 200) NOT VALID"
    )
    anna.workspace.edit_page(bad, {"Age": 300})
    anna.workspace.edit_page(good, {"Age": 3})
    requests = [await anna.ask_page("Characters", page) for page in (bad, good)]
    await anna.sync()
    answers = await anna.answers()
    assert [answers[request][0] for request in requests] == ["failed", "succeeded"]
    assert "young" in answers[requests[0]][2]
    assert (await anna.rows("Characters"))[good]["fields"]["age"] == 3


async def test_while_the_database_is_in_the_trash_or_not_shared_its_rows_stay(anna: Asking) -> None:
    page = anna.pages("Characters")[0]
    anna.workspace.unshare("anna", anna.databases["Characters"])
    request = await anna.ask_page("Characters", page)
    assert len((await anna.sync()).failures) == 1
    assert len(await anna.rows("Characters")) == 40
    status, _, message = (await anna.answers())[request]
    assert status == "failed"
    assert "share" in message


async def test_more_than_half_of_a_data_source_is_not_removed_for_requests_either(anna: Asking) -> None:
    pages = anna.pages("Characters")[:25]
    for page in pages:
        anna.workspace.delete_page(page)
        await anna.ask_page("Characters", page)
    assert len((await anna.sync()).failures) == 1
    assert len(await anna.rows("Characters")) == 40
    assert {status for status, _, _ in (await anna.answers()).values()} == {"failed"}


async def test_a_refused_token_is_the_answer_to_every_request(anna: Asking) -> None:
    anna.workspace.revoke_token("anna")
    for page in anna.pages("Characters")[:3]:
        await anna.ask_page("Characters", page)
    await anna.sync()
    answers = (await anna.answers()).values()
    assert {(status, message[:32]) for status, _, message in answers} == {
        ("failed", "Notion does not accept the token")
    }
    assert len(await anna.rows("Characters")) == 40


async def test_a_page_is_read_at_most_once_in_fifty_seconds(anna: Asking) -> None:
    page = anna.pages("Characters")[0]
    await anna.ask_page("Characters", page)
    await anna.sync()
    anna.workspace.requests.clear()
    anna.workspace.edit_page(page, {"Age": 2})
    request = await anna.ask_page("Characters", page)
    with pytest.raises(Exception, match="auto_sync_enabled"):
        await anna.sync()
    assert anna.asked() == {}
    assert (await anna.answers())[request][0] == "waiting"
    await anna.execute("UPDATE notion_sync.sync_requests SET started_at = started_at - interval '50 seconds'")
    await anna.sync()
    assert anna.asked() == {"page": 1}
    assert (await anna.rows("Characters"))[page]["fields"]["age"] == 2


async def test_a_sync_of_the_database_answers_for_its_pages_whenever_they_were_read(anna: Asking) -> None:
    page = anna.pages("Characters")[0]
    await anna.ask_page("Characters", page)
    await anna.sync()
    anna.workspace.requests.clear()
    request = await anna.ask_page("Characters", page)
    assert (await anna.installation.sync_one("anna", "Characters")).failures == []
    assert anna.asked().get("page") is None
    status, _, message = (await anna.answers())[request]
    assert (status, message[:13]) == ("succeeded", "40 rows read,")


async def test_a_sync_that_reads_edits_alone_does_not_answer_for_a_page_that_left(anna: Asking) -> None:
    page = anna.pages("Notes")[0]
    anna.workspace.trash_page(page)
    requests = [await anna.ask_page("Notes", page), await anna.ask_database("Notes")]
    outcome = await anna.installation.sync_one("anna", "Notes")
    assert outcome.accounts[0].databases["Notes"].mode == "incremental"
    assert page not in await anna.rows("Notes")
    answers = await anna.answers()
    assert answers[requests[0]] == ("succeeded", "ok", "1 row removed: the page is in Notion's trash.")
    assert answers[requests[1]][0] == "succeeded"


async def test_a_page_that_moved_to_a_database_that_is_not_synced_now_waits_for_a_run_that_has_it(anna: Asking) -> None:
    page = anna.pages("Notes")[0]
    anna.workspace.move_page(page, "Characters")
    request = await anna.ask_page("Notes", page)
    outcome = await anna.installation.sync_one("anna", "Notes")
    assert outcome.accounts[0].databases["Notes"].mode == "incremental"
    assert (await anna.answers())[request][0] == "waiting"
    assert (await anna.sync()).failures == []
    assert (await anna.answers())[request] == ("succeeded", "ok", "1 row read, updated.")
    assert page not in await anna.rows("Notes")
    assert await anna.differences("Notes", "Characters") == []


async def test_what_is_excluded_is_not_asked_for_either(anna: Asking) -> None:
    await anna.configure({"Characters": {"id": anna.databases["Characters"], "exclude": ["Age"]}})
    page = anna.pages("Characters")[0]
    anna.workspace.edit_page(page, {"Age": 4711, "Name": "Edited"})
    await anna.ask_page("Characters", page)
    assert (await anna.sync()).failures == []
    row = (await anna.rows("Characters"))[page]
    assert row["name"] == "Edited"
    assert "4711" not in str(row)
    anna.workspace.requests.clear()
    await anna.execute("UPDATE notion_sync.sync_requests SET started_at = started_at - interval '50 seconds'")
    anna.workspace.edit_page(page, {"Age": 4712, "Name": "Again"})
    await anna.ask_page("Characters", page)
    assert (await anna.sync()).failures == []
    assert anna.asked() == {"page": 1}
    assert "filter_properties" in str(anna.workspace.requests.all()[0])
    row = (await anna.rows("Characters"))[page]
    assert row["name"] == "Again"
    assert "4712" not in str(row)


async def test_the_body_is_read_where_bodies_are_wanted(anna: Asking) -> None:
    await anna.configure({"Three": {"id": anna.databases["Three"], "bodies": True}})
    await anna.installation.sync_one("anna", "Three")
    page = anna.pages("Three")[0]
    anna.workspace.set_body(page, ["What nobody has read before."])
    anna.workspace.requests.clear()
    request = await anna.ask_page("Three", page)
    assert (await anna.sync()).failures == []
    assert anna.asked()["page"] == 1
    bodies = await anna.execute("SELECT markdown FROM notion_sync.page_bodies WHERE page_id = %s", page)
    assert "nobody has read" in bodies[0]["markdown"]
    assert (await anna.answers())[request][0] == "succeeded"


async def test_every_page_of_the_standard_workspace_goes_the_way_of_its_row(
    installation: Installation, small: SmallWorkspace
) -> None:
    """Long relations, cut values, odd types: nothing is written anew, and what was edited is exact."""
    names = [name for name in small.databases if name not in ("Private", "Tasks")]
    asking = Asking(installation, "anna", {name: small.databases[name] for name in names})
    for database_id in asking.databases.values():
        installation.workspace.share("anna", database_id)
    await installation.connect("anna", small.tokens["anna"], asking.databases)
    await installation.sync_all()
    synced = await installation.execute("SELECT name FROM notion_sync.databases WHERE last_status = 'succeeded'")
    await installation.execute("UPDATE user_settings SET auto_sync_enabled = false")
    for row in synced:
        for source in installation.data_sources_of(asking.databases[row["name"]]):
            for page in await installation.mirrored("anna", source):
                await asking.ask_page(row["name"], page)
    installation.workspace.requests.clear()
    await asking.sync(requests_per_minute=100_000)
    answers = (await asking.answers()).values()
    assert len(answers) > 200
    assert {message for _, _, message in answers if "nothing changed" not in message} == set()
    assert "query" not in asking.asked()


async def test_however_many_are_asked_for_more_than_half_is_not_removed(
    installation: Installation, small: SmallWorkspace
) -> None:
    handle = installation.workspace.add_database("Many", {"Name": title()}, [{"Name": str(row)} for row in range(210)])
    installation.workspace.share("anna", handle.id)
    asking = Asking(installation, "anna", {"Many": handle.id})
    await installation.connect("anna", small.tokens["anna"], asking.databases)
    assert (await asking.sync()).failures == []
    await asking.execute("UPDATE user_settings SET auto_sync_enabled = false")
    for page in asking.pages("Many")[:200]:
        installation.workspace.delete_page(page)
        await asking.ask_page("Many", page)
    assert len((await asking.sync(requests_per_minute=100_000)).failures) == 1
    assert len(await asking.rows("Many")) == 210
    assert {status for status, _, _ in (await asking.answers()).values()} == {"failed"}


async def test_a_page_that_moved_to_a_database_that_cannot_be_synced_is_answered(
    anna: Asking, small: SmallWorkspace
) -> None:
    await anna.configure({"Stories": small.databases["Stories"]})
    page = anna.pages("Characters")[0]
    anna.workspace.move_page(page, "Stories")
    request = await anna.ask_page("Characters", page)
    anna.workspace.faults.add("403_html", path="/query$")
    assert (await anna.sync(**QUICK)).failures != []
    status, health, message = (await anna.answers())[request]
    assert (status, health) == ("succeeded", "degraded")
    assert "status says how" in message


@pytest.mark.parametrize("is_last", [False, True])
async def test_a_page_is_not_read_by_a_schema_that_is_another_before_its_database_is_synced(
    anna: Asking, *, is_last: bool
) -> None:
    home, former = sorted(("Characters", "Three"), key=anna.databases.__getitem__, reverse=is_last)
    anna.workspace.add_property(anna.source(home), "Height", number())
    moved = anna.pages(former)[0]
    anna.workspace.move_page(moved, home)
    anna.workspace.edit_page(moved, {"Height": 180})
    requests = [await anna.ask_page(former, moved), await anna.ask_page(home, anna.pages(home)[0])]
    found: list[Row] = []

    def look(request: Request) -> None:
        if f"{anna.source(home)}/query" in request.path:
            found.extend(anna.installation.execute_at_once("SELECT status FROM notion_sync.sync_requests"))

    anna.workspace.on_request(look)
    assert (await anna.sync()).failures == []
    assert {row["status"] for row in found} == {"running"}
    answers = await anna.answers()
    assert [answers[request][0] for request in requests] == ["succeeded"] * 2
    assert (await anna.rows(home))[moved]["fields"]["height"] == 180


async def test_a_full_read_that_is_carried_on_does_not_answer_for_a_page_that_left_since_it_was_seen(
    installation: Installation, small: SmallWorkspace
) -> None:
    asking = Asking(installation, "anna", {"Characters": small.databases["Characters"]})
    await installation.connect("anna", small.tokens["anna"], asking.databases, auto_sync_enabled=False)
    await asking.ask_database("Characters")
    installation.workspace.faults.add("403_html", path=f"{asking.source('Characters')}/query$", every=3)
    assert (await asking.sync(page_size=10, concurrency=1)).failures != []
    installation.workspace.faults.clear()
    seen = sorted(await asking.rows("Characters"))
    assert 0 < len(seen) < 40
    installation.workspace.trash_page(seen[0])
    request = await asking.ask_page("Characters", seen[0])
    assert (await asking.sync()).failures == []
    assert seen[0] not in await asking.rows("Characters")
    assert (await asking.answers())[request][0] == "succeeded"
    assert await asking.differences() == []
