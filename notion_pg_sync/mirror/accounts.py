"""Accounts: who connected Notion (`user_settings`), and what the tool knows of each user's databases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection

# Of an older user_settings some may be missing; they are then as good as null.
TOKEN_COLUMNS = ("notion_access_token", "notion_token")
SETTINGS_COLUMNS = (*TOKEN_COLUMNS, "notion_databases", "auto_sync_enabled")


@dataclass(frozen=True)
class Account:
    """A row of `user_settings`.

    `databases` is `notion_databases` as it is, whatever JSON that may be. `auto_sync` is None where the application
    has no such column.
    """

    user_id: str
    access_token: str | None = field(repr=False)
    integration_token: str | None = field(repr=False)
    databases: object
    auto_sync: bool | None

    @property
    def token_column(self) -> str:
        """The column of the token that counts; where there is none, the one for an integration's token."""
        oauth, integration = TOKEN_COLUMNS
        return oauth if self.access_token else integration

    def connected(self) -> ConnectedAccount | None:
        """The account with the token to read Notion with (that of OAuth wins), None where there is no token."""
        token = self.access_token or self.integration_token
        return ConnectedAccount(self.user_id, token, self.databases) if token else None


@dataclass(frozen=True)
class ConnectedAccount:
    """An account that can be synced."""

    user_id: str
    token: str = field(repr=False)
    databases: object


@dataclass(frozen=True)
class KnownDatabase:
    """A database of a user that was synced, or found by search, before."""

    database_id: str
    name: str
    found_by_search: bool


async def read_accounts(connection: Connection, schema: str, user_id: str | None = None) -> list[Account]:
    """The rows of `user_settings` in `schema`, all or that of `user_id`, by user."""
    table = sql.Identifier(schema, "user_settings")
    columns = await present_columns(connection, schema)
    empty_as_null = {
        name: sql.SQL("nullif({}::text, '')").format(sql.Identifier(name)) if name in columns else sql.SQL("NULL")
        for name in TOKEN_COLUMNS
    }
    query = sql.SQL(
        "SELECT user_id::text, {} AS access_token, {} AS integration_token, {} AS databases, {} AS auto_sync"
        " FROM {} WHERE user_id IS NOT NULL AND (%(user)s::text IS NULL OR user_id::text = %(user)s) ORDER BY 1"
    ).format(
        empty_as_null["notion_access_token"],
        empty_as_null["notion_token"],
        sql.SQL("to_jsonb(notion_databases)") if "notion_databases" in columns else sql.SQL("NULL"),
        sql.SQL("auto_sync_enabled IS TRUE") if "auto_sync_enabled" in columns else sql.SQL("NULL::boolean"),
        table,
    )
    async with connection.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(query, {"user": user_id})
        return await cursor.fetchall()


async def register_accounts(connection: Connection, user_ids: Sequence[str]) -> None:
    """Makes sure that each user has a row in `notion_sync.accounts`."""
    await connection.execute(
        """
        INSERT INTO notion_sync.accounts (user_id) SELECT unnest(%s::text[]) ORDER BY 1
        ON CONFLICT (user_id) DO NOTHING
        """,
        (list(user_ids),),
    )


async def known_databases(connection: Connection, user_id: str) -> list[KnownDatabase]:
    """The databases of a user that are known from before, by name."""
    async with connection.cursor(row_factory=class_row(KnownDatabase)) as cursor:
        await cursor.execute(
            """
            SELECT database_id, name, found_by_search FROM notion_sync.databases
            WHERE user_id = %s ORDER BY name, database_id
            """,
            (user_id,),
        )
        return await cursor.fetchall()


async def register_databases(
    connection: Connection, user_id: str, databases: Iterable[tuple[str, str]], *, found_by_search: bool
) -> None:
    """Remembers databases, given as id and name; a name that changed is kept up."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO notion_sync.databases AS known (user_id, database_id, name, found_by_search)
            VALUES (%s, %s, %s, %s)
            ON CONFLICT (user_id, database_id) DO UPDATE
            SET name = EXCLUDED.name, found_by_search = EXCLUDED.found_by_search
            WHERE (known.name, known.found_by_search) IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.found_by_search)
            """,
            [(user_id, database_id, name, found_by_search) for database_id, name in databases],
        )


async def present_columns(connection: Connection, schema: str) -> set[str]:
    """Those of `SETTINGS_COLUMNS` that `user_settings` in `schema` has."""
    found = await connection.execute(
        """
        SELECT attname FROM pg_attribute
        WHERE attrelid = format('%%I.user_settings', %s::text)::regclass AND attname = ANY (%s) AND NOT attisdropped
        """,
        (schema, list(SETTINGS_COLUMNS)),
    )
    return {name async for (name,) in found}
