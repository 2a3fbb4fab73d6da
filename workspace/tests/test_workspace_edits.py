"""Edits: what each changes, and whether it moves the last-edited time."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from notion_workspace import SampleWorkspace, SmallWorkspace
from notion_workspace import literals as lit

Connect = Callable[..., httpx.Client]
LATER = "2026-11-02T10:30:00.000Z"


@pytest.fixture
def zoo(workspace: SampleWorkspace) -> str:
    """A database `Zoo` with one page; an hour goes by. Gives the page's id."""
    properties = {"Age": lit.number(), "Kind": lit.select("Cat", "Dog"), "Keepers": lit.people()}
    workspace.add_database("Zoo", properties, [{"Name": "Alpha", "Age": 3, "Kind": "Cat"}])
    workspace.share("anna", "Zoo")
    workspace.clock.advance(3600)
    return workspace.page_ids("Zoo")[0]


def page(client: httpx.Client, page_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = client.get(f"/v1/pages/{page_id}").json()
    return shown


def test_an_edit_moves_the_time_and_the_editor(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    editor = workspace.add_user("Editor")
    workspace.edit_page(zoo, {"Age": 4}, author="Editor")
    shown = page(connect(workspace), zoo)
    assert (shown["last_edited_time"], shown["last_edited_by"]["id"]) == (LATER, editor)
    assert shown["created_time"] != LATER
    assert shown["properties"]["Age"]["number"] == 4


def test_a_page_is_locked_and_published_without_an_edit(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    client = connect(workspace)
    before = page(client, zoo)
    assert (before["is_locked"], before["public_url"]) == (False, None)
    workspace.lock_page(zoo)
    workspace.publish_page(zoo, "https://anna.notion.site/Alpha")
    after = page(client, zoo)
    assert (after["is_locked"], after["public_url"]) == (True, "https://anna.notion.site/Alpha")
    assert after["last_edited_time"] == before["last_edited_time"]
    workspace.lock_page(zoo, locked=False, bump=True)
    workspace.publish_page(zoo, None)
    ended = page(client, zoo)
    assert (ended["is_locked"], ended["public_url"], ended["last_edited_time"]) == (False, None, LATER)


def test_two_edits_within_a_minute_share_a_time(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    client = connect(workspace)
    workspace.edit_page(zoo, {"Age": 4})
    first = page(client, zoo)
    workspace.clock.advance(20)
    workspace.edit_page(zoo, {"Age": 5})
    assert page(client, zoo)["last_edited_time"] == first["last_edited_time"]


def test_a_quiet_change_does_not_move_the_time(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    workspace.set_quietly(zoo, {"Age": 9})
    shown = page(connect(workspace), zoo)
    assert (shown["properties"]["Age"]["number"], shown["last_edited_time"] != LATER) == (9, True)


def test_times_may_be_set(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    workspace.set_times(zoo, created="2020-01-01T00:00:30Z", edited="2021-01-01T00:00:30Z")
    shown = page(connect(workspace), zoo)
    assert (shown["created_time"], shown["last_edited_time"]) == (
        "2020-01-01T00:00:00.000Z",
        "2021-01-01T00:00:00.000Z",
    )


@pytest.mark.parametrize("bump", [False, True])
def test_trash_and_archive_move_the_time_only_when_asked(
    workspace: SampleWorkspace, zoo: str, connect: Connect, bump: bool
) -> None:
    client = connect(workspace)
    for steer, flag, value in (
        (workspace.trash_page, "in_trash", True),
        (workspace.restore_page, "in_trash", False),
        (workspace.archive_page, "is_archived", True),
        (workspace.unarchive_page, "is_archived", False),
    ):
        steer(zoo, bump=bump)
        shown = page(client, zoo)
        assert (shown[flag], shown["last_edited_time"] == LATER) == (value, bump)


def test_a_deleted_page_is_not_found(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    workspace.delete_page(zoo)
    assert connect(workspace).get(f"/v1/pages/{zoo}").json()["code"] == "object_not_found"
    assert workspace.truth("Zoo") == {}


def test_a_moved_page_shows_its_new_parent(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    farm = workspace.add_database("Farm", {"Age": lit.number(), "Kind": lit.number()})
    workspace.move_page(zoo, "Farm")
    assert connect(workspace).get(f"/v1/pages/{zoo}").status_code == 404
    workspace.share("anna", "Farm")
    shown = page(connect(workspace), zoo)
    assert shown["parent"] == {
        "type": "data_source_id", "data_source_id": farm.data_source_id, "database_id": farm.id
    }  # fmt: skip
    assert shown["properties"]["Age"]["number"] == 3
    assert shown["properties"]["Kind"]["number"] is None
    assert (workspace.page_ids("Zoo"), workspace.page_ids("Farm")) == ([], [zoo])


def test_a_renamed_property_keeps_its_id(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    client = connect(workspace)
    before = page(client, zoo)["properties"]["Age"]
    workspace.rename_property("Zoo", "Age", "Years")
    shown = page(client, zoo)
    assert shown["properties"]["Years"] == before
    assert "Age" not in shown["properties"]
    source = client.get(f"/v1/data_sources/{shown['parent']['data_source_id']}").json()
    assert source["last_edited_time"] == LATER
    assert shown["last_edited_time"] != LATER


def test_properties_are_added_and_removed(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    client = connect(workspace)
    workspace.add_property("Zoo", "Note", lit.rich_text())
    workspace.add_property("Zoo", "Number", lit.unique_id("Z"))
    workspace.remove_property("Zoo", "Age")
    values = page(client, zoo)["properties"]
    assert values["Note"]["rich_text"] == []
    assert values["Number"]["unique_id"] == {"prefix": "Z", "number": 1}
    assert "Age" not in values
    with pytest.raises(ValueError, match="has a property"):
        workspace.add_property("Zoo", "Note", lit.number())


def test_a_retyped_property_keeps_its_id_and_what_fits(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    client = connect(workspace)
    before = page(client, zoo)["properties"]
    workspace.retype_property("Zoo", "Kind", lit.status(Open=["Cat"], Shut=["Gone"]))
    workspace.retype_property("Zoo", "Age", {"type": "rich_text"})
    after = page(client, zoo)["properties"]
    assert [after[name]["id"] for name in ("Age", "Kind")] == [before[name]["id"] for name in ("Age", "Kind")]
    assert (after["Age"]["rich_text"], after["Kind"]["status"]["name"]) == ([], "Cat")


def test_a_renamed_option_is_no_edit(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    client = connect(workspace)
    before = page(client, zoo)
    workspace.rename_option("Zoo", "Kind", "Cat", "Feline")
    after = page(client, zoo)
    assert after["properties"]["Kind"]["select"]["name"] == "Feline"
    assert after["properties"]["Kind"]["select"]["id"] == before["properties"]["Kind"]["select"]["id"]
    assert after["last_edited_time"] == before["last_edited_time"]


def test_an_option_is_recoloured_and_removed_without_an_edit(
    workspace: SampleWorkspace, zoo: str, connect: Connect
) -> None:
    client = connect(workspace)
    before = page(client, zoo)
    workspace.recolor_option("Zoo", "Kind", "Cat", "brown")
    assert page(client, zoo)["properties"]["Kind"]["select"]["color"] == "brown"
    workspace.remove_option("Zoo", "Kind", "Cat")
    after = page(client, zoo)
    assert after["properties"]["Kind"]["select"] is None
    assert after["last_edited_time"] == before["last_edited_time"]


def test_a_renamed_user_is_no_edit(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    workspace.add_user("Old")
    workspace.set_quietly(zoo, {"Keepers": ["Old"]})
    workspace.rename_user("Old", "New")
    shown = page(connect(workspace), zoo)
    assert shown["properties"]["Keepers"]["people"][0]["name"] == "New"
    assert shown["last_edited_time"] != LATER


def test_a_trashed_database_answers_but_lists_nothing(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    client, source = connect(workspace), workspace.state.page(zoo)
    assert source is not None
    workspace.trash_database("Zoo")
    schema = client.get(f"/v1/data_sources/{source.data_source_id}").json()
    assert schema["in_trash"] is True
    assert client.get(f"/v1/databases/{schema['parent']['database_id']}").json()["in_trash"] is True
    assert page(client, zoo)["in_trash"] is True
    path = f"/v1/data_sources/{source.data_source_id}/query"
    assert client.post(path, json={}).json()["results"] == []
    workspace.restore_database("Zoo")
    assert len(client.post(path, json={}).json()["results"]) == 1


def test_data_sources_come_and_go(small: SmallWorkspace, connect: Connect) -> None:
    ben = connect(small.workspace, "ben")
    path = f"/v1/databases/{small.databases['Library']}"
    assert [one["name"] for one in ben.get(path).json()["data_sources"]] == ["Authors", "Books"]
    added = small.workspace.add_data_source("Library", "Shelves", rows=[{"Name": "First"}])
    small.workspace.remove_data_source(small.data_sources["Books"])
    assert [one["name"] for one in ben.get(path).json()["data_sources"]] == ["Authors", "Shelves"]
    assert ben.get(f"/v1/data_sources/{small.data_sources['Books']}").status_code == 404
    assert len(ben.post(f"/v1/data_sources/{added}/query", json={}).json()["results"]) == 1


def test_a_deleted_database_is_not_found(small: SmallWorkspace, connect: Connect) -> None:
    small.workspace.delete_database("Three")
    anna = connect(small.workspace)
    assert anna.get(f"/v1/databases/{small.databases['Three']}").status_code == 404
    assert anna.get(f"/v1/data_sources/{small.data_sources['Three']}").status_code == 404


def test_an_edit_of_what_does_not_exist_is_an_error(workspace: SampleWorkspace, zoo: str) -> None:
    for steer in (
        lambda: workspace.edit_page("00000000-0000-0000-0000-000000000000"),
        lambda: workspace.edit_page(zoo, {"Nope": 1}),
        lambda: workspace.share("nobody", "Zoo"),
        lambda: workspace.add_page("Nowhere"),
    ):
        with pytest.raises(LookupError):
            steer()


def test_the_clock_stands_still_until_it_runs(workspace: SampleWorkspace) -> None:
    clock = workspace.clock
    assert clock.http_date == "Mon, 02 Nov 2026 09:30:27 GMT"
    assert clock.now == clock.now
    clock.run()
    begun = clock.now
    while clock.now == begun:
        pass
    clock.set("2026-12-24T00:00:00Z")
    assert clock.http_date == "Thu, 24 Dec 2026 00:00:00 GMT"
    clock.freeze()
    frozen = clock.now
    assert clock.now == frozen


def test_a_data_source_may_have_another_name_than_its_database(small: SmallWorkspace, connect: Connect) -> None:
    worlds = small.data_sources["Worlds"]
    small.workspace.rename_data_source(worlds, "Planets")
    client = connect(small.workspace)
    database = client.get(f"/v1/databases/{small.databases['Worlds']}").json()
    assert database["title"][0]["plain_text"] == "Worlds"
    assert database["data_sources"] == [{"id": worlds, "name": "Planets"}]
    assert client.get(f"/v1/data_sources/{worlds}").json()["title"][0]["plain_text"] == "Planets"
