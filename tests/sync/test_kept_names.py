"""What people write into queries and grants is bound to Notion's id: a rename in Notion changes no name in SQL."""

from __future__ import annotations

import json

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import number, relation, title
from notion_workspace.model import Definition

from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.notion.errors import NotionError
from tests.installation import Installation, Row

pytestmark = pytest.mark.slow

DATABASES = "SELECT DISTINCT database_name, view_name, database_id::text FROM notion_sync.data_sources ORDER BY 2"


@pytest.fixture
async def dora(installation: Installation) -> Installation:
    """Dora wants everything, with views; she shares nothing yet."""
    token = installation.workspace.add_token("dora")
    await installation.connect("dora", token.secret, {"*": "*"})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('dora', true)")
    return installation


def add(installation: Installation, name: str, row: str = "a", **properties: Definition) -> str:
    """A database of Dora's with one row; returns its id."""
    made = installation.workspace.add_database(name, {"Name": title(), **properties}, [{"Name": row}])
    installation.workspace.share("dora", made.id)
    return made.id


async def names(installation: Installation) -> dict[str, tuple[str, str]]:
    """By database id: the name and the view."""
    found = await installation.execute(DATABASES)
    return {row["database_id"]: (row["database_name"], row["view_name"]) for row in found}


async def rows(installation: Installation, view: str) -> list[str]:
    return [row["name"] for row in await installation.execute(f'SELECT name FROM notion."{view}" ORDER BY 1')]


async def synced(installation: Installation) -> None:
    await installation.let_an_hour_go_by()
    assert (await installation.sync_all()).failures == []


async def stored(installation: Installation) -> list[Row]:
    return await installation.execute("SELECT id, xmin::text, database_name FROM notion_pages_sync ORDER BY id")


async def test_a_database_of_two_data_sources_has_its_own_title(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("ben", small.tokens["ben"], {"*": "*"})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('ben', true)")
    await synced(installation)
    library = small.databases["Library"]
    assert (await names(installation))[library] == ("Library", "library")
    await installation.execute("CREATE ROLE reader_of_library; GRANT SELECT ON notion.library TO reader_of_library")
    before = await stored(installation)
    try:
        for source in ("Authors", "Books", "Authors"):
            installation.workspace.clock.advance(60)
            installation.workspace.rename_property(small.data_sources[source], "Name", f"Name of {source}")
            installation.workspace.rename_property(small.data_sources[source], f"Name of {source}", "Name")
            outcome = await installation.sync_all()
            assert (outcome.failures, outcome.totals.updated) == ([], 0)
        assert (await names(installation))[library] == ("Library", "library")
        assert await stored(installation) == before
        (granted,) = await installation.execute(
            "SELECT has_table_privilege('reader_of_library', 'notion.library', 'SELECT') AS may"
        )
        assert granted["may"]
    finally:
        await installation.execute("DROP OWNED BY reader_of_library; DROP ROLE reader_of_library")


async def test_a_title_costs_one_request_once(dora: Installation) -> None:
    add(dora, "Tasks")
    await synced(dora)
    dora.workspace.requests.clear()
    await synced(dora)
    assert dora.workspace.requests.counts()["database"] == 1


async def test_a_rename_in_notion_changes_no_name_and_another_of_the_old_name_has_its_own(dora: Installation) -> None:
    first = add(dora, "Tasks", "mine")
    await synced(dora)
    before = await stored(dora)
    dora.workspace.rename_database(first, "Aufgaben")
    await synced(dora)
    second = add(dora, "Tasks", "the other's")
    await synced(dora)
    assert await names(dora) == {first: ("Tasks", "tasks"), second: ("Tasks (2)", "tasks_2")}
    assert (await rows(dora, "tasks"), await rows(dora, "tasks_2")) == (["mine"], ["the other's"])
    assert [row for row in await stored(dora) if row in before] == before
    (said,) = await dora.execute("SELECT obj_description('notion.tasks'::regclass) AS comment")
    assert said["comment"] == "Notion: Tasks (Aufgaben in Notion now) (kept by notion-pg-sync)"
    with pytest.raises(UsageError, match=rf"2 databases 'Tasks'.*{first} is 'Tasks' \('Aufgaben' in Notion\)"):
        await dora.sync_one("dora", "Tasks")
    for written in (first, "Aufgaben"):
        assert list((await dora.sync_one("dora", written)).accounts[0].databases) == ["Tasks"]


async def test_it_is_its_own_also_when_both_happen_between_two_runs(dora: Installation) -> None:
    first = add(dora, "Tasks", "mine")
    await synced(dora)
    dora.workspace.rename_database(first, "Aufgaben")
    add(dora, "Tasks", "the other's")
    await synced(dora)
    assert await rows(dora, "tasks") == ["mine"]
    assert await rows(dora, "tasks_2") == ["the other's"]


@pytest.mark.parametrize("second", ["Tasks", "✅ Tasks", "tasks"])
async def test_two_of_one_identifier_have_two_views_that_stay(dora: Installation, second: str) -> None:
    ids = [add(dora, "Tasks", "one"), add(dora, second, "two")]
    await synced(dora)
    given = await names(dora)
    assert {view for _, view in given.values()} == {"tasks", "tasks_2"}
    for id_ in ids:
        dora.workspace.rename_database(id_, f"Other {id_[:4]}")
    await synced(dora)
    assert await names(dora) == given
    # The one with the suffix keeps it when the other goes.
    (plain,) = [id_ for id_, (_, view) in given.items() if view == "tasks"]
    dora.workspace.delete_database(plain)
    await dora.execute("DELETE FROM notion_sync.databases WHERE database_id = %s", plain)
    await synced(dora)
    assert [view for _, view in (await names(dora)).values()] == ["tasks_2"]


async def test_a_further_data_source_is_in_the_view_of_its_database(dora: Installation) -> None:
    ids = [add(dora, "Tasks", "one"), add(dora, "Tasks", "two")]
    await synced(dora)
    (second,) = [id_ for id_, (_, view) in (await names(dora)).items() if view == "tasks_2"]
    (first,) = {*ids} - {second}
    dora.workspace.unshare("dora", first)
    await dora.execute("DELETE FROM notion_sync.databases WHERE database_id = %s", first)
    dora.workspace.add_data_source(second, "More", {"Name": title()}, [{"Name": "three"}])
    await synced(dora)
    assert "three" in await rows(dora, "tasks_2")
    assert len(await rows(dora, "tasks_2")) == 2


async def test_a_name_is_adopted_on_request_with_grants_and_dependents(dora: Installation) -> None:
    add(dora, "People", "Ada")
    id_ = add(dora, "Tasks", "mine", Size=number(), Who=relation("People"))
    await synced(dora)
    await dora.execute("CREATE ROLE reader_of_tasks")
    try:
        await dora.execute("GRANT SELECT ON notion.tasks, notion.tasks__who TO reader_of_tasks")
        await dora.execute("CREATE VIEW my_tasks AS SELECT name FROM notion.tasks")
        dora.workspace.rename_database(id_, "Aufgaben")
        dora.workspace.clock.advance(3600)
        outcome = await dora.sync_one("dora", "Tasks", adopt_name=True)
        assert outcome.failures == []
        message = outcome.accounts[0].databases["Aufgaben"].message
        assert message is not None
        assert "its name was 'Tasks' and is 'Aufgaben' now" in message
        assert (await names(dora))[id_] == ("Aufgaben", "aufgaben")
        assert await rows(dora, "aufgaben") == ["mine"]
        there = await dora.execute("SELECT viewname FROM pg_views WHERE schemaname = 'notion' ORDER BY 1")
        assert [row["viewname"] for row in there] == ["aufgaben", "aufgaben__who", "people"]
        for view in ("aufgaben", "aufgaben__who"):
            query = "SELECT has_table_privilege('reader_of_tasks', %s, 'SELECT') AS may"
            assert (await dora.execute(query, f"notion.{view}"))[0]["may"]
        assert await dora.execute("SELECT name FROM my_tasks") == [{"name": "mine"}]
        named = await dora.execute("SELECT DISTINCT database_name FROM notion_pages_sync ORDER BY 1")
        assert [row["database_name"] for row in named] == ["Aufgaben", "People"]
        before = await stored(dora)
        await synced(dora)
        assert await stored(dora) == before
        assert (await names(dora))[id_] == ("Aufgaben", "aufgaben")
    finally:
        await dora.execute("DROP OWNED BY reader_of_tasks; DROP ROLE reader_of_tasks")


async def test_names_outlive_the_bookkeeping(dora: Installation) -> None:
    first = add(dora, "Tasks", "mine")
    await synced(dora)
    dora.workspace.rename_database(first, "Aufgaben")
    await synced(dora)
    add(dora, "Tasks", "the other's")
    await synced(dora)
    before = await names(dora)
    await dora.execute("DROP SCHEMA notion_sync CASCADE")
    await dora.init()
    await dora.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('dora', true)")
    await synced(dora)
    assert await names(dora) == before
    assert (await rows(dora, "tasks"), await rows(dora, "tasks_2")) == (["mine"], ["the other's"])


async def test_no_name_is_adopted_that_notion_does_not_give(dora: Installation) -> None:
    id_ = add(dora, "Tasks")
    await synced(dora)
    dora.workspace.faults.add("502", path=f"/databases/{id_}")
    with pytest.raises(NotionError):
        await dora.sync_one("dora", "Tasks", adopt_name=True, first_back_off=0.001)
    dora.workspace.faults.clear()
    dora.workspace.rename_database(id_, "")
    with pytest.raises(UsageError, match="database 'Tasks' has no title in Notion"):
        await dora.sync_one("dora", "Tasks", adopt_name=True)
    assert await names(dora) == {id_: ("Tasks", "tasks")}


async def test_the_view_keeps_its_grants_when_a_data_source_fails_as_the_name_changes(
    installation: Installation, small: SmallWorkspace
) -> None:
    library = small.databases["Library"]
    await installation.connect("ben", small.tokens["ben"], {"Library": library})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('ben', true)")
    await synced(installation)
    await installation.execute("CREATE ROLE reader_of_both; GRANT SELECT ON notion.library TO reader_of_both")
    try:
        await installation.execute("UPDATE user_settings SET notion_databases = %s", json.dumps({"Books": library}))
        installation.workspace.faults.add("500", path=small.data_sources["Books"])
        outcome = await installation.sync_all(first_back_off=0.001)
        assert outcome.failures != []
        installation.workspace.faults.clear()
        await synced(installation)
        assert len(await rows(installation, "books")) == 75
        (found,) = await installation.execute("SELECT has_table_privilege('reader_of_both', 'notion.books', 'SELECT')")
        assert found["has_table_privilege"]
        views = await installation.execute("SELECT viewname FROM pg_views WHERE schemaname = 'notion' ORDER BY 1")
        assert [row["viewname"] for row in views] == ["books", "books__author"]
    finally:
        await installation.execute("DROP OWNED BY reader_of_both; DROP ROLE reader_of_both")


async def test_a_name_that_the_user_gave_is_changed_where_it_stands(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("anna", small.tokens["anna"], {"Mine": small.databases["Three"]})
    await installation.sync_all()
    with pytest.raises(UsageError, match="has the name 'Mine': change it there"):
        await installation.sync_one("anna", "Mine", adopt_name=True)


async def test_a_view_that_another_user_needs_stays_theirs(installation: Installation, small: SmallWorkspace) -> None:
    shared = small.databases["Worlds"]
    for user in ("anna", "ben"):
        await installation.connect(user, small.tokens[user], {"Worlds": shared})
        await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", user)
    await synced(installation)
    assert len(await rows(installation, "worlds")) == 24
    await installation.execute(
        "UPDATE user_settings SET notion_databases = %s WHERE user_id = 'ben'", json.dumps({"Planets": shared})
    )
    await synced(installation)
    assert len(await rows(installation, "worlds")) == 12
    assert len(await rows(installation, "planets")) == 12


@pytest.mark.parametrize("key", ["", "*"])
async def test_an_id_without_a_name_has_notions_title(
    installation: Installation, small: SmallWorkspace, key: str
) -> None:
    three = small.databases["Three"]
    await installation.connect("anna", small.tokens["anna"], {key: three.replace("-", "")})
    await synced(installation)
    assert await names(installation) == {three: ("Three", "three")}
    for written in ("Three", three):
        outcome = await installation.sync_one("anna", written)
        assert list(outcome.accounts[0].databases) == ["Three"]
    spelled = await installation.execute("SELECT DISTINCT notion_database_id FROM notion_pages_sync")
    assert [row["notion_database_id"] for row in spelled] == [three.replace("-", "")]
    installation.workspace.rename_database(three, "Drei")
    await synced(installation)
    assert await names(installation) == {three: ("Three", "three")}


async def test_an_untitled_database_keeps_its_id_as_its_name(dora: Installation) -> None:
    untitled = add(dora, "")
    await synced(dora)
    assert (await names(dora))[untitled][0] == untitled
    dora.workspace.rename_database(untitled, "Projects")
    await synced(dora)
    assert (await names(dora))[untitled][0] == untitled


async def test_a_request_by_a_name_that_two_have_is_refused_with_their_ids(dora: Installation) -> None:
    ids = [add(dora, "Tasks"), add(dora, "Tasks")]
    await synced(dora)
    with pytest.raises(Exception, match="2 databases are called Tasks") as error:
        await dora.execute("SELECT notion_sync.sync_notion_database('dora', NULL, 'Tasks')")
    assert all(id_ in str(error.value) for id_ in ids)


async def test_a_link_to_a_view_brings_all_rows_and_says_so(installation: Installation, small: SmallWorkspace) -> None:
    three = small.databases["Three"]
    await installation.connect("anna", small.tokens["anna"], {"Three": three})
    outcome = await installation.sync_one("anna", f"https://www.notion.so/{three.replace('-', '')}?v={'a' * 32}")
    assert outcome.totals.inserted == 3
    assert "The link names a view, but all rows of the database are mirrored" in outcome.message()
