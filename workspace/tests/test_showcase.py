"""The showcase: whole, consistent, always the same."""

from datetime import date
from typing import Any

import pytest

from notion_workspace.showcase import Showcase, build_showcase
from notion_workspace.showcase.content import chat_session

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


def test_each_user_has_databases_of_their_own_and_a_shared_one(showcase: Showcase) -> None:
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
    (pim,) = [
        page_id
        for page_id, row in showcase.workspace.truth(showcase.databases["ada"]["Characters"]).items()
        if row["properties"]["Name"] == "Pim"
    ]
    assert showcase.workspace.complete_page(pim)["cover"]["file"]["url"].partition("?")[0].endswith("/pims-map.svg")
    assert b"".join(showcase.workspace.files.pieces("pims-map.svg")).startswith(b"<svg ")
    assert row_of(showcase, "ben", "Stories", "The Last Stop")["Status"] == "Finished"
    assert (len(rows(showcase, "ada", "Chat Sessions")), len(rows(showcase, "ben", "Reading List"))) == (6, 11)


def test_texts_keep_their_style_and_their_equations(showcase: Showcase) -> None:
    def description(user: str, title: str) -> list[dict[str, Any]]:
        (page_id,) = [
            page_id
            for page_id, row in showcase.workspace.truth(showcase.databases[user]["Characters"]).items()
            if row["properties"]["Name"] == title
        ]
        items: list[dict[str, Any]] = showcase.workspace.complete_page(page_id)["properties"]["Description"][
            "rich_text"
        ]
        return items

    styled = [(item["plain_text"], item["annotations"]["italic"]) for item in description("ada", "Oda Marrish")]
    assert [italic for _, italic in styled] == [False, True, False]
    assert styled[1][0] == "one"
    assert "".join(text for text, _ in styled).endswith(
        "She has broken one oath in her life, and limps whenever the sea is in."
    )
    assert [item["type"] for item in description("ben", "Dr. Olumide Sant")] == ["text", "equation", "text"]


def test_some_pages_have_a_body(showcase: Showcase) -> None:
    bodies = {
        row["properties"].get("Name") or row["properties"]["Title"]: body
        for ids in showcase.databases.values()
        for database_id in ids.values()
        for page_id, row in showcase.workspace.truth(database_id).items()
        if (body := showcase.workspace.complete_body(page_id))
    }
    assert set(bodies) == {
        "Wren Tallow", "Bridie Farrow", "Gorse", "The Breath Between", "An Oath at Low Water", "The Last Stop",
    }  # fmt: skip
    assert "- A list of streets, in order\n\t- [x] Candlemaker Row" in bodies["Wren Tallow"]


def test_a_talk_is_given_by_its_lines() -> None:
    row = chat_session({"Title": "Short", "lines": ["Ada: Is it: so?", "Muse: It is."]})
    texts = [part if isinstance(part, str) else f"*{part.content}*" for part in row["Raw Transcript"]]
    assert (texts, row["Message Count"]) == (["*Ada:*", " Is it: so?\n\n", "*Muse:*", " It is."], 2)
    assert set(row) == {"Title", "Raw Transcript", "Message Count"}
