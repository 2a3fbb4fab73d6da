"""Pages are found by the names of the people whom their properties name, whatever these are called by now."""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import created_by, people, rich_text, title

from tests.installation import Installation

WRITTEN = "SELECT xmin::text, page_id FROM notion_sync.search_documents ORDER BY 2"
IS_KNOWN = "SELECT bool_and(written_in = xmin) AS is_known FROM notion_sync.search_documents"


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with a database whose pages name Ada and Bo."""
    workspace = installation.workspace
    for name in ("Ada Lovelace", "Bo"):
        workspace.add_user(name)
    handle = workspace.add_database(
        "Crew",
        {"Name": title(), "Text": rich_text(), "Who": people(), "Also": people(), "Made by": created_by()},
        [
            {"Name": "One", "Text": "Engines", "Who": ["Bo", "Ada Lovelace"], "Also": ["Bo"]},
            {"Name": "Two", "Who": ["Bo"]},
            {"Name": "Three"},
        ],
    )
    workspace.share("anna", "Crew")
    workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {"Crew": handle.id})
    assert (await installation.sync_all()).failures == []
    workspace.clock.advance(3600)
    return installation


async def found(installation: Installation, query: str) -> dict[str, str]:
    """The pages that a search finds, by title, with their snippets."""
    rows = await installation.execute("SELECT title, snippet FROM notion_sync.search(%s, 'anna')", query)
    return {row["title"]: row["snippet"] for row in rows}


async def rename(installation: Installation, name: str | None, former: str) -> None:
    await installation.execute("UPDATE notion_sync.users SET name = %s WHERE name = %s", name, former)


async def test_pages_are_found_by_names(anna: Installation) -> None:
    assert (await found(anna, "lovelace")).keys() == {"One"}
    assert (await found(anna, "ada engi*")).keys() == {"One"}
    assert (await found(anna, "bo")).keys() == {"One", "Two"}
    assert (await found(anna, '"workspace owner"')).keys() == {"One", "Two", "Three"}
    assert "**Ada** **Lovelace**" in (await found(anna, "ada lovelace"))["One"]
    assert "Engines" not in (await found(anna, "lovelace"))["One"]


async def test_a_new_name_is_found_and_the_former_is_not_and_no_other_page_is_written(anna: Installation) -> None:
    before = await anna.execute(WRITTEN)
    await rename(anna, "Ada King", "Ada Lovelace")
    assert (await found(anna, "king")).keys() == {"One"}
    assert await found(anna, "lovelace") == {}
    assert (await found(anna, "engines")).keys() == {"One"}
    after = await anna.execute(WRITTEN)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert await anna.execute(IS_KNOWN) == [{"is_known": True}]


async def test_a_new_name_of_somebody_in_very_many_pages_follows_with_the_next_sync(anna: Installation) -> None:
    await anna.execute(
        """
        INSERT INTO notion_sync.search_documents (user_id, page_id, data_source_id, title, text, people, tsv, is_cut)
        SELECT user_id, gen_random_uuid(), data_source_id, '', '', people, '', false
        FROM notion_sync.search_documents, generate_series(1, 2000) WHERE title = 'Two'
        """
    )
    await rename(anna, "Bob", "Bo")
    assert await found(anna, "bob") == {}
    await anna.sync_all()
    assert (await found(anna, "bob")).keys() == {"One", "Two"}


async def test_a_name_that_notion_tells_later_is_found_then(anna: Installation) -> None:
    await rename(anna, None, "Bo")
    assert await found(anna, "bo") == {}
    await anna.execute("DELETE FROM notion_sync.users")
    assert await found(anna, "ada") == {}
    await anna.sync_all(full=True)
    assert (await found(anna, "bo")).keys() == {"One", "Two"}
    assert await anna.differences("anna", "anna", await databases(anna)) == []


async def test_a_page_that_names_somebody_else_is_found_by_them(anna: Installation) -> None:
    (page,) = await anna.execute("SELECT page_id::text FROM notion_sync.search_documents WHERE title = 'Two'")
    anna.workspace.edit_page(page["page_id"], {"Who": ["Ada Lovelace"]})
    await anna.sync_all()
    assert (await found(anna, "ada")).keys() == {"One", "Two"}
    assert (await found(anna, "bo")).keys() == {"One"}


async def test_a_new_name_keeps_bodies_and_the_language(anna: Installation) -> None:
    (page,) = await anna.execute("SELECT page_id::text FROM notion_sync.search_documents WHERE title = 'One'")
    anna.workspace.set_body(page["page_id"], ["Zwei Häuser"])
    await anna.sync_all(bodies=True)
    await anna.execute("UPDATE notion_sync.search_settings SET language = 'german'")
    assert (await found(anna, "haus lovelace")).keys() == {"One"}
    await rename(anna, "Ada König", "Ada Lovelace")
    assert (await found(anna, "haus könige")).keys() == {"One"}


async def test_a_new_name_does_not_hide_what_somebody_else_changed(anna: Installation) -> None:
    await anna.execute("UPDATE notion_sync.search_documents SET text = 'x', tsv = 'x' WHERE title = 'One'")
    await rename(anna, "Ada King", "Ada Lovelace")
    assert await anna.execute(IS_KNOWN) == [{"is_known": False}]
    await anna.sync_all(full=True)
    assert (await found(anna, "engines")).keys() == {"One"}


async def test_documents_of_an_earlier_version_take_people_in_with_the_next_sync(anna: Installation) -> None:
    """As the migration leaves them."""
    written = "people = '{}', people_names = '', tsv = '', written_in = pg_current_xact_id()::xid"
    await anna.execute(f"UPDATE notion_sync.search_documents SET {written}")
    await anna.execute("UPDATE notion_sync.data_sources SET is_searchable = false")
    await anna.sync_all()
    assert (await found(anna, "bo")).keys() == {"One", "Two"}
    assert await anna.execute(IS_KNOWN) == [{"is_known": True}]


async def databases(installation: Installation) -> dict[str, str]:
    rows = await installation.execute("SELECT name, database_id::text FROM notion_sync.databases")
    return {row["name"]: row["database_id"] for row in rows}
