"""Puts the content of both writers, which is in the .toml files beside this module, into a workspace."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from notion_workspace.building import Properties, Values
from notion_workspace.model import Text
from notion_workspace.showcase import edits, schema
from notion_workspace.tables import DatabaseHandle
from notion_workspace.workspace import SampleWorkspace

# What a file holds: `name`, `allies`, and rows by database. A row maps property names to plain values; its `body` is
# what stands inside the page. A chat session has `lines`: each begins with who speaks, and is one message.
Content = Mapping[str, Any]

_USERS = ("ada", "ben")
_READING_LIST = "Reading List"
_DAY = 86_400
# Seconds between two rows.
_PACE = 61.0
_BOLD = frozenset({"bold"})


@dataclass(frozen=True)
class Showcase:
    """A workspace with content; by user: the token, and the databases as `notion_databases` names them.

    `edit_a_few_pages` edits, adds and trashes some, and says what it did, a sentence each.
    """

    workspace: SampleWorkspace
    tokens: dict[str, str]
    databases: dict[str, dict[str, str]]
    edit_a_few_pages: Callable[[], list[str]]


def build_showcase(seed: int = 7) -> Showcase:
    """Two writers, `ada` and `ben`, with databases of their own and a reading list that both see.

    The same seed gives the same ids.
    """
    workspace = SampleWorkspace(seed)
    workspace.clock.advance(-3 * _DAY)
    writers = {user: _read(user) for user in _USERS}
    for user, writer in writers.items():
        workspace.add_user(writer["name"], email=f"{user}@example.com")
    tokens = {user: workspace.add_token(user).secret for user in writers}
    databases = {user: _add_writer(workspace, writer) for user, writer in writers.items()}
    ada, books = writers["ada"], _read("reading_list")["rows"]
    shared = _add(workspace, _READING_LIST, schema.READING_LIST, books, ada["name"]).id
    for user, ids in databases.items():
        ids[_READING_LIST] = shared
        for database_id in ids.values():
            workspace.share(user, database_id)
    workspace.clock.advance(3 * _DAY)
    next_session = chat_session(ada["next_chat_session"])
    return Showcase(workspace, tokens, databases, lambda: edits.edit_a_few_pages(workspace, databases, next_session))


def chat_session(given: Content) -> Values:
    """The row of a talk, which is given by its `lines`."""
    row, lines = dict(given), given["lines"]
    del row["lines"]
    transcript: list[str | Text] = []
    for number, line in enumerate(lines):
        speaker, _, said = line.partition(": ")
        transcript += [Text(f"{speaker}:", style=_BOLD), f" {said}" + ("\n\n" if number + 1 < len(lines) else "")]
    return {**row, "Raw Transcript": transcript, "Message Count": len(lines)}


def _read(name: str) -> Content:
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def _add(
    workspace: SampleWorkspace, name: str, properties: Properties, rows: Iterable[Values], author: str
) -> DatabaseHandle:
    return workspace.add_database(name, properties, rows, author=author, pace=_PACE)


def _add_writer(workspace: SampleWorkspace, writer: Content) -> dict[str, str]:
    """Adds a writer's databases and returns their ids by name; relations stay among them."""
    author = writer["name"]
    worlds = _add(workspace, "Worlds", schema.WORLDS, _without_body(writer["worlds"]), author)
    cast_schema = schema.characters(worlds.id)
    cast = _add(workspace, "Characters", cast_schema, _without_body(writer["characters"]), author)
    stories_schema = schema.stories(cast.id, worlds.id)
    told = _add(workspace, "Stories", stories_schema, _without_body(writer["stories"]), author)
    for source, rollups in ((worlds, schema.WORLDS_ROLLUPS), (cast, schema.CHARACTERS_ROLLUPS)):
        for name, definition in rollups.items():
            workspace.add_property(source.data_source_id, name, definition)
    ids = {made.name: made.id for made in (worlds, cast, told)}
    if talks := [chat_session(given) for given in writer.get("chat_sessions", [])]:
        ids["Chat Sessions"] = _add(workspace, "Chat Sessions", schema.chat_sessions(cast.id), talks, author).id
    _befriend(workspace, cast.id, writer["allies"])
    for made in (worlds, cast, told):
        _fill(workspace, made.id, writer[made.name.lower()])
    return ids


def _without_body(rows: Iterable[Values]) -> list[Values]:
    return [{name: value for name, value in row.items() if name != "body"} for row in rows]


def _fill(workspace: SampleWorkspace, database_id: str, rows: Iterable[Values]) -> None:
    """Puts what stands inside the pages there."""
    pages = edits.pages_by_title(workspace, database_id)
    for row in rows:
        if "body" in row:
            workspace.set_body(pages[row.get("Name") or row["Title"]], row["body"])


def _befriend(workspace: SampleWorkspace, database_id: str, allies: Iterable[tuple[str, str]]) -> None:
    """Both of a pair are the other's ally; a page can only name others once they are there."""
    for title, page_id in edits.pages_by_title(workspace, database_id).items():
        names = [other for pair in allies if title in pair for other in pair if other != title]
        workspace.set_quietly(page_id, {"Allies": names})
