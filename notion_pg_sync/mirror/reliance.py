"""Pure: the settings that a transaction relies on, which it sets for itself alone.

Whatever the database, the role or the configuration say, and whatever another client of a pooler left behind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto
from functools import cache

from msgspec import Struct
from psycopg import sql

# PostgreSQL's own names, and temporary ones behind them: PostgreSQL puts those first where they are not named.
OWN_PATH = ("pg_catalog", "pg_temp")

_TRANSACTION_TIMEOUT_SINCE = 170000
# How long others wait for a process that is paused in the midst of a transaction.
_LONGEST_PAUSE_SECONDS = 300.0

# What psycopg reads and writes, and what an error would come from; limits of a role are for people.
_ALWAYS = {
    "client_encoding": "UTF8",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "array_nulls": "on",
    "row_security": "on",
    # Planned for one user, a statement goes by the statistics of that user's rows. They know none of a user who came
    # since: it would be planned for no row at all, and take a time that grows with the square of the rows.
    "plan_cache_mode": "force_generic_plan",
}
# What our own statements mean. The triggers and policies of an application have these as the application set them.
_OURS = {
    "standard_conforming_strings": "on",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
}

# Whatever `default_transaction_isolation` and `default_transaction_deferrable` say.
_BEGIN = sql.SQL("BEGIN ISOLATION LEVEL READ COMMITTED, NOT DEFERRABLE")

_LISTED_NAME = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^\s,"][^\s,]*))\s*(?:,|$)')


class Names(Enum):
    """By which `search_path` a statement's names are looked up, and what it runs is to find its own by."""

    OURS = auto()
    APPLICATION = auto()


class Reliance(Struct, frozen=True):
    """What the transactions of a connection rely on.

    `application_path`: the session's own `search_path`, as the setting is written. `statement_seconds`: how long a
    statement may take, 0 for as long as it takes; `lock_seconds`: how long of that it may wait for one lock, 0 for all
    of it. `server_version` as libpq gives it. `ends_idle_sessions`: the role or the database has a limit on how long a
    session may do nothing. `has_lz4`: the server can compress by lz4, and nobody chose otherwise.
    """

    application_path: str
    statement_seconds: float
    lock_seconds: float
    server_version: int
    ends_idle_sessions: bool = False
    has_lz4: bool = False

    def begin(self, names: Names) -> sql.SQL:
        """The statements that begin a transaction."""
        return _begin(self, names)

    def change(self, names: Names) -> sql.SQL:
        """The statements with which a transaction goes on for other names."""
        return _change(self, names)


# Written out once: composed for each transaction they took longer than PostgreSQL takes to carry them out.
@cache
def _begin(reliance: Reliance, names: Names) -> sql.SQL:
    limit = round(reliance.statement_seconds * 1000)
    settings = {
        **_ALWAYS,
        "statement_timeout": f"{limit}ms",
        "lock_timeout": f"{round(reliance.lock_seconds * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{limit or round(_LONGEST_PAUSE_SECONDS * 1000)}ms",
    }
    if reliance.server_version >= _TRANSACTION_TIMEOUT_SINCE:
        settings["transaction_timeout"] = "0"
    if reliance.has_lz4:
        # PostgreSQL's own way, pglz, is a third of what it takes to write a page.
        settings["default_toast_compression"] = "lz4"
    return _written(
        [_BEGIN, *(_set_local(name, [value]) for name, value in settings.items()), _change(reliance, names)]
    )


@cache
def _change(reliance: Reliance, names: Names) -> sql.SQL:
    if names is Names.OURS:
        settings = [_set_local(name, [value]) for name, value in _OURS.items()]
        return _written([_set_local("search_path", OWN_PATH), *settings])
    settings = [sql.SQL("SET LOCAL {} TO DEFAULT").format(sql.Identifier(name)) for name in _OURS]
    return _written([_set_local("search_path", with_temporary_last(reliance.application_path)), *settings])


def _written(statements: Sequence[sql.Composable]) -> sql.SQL:
    return sql.SQL(sql.SQL("; ").join(statements).as_string())


def with_temporary_last(setting: str) -> list[str]:
    """The schemas of a `search_path`, as the setting is written, with that of temporary tables behind all others."""
    listed = (
        quoted.replace('""', '"') if quoted or not bare else bare.lower()
        for quoted, bare in _LISTED_NAME.findall(setting)
    )
    return [*(name for name in listed if name and not name.startswith("pg_temp")), "pg_temp"]


def _set_local(name: str, values: Sequence[str]) -> sql.Composed:
    return sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), sql.SQL(", ").join(map(sql.Literal, values)))
