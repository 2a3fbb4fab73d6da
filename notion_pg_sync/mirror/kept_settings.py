"""Pure: where PostgreSQL keeps a setting, and the SQL that takes it away there."""

from __future__ import annotations

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.typed_sql import typed


class KeptSetting(Struct, frozen=True):
    """A setting that is kept: where, for people, and how to take it away, empty where that is not by SQL."""

    where: str
    reset: str


def kept_for(name: str, database: str | None, role: str | None) -> KeptSetting:
    """A setting kept for a database, for a role, for both together or, where both are None, for every role."""
    reset = sql.SQL(" RESET {}").format(_identifier(name))
    if role is None and database is not None:
        of_database = sql.SQL("ALTER DATABASE {}").format(sql.Identifier(database))
        return KeptSetting(f"for the database {database}", typed(of_database + reset))
    if role is None:
        return KeptSetting("for every role", typed(sql.SQL("ALTER ROLE ALL") + reset))
    of_role = sql.SQL("ALTER ROLE {}").format(sql.Identifier(role))
    if database is None:
        return KeptSetting(f"for the role {role}", typed(of_role + reset))
    of_role += sql.SQL(" IN DATABASE {}").format(sql.Identifier(database))
    return KeptSetting(f"for the role {role} in the database {database}", typed(of_role + reset))


def kept_by_the_server(name: str) -> KeptSetting:
    """A setting of the server's configuration."""
    reset = sql.SQL("ALTER SYSTEM RESET {}").format(_identifier(name))
    return KeptSetting("in the server's configuration", typed(reset, sql.SQL("SELECT pg_reload_conf()")))


def kept_at(name: str, source: str, *, database: str, role: str) -> KeptSetting:
    """A setting by the `source` that `pg_settings` tells of it, in a session of `role` in `database`."""
    match source:
        case "database":
            return kept_for(name, database, None)
        case "user":
            return kept_for(name, None, role)
        case "database user":
            return kept_for(name, database, role)
        case "global":
            return kept_for(name, None, None)
        case "client":
            return KeptSetting("by the options of DATABASE_URL, or by PGOPTIONS", "")
        case "session":
            return KeptSetting("by an earlier client of the connection, through a pooler", "")
        case _:
            return kept_by_the_server(name)


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))
