"""What the writers change while the demo runs."""

from collections.abc import Mapping
from importlib.resources import files

from notion_workspace.building import Values
from notion_workspace.clock import to_datetime
from notion_workspace.model import File
from notion_workspace.workspace import SampleWorkspace

_GIVEN_UP = "The Dragon's Tax Adviser, Book Nine"
_MAP = File("Where the Thornwold is going.svg", "pims-map.svg")


def pages_by_title(workspace: SampleWorkspace, database_id: str) -> dict[str, str]:
    """The ids of a database's live pages, by title."""
    return {
        str(row["properties"].get("Title") or row["properties"].get("Name")): page_id
        for page_id, row in workspace.truth(database_id).items()
    }


def edit_a_few_pages(
    workspace: SampleWorkspace, databases: Mapping[str, Mapping[str, str]], next_session: Values
) -> list[str]:
    """Edits two pages, adds one (`next_session`), trashes one; says so, a sentence each. To be called once."""
    workspace.clock.advance(900)
    ada, ben = databases["ada"], databases["ben"]
    pim = pages_by_title(workspace, ada["Characters"])["Pim"]
    workspace.files.put(_MAP.url, files(__package__).joinpath(_MAP.url).read_bytes())
    workspace.set_pictures(pim, cover=_MAP)
    workspace.edit_page(
        pim,
        {
            "Age": 12,
            "Description": "Official cartographer of the Thornwold, for one year more. Has started to draw the map of "
            "where the forest is going, which nobody asked for, and which is not the way it is going.",
        },
        author="Ada Lindqvist",
    )
    workspace.edit_page(
        pages_by_title(workspace, ben["Stories"])["The Last Stop"],
        {"Status": "Finished", "Words": 72_004},
        author="Ben Okafor",
    )
    workspace.add_page(
        ada["Chat Sessions"],
        {**next_session, "When": to_datetime(workspace.clock.now).isoformat()},
        author="Ada Lindqvist",
    )
    workspace.trash_page(pages_by_title(workspace, ada["Reading List"])[_GIVEN_UP])
    return [
        "Pim turns twelve and starts on a map that nobody asked for (age, description and cover edited)",
        "Ben finishes The Last Stop, four words over its goal (status and words edited)",
        f"Ada has one more talk with the Muse: “{next_session['Title']}” (a page added)",
        f"both give up on {_GIVEN_UP} (a page of the shared list put in the trash)",
    ]
