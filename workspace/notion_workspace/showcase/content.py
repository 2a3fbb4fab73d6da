"""Puts the content of both writers into a workspace."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from notion_workspace import SampleWorkspace
from notion_workspace.building import Values
from notion_workspace.showcase import bodies, characters, chat_sessions, edits, reading_list, stories, worlds
from notion_workspace.showcase.bodies import Bodies
from notion_workspace.showcase.characters import Allies

_DAY = 86_400
# Seconds between two rows.
_PACE = 61.0


@dataclass(frozen=True)
class Showcase:
    """A workspace with content; by user: the token, and the databases as `notion_databases` names them.

    `edit_a_few_pages` edits, adds and trashes some, and says what it did, a sentence each.
    """

    workspace: SampleWorkspace
    tokens: dict[str, str]
    databases: dict[str, dict[str, str]]
    edit_a_few_pages: Callable[[], list[str]]


@dataclass(frozen=True)
class _Writer:
    name: str
    worlds: Sequence[Values]
    characters: Sequence[Values]
    allies: Allies
    stories: Sequence[Values]
    chat_sessions: Sequence[Values] = ()
    bodies: Mapping[str, Bodies] = field(default_factory=dict)


_WRITERS = {
    "ada": _Writer(
        "Ada Lindqvist",
        worlds.ADA,
        characters.ADA,
        characters.ADA_ALLIES,
        stories.ADA,
        chat_sessions.ADA,
        {"Characters": bodies.CHARACTERS, "Stories": bodies.STORIES},
    ),
    "ben": _Writer(
        "Ben Okafor",
        worlds.BEN,
        characters.BEN,
        characters.BEN_ALLIES,
        stories.BEN,
        bodies={"Stories": bodies.BEN_STORIES},
    ),
}


def build_showcase(seed: int = 7) -> Showcase:
    """Two writers, `ada` and `ben`, with databases of their own and a reading list that both see.

    The same seed gives the same ids.
    """
    workspace = SampleWorkspace(seed)
    workspace.clock.advance(-3 * _DAY)
    for user, writer in _WRITERS.items():
        workspace.add_user(writer.name, email=f"{user}@example.com")
    tokens = {user: workspace.add_token(user).secret for user in _WRITERS}
    databases = {user: _add_writer(workspace, writer) for user, writer in _WRITERS.items()}
    shared = workspace.add_database(
        reading_list.NAME,
        reading_list.PROPERTIES,
        reading_list.ROWS,
        author=_WRITERS["ada"].name,
        pace=_PACE,
    )
    for user, ids in databases.items():
        ids[reading_list.NAME] = shared.id
        for database_id in ids.values():
            workspace.share(user, database_id)
    workspace.clock.advance(3 * _DAY)
    return Showcase(workspace, tokens, databases, lambda: edits.edit_a_few_pages(workspace, databases))


def _add_writer(workspace: SampleWorkspace, writer: _Writer) -> dict[str, str]:
    """Adds a writer's databases and returns their ids by name; relations stay among them."""
    author = writer.name
    home = workspace.add_database("Worlds", worlds.PROPERTIES, writer.worlds, author=author, pace=_PACE)
    cast = workspace.add_database(
        "Characters", characters.properties(home.id), writer.characters, author=author, pace=_PACE
    )
    told = workspace.add_database(
        "Stories", stories.properties(cast.id, home.id), writer.stories, author=author, pace=_PACE
    )
    for source, rollups in ((home, worlds.ROLLUPS), (cast, stories.CHARACTER_ROLLUPS)):
        for name, definition in rollups.items():
            workspace.add_property(source.data_source_id, name, definition)
    ids = {"Worlds": home.id, "Characters": cast.id, "Stories": told.id}
    if writer.chat_sessions:
        ids["Chat Sessions"] = workspace.add_database(
            "Chat Sessions", chat_sessions.properties(cast.id), writer.chat_sessions, author=author, pace=_PACE
        ).id
    _befriend(workspace, cast.id, writer.allies)
    for name, by_title in writer.bodies.items():
        pages = edits.pages_by_title(workspace, ids[name])
        for title, blocks in by_title.items():
            workspace.set_body(pages[title], blocks)
    return ids


def _befriend(workspace: SampleWorkspace, database_id: str, allies: Allies) -> None:
    """Both of a pair are the other's ally; a page can only name others once they are there."""
    for title, page_id in edits.pages_by_title(workspace, database_id).items():
        names = [other for pair in allies if title in pair for other in pair if other != title]
        workspace.set_quietly(page_id, {"Allies": names})
