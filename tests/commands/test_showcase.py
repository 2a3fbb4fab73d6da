"""The demo's content: whole, consistent, always the same, and mirrored exactly."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from notion_workspace import WorkspaceServer
from notion_workspace.showcase import Showcase, build_showcase

from notion_pg_sync.commands.demo.queries import QUERIES, WANT_VIEWS
from notion_pg_sync.settings import Settings
from tests.installation import Installation

TODAY = {"ada": date(1312, 6, 1), "ben": date(2391, 6, 1)}


@pytest.fixture
def showcase() -> Showcase:
    return build_showcase()


def rows(showcase: Showcase, user: str, database: str) -> list[dict[str, Any]]:
    truth = showcase.workspace.truth(showcase.databases[user][database], user)
    return [row["properties"] for row in truth.values()]


def row_of(showcase: Showcase, user: str, database: str, title: str) -> dict[str, Any]:
    (found,) = [row for row in rows(showcase, user, database) if title in (row.get("Name"), row.get("Title"))]
    return found


def test_each_user_has_what_the_demo_promises(showcase: Showcase) -> None:
    counts = {user: {name: len(rows(showcase, user, name)) for name in ids} for user, ids in showcase.databases.items()}
    assert counts == {
        "ada": {"Worlds": 5, "Characters": 14, "Stories": 8, "Chat Sessions": 5, "Reading List": 12},
        "ben": {"Worlds": 3, "Characters": 7, "Stories": 4, "Reading List": 12},
    }
    assert showcase.databases["ada"]["Reading List"] == showcase.databases["ben"]["Reading List"]
    assert showcase.databases["ada"]["Characters"] != showcase.databases["ben"]["Characters"]


def test_the_same_seed_gives_the_same() -> None:
    first, second, other = build_showcase(1), build_showcase(1), build_showcase(2)
    assert (first.databases, first.tokens) == (second.databases, second.tokens)
    for name, database_id in first.databases["ada"].items():
        assert first.workspace.truth(database_id) == second.workspace.truth(database_id), name
    assert first.databases != other.databases


@pytest.mark.parametrize("user", ["ada", "ben"])
def test_the_living_are_as_old_as_they_say(showcase: Showcase, user: str) -> None:
    for row in rows(showcase, user, "Characters"):
        if row["Alive"] and row["Born"]:
            points = [date.fromisoformat(point[:10]) for key in ("start", "end") if (point := row["Born"][key])]
            today = TODAY[user]
            ages = {today.year - born.year - ((today.month, today.day) < (born.month, born.day)) for born in points}
            assert row["Age"] in ages, row["Name"]


def test_what_notion_computes_adds_up(showcase: Showcase) -> None:
    world = row_of(showcase, "ada", "Worlds", "Underlantern")
    assert (world["Head count"], world["Average age"]) == (4, (19 + 58 + 52 + 34) / 4)
    assert row_of(showcase, "ada", "Stories", "The Breath Between")["Progress"] == 68
    assert row_of(showcase, "ada", "Characters", "Bridie Farrow")["Appearances"] == 5
    wren, hessa = (row_of(showcase, "ada", "Characters", name) for name in ("Wren Tallow", "Hessa Cask"))
    assert wren["Introduction"].startswith("Wren Tallow, protagonist")
    assert (len(wren["Allies"]), len(hessa["Allies"])) == (2, 1)


def test_a_talk_has_as_many_messages_as_it_says(showcase: Showcase) -> None:
    for row in rows(showcase, "ada", "Chat Sessions"):
        assert len(row["Raw Transcript"].split("\n\n")) == row["Message Count"], row["Title"]


def test_the_edits_are_what_they_say(showcase: Showcase) -> None:
    sentences = showcase.edit_a_few_pages()
    assert [next(word for word in ("Pim", "Last Stop", "Muse", "Dragon") if word in said) for said in sentences] == [
        "Pim",
        "Last Stop",
        "Muse",
        "Dragon",
    ]
    assert row_of(showcase, "ada", "Characters", "Pim")["Age"] == 12
    assert row_of(showcase, "ben", "Stories", "The Last Stop")["Status"] == "Finished"
    assert (len(rows(showcase, "ada", "Chat Sessions")), len(rows(showcase, "ben", "Reading List"))) == (6, 11)


async def test_it_is_mirrored_exactly_and_answers_every_query(database_url: str, showcase: Showcase) -> None:
    with WorkspaceServer(showcase.workspace) as server:
        installed = Installation(Settings(database_url=database_url, notion_base_url=server.url), showcase.workspace)
        await installed.init()
        for user, token in showcase.tokens.items():
            await installed.connect(user, token, showcase.databases[user])
            await installed.execute(WANT_VIEWS, user)
        await installed.sync_all()
        for user, databases in showcase.databases.items():
            assert await installed.differences(user, user, databases) == []
        showcase.edit_a_few_pages()
        await installed.sync_all()
        answers = {title: await installed.execute(query) for title, query in QUERIES}
    eldest, busiest, unfinished, lamps, changed = answers.values()
    assert [row["name"] for row in eldest][:2] == ["The Heron Queen", "Gorse"]
    assert (busiest[0]["name"], busiest[0]["stories"]) == ("Bridie Farrow", 5)
    assert (unfinished[0]["title"], unfinished[0]["progress"]) == ("The Breath Between", 68)
    assert all("**lamp**" in row["snippet"] and "oath" not in row["snippet"] for row in lamps)
    assert {row["database_name"] for row in lamps} >= {"Stories", "Characters"}
    assert {row["what"] for row in changed} >= {"Pim", "The Last Stop", "How do you end a war with a chorus?"}
