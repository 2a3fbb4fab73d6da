"""Accounts: who connected Notion (`user_settings`), and what the tool knows of each user's databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from msgspec import Struct
from psycopg import errors, sql
from psycopg.rows import class_row

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ToolError, unknown_user
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.tables import SETTINGS_TABLE
from notion_pg_sync.mirror.typed_sql import typed

# Of an older user_settings some may be missing; they are then as good as null.
TOKEN_COLUMNS = ("notion_access_token", "notion_token")
SETTINGS_COLUMNS = (*TOKEN_COLUMNS, "notion_databases", "auto_sync_enabled")

_HANDED_OVER = sql.Identifier("pg_temp", "notion_pg_sync_token")


class AccountError(ToolError):
    """`user_settings` cannot take a user; the message says why and what to do."""


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


class KnownDatabase(Struct, frozen=True):
    """A database of a user that was synced, or found by search, before.

    `title` is what Notion called it then, None where that is not known. `views`, `bodies` and `files`: what its entry
    said.
    """

    database_id: str
    name: str
    found_by_search: bool
    title: str | None = None
    views: bool | None = None
    bodies: bool | None = None
    files: bool | None = None

    @property
    def as_found(self) -> ConfiguredDatabase:
        """The database under the name that it was given, with what Notion calls it."""
        return ConfiguredDatabase(self.name, self.database_id, title=self.title, found_by_search=self.found_by_search)

    def is_recorded_as(self, database: ConfiguredDatabase, *, found_by_search: bool) -> bool:
        """Whether `register_databases` would write nothing for a database of this id."""
        options = database.options
        asked = (database.name, found_by_search, options.views, options.bodies, options.files)
        return asked == (self.name, self.found_by_search, self.views, self.bodies, self.files)


async def read_accounts(connection: Connection, schema: str, user_id: str | None = None) -> list[Account]:
    """The rows of `user_settings` in `schema`, all or that of `user_id`, by user."""
    columns = await present_columns(connection, schema)
    query = qualified(
        """
        SELECT user_id::pg_catalog.text, {access_token} AS access_token, {integration_token} AS integration_token,
               {databases} AS databases, {auto_sync} AS auto_sync
        FROM {table}
        WHERE user_id IS NOT NULL AND (%(user)s::pg_catalog.text IS NULL OR user_id::pg_catalog.text {=} %(user)s)
        ORDER BY 1
        """,
        access_token=_token_in(columns, "notion_access_token"),
        integration_token=_token_in(columns, "notion_token"),
        databases=databases_in(columns),
        auto_sync=auto_sync_in(columns),
        table=_settings(schema),
    )
    with connection.as_application():
        async with connection.cursor(row_factory=class_row(Account)) as cursor:
            await cursor.execute(query, {"user": user_id})
            return await cursor.fetchall()


def _token_in(columns: Mapping[str, str], name: str) -> sql.Composed:
    """A token as it is stored, null where it is empty."""
    if name not in columns:
        return sql.Composed([sql.NULL])
    text = sql.SQL("{}::pg_catalog.text").format(sql.Identifier(name))
    return qualified("CASE WHEN {text} {<>} '' THEN {text} END", text=text)


def databases_in(columns: Mapping[str, str]) -> sql.SQL:
    """What `notion_databases` holds, as JSON; `columns` are those that `user_settings` has."""
    return sql.SQL(
        "pg_catalog.to_jsonb(notion_databases)" if "notion_databases" in columns else "NULL::pg_catalog.jsonb"
    )


def auto_sync_in(columns: Mapping[str, str]) -> sql.SQL:
    """Whether `sync-all` takes a user, null where that is not said; `columns` are those that `user_settings` has.

    Raises `AccountError` where the column is no boolean, so that nobody can tell what its values mean.
    """
    kind = columns.get("auto_sync_enabled", "boolean")
    if kind != "boolean":
        raise AccountError(
            f"user_settings.auto_sync_enabled is of type {kind}, not boolean, so it cannot be said who is to be "
            "synced: let the table's owner change its type, after a look at its values.",
            "ALTER TABLE user_settings ALTER COLUMN auto_sync_enabled TYPE boolean "
            "USING auto_sync_enabled::text::boolean;",
        )
    return sql.SQL("auto_sync_enabled IS TRUE" if "auto_sync_enabled" in columns else "NULL::boolean")


def _settings(schema: str) -> sql.Identifier:
    return sql.Identifier(schema, SETTINGS_TABLE)


async def connect_account(
    connection: Connection, schema: str, user_id: str, *, token: str | None, databases: str, views: bool
) -> str:
    """Writes a user's `notion_token` (as it is to be stored) and `notion_databases` (JSON); returns the stored id.

    Without a `token`, the one that is stored stays. With one, a user who is there keeps every other column but
    `notion_access_token`, which would win over it; one who is new is synced by `sync-all`. `views`: typed views are
    kept for them from now on. Raises `AccountError`.
    """
    columns = await present_columns(connection, schema)
    if missing := [name for name in ("notion_token", "notion_databases") if name not in columns]:
        raise AccountError(
            f"{schema}.user_settings has no column {missing[0]}: let its owner add it, with the type "
            f"{'jsonb' if missing[0] == 'notion_databases' else 'text'}."
        )
    values: dict[str, sql.Composable] = {
        "user_id": sql.Literal(user_id),
        "notion_databases": sql.Literal(databases),
    }
    if token is not None:
        values["notion_token"] = sql.SQL("(SELECT token FROM {})").format(_HANDED_OVER)
    table = _settings(schema)
    async with connection.transaction():
        if token is not None:
            await _hand_over(connection, token)
        stored = await _write_settings(connection, schema, user_id, _update(table, columns, values))
        if stored is None:
            stored = await _write_settings(connection, schema, user_id, _insert(table, columns, values))
        if stored is None:
            raise AccountError(
                f"a trigger or rule of {schema}.user_settings kept the user out: let the application add them."
            )
        await connection.execute(
            """
            INSERT INTO notion_sync.accounts AS account (user_id, views) VALUES (%s, %s)
            ON CONFLICT (user_id) DO UPDATE SET views = account.views OR EXCLUDED.views
            """,
            (stored, views),
        )
    return stored


async def _hand_over(connection: Connection, token: str) -> None:
    """Puts a token where a statement finds it until the transaction ends.

    PostgreSQL logs statements and their parameters, not the data of a COPY; in binary form not with an error either.
    """
    try:
        await connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} (token text) ON COMMIT DROP").format(_HANDED_OVER))
    except errors.InsufficientPrivilege as error:
        grant = sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(
            sql.Identifier(connection.info.dbname), sql.Identifier(connection.info.user)
        )
        raise AccountError(
            "this role may not make a temporary table, which keeps the token out of PostgreSQL's log: let the owner of "
            f"the database type {typed(grant)}"
        ) from error
    async with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(_HANDED_OVER)) as copy,
    ):
        copy.set_types(["text"])
        await copy.write_row([token])


def _update(table: sql.Identifier, columns: Mapping[str, str], values: Mapping[str, sql.Composable]) -> sql.Composed:
    changed = {name: value for name, value in values.items() if name != "user_id"}
    if "notion_token" in changed and "notion_access_token" in columns:
        changed["notion_access_token"] = sql.NULL
    return qualified(
        "UPDATE {table} SET {changed} WHERE user_id {=} {user_id} RETURNING user_id::pg_catalog.text",
        table=table,
        changed=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in changed.items()
        ),
        user_id=values["user_id"],
    )


def _insert(table: sql.Identifier, columns: Mapping[str, str], values: Mapping[str, sql.Composable]) -> sql.Composed:
    if "auto_sync_enabled" in columns:
        values = {**values, "auto_sync_enabled": sql.Literal(True)}
    return sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING user_id::pg_catalog.text").format(
        table, sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(values.values())
    )


async def disconnect_account(connection: Connection, schema: str, user_id: str) -> None:
    """Takes a user's tokens and databases out of `user_settings`; the rest of the row stays. Raises `AccountError`."""
    columns = await present_columns(connection, schema)
    # As after `init`: an empty object asks for nothing, just as null does, which an application may not allow.
    values = {**dict.fromkeys(TOKEN_COLUMNS), "notion_databases": "{}"}
    emptied = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in values.items()
        if name in columns
    ]
    if emptied:
        statement = qualified(
            "UPDATE {table} SET {emptied} WHERE user_id::pg_catalog.text {=} {user} RETURNING user_id::pg_catalog.text",
            table=_settings(schema),
            emptied=sql.SQL(", ").join(emptied),
            user=sql.Literal(user_id),
        )
        await _write_settings(connection, schema, user_id, statement)


async def take_out_databases(connection: Connection, schema: str, user_id: str, names: Sequence[str]) -> None:
    """Takes databases out of a user's `notion_databases`, by the names they have there. Raises `AccountError`."""
    statement = qualified(
        "UPDATE {table} SET notion_databases = pg_catalog.to_jsonb(notion_databases) {-} {names}::pg_catalog.text[]"
        " WHERE user_id::pg_catalog.text {=} {user} RETURNING user_id::pg_catalog.text",
        table=_settings(schema),
        names=sql.Literal(list(names)),
        user=sql.Literal(user_id),
    )
    await _write_settings(connection, schema, user_id, statement)


async def _write_settings(connection: Connection, schema: str, user_id: str, statement: sql.Composed) -> str | None:
    """Runs a statement on `user_settings`; returns what it returns."""
    with connection.as_application():
        found = await connection.execute(
            "SELECT stored, refused_as, because FROM notion_sync.write_settings(%s, NULL)",
            (statement.as_string(connection),),
        )
        stored, refused_as, because = await found.fetchone() or (None, None, None)
    if refused_as is not None:
        raise AccountError(_refusal(f"{schema}.{SETTINGS_TABLE}", user_id, errors.lookup(refused_as), because))
    return None if stored is None else str(stored)


def _refusal(table: str, user_id: str, error: type[Exception], because: str) -> str:
    if issubclass(error, errors.InsufficientPrivilege):
        return (
            f"this role may not write {table} ({because}): connect as its owner, or let the application write user "
            f"{user_id!r}."
        )
    if issubclass(error, errors.DataError):
        return (
            f"{table} rejects this for user {user_id!r} ({because}): give the user's id as the application has "
            "it, or let the application write them."
        )
    return (
        f"{table} rejects this for user {user_id!r} ({because}): let the application write them, then run the "
        "command again."
    )


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
            SELECT database_id, name, found_by_search, title, views, bodies, files FROM notion_sync.databases
            WHERE user_id = %s ORDER BY name, database_id
            """,
            (user_id,),
        )
        return await cursor.fetchall()


async def check_that_user_is_known(connection: Connection, schema: str, user_id: str) -> None:
    """Raises `UsageError` where the user neither is in `user_settings` nor was synced before."""
    if await read_accounts(connection, schema, user_id):
        return
    known = await fetch_value(
        connection, "SELECT EXISTS (SELECT FROM notion_sync.accounts WHERE user_id = %s)", (user_id,)
    )
    if not known and not await known_databases(connection, user_id):
        raise unknown_user(user_id)


async def count_databases(connection: Connection) -> int:
    """How many databases were synced, or found by search, before."""
    return cast(int, await fetch_value(connection, "SELECT count(*) FROM notion_sync.databases"))


async def register_databases(
    connection: Connection, user_id: str, databases: Iterable[ConfiguredDatabase], *, found_by_search: bool
) -> None:
    """Remembers databases, with what their entries say; what changed of that is kept up."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO notion_sync.databases AS known
                (user_id, database_id, name, found_by_search, views, bodies, files)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (user_id, database_id) DO UPDATE
            SET name = EXCLUDED.name, found_by_search = EXCLUDED.found_by_search, views = EXCLUDED.views,
                bodies = EXCLUDED.bodies, files = EXCLUDED.files, listed_at = NULL
            WHERE (known.name, known.found_by_search, known.views, known.bodies, known.files)
                IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.found_by_search, EXCLUDED.views, EXCLUDED.bodies,
                                  EXCLUDED.files)
            """,
            [
                (user_id, one.database_id, one.name, found_by_search, options.views, options.bodies, options.files)
                for one in databases
                for options in [one.options]
            ],
        )


async def record_title(connection: Connection, user_id: str, database_id: str, title: str) -> None:
    """Records what Notion calls a database; writes nothing where that is known."""
    await connection.execute(
        """
        UPDATE notion_sync.databases SET title = %(title)s
        WHERE user_id = %(user)s AND database_id = %(database)s AND title IS DISTINCT FROM %(title)s
        """,
        {"title": title, "user": user_id, "database": database_id},
    )


async def names_databases(connection: Connection, schema: str) -> bool:
    """Whether `user_settings` in `schema` has the column that says which databases to sync."""
    return "notion_databases" in await present_columns(connection, schema)


async def present_columns(connection: Connection, schema: str) -> dict[str, str]:
    """Those of `SETTINGS_COLUMNS` that `user_settings` in `schema` has, with their types."""
    found = await connection.execute(
        """
        SELECT attname, format_type(coalesce(nullif(typbasetype, 0), atttypid), NULL)
        FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
        WHERE attrelid = format('%%I.%%I', %s::text, %s::text)::regclass AND attname = ANY (%s) AND NOT attisdropped
        """,
        (schema, SETTINGS_TABLE, list(SETTINGS_COLUMNS)),
    )
    return {name: kind async for name, kind in found}
