"""Pages that come as they came before are not read; whatever differs, in the answer or in what is stored, is."""

from __future__ import annotations

from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import files, formula, number, people, relation, rich_text, title, url
from notion_workspace.model import File
from notion_workspace.spelling import SPELLINGS

from tests.installation import Installation

XMINS = "SELECT notion_page_id, xmin::text FROM notion_pages_sync ORDER BY 1"
NOTES = "SELECT page_id::text, xmin::text FROM notion_sync.pages ORDER BY 1"


@pytest.fixture
async def shelf(installation: Installation, small: SmallWorkspace) -> Installation:
    """Ten pages with a file of Notion's, an external one, a link, a text, a number and a person, an hour ago."""
    workspace = installation.workspace
    properties = {
        "Name": title(),
        "Notes": rich_text(),
        "N": number(),
        "Link": url(),
        "Files": files(),
        "Who": people(),
    }
    rows = [
        {
            "Name": f"Book {place}",
            "Notes": f'About "n":{place} and 5/4\n',
            "N": place,
            "Link": "https://x.example/a?X-Amz-Signature=1",
            "Files": [File("a.png", f"a{place}.png"), File("b.png", "https://x.example/b.png?c=1", external=True)],
            "Who": ["Person 00"],
        }
        for place in range(10)
    ]
    handle = workspace.add_database("Shelf", properties, rows)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Shelf": handle.id})
    workspace.clock.advance(3600)
    await synced(installation)
    workspace.clock.advance(3600)
    return installation


async def synced(installation: Installation, **settings: bool) -> tuple[int, int, int]:
    """How many rows a sync read, and how many of them it updated, and left as they were."""
    outcome = await installation.sync_all(None, **settings)
    assert outcome.failures == []
    run = outcome.accounts[0].databases["Shelf"]
    return run.rows_read, run.updated, run.unchanged


async def differing(shelf: Installation) -> list[str]:
    """Where the copy is not as Notion has it."""
    (row,) = await shelf.execute("SELECT notion_databases FROM user_settings WHERE user_id = 'anna'")
    return await shelf.differences("anna", "anna", row["notion_databases"])


async def test_of_pages_as_they_were_none_is_parsed_and_nothing_is_written(
    shelf: Installation, parsed: list[str]
) -> None:
    rows, notes = await shelf.execute(XMINS), await shelf.execute(NOTES)
    assert await synced(shelf, full=True) == (10, 0, 10)
    assert parsed == []
    assert await shelf.execute(XMINS) == rows
    assert await shelf.execute(NOTES) == notes


async def test_only_the_page_that_was_edited_is_parsed(shelf: Installation, parsed: list[str]) -> None:
    page = shelf.workspace.page_ids("Shelf")[0]
    shelf.workspace.edit_page(page, {"N": 99})
    assert await synced(shelf, full=True) == (10, 1, 9)
    assert parsed == [page]
    assert await differing(shelf) == []


@pytest.mark.parametrize("spelling", sorted(SPELLINGS.keys() - {"compact"}))
async def test_answers_written_otherwise_are_parsed_once_and_say_the_same(
    shelf: Installation, parsed: list[str], spelling: str
) -> None:
    rows = await shelf.execute(XMINS)
    shelf.workspace.configure(spelling=spelling)
    # A number of another spelling is stored as it is spelled, once.
    assert await synced(shelf, full=True) == ((10, 10, 0) if spelling == "exponents" else (10, 0, 10))
    assert (await shelf.execute(XMINS) == rows) == (spelling != "exponents")
    assert len(parsed) == 10
    assert await differing(shelf) == []
    parsed.clear()
    assert await synced(shelf, full=True) == (10, 0, 10)
    # A signature is only found where its file is written as Notion writes files.
    assert (parsed == []) == (spelling == "exponents")


@pytest.mark.parametrize(
    "change",
    [
        {"Link": "https://x.example/a?X-Amz-Signature=2"},
        {"Files": [File("a.png", "a0.png"), File("b.png", "https://x.example/b.png?c=2", external=True)]},
        {"Notes": "https://files.example/a.png?X-Amz-Signature=2"},
    ],
)
async def test_a_signature_that_is_no_file_of_notions_is_content(
    shelf: Installation, change: dict[str, object]
) -> None:
    page = shelf.workspace.page_ids("Shelf")[0]
    shelf.workspace.edit_page(page, change)
    assert await synced(shelf, full=True) == (10, 1, 9)
    assert await differing(shelf) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE notion_pages_sync SET title = 'x'",
        "UPDATE notion_sync.pages SET source_hash = ''",
        "UPDATE notion_sync.pages SET answer_hash = NULL",
        "DELETE FROM notion_pages_sync",
        "DELETE FROM notion_sync.users WHERE name = 'Person 00'",
        "UPDATE notion_sync.users SET name = 'Somebody'",
    ],
)
async def test_what_is_stored_is_not_believed_for_the_answers_sake(
    shelf: Installation, parsed: list[str], tampering: str
) -> None:
    stored = "SELECT title, fields, content_hash FROM notion_pages_sync ORDER BY notion_page_id"
    named = "SELECT name FROM notion_sync.users ORDER BY id"
    before = await shelf.execute(stored), await shelf.execute(named)
    await shelf.execute(tampering)
    await synced(shelf, full=True)
    assert parsed
    assert (await shelf.execute(stored), await shelf.execute(named)) == before
    parsed.clear()
    await synced(shelf, full=True)
    assert parsed == []


async def test_what_an_earlier_version_wrote_since_is_not_taken_for_the_answer(
    shelf: Installation, parsed: list[str]
) -> None:
    """It notes rows as this one does, and leaves the answer that was noted before as it was."""
    await shelf.execute(
        "DO $$ BEGIN"
        " UPDATE notion_pages_sync SET title = 'of another answer', content_hash = repeat('ab', 32);"
        " UPDATE notion_sync.pages SET source_hash = decode(repeat('ab', 32), 'hex'), row_xmin = sync.xmin,"
        "     written_in = pg_current_xact_id()::xid"
        " FROM notion_pages_sync AS sync WHERE sync.page_id = pages.page_id; END $$"
    )
    assert await synced(shelf, full=True) == (10, 10, 0)
    assert len(parsed) == 10
    titles = await shelf.execute("SELECT title FROM notion_pages_sync WHERE title NOT LIKE 'Book _'")
    assert titles == []


async def test_a_new_property_lets_every_page_be_parsed(shelf: Installation, parsed: list[str]) -> None:
    shelf.workspace.add_property("Shelf", "More", number())
    await synced(shelf)
    assert len(parsed) == 10
    assert await differing(shelf) == []


async def test_values_that_notion_cuts_are_completed_by_every_full_read(
    installation: Installation, small: SmallWorkspace, parsed: list[str]
) -> None:
    workspace = installation.workspace
    many = workspace.add_database("Many", {"Name": title()}, [{"Name": f"Part {place}"} for place in range(40)])
    rows = [{"Name": "Long", "Parts": [f"Part {place}" for place in range(30)]}, {"Name": "Short", "Parts": []}]
    handle = workspace.add_database("Shelf", {"Name": title(), "Parts": relation("Many")}, rows)
    workspace.share("anna", many.id)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Shelf": handle.id})
    for _ in range(2):
        workspace.clock.advance(3600)
        parsed.clear()
        await synced(installation, full=True)
    assert len(parsed) == 1


async def test_a_page_of_which_something_is_told_is_parsed_each_time(shelf: Installation, parsed: list[str]) -> None:
    page = shelf.workspace.page_ids("Shelf")[0]
    shelf.workspace.edit_page(page, {"Notes": "a \0 is no text of PostgreSQL's"})
    for _ in range(2):
        parsed.clear()
        outcome = await shelf.sync_all(full=True)
        assert "1 row held characters" in str(outcome.accounts[0].databases["Shelf"].message)
        assert parsed == [page]


async def test_a_dry_run_parses_no_more_than_a_real_one(shelf: Installation, parsed: list[str]) -> None:
    assert await synced(shelf, full=True, dry_run=True) == (10, 0, 10)
    assert parsed == []


async def test_columns_that_somebody_deleted_have_their_types_again(
    installation: Installation, small: SmallWorkspace
) -> None:
    """Only the pages tell the type of a formula."""
    workspace = installation.workspace
    properties = {"Name": title(), "Worth": formula("1", "number")}
    handle = workspace.add_database("Shelf", properties, [{"Name": "Book", "Worth": 1}])
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Shelf": handle.id})
    workspace.clock.advance(3600)
    await synced(installation)
    columns = "SELECT name, type FROM notion_sync.columns ORDER BY name"
    before = await installation.execute(columns)
    await installation.execute("DELETE FROM notion_sync.columns")
    await synced(installation, full=True)
    assert await installation.execute(columns) == before


async def test_types_are_told_again_by_pages_of_the_answer_that_told_them_first(
    installation: Installation, small: SmallWorkspace
) -> None:
    """Also by those that were converted in a later part of it."""
    workspace = installation.workspace
    properties = {"Name": title(), "Worth": formula("1", "number")}
    handle = workspace.add_database("Shelf", properties, [{"Name": f"Book {place}", "Worth": 1} for place in range(2)])
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Shelf": handle.id})
    workspace.clock.advance(3600)
    listed: list[str] = []

    def padded(body: dict[str, Any]) -> dict[str, Any]:
        listed.extend(page["id"] for page in body["results"])
        return {**body, "results": [{**page, "padding": "x" * 1_500_000} for page in body["results"]]}

    workspace.faults.add("rewrite", path="/query$", rewrite=padded)
    await synced(installation)
    columns = "SELECT name, type FROM notion_sync.columns ORDER BY name"
    before = await installation.execute(columns)
    workspace.trash_page(listed[0])
    await installation.execute("DELETE FROM notion_sync.columns")
    await synced(installation, full=True)
    assert await installation.execute(columns) == before


@pytest.fixture
async def long_shelf(installation: Installation, small: SmallWorkspace) -> Installation:
    """More pages than one query gives, each of which names somebody."""
    workspace = installation.workspace
    rows = [{"Name": f"Book {place}", "N": place, "Who": ["Person 00"]} for place in range(120)]
    handle = workspace.add_database("Shelf", {"Name": title(), "N": number(), "Who": people()}, rows)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Shelf": handle.id})
    workspace.clock.advance(3600)
    await synced(installation)
    workspace.clock.advance(3600)
    return installation


async def test_who_is_known_by_id_alone_is_told_by_a_page(long_shelf: Installation) -> None:
    """Notion does not tell everybody whom pages name."""

    def nobody(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "results": []} if "results" in body else {"object": "user"}

    named = "SELECT name FROM notion_sync.users"
    before = await long_shelf.execute(named)
    await long_shelf.execute("UPDATE notion_sync.users SET name = 'Somebody'")
    long_shelf.workspace.faults.add("rewrite", path="/users", times=100, rewrite=nobody)
    await synced(long_shelf)
    assert await long_shelf.execute(named) == [{"name": None}]
    await synced(long_shelf, full=True)
    assert await long_shelf.execute(named) == before


async def test_an_edited_page_that_comes_without_an_id_is_not_passed_over(long_shelf: Installation) -> None:
    page = long_shelf.workspace.page_ids("Shelf")[0]
    long_shelf.workspace.edit_page(page, {"N": 99})

    def without_id(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "results": [{**one, "id": None} if one["id"] == page else one for one in body["results"]]}

    long_shelf.workspace.faults.add("rewrite", path="/query$", times=100, rewrite=without_id)
    outcome = await long_shelf.sync_all()
    assert outcome.accounts[0].databases["Shelf"].error_code == "malformed"
    long_shelf.workspace.faults.clear()
    assert (await synced(long_shelf))[1] == 1
    assert await differing(long_shelf) == []


async def test_a_page_that_came_twice_is_not_taken_for_what_it_was_before(shelf: Installation) -> None:
    """An answer is written in parts: where the run ends between the two, the first is of another page than noted."""
    workspace = shelf.workspace
    bodies: list[dict[str, Any]] = []

    def spied(body: dict[str, Any]) -> dict[str, Any]:
        bodies.append(body)
        return body

    workspace.faults.add("rewrite", path="/query$", times=1, rewrite=spied)
    await synced(shelf, full=True)
    before = bodies[0]["results"][-2]
    first, twice, last = (bodies[0]["results"][place]["id"] for place in (0, -2, -1))

    def padded(body: dict[str, Any]) -> dict[str, Any]:
        padding = {"padding": "x" * 1_500_000}
        return {
            **body,
            "results": [page | padding if page["id"] in (first, twice) else page for page in body["results"]],
        }

    def spoiled(body: dict[str, Any]) -> dict[str, Any]:
        *others, again, _ = padded(body)["results"]
        return {**body, "results": [*others, before, again, {**body["results"][-1], "properties": None}]}

    workspace.edit_page(twice, {"N": 99})
    workspace.faults.clear()
    workspace.faults.add("rewrite", path="/query$", rewrite=spoiled)
    workspace.faults.add("403_html", path=f"/pages/{last}$")
    outcome = await shelf.sync_all(full=True)
    assert outcome.failures != []
    assert outcome.accounts[0].databases["Shelf"].rows_read > 0
    workspace.faults.clear()
    workspace.faults.add("rewrite", path="/query$", rewrite=padded)
    await synced(shelf, full=True)
    workspace.faults.clear()
    assert await differing(shelf) == []
