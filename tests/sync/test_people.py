"""The people of rows are known by name, as far as Notion lets the token know, and views show them so."""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import created_by, people, rich_text, title

from tests.installation import Installation, Row

USERS = "SELECT id::text, kind, name, email, asked_at FROM notion_sync.users WHERE user_id = 'anna'"


@pytest.fixture
async def ids(installation: Installation, small: SmallWorkspace) -> dict[str, str]:
    """A database that names Ada, Bo (a guest) and a team; anna mirrors it, and wants views."""
    workspace = installation.workspace
    found = {
        "Ada": workspace.add_user("Ada", email="ada@example.com"),
        "Bo": workspace.add_user("Bo", guest=True),
    }
    handle = workspace.add_database(
        "Crew",
        {"Name": title(), "Who": people(), "Made by": created_by(), "Who names": rich_text(), "Crew": people()},
        [{"Name": "One", "Who": ["Bo", "Ada"], "Crew": ["Ada"]}, {"Name": "None"}],
    )
    workspace.share("anna", "Crew")
    workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {"Crew": handle.id})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    return found


async def users(installation: Installation) -> dict[str, Row]:
    return {row["id"]: row for row in await installation.execute(USERS)}


def asked(installation: Installation) -> dict[str, int]:
    """How often Notion was asked for users since the last time, by kind."""
    counts = installation.workspace.requests.counts()
    installation.workspace.requests.clear()
    return {kind: counts[kind] for kind in ("users", "user") if kind in counts}


async def row_of(installation: Installation, name: str) -> Row:
    (row,) = await installation.execute("SELECT * FROM notion.crew WHERE name = %s", name)
    return row


async def test_rows_tell_who_their_people_are_without_a_request(
    installation: Installation, ids: dict[str, str]
) -> None:
    assert (await installation.sync_all()).failures == []
    known = await users(installation)
    assert (known[ids["Ada"]]["kind"], known[ids["Ada"]]["name"]) == ("person", "Ada")
    assert (known[ids["Ada"]]["email"], known[ids["Bo"]]["name"]) == ("ada@example.com", "Bo")
    assert asked(installation) == {}


async def test_views_show_people_by_id_and_by_name_each_in_its_place(
    installation: Installation, ids: dict[str, str]
) -> None:
    await installation.sync_all()
    row = await row_of(installation, "One")
    assert [str(id_) for id_ in row["crew"]] == [ids["Ada"]]
    assert row["crew_names"] == ["Ada"]
    assert [str(id_) for id_ in row["who"]] == [ids["Bo"], ids["Ada"]]
    assert row["made_by_name"] == "Workspace Owner"
    assert (await row_of(installation, "None"))["crew_names"] == []


async def test_a_property_whose_name_the_names_would_have_stays(
    installation: Installation, ids: dict[str, str]
) -> None:
    installation.workspace.edit_page(installation.workspace.page_ids("Crew")[0], {"Who names": "written"})
    await installation.sync_all()
    written = await installation.execute("SELECT who_names FROM notion.crew WHERE who_names <> ''")
    assert written == [{"who_names": "written"}]


async def test_a_new_name_is_shown_without_the_row_being_written(
    installation: Installation, ids: dict[str, str]
) -> None:
    await installation.sync_all()
    await installation.execute("UPDATE notion_sync.users SET name = 'Ada Lovelace' WHERE name = 'Ada'")
    assert (await row_of(installation, "One"))["crew_names"] == ["Ada Lovelace"]
    # The next whole read brings Notion's own back.
    await installation.sync_all(full=True)
    assert (await row_of(installation, "One"))["crew_names"] == ["Ada"]


async def test_without_the_capability_names_are_unknown_and_nothing_fails(
    installation: Installation, ids: dict[str, str]
) -> None:
    installation.workspace.set_capabilities("anna", read_users=False)
    assert (await installation.sync_all()).failures == []
    assert {row["name"] for row in (await users(installation)).values()} == {None}
    assert (await row_of(installation, "One"))["crew_names"] == [None]
    assert asked(installation) == {"users": 1, "user": 1}
    await installation.sync_all(full=True)
    assert asked(installation) == {}


async def test_who_could_not_be_told_is_asked_for_again_a_day_later_though_no_row_is_read(
    installation: Installation, ids: dict[str, str]
) -> None:
    # More than one query gives, so that later runs read what was edited alone.
    for number in range(120):
        installation.workspace.add_page("Crew", {"Name": f"Row {number}"})
    installation.workspace.clock.advance(3600)
    installation.workspace.set_capabilities("anna", read_users=False)
    await installation.sync_all()
    installation.workspace.set_capabilities("anna", read_users=True)
    asked(installation)
    await installation.sync_all()
    assert asked(installation) == {}
    await installation.execute("UPDATE notion_sync.users SET asked_at = asked_at - interval '25 hours'")
    await installation.sync_all()
    assert asked(installation) == {"users": 1, "user": 1}
    assert {row["name"] for row in (await users(installation)).values()} >= {"Ada", "Bo"}


async def test_a_listing_that_fails_does_not_fail_the_sync(installation: Installation, ids: dict[str, str]) -> None:
    installation.workspace.set_capabilities("anna", read_users=False)
    installation.workspace.faults.add("403_html", path="/users")
    assert (await installation.sync_all()).failures == []
    assert {row["asked_at"] for row in (await users(installation)).values()} == {None}


async def test_who_is_neither_person_nor_bot_keeps_kind_and_name(
    installation: Installation, ids: dict[str, str]
) -> None:
    agent = installation.workspace.add_user("Scribe", "agent")
    installation.workspace.add_page("Crew", {"Name": "Three", "Crew": ["Scribe"]})
    assert (await installation.sync_all()).failures == []
    known = (await users(installation))[agent]
    assert (known["kind"], known["name"]) == ("agent", "Scribe")
    assert (await row_of(installation, "Three"))["crew_names"] == ["Scribe"]
    assert (await installation.sync_all(full=True)).totals.updated == 0


async def test_a_dry_run_notes_nobody(installation: Installation, ids: dict[str, str]) -> None:
    await installation.sync_all(dry_run=True)
    assert await users(installation) == {}


async def test_without_addresses_none_is_copied_and_those_that_were_go(
    installation: Installation, ids: dict[str, str]
) -> None:
    workspace = installation.workspace
    page = workspace.add_page("Crew", {"Name": "Gone", "Who": ["Ada"]})
    await installation.sync_all()
    workspace.trash_page(page)
    await installation.sync_all(full=True)
    # As of a property whose values the tool keeps as Notion gives them.
    await installation.execute(
        """
        UPDATE notion_sync.page_changes SET old = old || jsonb_build_object('seen by', jsonb_build_object(
            'object', 'user', 'id', page_id, 'person', jsonb_build_object('email', 'ada@example.com')))
        WHERE kind = 'removed'
        """
    )
    assert await addresses(installation) == {"users", "rows", "removed pages", "history"}
    await installation.execute("UPDATE notion_sync.accounts SET emails = false")
    assert (await installation.sync_one("anna", "Crew", verify=True)).failures == []
    assert await addresses(installation) == set()
    (change,) = await installation.execute("SELECT old FROM notion_sync.page_changes WHERE kind = 'removed'")
    assert (change["old"]["name"], change["old"]["seen by"]["person"]) == ("Gone", {})
    (row,) = await installation.execute(
        "SELECT properties -> 'Crew' -> 'people' AS people FROM notion_pages_sync WHERE title = 'One'"
    )
    assert [(one["id"], one["name"], one["person"]) for one in row["people"]] == [(ids["Ada"], "Ada", {})]
    assert (await row_of(installation, "One"))["crew_names"] == ["Ada"]
    again = await installation.sync_all(full=True)
    assert again.totals.updated == 0
    await installation.execute("UPDATE notion_sync.accounts SET emails = true")
    await installation.sync_all(full=True)
    assert await addresses(installation) == {"users", "rows"}


async def addresses(installation: Installation) -> set[str]:
    """Where an address of somebody stands."""
    found = await installation.execute(
        "SELECT 'users' AS place, users::text AS text FROM notion_sync.users"
        " UNION ALL SELECT 'rows', pages::text FROM notion_pages_sync AS pages"
        " UNION ALL SELECT 'removed pages', removed::text FROM notion_sync.removed_pages AS removed"
        " UNION ALL SELECT 'history', change::text FROM notion_sync.page_changes AS change"
    )
    return {row["place"] for row in found if "@example.com" in row["text"]}
