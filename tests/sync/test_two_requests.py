"""Nothing changed: two requests a data source, at once. Its database is asked for hourly, and when something is odd."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from notion_workspace import Request, SampleWorkspace, SmallWorkspace
from notion_workspace.literals import number, relation, rich_text, rollup, title

from tests.installation import Installation

# Few enough rows for one query, and too many: where nothing changed, they are read whole and where they were edited.
FEW, MANY = 20, 120
LEAST = {"data_source": 1, "query": 1}
WITH_DATABASE = {"database": 1, **LEAST}
# What was asked for ahead is dropped, and all is asked for anew.
ODD = {"database": 1, "data_source": 2, "query": 2}

QUICK: dict[str, Any] = {"first_back_off": 0.001}


class Notes:
    """A database of anna's that was just synced."""

    def __init__(self, installation: Installation, database_id: str, source_id: str) -> None:
        self.installation, self.workspace = installation, installation.workspace
        self.id, self.source = database_id, source_id

    async def sync(self, **settings: Any) -> list[str]:
        """Syncs everything; returns the error codes."""
        self.workspace.requests.clear()
        outcome = await self.installation.sync_all(**QUICK, **settings)
        self.totals = outcome.totals
        return [run.error_code for run in outcome.accounts[0].databases.values() if run.error_code]

    def asked(self) -> dict[str, int]:
        return self.workspace.requests.counts()

    async def rows(self) -> int:
        (found,) = await self.installation.execute("SELECT count(*) AS rows FROM notion_pages_sync")
        return int(found["rows"])

    async def is_exact(self) -> bool:
        return await self.installation.differences("anna", "anna", {"Notes": self.id}) == []

    async def write_configuration(self, databases: object) -> None:
        await self.installation.execute("UPDATE user_settings SET notion_databases = %s", json.dumps(databases))


def add_notes(workspace: SampleWorkspace, rows: int) -> Any:
    handle = workspace.add_database(
        "Notes", {"Name": title(), "Size": number()}, [{"Name": f"Note {row}", "Size": row} for row in range(rows)]
    )
    workspace.share("anna", handle.id)
    return handle


async def connected(installation: Installation, small: SmallWorkspace, rows: int) -> Notes:
    handle = add_notes(installation.workspace, rows)
    await installation.connect("anna", small.tokens["anna"], {"Notes": handle.id})
    installation.workspace.clock.advance(3600)
    notes = Notes(installation, handle.id, handle.data_source_id)
    assert await notes.sync() == []
    assert notes.asked() == WITH_DATABASE if rows <= 100 else notes.asked()["database"] == 1
    installation.workspace.clock.advance(600)
    return notes


@pytest.fixture
async def notes(installation: Installation, small: SmallWorkspace) -> Notes:
    return await connected(installation, small, FEW)


# --- nothing changed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [FEW, MANY])
async def test_nothing_changed_costs_two_requests_in_one_round_trip(
    installation: Installation, small: SmallWorkspace, rows: int
) -> None:
    notes = await connected(installation, small, rows)
    # Neither is answered before the other is asked; were they not at once, each would be cut, and made again.
    notes.workspace.faults.add("pair", times=2, seconds=10)
    assert await notes.sync() == []
    assert (notes.asked(), notes.totals.requests, notes.totals.retries) == (LEAST, 2, 0)
    written = (notes.totals.inserted, notes.totals.updated, notes.totals.removed)
    assert written == (0, 0, 0)
    assert notes.totals.rows_read == (FEW if rows == FEW else 0)


async def test_each_data_source_of_a_database_costs_two_requests(
    installation: Installation, small: SmallWorkspace
) -> None:
    library = small.databases["Library"]
    await installation.connect("ben", small.tokens["ben"], {"Library": library})
    await installation.sync_all()
    sources = installation.data_sources_of(library)
    assert len(sources) > 1
    installation.workspace.requests.clear()
    installation.workspace.faults.add("pair", times=2 * len(sources), seconds=10)
    assert (await installation.sync_all(**QUICK)).failures == []
    paths = Counter(one.path.partition("/query")[0] for one in installation.workspace.requests.all())
    assert paths == {f"/v1/data_sources/{source}": 2 for source in sources}


@pytest.mark.parametrize("rows", [FEW, MANY])
async def test_what_was_edited_comes_with_the_same_two_requests(
    installation: Installation, small: SmallWorkspace, rows: int
) -> None:
    notes = await connected(installation, small, rows)
    notes.workspace.edit_page(notes.workspace.page_ids(notes.source)[0], {"Size": 1000})
    notes.workspace.add_page(notes.source, {"Name": "New"})
    assert await notes.sync() == []
    assert notes.asked() == LEAST
    assert (notes.totals.inserted, notes.totals.updated) == (1, 1)
    assert await notes.is_exact()


async def test_it_stays_so(notes: Notes) -> None:
    for _ in range(3):
        assert await notes.sync() == []
        assert notes.asked() == LEAST


async def test_a_long_relation_of_a_small_one_costs_a_request_a_hundred_pages(
    installation: Installation, small: SmallWorkspace
) -> None:
    """And each rollup over it one more: all of it may have changed, and moved no edit time."""
    notes = await connected(installation, small, FEW)
    workspace = notes.workspace
    far = workspace.add_database("Far", {"Name": title(), "Size": number()}, [{"Name": f"{n}"} for n in range(140)])
    workspace.share("anna", far.id)
    workspace.add_property(notes.source, "Far", relation(far.data_source_id))
    workspace.add_property(notes.source, "Most", rollup("Far", "Size", "max"))
    page = workspace.page_ids(notes.source)[0]
    for pages, requests in ((25, 0), (40, 2), (140, 4)):
        workspace.edit_page(page, {"Far": workspace.page_ids(far.data_source_id)[:pages]})
        assert await notes.sync() == []
        assert await notes.sync() == []
        extra = {"property_item": requests} if requests else {}
        assert notes.asked() == LEAST | extra


async def test_no_more_is_said_to_postgresql_than_where_the_database_is_asked_for(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    execute = psycopg.AsyncCursor.execute

    async def listened(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        said.append(str(query))
        return await execute(cursor, query, *arguments, **options)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", listened)
    await notes.installation.let_an_hour_go_by()
    counts = []
    for asked in (WITH_DATABASE, LEAST):
        said.clear()
        assert await notes.sync() == []
        assert notes.asked() == asked
        counts.append((len(said), sum("set_config" in one or "SET LOCAL" in one for one in said)))
    (before, settings_before), (now, settings_now) = counts
    # Each transaction begins by its settings.
    assert now < before
    assert 0 < settings_now <= settings_before


# --- when the database is asked for ------------------------------------------------------------------------------


async def test_the_database_is_asked_for_once_an_hour(notes: Notes) -> None:
    await notes.installation.let_an_hour_go_by()
    assert await notes.sync() == []
    assert notes.asked() == WITH_DATABASE
    assert await notes.sync() == []
    assert notes.asked() == LEAST


async def test_it_is_asked_for_where_the_hour_lies_in_the_future(notes: Notes) -> None:
    await notes.installation.execute("UPDATE notion_sync.databases SET listed_at = listed_at + interval '1 day'")
    assert await notes.sync() == []
    assert notes.asked() == WITH_DATABASE


@pytest.mark.parametrize("settings", [{"full": True}, {"dry_run": True}])
async def test_it_is_asked_for_by_who_wants_to_be_sure(notes: Notes, settings: dict[str, Any]) -> None:
    assert await notes.sync(**settings) == []
    assert notes.asked() == WITH_DATABASE
    assert await notes.sync() == []
    assert notes.asked() == LEAST


async def test_it_is_asked_for_before_the_copy_is_verified(notes: Notes) -> None:
    notes.workspace.add_data_source(notes.id, "More", {"Name": title()}, [{"Name": "One more"}])
    outcome = await notes.installation.sync_all(verify=True)
    (verified,) = outcome.accounts[0].verified.values()
    assert verified.differences == ()
    assert await notes.rows() == FEW + 1


async def test_it_is_asked_for_by_a_sync_of_this_very_database(notes: Notes) -> None:
    second = notes.workspace.add_data_source(notes.id, "More", {"Name": title()}, [{"Name": "One more"}])
    assert (await notes.installation.sync_one("anna", "Notes")).failures == []
    assert len(await notes.installation.mirrored("anna", second)) == 1


@pytest.mark.parametrize("is_everything", [False, True])
async def test_it_is_asked_for_where_somebody_requested_a_sync(notes: Notes, *, is_everything: bool) -> None:
    await notes.installation.execute(
        "INSERT INTO notion_sync.sync_requests (user_id, database_id) VALUES ('anna', %s)",
        None if is_everything else notes.id,
    )
    assert await notes.sync() == []
    assert notes.asked() == WITH_DATABASE


async def test_it_is_asked_for_where_it_is_configured_otherwise(notes: Notes) -> None:
    await notes.write_configuration({"Jottings": notes.id})
    assert await notes.sync() == []
    assert notes.asked() == WITH_DATABASE
    assert await notes.sync() == []
    assert notes.asked() == LEAST


async def test_it_is_asked_for_after_a_run_that_failed(notes: Notes) -> None:
    notes.workspace.faults.add("not_json", path="/query$", times=100)
    assert await notes.sync() == ["not_json"]
    notes.workspace.faults.clear()
    assert await notes.sync() == []
    assert notes.asked() == WITH_DATABASE
    assert await notes.sync() == []
    assert notes.asked() == LEAST


async def test_it_is_asked_for_after_a_run_that_was_killed(notes: Notes) -> None:
    await notes.installation.execute(
        "UPDATE notion_sync.databases SET last_status = 'running';"
        "UPDATE notion_sync.database_runs SET status = 'running', end_time = NULL"
    )
    assert await notes.sync() == []
    assert notes.asked() == WITH_DATABASE


async def test_a_database_under_the_id_of_a_data_source_is_asked_for_each_time(notes: Notes) -> None:
    await notes.write_configuration({"Notes": notes.source})
    for _ in range(2):
        assert await notes.sync() == []
        assert notes.asked()["database"] == 2


# --- what is odd -------------------------------------------------------------------------------------------------


async def test_another_schema_drops_what_was_asked_for_ahead(notes: Notes) -> None:
    notes.workspace.add_property(notes.source, "Mood", rich_text())
    page = notes.workspace.page_ids(notes.source)[0]
    notes.workspace.set_quietly(page, {"Mood": "calm"})
    assert await notes.sync() == []
    assert notes.asked() == ODD
    assert await notes.is_exact()
    assert await notes.sync() == []
    assert notes.asked() == LEAST


async def test_rows_that_are_older_than_the_schema_are_not_taken_for_its_rows(notes: Notes) -> None:
    """A property and its values come between the two answers, and move no edit time."""
    workspace = notes.workspace
    page = workspace.page_ids(notes.source)[0]

    def comes_between(request: Request) -> None:
        if not request.path.endswith(notes.source) or workspace.state.data_sources[notes.source].find_property("Mood"):
            return
        if notes.asked().get("query"):
            workspace.add_property(notes.source, "Mood", rich_text())
            workspace.set_quietly(page, {"Mood": "calm"})
        else:
            workspace.faults.add("503", times=1, path=f"{notes.source}$")

    workspace.on_request(comes_between)
    notes.workspace.requests.clear()
    assert (await notes.installation.sync_all(first_back_off=0.2)).failures == []
    assert await notes.is_exact()
    assert (await notes.installation.mirrored("anna", notes.source))[page]["properties"]["Mood"] is not None


async def test_a_row_that_left_is_removed_once_the_database_is_asked_for(notes: Notes) -> None:
    first, second = notes.workspace.page_ids(notes.source)[:2]
    notes.workspace.trash_page(first)
    notes.workspace.edit_page(second, {"Size": 99})
    assert await notes.sync() == []
    assert notes.asked() == {"database": 1, "data_source": 2, "query": 2, "page": 1}
    totals = notes.totals
    assert (totals.removed, await notes.rows()) == (1, FEW - 1)
    # They were read twice, and count once.
    assert (totals.rows_read, totals.updated, totals.unchanged) == (FEW - 1, 1, FEW - 2)
    assert await notes.sync() == []
    assert notes.asked() == LEAST


@pytest.mark.parametrize("rows", [FEW, MANY])
async def test_a_database_in_the_trash_keeps_its_rows(
    installation: Installation, small: SmallWorkspace, rows: int
) -> None:
    notes = await connected(installation, small, rows)
    notes.workspace.trash_database(notes.id)
    for _ in range(2):
        assert await notes.sync() == ["in_trash"]
        assert await notes.rows() == rows
    notes.workspace.restore_database(notes.id)
    assert await notes.sync() == []
    assert notes.asked()["database"] == 1


def not_in_the_trash(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "in_trash": False}


async def test_so_it_does_where_its_data_source_does_not_say_that_it_is_there(notes: Notes) -> None:
    notes.workspace.trash_database(notes.id)
    notes.workspace.faults.add("rewrite", path="/data_sources/[^/]*$", rewrite=not_in_the_trash)
    assert await notes.sync() == ["in_trash"]
    assert (notes.asked()["database"], await notes.rows()) == (1, FEW)


async def test_within_the_hour_a_long_one_finds_nothing_and_keeps_its_rows(
    installation: Installation, small: SmallWorkspace
) -> None:
    notes = await connected(installation, small, MANY)
    notes.workspace.trash_database(notes.id)
    notes.workspace.faults.add("rewrite", path="/data_sources/[^/]*$", rewrite=not_in_the_trash)
    assert await notes.sync() == []
    await installation.let_an_hour_go_by()
    assert await notes.sync() == ["in_trash"]
    assert await notes.rows() == MANY


@pytest.mark.parametrize("rows", [FEW, MANY])
async def test_a_daily_full_read_asks_for_the_database_where_it_is_long(
    installation: Installation, small: SmallWorkspace, rows: int
) -> None:
    notes = await connected(installation, small, rows)
    await installation.execute("UPDATE notion_sync.data_sources SET full_as_of = full_as_of - interval '2 days'")
    assert await notes.sync() == []
    assert notes.asked().get("database", 0) == (0 if rows == FEW else 1)
    assert notes.totals.rows_read == rows


def unshare(notes: Notes) -> None:
    notes.workspace.unshare("anna", notes.id)


def delete(notes: Notes) -> None:
    notes.workspace.delete_database(notes.id)


@pytest.mark.parametrize("gone", [unshare, delete])
async def test_a_database_that_cannot_be_read_any_more_keeps_its_rows(
    notes: Notes, gone: Callable[[Notes], None]
) -> None:
    gone(notes)
    for _ in range(2):
        assert await notes.sync() == ["object_not_found"]
        assert notes.asked()["database"] == 1
        assert await notes.rows() == FEW


@pytest.mark.parametrize(
    "path", [r"/data_sources/[^/]*$", r"/query$"], ids=["its data source is malformed", "its rows are malformed"]
)
async def test_a_malformed_answer_is_doubted(notes: Notes, path: str) -> None:
    nonsense = {"properties": 1, "results": 1}
    notes.workspace.faults.add("rewrite", path=path, times=1, rewrite=lambda body: {**body, **nonsense})
    assert await notes.sync() == []
    assert notes.asked()["database"] == 1
    assert await notes.is_exact()


async def test_a_data_source_that_was_added_comes_within_the_hour(notes: Notes) -> None:
    second = notes.workspace.add_data_source(notes.id, "More", {"Name": title()}, [{"Name": "One more"}])
    assert await notes.sync() == []
    assert notes.asked() == LEAST
    await notes.installation.let_an_hour_go_by()
    assert await notes.sync() == []
    assert len(await notes.installation.mirrored("anna", second)) == 1
    assert await notes.sync() == []
    assert notes.asked() == {"data_source": 2, "query": 2}


async def test_of_one_that_was_removed_the_rows_go_at_once_and_of_the_other_nothing_does(notes: Notes) -> None:
    second = notes.workspace.add_data_source(notes.id, "More", {"Name": title()}, [{"Name": "One more"}])
    await notes.installation.let_an_hour_go_by()
    assert await notes.sync() == []
    notes.workspace.remove_data_source(second)
    assert await notes.sync() == []
    assert (notes.totals.removed, await notes.rows()) == (1, FEW)
    # Once more, since rows had gone; then no more.
    assert [await notes.sync(), notes.asked()] == [[], WITH_DATABASE]
    assert [await notes.sync(), notes.asked()] == [[], LEAST]


async def test_while_one_of_two_is_in_the_trash_the_database_is_asked_for_each_time(notes: Notes) -> None:
    second = notes.workspace.add_data_source(notes.id, "More", {"Name": title()}, [{"Name": "One more"}])
    await notes.installation.let_an_hour_go_by()
    assert await notes.sync() == []
    notes.workspace.trash_data_source(second)
    for _ in range(3):
        assert await notes.sync() == []
        assert (notes.asked()["database"], await notes.rows()) == (1, FEW)
    notes.workspace.restore_data_source(second)
    assert await notes.sync() == []
    assert await notes.rows() == FEW + 1


async def test_one_that_is_removed_once_it_was_read_is_not_what_is_left_of_its_database(notes: Notes) -> None:
    workspace = notes.workspace
    workspace.add_data_source(notes.id, "More", {"Name": title()}, [{"Name": "One more"}])
    await notes.installation.let_an_hour_go_by()
    assert await notes.sync() == []
    first, second = sorted(notes.installation.data_sources_of(notes.id))

    def removes(request: Request) -> None:
        if second in request.path and first in workspace.state.data_sources:
            workspace.remove_data_source(first)
            workspace.trash_data_source(second)

    workspace.on_request(removes)
    assert await notes.sync() == ["in_trash"]
    assert await notes.rows() == FEW + 1


async def test_a_data_source_that_moved_to_another_database_keeps_its_rows(notes: Notes, small: SmallWorkspace) -> None:
    workspace = notes.workspace
    other = workspace.add_database("Other", {"Name": title()}, [{"Name": "a"}])
    workspace.share("anna", other.id)
    await notes.write_configuration({"Notes": notes.id, "Other": other.id})
    assert await notes.sync() == []
    workspace.state.databases[notes.id].data_source_ids.remove(notes.source)
    workspace.state.databases[other.id].data_source_ids.append(notes.source)
    workspace.state.data_sources[notes.source].database_id = other.id
    assert await notes.sync() == []
    await notes.installation.let_an_hour_go_by()
    assert await notes.sync() == ["no_data_source"]
    assert await notes.rows() == FEW + 1


# --- what is excluded --------------------------------------------------------------------------------------------


def asked_for(notes: Notes) -> list[list[str]]:
    queries = [one.path for one in notes.workspace.requests.all() if one.kind == "query"]
    return [parse_qs(urlsplit(path).query).get("filter_properties", []) for path in queries]


async def test_where_something_is_excluded_the_query_waits_for_the_schema(notes: Notes) -> None:
    await notes.write_configuration({"Notes": {"id": notes.id, "exclude": ["Size"]}})
    assert await notes.sync() == []
    assert await notes.sync() == []
    assert [one.kind for one in notes.workspace.requests.all()] == ["data_source", "query"]
    assert asked_for(notes) == [["title"]]
    # By its name, what was copied until now is excluded from now on: no query asks for it.
    notes.workspace.add_property(notes.source, "Mood", rich_text())
    assert await notes.sync() == []
    (mood,) = {*asked_for(notes)[-1]} - {"title"}
    notes.workspace.remove_property(notes.source, "Size")
    notes.workspace.rename_property(notes.source, "Mood", "Size")
    assert await notes.sync() == []
    assert asked_for(notes)
    assert all(mood not in asked for asked in asked_for(notes))


async def test_what_is_excluded_from_now_on_is_not_asked_for_ahead(notes: Notes) -> None:
    await notes.write_configuration({"Notes": {"id": notes.id, "exclude": ["Size"]}})
    assert await notes.sync() == []
    assert set(map(tuple, asked_for(notes))) == {("title",)}
    (found,) = await notes.installation.execute("SELECT count(*) AS n FROM notion_pages_sync WHERE fields ? 'size'")
    assert found["n"] == 0
