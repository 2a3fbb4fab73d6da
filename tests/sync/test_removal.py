"""What left Notion leaves the copy at the next full read, with the reason; what comes back has its old row id."""

from __future__ import annotations

from uuid import UUID

import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.sync.rows.removing import is_too_much, why_it_left
from tests.installation import Installation, Row


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with two databases in the copy; an hour has passed since."""
    databases = {name: small.databases[name] for name in ("Characters", "Three")}
    await installation.connect("anna", small.tokens["anna"], databases)
    await installation.sync_all()
    installation.workspace.clock.advance(3600)
    return installation


async def removed(installation: Installation) -> dict[str, str]:
    rows = await installation.execute("SELECT page_id, reason FROM notion_sync.removed_pages")
    return {row["page_id"]: row["reason"] for row in rows}


async def rows_of(installation: Installation, small: SmallWorkspace, name: str) -> dict[str, Row]:
    return await installation.mirrored("anna", small.data_sources[name])


async def test_each_way_to_leave_is_told_apart(anna: Installation, small: SmallWorkspace) -> None:
    pages = anna.workspace.page_ids("Characters")
    before = await rows_of(anna, small, "Characters")
    anna.workspace.trash_page(pages[0])
    anna.workspace.archive_page(pages[1])
    anna.workspace.delete_page(pages[2])
    anna.workspace.move_page(pages[3], "Notes")
    totals = (await anna.sync_all()).totals
    assert totals.removed == 4
    assert await removed(anna) == {
        pages[0]: "trashed",
        pages[1]: "archived",
        pages[2]: "not_found",
        pages[3]: "not_found",  # anna's connection does not see the database that it is in now
    }
    assert (await rows_of(anna, small, "Characters")).keys() == before.keys() - set(pages[:4])
    kept = await anna.execute("SELECT row ->> 'name' AS name FROM notion_sync.removed_pages WHERE reason = 'trashed'")
    assert kept == [{"name": before[pages[0]]["name"]}]


async def test_a_page_that_moved_to_another_mirrored_database_is_there_then(
    anna: Installation, small: SmallWorkspace
) -> None:
    page = anna.workspace.page_ids("Characters")[0]
    anna.workspace.move_page(page, "Three")
    await anna.sync_all()
    assert await removed(anna) == {page: "moved"}
    assert page in await rows_of(anna, small, "Three")
    databases = {name: small.databases[name] for name in ("Characters", "Three")}
    assert await anna.differences("anna", "anna", databases) == []


async def test_a_page_that_comes_back_has_its_old_row_id(anna: Installation, small: SmallWorkspace) -> None:
    page = anna.workspace.page_ids("Characters")[0]
    row_id = (await rows_of(anna, small, "Characters"))[page]["id"]
    anna.workspace.trash_page(page)
    await anna.sync_all()
    assert page not in await rows_of(anna, small, "Characters")
    anna.workspace.restore_page(page)
    await anna.sync_all()
    assert (await rows_of(anna, small, "Characters"))[page]["id"] == row_id


async def test_a_row_that_a_listing_left_out_is_asked_for_and_stays(anna: Installation, small: SmallWorkspace) -> None:
    left_out = anna.workspace.page_ids("Characters")[5]

    def without_one(body: dict[str, object]) -> dict[str, object]:
        results = body["results"]
        assert isinstance(results, list)
        return {**body, "results": [page for page in results if page["id"] != left_out]}

    anna.workspace.faults.add("rewrite", path="/query$", rewrite=without_one)
    anna.workspace.edit_page(left_out, {"Age": 4711})
    totals = (await anna.sync_all()).totals
    assert totals.removed == 0
    assert (await rows_of(anna, small, "Characters"))[left_out]["fields"]["age"] == 4711


async def test_more_than_half_is_held_back_until_somebody_allows_it(anna: Installation, small: SmallWorkspace) -> None:
    pages = anna.workspace.page_ids("Characters")
    for page in pages[:25]:
        anna.workspace.delete_page(page)
    anna.workspace.edit_page(pages[30], {"Age": 4711})
    outcome = await anna.sync_all()
    assert "25 rows were not found in Notion" in outcome.failures[0]
    said = "To take these 25 rows out of the table (notion_sync.removed_pages keeps them), type: "
    assert outcome.failures[0].endswith(f"{said}notion-pg-sync sync anna Characters --allow-removal")
    rows = await rows_of(anna, small, "Characters")
    assert len(rows) == 40
    assert rows[pages[30]]["fields"]["age"] == 4711
    allowed = await anna.sync_one("anna", "Characters", allow_removal=True)
    assert allowed.failures == []
    assert allowed.totals.removed == 25
    assert (await anna.sync_all()).failures == []


async def test_what_notion_says_was_trashed_needs_no_permission(anna: Installation, small: SmallWorkspace) -> None:
    pages = anna.workspace.page_ids("Characters")
    for page in pages[:30]:
        anna.workspace.trash_page(page)
    outcome = await anna.sync_all()
    assert outcome.failures == []
    assert outcome.totals.removed == 30
    assert (await rows_of(anna, small, "Characters")).keys() == set(pages[30:])


async def test_of_more_than_half_only_what_notion_says_nothing_of_is_held_back(
    anna: Installation, small: SmallWorkspace
) -> None:
    pages = anna.workspace.page_ids("Characters")
    for page in pages[:10]:
        anna.workspace.trash_page(page)
    for page in pages[10:31]:
        anna.workspace.delete_page(page)
    outcome = await anna.sync_all()
    assert "21 rows were not found in Notion" in outcome.failures[0]
    assert outcome.totals.removed == 10
    assert (await rows_of(anna, small, "Characters")).keys() == set(pages[10:])


async def test_most_of_many_rows_may_be_trashed_at_once(installation: Installation, small: SmallWorkspace) -> None:
    workspace = installation.workspace
    handle = workspace.add_generated_database("Many", rows=500)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": handle.id})
    await installation.sync_all()
    for page in workspace.page_ids("Many")[:300]:
        workspace.trash_page(page)
    outcome = await installation.sync_all(full=True, requests_per_minute=10_000)
    assert outcome.failures == []
    assert outcome.totals.removed == 300
    assert await installation.differences("anna", "anna", {"Many": handle.id}) == []


async def test_many_rows_are_removed_after_a_second_listing_without_asking_for_each(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    handle = workspace.add_generated_database("Many", rows=600)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": handle.id})
    await installation.sync_all()
    for page in workspace.page_ids("Many")[:250]:
        workspace.trash_page(page)
    workspace.requests.clear()
    outcome = await installation.sync_all(full=True)
    assert outcome.failures == []
    assert outcome.totals.removed == 250
    assert set((await removed(installation)).values()) == {"missing"}
    assert "page" not in workspace.requests.counts()
    assert await installation.differences("anna", "anna", {"Many": handle.id}) == []


async def test_a_row_that_a_foreign_key_holds_stays_and_is_reported(anna: Installation, small: SmallWorkspace) -> None:
    held, free = anna.workspace.page_ids("Characters")[:2]
    await anna.execute("CREATE TABLE notes (about uuid REFERENCES notion_characters_sync (id))")
    await anna.execute("INSERT INTO notes SELECT id FROM notion_characters_sync WHERE notion_page_id = %s", held)
    anna.workspace.trash_page(held)
    anna.workspace.trash_page(free)
    outcome = await anna.sync_all()
    assert outcome.totals.removed == 1
    assert held in await rows_of(anna, small, "Characters")
    run = next(run for account in outcome.accounts for name, run in account.databases.items() if name == "Characters")
    assert "foreign keys keep 1 row that left Notion." in (run.message or "")


@pytest.mark.parametrize("trouble", ["unshare", "revoke"])
async def test_a_database_that_cannot_be_read_any_more_keeps_its_rows(
    anna: Installation, small: SmallWorkspace, trouble: str
) -> None:
    if trouble == "unshare":
        anna.workspace.unshare("anna", "Characters")
    else:
        anna.workspace.revoke_token("anna")
    outcome = await anna.sync_all()
    assert outcome.failures != []
    assert len(await rows_of(anna, small, "Characters")) == 40
    assert await removed(anna) == {}


async def test_rows_of_a_data_source_that_was_removed_go(installation: Installation, small: SmallWorkspace) -> None:
    await installation.connect("ben", small.tokens["ben"], {"Library": small.databases["Library"]})
    first = await installation.sync_all()
    source = installation.workspace.add_data_source(
        "Library", "Maps", {"Name": {"type": "title"}}, [{"Name": "Old map"}]
    )
    await installation.let_an_hour_go_by()
    second = await installation.sync_all()
    assert second.totals.inserted == 1
    installation.workspace.remove_data_source(source)
    third = await installation.sync_all()
    assert third.totals.removed == 1
    assert await installation.mirrored("ben", source) == {}
    assert first.totals.inserted == 75


async def test_rows_that_an_application_mirrored_before_are_taken_over(
    anna: Installation, small: SmallWorkspace
) -> None:
    columns = "notion_page_id, notion_database_id, user_id, name"
    await anna.execute(
        f"INSERT INTO notion_characters_sync ({columns}) VALUES (%s, %s, %s, %s)",
        "99999999-9999-4999-8999-999999999999",
        small.databases["Characters"].replace("-", ""),
        "anna",
        "long gone",
    )
    await anna.execute(
        "INSERT INTO notion_characters_sync (notion_database_id, user_id, name) VALUES (%s, %s, %s)",
        small.databases["Characters"],
        "anna",
        "not yet in Notion",
    )
    await anna.sync_all()
    assert list((await removed(anna)).values()) == ["not_found"]
    assert await anna.execute("SELECT name FROM notion_characters_sync WHERE notion_page_id IS NULL") == [
        {"name": "not yet in Notion"}
    ]


def test_why_a_page_left() -> None:
    page, source, other = str(UUID(int=1)), str(UUID(int=2)), str(UUID(int=3))
    parent = {"type": "data_source_id", "data_source_id": source}
    here = {"object": "page", "id": page, "parent": parent, "in_trash": False, "is_archived": False}
    assert why_it_left(None, page, source) == "not_found"
    assert why_it_left({**here, "in_trash": True}, page, source) == "trashed"
    assert why_it_left({**here, "is_archived": True}, page, source) == "archived"
    assert why_it_left(here, page, other) == "moved"
    assert why_it_left({**here, "parent": {"type": "page_id", "page_id": other}}, page, source) == "moved"
    assert why_it_left({**here, "parent": {"type": "workspace", "workspace": True}}, page, source) == "moved"
    assert why_it_left(here, page, source.replace("-", "")) is None


@pytest.mark.parametrize(
    ("unseen", "rows", "too_much"), [(20, 20, False), (21, 41, True), (21, 42, False), (500, 1000, False)]
)
def test_how_much_is_too_much(unseen: int, rows: int, *, too_much: bool) -> None:
    assert is_too_much(unseen, rows) == too_much
