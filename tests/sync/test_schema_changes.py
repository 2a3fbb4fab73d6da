"""A changed schema is noticed at the next run, and every row is as Notion has it then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from notion_workspace import SampleWorkspace, SmallWorkspace
from notion_workspace.literals import checkbox, number, rich_text, title

from tests.installation import Installation

pytestmark = pytest.mark.slow

DATABASES = ("Chat Sessions",)


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with a database that is too large to be read whole at every run."""
    await installation.connect("anna", small.tokens["anna"], {"Chat Sessions": small.databases["Chat Sessions"]})
    await installation.sync_all()
    installation.workspace.clock.advance(3600)
    return installation


def add(workspace: SampleWorkspace) -> None:
    workspace.add_property("Chat Sessions", "Mood", rich_text())
    workspace.set_quietly(workspace.page_ids("Chat Sessions")[3], {"Mood": "calm"})


def remove(workspace: SampleWorkspace) -> None:
    workspace.remove_property("Chat Sessions", "Message Count")


def rename(workspace: SampleWorkspace) -> None:
    workspace.rename_property("Chat Sessions", "Message Count", "Messages")


def retype(workspace: SampleWorkspace) -> None:
    workspace.retype_property("Chat Sessions", "Message Count", rich_text())


@pytest.mark.parametrize("change", [add, remove, rename, retype])
async def test_every_row_is_brought_up_to_date_in_the_next_run(
    anna: Installation, small: SmallWorkspace, change: Callable[[SampleWorkspace], None]
) -> None:
    change(anna.workspace)
    outcome = await anna.sync_all()
    assert outcome.failures == []
    assert outcome.accounts[0].databases["Chat Sessions"].mode == "full"
    assert outcome.totals.updated == 250
    assert await anna.differences("anna", "anna", {"Chat Sessions": small.databases["Chat Sessions"]}) == []
    anna.workspace.clock.advance(3600)
    assert (await anna.sync_all()).totals.updated == 0


async def test_a_renamed_property_keeps_its_column(anna: Installation) -> None:
    rename(anna.workspace)
    await anna.sync_all()
    found = await anna.execute("SELECT property_name, name FROM notion_sync.columns WHERE property_name = 'Messages'")
    assert found == [{"property_name": "Messages", "name": "message_count"}]


async def test_a_second_data_source_is_mirrored_too(anna: Installation, small: SmallWorkspace) -> None:
    databases = {"Chat Sessions": small.databases["Chat Sessions"]}
    properties = {"Name": title(), "Read": checkbox(), "Score": number()}
    anna.workspace.add_data_source("Chat Sessions", "Archive", properties, [{"Name": "Old", "Read": True, "Score": 3}])
    await anna.let_an_hour_go_by()
    outcome = await anna.sync_all()
    assert outcome.totals.inserted == 1
    assert await anna.differences("anna", "anna", databases) == []


async def test_rows_follow_a_database_that_has_another_name_in_the_same_table(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("cora", small.tokens["cora"], {"Notes": small.databases["Notes"]})
    await installation.sync_all()
    ids = await installation.execute("SELECT id FROM notion_pages_sync ORDER BY id")
    await installation.execute(
        "UPDATE user_settings SET notion_databases = jsonb_build_object('Jottings', notion_databases -> 'Notes')"
    )
    outcome = await installation.sync_all()
    assert outcome.failures == []
    assert await installation.execute("SELECT id FROM notion_pages_sync ORDER BY id") == ids
    assert await installation.execute("SELECT DISTINCT database_name FROM notion_pages_sync") == [
        {"database_name": "Jottings"}
    ]


async def test_rows_follow_a_database_whose_name_now_belongs_to_another_table(
    anna: Installation, small: SmallWorkspace
) -> None:
    ids = await anna.execute("SELECT id FROM notion_chat_sessions_sync ORDER BY id")
    await anna.execute(
        "UPDATE user_settings SET notion_databases = jsonb_build_object('Stories', notion_databases -> 'Chat Sessions')"
    )
    outcome = await anna.sync_all()
    assert outcome.failures == []
    assert await anna.execute("SELECT id FROM notion_stories_sync ORDER BY id") == ids
    assert await anna.execute("SELECT 1 FROM notion_chat_sessions_sync") == []
    databases = {"Stories": small.databases["Chat Sessions"]}
    assert await anna.differences("anna", "anna", databases) == []
    assert await anna.execute("SELECT 1 FROM notion_sync.removed_pages") == []


async def test_a_full_read_that_is_cut_off_after_a_schema_change_is_carried_on(
    anna: Installation, small: SmallWorkspace
) -> None:
    add(anna.workspace)
    # The first query is made before it is known that the schema changed.
    anna.workspace.faults.add("403_html", path="/query$", every=3)
    first = await anna.sync_all(concurrency=1)
    assert first.failures != []
    anna.workspace.faults.clear()
    anna.workspace.requests.clear()
    second = await anna.sync_all(concurrency=1)
    assert second.failures == []
    queries = anna.workspace.requests.counts()["query"]
    assert queries == 3, "two for what is left after the first hundred rows, one for what was edited meanwhile"
    assert await anna.differences("anna", "anna", {"Chat Sessions": small.databases["Chat Sessions"]}) == []


async def test_a_schema_that_cannot_be_read_is_no_change_of_it(anna: Installation) -> None:
    anna.workspace.faults.add("wrong_types", path="/data_sources/[^/]+$")
    (failure,) = (await anna.sync_all()).failures
    assert "has no properties" in failure
    anna.workspace.faults.clear()
    anna.workspace.clock.advance(3600)
    outcome = await anna.sync_all()
    assert outcome.failures == []
    assert outcome.accounts[0].databases["Chat Sessions"].mode == "incremental"
