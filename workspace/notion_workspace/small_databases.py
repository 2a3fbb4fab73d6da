"""The ordinary databases of the tests' standard workspace."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from notion_workspace import literals
from notion_workspace.workspace import SampleWorkspace

_FIRST_DAY = date(2026, 1, 5)
# Seconds between rows: two to three rows share a minute.
_PACE = 25.0


def add(workspace: SampleWorkspace) -> None:
    """Adds the writing databases, Library, Tasks and plain ones of 0, 3, 5, 101 and 120 rows."""
    _add_writing(workspace)
    _add_library(workspace)
    _add_tasks(workspace)
    _add_plain(workspace, "Empty", 0)
    _add_plain(workspace, "Three", 3)
    _add_plain(workspace, "Notes", 120)
    _add_plain(workspace, "One Hundred and One", 101)
    _add_plain(workspace, "Private", 5)


def _add_writing(workspace: SampleWorkspace) -> None:
    """Worlds, Characters, Stories and Chat Sessions: what a writing application holds."""
    worlds = [{"Name": f"World {number}", "Concept/Premise": f"Premise of world {number}."} for number in range(1, 13)]
    workspace.add_database(
        "Worlds", {"Name": literals.title(), "Concept/Premise": literals.rich_text()}, worlds, pace=_PACE
    )
    workspace.add_database(
        "Characters",
        {
            "Name": literals.title(),
            "Description": literals.rich_text(),
            "Age": literals.number(),
            "Role": literals.select("Hero", "Villain", "Friend"),
            "Traits": literals.multi_select("Brave", "Sly", "Kind"),
            "World": literals.relation("Worlds", dual="Characters"),
            "Alive": literals.checkbox(),
        },
        [_character(number) for number in range(1, 41)],
        pace=_PACE,
    )
    workspace.add_database(
        "Stories",
        {
            "Title": literals.title(),
            "Premise": literals.rich_text(),
            "Status": literals.status(),
            "Cast": literals.relation("Characters"),
            "Oldest": literals.rollup("Cast", "Age", "max"),
            "Ages": literals.rollup("Cast", "Age", "show_original"),
            "Cast size": literals.formula('length(prop("Cast"))', "number", lambda row: len(row.related("Cast"))),
            "Published": literals.date(),
        },
        [_story(number) for number in range(1, 31)],
        pace=_PACE,
    )
    workspace.add_database(
        "Chat Sessions",
        {"Name": literals.title(), "Raw Transcript": literals.rich_text(), "Message Count": literals.number()},
        [
            {"Name": f"Session {number}", "Raw Transcript": f"Line one.\nLine {number}.", "Message Count": number}
            for number in range(1, 251)
        ],
        pace=_PACE,
    )


def _character(number: int) -> dict[str, Any]:
    """Every character but the last lives in world 1, so that its far side holds more than 25."""
    return {
        "Name": f"Character {number}",
        "Description": "" if number % 7 == 0 else f"Character {number} has a past.",
        "Age": None if number % 9 == 0 else 10 + number,
        "Role": ("Hero", "Villain", "Friend", None)[number % 4],
        "Traits": ["Brave", "Sly", "Kind"][: number % 4],
        "World": ["World 1"] if number < 40 else ["World 1", "World 2"],
        "Alive": number % 3 == 0,
    }


def _story(number: int) -> dict[str, Any]:
    """The first story has a cast of 40: more than an answer shows."""
    cast = range(1, 41) if number == 1 else range(number, number + number % 3)
    return {
        "Title": f"Story {number}",
        "Premise": f"Premise of story {number}.",
        "Status": ("Not started", "In progress", "Done")[number % 3],
        "Cast": [f"Character {one}" for one in cast],
        "Published": _FIRST_DAY + timedelta(days=number) if number % 2 else None,
    }


def _add_library(workspace: SampleWorkspace) -> None:
    """A database with two data sources."""
    library = workspace.add_database(
        "Library", {"Name": literals.title()}, [{"Name": f"Shelf {number}"} for number in range(1, 3)]
    )
    workspace.remove_data_source(library.data_source_id)
    authors = workspace.add_data_source(
        library.id,
        "Authors",
        {"Name": literals.title(), "Born": literals.number()},
        [{"Name": f"Author {number}", "Born": 1900 + number} for number in range(1, 16)],
        pace=_PACE,
    )
    workspace.add_data_source(
        library.id,
        "Books",
        {
            "Name": literals.title(),
            "Author": literals.relation(authors),
            "Pages": literals.number(),
            "ISBN": literals.unique_id("BOOK"),
        },
        [
            {"Name": f"Book {number}", "Author": [f"Author {1 + number % 15}"], "Pages": 100 + number}
            for number in range(1, 61)
        ],
        pace=_PACE,
    )


def _add_tasks(workspace: SampleWorkspace) -> None:
    due = datetime(2026, 10, 5, 14, 30, tzinfo=UTC)
    workspace.add_database(
        "Tasks",
        {
            "Task": literals.title(),
            "Done": literals.checkbox(),
            "Due": literals.date(),
            "Assignee": literals.people(),
            "ID": literals.unique_id("TASK"),
        },
        [
            {
                "Task": f"Task {number}",
                "Done": number % 2 == 0,
                "Due": due + timedelta(days=number),
                "Assignee": ["Ben"] if number % 3 else [],
            }
            for number in range(1, 91)
        ],
        pace=_PACE,
    )


def _add_plain(workspace: SampleWorkspace, name: str, rows: int) -> None:
    workspace.add_database(
        name,
        {"Name": literals.title(), "Content": literals.rich_text(), "Number": literals.number()},
        [
            {"Name": f"{name} {number}", "Content": f"Text {number}", "Number": number / 4}
            for number in range(1, rows + 1)
        ],
        pace=_PACE,
    )
