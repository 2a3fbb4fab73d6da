"""A studio's projects and tasks, of which an analyst asks; the rows are in team.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from notion_workspace.building import Properties
from notion_workspace.literals import (
    date,
    formula,
    multi_select,
    number,
    people,
    relation,
    rollup,
    status,
    title,
    unique_id,
)
from notion_workspace.plain import Row
from notion_workspace.showcase.edits import pages_by_title
from notion_workspace.workspace import SampleWorkspace

USER = "studio"
_PROJECTS: Properties = {"Name": title(), "Lead": people()}
_ROLLUPS: Properties = {
    "Tasks planned": rollup("Tasks", "Title", "count"),
    "Hours planned": rollup("Tasks", "Estimate", "sum"),
    "Hours spent": rollup("Tasks", "Spent", "sum"),
}


@dataclass(frozen=True)
class TeamWorkspace:
    """A workspace with projects and tasks; `databases` by name, as `notion_databases` has them; `token` sees both."""

    workspace: SampleWorkspace
    token: str
    databases: Mapping[str, str]


def team_workspace(seed: int = 11) -> TeamWorkspace:
    """The studio's workspace. The same seed gives the same ids."""
    content = tomllib.loads(files(__package__).joinpath("team.toml").read_text(encoding="utf-8"))
    workspace = SampleWorkspace(seed)
    for name in content["people"]:
        workspace.add_user(name)
    token = workspace.add_token(USER).secret
    projects = workspace.add_database("Projects", _PROJECTS, content["projects"])
    later = ("body", "Part of")
    rows = [{name: value for name, value in row.items() if name not in later} for row in content["tasks"]]
    tasks = workspace.add_database("Tasks", _tasks(projects.id), rows)
    for name, definition in _ROLLUPS.items():
        workspace.add_property(projects.data_source_id, name, definition)
    pages = pages_by_title(workspace, tasks.id)
    for row in content["tasks"]:
        if "Part of" in row:
            workspace.set_quietly(pages[row["Title"]], {"Part of": row["Part of"]})
        if "body" in row:
            workspace.set_body(pages[row["Title"]], row["body"])
    databases = {made.name: made.id for made in (projects, tasks)}
    for database_id in databases.values():
        workspace.share(USER, database_id)
    return TeamWorkspace(workspace, token, databases)


def _tasks(projects: str) -> Properties:
    """`projects` is the data source that `Project` points at. Subtasks are what Notion's switch for them makes."""
    return {
        "Title": title(),
        "Status": status(**{"To-do": ["Inbox", "Next"], "In progress": ["Doing", "In review"], "Complete": _CLOSED}),
        "Tags": multi_select("copy", "design", "finance", "travel", "urgent", "web"),
        "Assignee": people(),
        "Project": relation(projects, dual="Tasks"),
        "Part of": relation("self", dual="Subtasks"),
        "Due": date(),
        "Estimate": number(),
        "Spent": number(),
        "Hours left": formula('max(prop("Estimate") - prop("Spent"), 0)', "number", _hours_left),
        "No.": unique_id("TASK"),
    }


_CLOSED = ["Done", "Dropped"]


def _hours_left(row: Row) -> float:
    return float(max(row["Estimate"] - row["Spent"], 0))
