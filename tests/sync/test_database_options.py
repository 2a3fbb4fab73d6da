"""What an entry of `notion_databases` says beside the id counts from the next run on, for that database alone."""

from __future__ import annotations

import json

import pytest
from notion_workspace import SmallWorkspace

from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with Characters and Worlds, whose pages have bodies."""
    for name in ("Characters", "Worlds"):
        for page in installation.workspace.page_ids(name)[:2]:
            installation.workspace.set_body(page, ["A text"])
    await installation.connect(
        "anna",
        small.tokens["anna"],
        {"Characters": small.databases["Characters"], "Worlds": small.databases["Worlds"]},
    )
    return installation


async def says(installation: Installation, name: str, **options: object) -> None:
    """Lets the entry of a database of anna's say this."""
    await installation.execute(
        "UPDATE user_settings SET notion_databases = notion_databases || jsonb_build_object(%s::text,"
        " jsonb_build_object('id', coalesce(notion_databases -> %s::text ->> 'id', notion_databases ->> %s::text))"
        " || %s::jsonb) WHERE user_id = 'anna'",
        *[name] * 3,
        json.dumps(options),
    )


async def names_with_bodies(installation: Installation) -> set[str]:
    rows = await installation.execute(
        "SELECT DISTINCT database_name FROM notion_sync.page_bodies"
        " JOIN notion_sync.data_sources USING (user_id, data_source_id)"
    )
    return {row["database_name"] for row in rows}


async def views(installation: Installation) -> set[str]:
    """The typed views that show rows."""
    rows = await installation.execute("SELECT viewname FROM pg_views WHERE schemaname = 'notion'")
    found = {row["viewname"] for row in rows if "__" not in row["viewname"]}
    return {name for name in found if await installation.execute(f'SELECT 1 FROM notion."{name}" LIMIT 1')}


async def test_bodies_are_read_of_the_database_whose_entry_says_so_in_the_same_run(anna: Installation) -> None:
    await says(anna, "Characters", bodies=True)
    assert (await anna.sync_all()).failures == []
    assert await names_with_bodies(anna) == {"Characters"}


async def test_an_entry_counts_before_what_the_data_source_says_and_the_option_before_both(anna: Installation) -> None:
    await says(anna, "Characters", bodies=False)
    await anna.sync_all()
    await anna.execute("UPDATE notion_sync.data_sources SET bodies = true")
    await anna.sync_all()
    assert await names_with_bodies(anna) == {"Worlds"}
    await anna.sync_all(bodies=True)
    assert await names_with_bodies(anna) == {"Characters", "Worlds"}


async def test_without_a_word_in_the_entry_what_the_data_source_says_counts_again(anna: Installation) -> None:
    await says(anna, "Characters", bodies=False)
    await anna.sync_all()
    await anna.execute("UPDATE notion_sync.data_sources SET bodies = database_name = 'Characters'")
    await says(anna, "Characters")
    await anna.execute("UPDATE user_settings SET notion_databases = notion_databases #- '{Characters,bodies}'")
    await anna.sync_one("anna", "Characters")
    assert await names_with_bodies(anna) == {"Characters"}


async def test_an_entry_makes_and_drops_the_views_of_its_database(anna: Installation) -> None:
    await says(anna, "Characters", views=True)
    await anna.sync_all()
    assert await views(anna) == {"characters"}
    await anna.execute("UPDATE notion_sync.accounts SET views = true")
    await says(anna, "Characters", views=False)
    await anna.sync_all()
    assert await views(anna) == {"worlds"}
    await anna.execute("UPDATE user_settings SET notion_databases = notion_databases #- '{Characters,views}'")
    await anna.sync_all()
    assert await views(anna) == {"characters", "worlds"}


async def test_a_view_shows_no_rows_of_a_user_whose_entry_wants_none(anna: Installation, small: SmallWorkspace) -> None:
    await anna.connect("ben", small.tokens["ben"], {"Worlds": {"id": small.databases["Worlds"], "views": True}})
    await anna.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true), ('ben', false)")
    await says(anna, "Worlds", views=False)
    await anna.execute(
        "UPDATE user_settings SET notion_databases = notion_databases - 'Characters' WHERE user_id = 'anna'"
    )
    assert (await anna.sync_all()).failures == []
    assert {row["user_id"] for row in await anna.execute("SELECT user_id FROM notion.worlds")} == {"ben"}
    outcome = await anna.sync_all(verify=True)
    assert [verification.is_exact for _, _, verification in outcome.verified] == [True, True]


@pytest.mark.parametrize("key", ["Heroes", "", "*"])
async def test_the_entry_of_a_database_counts_beside_everything_and_without_a_name(
    installation: Installation, small: SmallWorkspace, key: str
) -> None:
    entry = {"id": small.databases["Characters"], "bodies": True, "views": True}
    await installation.connect("anna", small.tokens["anna"], {key: entry} | ({"*": "*"} if key == "Heroes" else {}))
    installation.workspace.set_body(installation.workspace.page_ids("Characters")[0], ["A text"])
    name = key if key == "Heroes" else "Characters"
    for sync in (installation.sync_all(), installation.sync_one("anna", name)):
        assert (await sync).failures == []
        options = await installation.execute("SELECT name, views, bodies FROM notion_sync.databases WHERE views")
        assert options == [{"name": name, "views": True, "bodies": True}]
    assert await views(installation) == {name.lower()}
    assert await names_with_bodies(installation) == {name}


async def test_an_entry_that_cannot_be_understood_holds_back_its_database_alone(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("anna", small.tokens["anna"], {"*": "*"})
    await installation.sync_all()
    synced = {row["name"] for row in await installation.execute("SELECT name FROM notion_sync.databases")}
    assert {"Characters", "Worlds"} <= synced
    broken = {"*": "*", "Heroes": {"id": small.databases["Characters"], "exclude": "Age"}}
    await installation.execute("UPDATE user_settings SET notion_databases = %s", json.dumps(broken))
    outcome = await installation.sync_all()
    (account,) = outcome.accounts
    assert account.databases.keys() == synced - {"Characters"}
    assert account.problems == [
        'database \'Heroes\' in notion_databases: "exclude" is not a list of properties: write it as ["Salary"], '
        "each by its name or its id."
    ]
    broken["Heroes"] = {"exclude": ["Age"]}
    await installation.execute("UPDATE user_settings SET notion_databases = %s", json.dumps(broken))
    (account,) = (await installation.sync_all()).accounts
    assert not account.databases
    assert 'it has no "id"' in account.problems[0]


@pytest.mark.parametrize("options", [{"exclude": "Age"}, {"bodies": True}])
async def test_an_entry_with_the_id_of_a_data_source_means_the_database_that_search_found_before(
    installation: Installation, small: SmallWorkspace, options: dict[str, object]
) -> None:
    await installation.connect("anna", small.tokens["anna"], {"*": "*"})
    await installation.sync_all()
    entry = {"id": small.data_sources["Characters"], **options}
    await installation.execute(
        "UPDATE user_settings SET notion_databases = %s", json.dumps({"*": "*", "Characters": entry})
    )
    for _ in range(2):
        (account,) = (await installation.sync_all()).accounts
        synced = [one for one in account.ids.values() if one in (entry["id"], small.databases["Characters"])]
        assert synced == ([entry["id"]] if "bodies" in options else [])
