"""What people changed, as a person sees it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from notion_pg_sync.commands.history import MOST_LINES, lines_of, told_beside
from notion_pg_sync.mirror.history import Beginning, FieldChange
from tests.cli.conftest import Ended, Site

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def edited(site: Site) -> Site:
    """anna's Worlds were edited since they were synced first: a new name, a new page, one in the trash."""
    workspace = site.small.workspace
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Worlds": site.small.databases["Worlds"]}))
    assert site.command("sync-all") == Ended(0, "", "")
    workspace.clock.advance(3600)
    first, second, *_ = workspace.page_ids("Worlds")
    workspace.edit_page(first, {"Name": "Renamed \x1b[31m" + "long " * 20})
    workspace.trash_page(second)
    workspace.add_page("Worlds", {"Name": "A new world"})
    workspace.clock.advance(600)
    assert site.command("sync-all", "--full") == Ended(0, "", "")
    return site


def test_each_change_is_a_line_newest_first(edited: Site) -> None:
    ended = edited.command("history", "anna", "worlds", COLUMNS="200")
    assert (ended.code, ended.err) == (0, "")
    assert "(trashed)" in ended.out
    assert "(new)" in ended.out
    assert "A new world" in ended.out
    assert "World 1" in ended.out
    assert "…" in ended.out
    assert "\x1b" not in ended.out
    assert "The history of this database begins at" in ended.out


def test_of_one_page_by_title_id_or_link(edited: Site) -> None:
    page = edited.small.workspace.page_ids("Worlds")[0]
    for written in (page, f"https://www.notion.so/Renamed-{page.replace('-', '')}"):
        ended = edited.command("history", "anna", "Worlds", "--page", written, "--json")
        changes = json.loads(ended.out)["changes"]
        assert [(one["column_name"], one["old"]) for one in changes] == [("name", "World 1")]
    ended = edited.command("history", "anna", "Worlds", "--page", "a new WORLD", "--json")
    assert {one["kind"] for one in json.loads(ended.out)["changes"]} == {"inserted"}


def test_of_a_user_who_is_unknown_it_says_so(edited: Site) -> None:
    ended = edited.command("history", "you", "Worlds")
    told = "user 'you' is neither in user_settings nor known from before: check the spelling."
    assert (ended.code, ended.sentence) == (2, told)
    edited.execute("DELETE FROM user_settings")
    assert edited.command("history", "anna", "Worlds").code == 0


def test_json_has_all_of_it(edited: Site) -> None:
    found = json.loads(edited.command("history", "anna", "Worlds", "--json").out)
    assert (found["user_id"], found["database"]) == ("anna", "Worlds")
    assert found["database_id"] == edited.small.databases["Worlds"]
    assert datetime.fromisoformat(found["history_since"])
    assert {one["kind"] for one in found["changes"]} == {"inserted", "updated", "removed"}
    (renamed,) = [one for one in found["changes"] if one["kind"] == "updated"]
    assert renamed["new"].startswith("Renamed")
    assert renamed["edited_by"]


def test_what_is_unknown_is_wrong_usage_and_nothing_is_said(edited: Site) -> None:
    ended = edited.command("history", "anna", "Wolrds")
    assert ended.code == 2
    assert "did you mean 'Worlds'" in ended.err
    ended = edited.command("history", "anna", "Worlds", "--page", "nobody", "--since", "1h")
    assert ended.code == 0
    assert "Nothing changed within an hour." in ended.out


def change(number: int, kind: str = "updated", reason: str | None = None) -> FieldChange:
    return FieldChange(
        number, "page", None, kind, reason, f"column {number % 3}", "old", "new", NOW, NOW, "somebody", None
    )


def test_a_page_that_came_is_one_line_whatever_it_holds() -> None:
    lines = lines_of([change(1, "inserted"), change(1, "inserted"), change(2), change(2)])
    assert [line.column for line in lines] == ["(new)", "column 2", "column 2"]


def test_what_does_not_fit_on_a_screen_is_counted() -> None:
    begins = Beginning(NOW - timedelta(days=1), NOW)
    assert list(told_beside(MOST_LINES + 2, begins, timedelta(hours=1))) == [
        "2 older changes are not shown: --json prints all."
    ]
    assert list(told_beside(MOST_LINES, begins, timedelta(hours=1))) == []
    assert "Nothing is recorded" in next(iter(told_beside(0, Beginning(None, NOW), timedelta(hours=1))))
