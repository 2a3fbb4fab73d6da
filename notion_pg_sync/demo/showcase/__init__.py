"""The demo's content: what two writers keep in Notion, and a few edits that they make."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from notion_pg_sync.demo.showcase import characters, chat_sessions, reading_list, stories, worlds
from notion_pg_sync.demo.workspace import SampleWorkspace
from notion_pg_sync.demo.workspace.model import Definition

SHARED = "Reading List"


@dataclass(frozen=True)
class Showcase:
    """A workspace with content; by user: the token, and the databases as `notion_databases` names them."""

    workspace: SampleWorkspace
    tokens: dict[str, str]
    databases: dict[str, dict[str, str]]
    edit_a_few_pages: Callable[[], list[str]]


def build_showcase() -> Showcase:
    """Two writers, `ada` and `ben`, with four databases each and one that both see. Always the same."""
    workspace = SampleWorkspace(seed=7)
    workspace.clock.advance(-3 * 86_400)
    tokens = {user: workspace.add_token(user).secret for user in ("ada", "ben")}
    ada = _add_writer(workspace, "ada")
    ben = _add_writer(workspace, "ben")
    shared = workspace.add_database(SHARED, reading_list.PROPERTIES, reading_list.ROWS).id
    for user, databases in (("ada", ada), ("ben", ben)):
        databases[SHARED] = shared
        for database_id in databases.values():
            workspace.share(user, database_id)
    workspace.clock.advance(3 * 86_400)
    return Showcase(workspace, tokens, {"ada": ada, "ben": ben}, lambda: _edit(workspace, ada))


def _add_writer(workspace: SampleWorkspace, user: str) -> dict[str, str]:
    """Adds a writer's databases and returns their ids by name; relations stay among them."""
    ids: dict[str, str] = {}
    for name, content in (
        ("Worlds", worlds),
        ("Characters", characters),
        ("Stories", stories),
        ("Chat Sessions", chat_sessions),
    ):
        rows = content.ADA if user == "ada" else content.BEN
        properties = {key: _among(definition, ids) for key, definition in content.PROPERTIES.items()}
        ids[name] = workspace.add_database(name, properties, rows, pace=61.0).id
    return ids


def _among(definition: Definition, ids: dict[str, str]) -> Definition:
    """A relation to one of the databases of these names, which another writer has too."""
    return replace(definition, target=ids[definition.target]) if definition.target in ids else definition


def _edit(workspace: SampleWorkspace, databases: dict[str, str]) -> list[str]:
    """Makes the edits, and says what they were."""
    workspace.clock.advance(900)
    pages = {
        row["properties"][title]: page_id
        for name, title in (("Characters", "Name"), ("Stories", "Title"))
        for page_id, row in workspace.truth(databases[name]).items()
    }
    workspace.edit_page(pages["Little Brine"], {"Age": 7, "Description": "A tide that learned to walk, and to knock."})
    workspace.edit_page(pages["An Address in the Cold"], {"Status": "Finished", "Words": 80_120})
    workspace.trash_page(pages["Sefa Lorne"])
    transcript = "Ada: It is done.\nMuse: Then why are you still typing?"
    workspace.add_page(
        databases["Chat Sessions"], {"Title": "The end, again", "Raw Transcript": transcript, "Message Count": 2}
    )
    return [
        "Little Brine has a birthday and learns to knock (two properties edited)",
        "An Address in the Cold is finished at 80,120 words (two properties edited)",
        "Sefa Lorne, long dead, goes to the trash",
        "one more conversation with the muse (a page added)",
    ]
