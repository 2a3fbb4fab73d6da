"""The server itself: its version, the way to it, its clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from msgspec import Struct

from notion_pg_sync.mirror.connection import Connection, current_time, fetch_value
from notion_pg_sync.mirror.kept_settings import KeptSetting, kept_at


class Server(Struct, frozen=True):
    """The server at the other end, and the way to it.

    `host` is as it was asked for, the folder of the socket where it is a unix socket; `address` is its number, empty
    for a socket. `sslmode` is libpq's.
    """

    version: str
    behind_pooler: bool
    host: str
    address: str
    encrypted: bool
    sslmode: str


async def replication_role(connection: Connection) -> KeptSetting | None:
    """Where `session_replication_role` is kept, where it switches off triggers and with them foreign keys."""
    found = await connection.execute(
        """
        SELECT source, current_database(), session_user
        FROM pg_settings WHERE name = 'session_replication_role' AND setting = 'replica'
        """
    )
    row = await found.fetchone()
    if row is None:
        return None
    source, database, role = row
    return kept_at("session_replication_role", source, database=database, role=role)


async def data_folder(connection: Connection) -> str | None:
    """Where the server keeps its data; None where this role may not know."""
    query = "SELECT setting FROM pg_settings WHERE name = 'data_directory'"
    return cast(str | None, await fetch_value(connection, query))


async def look_at_server(connection: Connection) -> Server:
    """What there is to know of the server without any right.

    A pooler is told by the process that serves: it names one at the start of a connection, and the server another.
    """
    info = connection.info
    serving = await fetch_value(connection, "SELECT pg_backend_pid()")
    return Server(
        version=str(await fetch_value(connection, "SELECT current_setting('server_version')")),
        behind_pooler=serving != info.backend_pid,
        host=info.host,
        address=info.hostaddr,
        encrypted=connection.pgconn.ssl_in_use,
        sslmode=info.get_parameters().get("sslmode", "prefer"),
    )


async def read_clock(connection: Connection) -> tuple[datetime, datetime, datetime]:
    """The server's time, between this machine's before it was asked and after it had answered."""
    return datetime.now(UTC), await current_time(connection), datetime.now(UTC)
