"""A sample Notion workspace: an HTTP server on loopback that answers as the real API (2026-03-11) does.

    from notion_workspace.literals import number, title

    workspace = SampleWorkspace(seed=1)                # or small_workspace().workspace
    token = workspace.add_token("anna")                # .secret is the bearer token
    handle = workspace.add_database(
        "Characters",
        properties={"Name": title(), "Age": number()},
        rows=[{"Name": "Aragorn", "Age": 87}],
    )
    workspace.share("anna", "Characters")
    with WorkspaceServer(workspace) as server:
        server.url                                     # http://127.0.0.1:PORT, without /v1
        page_id = workspace.page_ids("Characters")[0]
        workspace.edit_page(page_id, {"Age": 88})      # names or ids, everywhere
        workspace.truth("Characters")                  # page id -> TruthRow: plain, complete
        workspace.complete_page(page_id, "anna")       # Notion's JSON with nothing cut

`literals` has a builder for each property type and says which plain values its rows take. Steering methods stand in
`people` (users, tokens, sharing), `tables` (databases, properties), `pages` (pages, bodies),
`workspace` (settings, cursors, truth), `clock`, `faults`, `requests` and `files`. From another process the same methods
are `POST /_workspace/<name>` with a JSON object of keyword arguments (`/_workspace/faults.add`), and the truth is
`GET /_workspace/truth?data_source=Characters`, one JSON object a line.
"""

from notion_workspace.api import Answer, Request
from notion_workspace.model import UNSUPPORTED, DateValue, Equation, File, Mention, Text, Token
from notion_workspace.sample import SmallWorkspace, small_workspace
from notion_workspace.server import WorkspaceServer
from notion_workspace.tables import DatabaseHandle
from notion_workspace.truth import TruthRow
from notion_workspace.workspace import SampleWorkspace

__all__ = [
    "UNSUPPORTED",
    "Answer",
    "DatabaseHandle",
    "DateValue",
    "Equation",
    "File",
    "Mention",
    "Request",
    "SampleWorkspace",
    "SmallWorkspace",
    "Text",
    "Token",
    "TruthRow",
    "WorkspaceServer",
    "small_workspace",
]
