"""Timeouts and transaction defaults that somebody set for the role are for people: they stop no run."""

from __future__ import annotations

import psycopg
import pytest
from notion_workspace import SmallWorkspace
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from notion_pg_sync.commands.status.asking import Question, ask
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.sync.run.failures import failure_of
from tests.installation import Installation

SETTINGS = {
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "30ms",
    "transaction_timeout": "20ms",
    "lock_timeout": "1ms",
    "statement_timeout": "20ms",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
}


def set_for_everybody(url: str, name: str, value: str) -> None:
    """Sets it for every session that begins from now on in this database."""
    with psycopg.connect(url, autocommit=True) as connection:
        if name == "transaction_timeout" and connection.info.server_version < 170000:
            pytest.skip("PostgreSQL 17 has it")
        statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
        database = sql.Identifier(str(conninfo_to_dict(url)["dbname"]))
        connection.execute(statement.format(database, sql.Identifier(name), sql.Literal(value)))


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
async def test_a_run_is_well_whatever_is_set_for_the_role(
    installation: Installation, small: SmallWorkspace, name: str, value: str
) -> None:
    for user in ("anna", "bela"):
        named = {database: small.databases[database] for database in ("Characters", "Worlds")}
        await installation.connect(user, small.tokens["anna"], named)
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    url = installation.settings.database_url or ""
    set_for_everybody(url, name, value)
    for _ in range(2):
        assert (await installation.sync_all()).failures == []
        assert (await ask(url, Question())).obstacles == ()


@pytest.mark.parametrize(
    "ended",
    [
        errors.IdleInTransactionSessionTimeout("terminating connection due to idle-in-transaction timeout"),
        errors.IdleSessionTimeout("terminating connection due to idle-session timeout"),
        errors.AdminShutdown("terminating connection due to administrator command"),
        psycopg.OperationalError("server closed the connection unexpectedly"),
    ],
)
def test_a_session_that_was_ended_is_a_lost_connection(ended: psycopg.Error) -> None:
    failure = failure_of(ended)
    assert failure.code == ErrorCode.POSTGRESQL
    assert failure.sentence.startswith("the connection to PostgreSQL was lost")
