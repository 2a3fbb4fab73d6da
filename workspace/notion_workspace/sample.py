"""Workspaces ready made, by the names of scenarios: the tests' standard one, generated ones, the showcase."""

from collections.abc import Callable
from dataclasses import dataclass

from notion_workspace import odd_databases, small_databases
from notion_workspace.clock import to_datetime
from notion_workspace.showcase import build_showcase
from notion_workspace.showcase.team import team_workspace
from notion_workspace.workspace import SampleWorkspace


@dataclass(frozen=True)
class SmallWorkspace:
    """The tests' standard workspace.

    tokens: label -> secret, for `anna` (internal), `ben` (OAuth) and `cora` (personal). databases: name -> database
    id. data_sources: name -> data source id, for databases with one; those of `Library` are `Books` and `Authors`.
    shared: label -> names of the databases it sees (`Worlds` is shared by anna and ben).
    """

    workspace: SampleWorkspace
    tokens: dict[str, str]
    databases: dict[str, str]
    data_sources: dict[str, str]
    shared: dict[str, tuple[str, ...]]


_FOUNDED = "2026-06-01T08:00:11Z"
_SHARED = {
    "anna": ("Characters", "Worlds", "Stories", "Chat Sessions", "Everything", "Empty", "Three"),
    "ben": ("Worlds", "Library", "Tasks", "Nasty Names"),
    "cora": ("Notes", "One Hundred and One", "Private"),
}


def small_workspace(seed: int = 0) -> SmallWorkspace:
    """Builds the standard workspace: 3 tokens, 13 databases, sizes from 0 to 250 rows. Takes no time to speak of."""
    workspace = SampleWorkspace(seed)
    present = workspace.clock.now
    workspace.clock.set(_FOUNDED)
    ben = workspace.add_user("Ben", email="ben@example.com")
    cora = workspace.add_user("Cora", email="cora@example.com")
    workspace.add_token("anna")
    workspace.add_token("ben", "oauth", ben)
    workspace.add_token("cora", "personal", cora)
    small_databases.add(workspace)
    odd_databases.add_everything(workspace)
    odd_databases.add_nasty_names(workspace)
    workspace.clock.set(to_datetime(present))
    for label, names in _SHARED.items():
        for name in names:
            workspace.share(label, name)
    state = workspace.state
    return SmallWorkspace(
        workspace,
        {token.label: token.secret for token in state.tokens.values()},
        {database.name: database.id for database in state.databases.values()},
        {source.name: source.id for source in state.data_sources.values()},
        _SHARED,
    )


def generated_workspace(seed: int = 0, rows: int = 10_000) -> SampleWorkspace:
    """One token `bench` and one generated database `Rows`."""
    workspace = SampleWorkspace(seed)
    workspace.add_token("bench")
    workspace.add_generated_database("Rows", rows)
    workspace.share("bench", "Rows")
    return workspace


# By name, for `python -m notion_workspace --scenario`: made from a seed and a number of rows.
SCENARIOS: dict[str, Callable[[int, int], SampleWorkspace]] = {
    "empty": lambda seed, _rows: SampleWorkspace(seed),
    "generated": generated_workspace,
    "showcase": lambda seed, _rows: build_showcase(seed).workspace,
    "small": lambda seed, _rows: small_workspace(seed).workspace,
    "studio": lambda seed, _rows: team_workspace(seed).workspace,
}
