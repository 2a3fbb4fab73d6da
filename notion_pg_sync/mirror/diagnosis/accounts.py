"""SQL that fixes a row of `user_settings`, to be typed by a person."""

from __future__ import annotations

from psycopg import sql

from notion_pg_sync.mirror.diagnosis.statements import typed


def listing(schema: str) -> str:
    """Which users there are."""
    return typed(sql.SQL("SELECT user_id FROM {} ORDER BY 1").format(_table(schema)))


def first_user(schema: str) -> str:
    """Adds a user, whose id and token the person has to put in; every database that the token may read is wanted."""
    columns = [*map(sql.Identifier, ("user_id", "notion_token", "notion_databases"))]
    values = [*map(sql.Literal, ("me", "ntn_...", '{"*": "*"}'))]
    return typed(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            _table(schema), sql.SQL(", ").join(columns), sql.SQL(", ").join(values)
        )
    )


def token_statement(schema: str, user_id: str, column: str) -> str:
    """Stores a token, which the person has to put in."""
    return _update(schema, user_id, sql.SQL("{} = 'ntn_...'").format(sql.Identifier(column)))


def trimming(schema: str, user_id: str, column: str) -> str:
    """Takes blanks, tabs and line ends from both ends of a token."""
    name = sql.Identifier(column)
    return _update(schema, user_id, sql.SQL(r"{} = btrim({}, E' \t\r\n')").format(name, name))


def switching_on(schema: str) -> str:
    """Lets `sync-all` sync every user who has a token."""
    return typed(sql.SQL("UPDATE {} SET auto_sync_enabled = true").format(_table(schema)))


def everything_wanted(schema: str, user_id: str) -> str:
    """Asks for every database that is shared with the user's token."""
    return _update(schema, user_id, sql.SQL("notion_databases = {}").format(sql.Literal('{"*": "*"}')))


def database_statement(schema: str, user_id: str) -> str:
    """Asks for one database, whose name and id the person has to put in."""
    example = sql.Literal('{"Characters": "<database id>"}')
    return _update(schema, user_id, sql.SQL("notion_databases = {}").format(example))


def id_statement(schema: str, user_id: str, name: str) -> str:
    """Gives a configured database another id, which the person has to put in."""
    change = sql.SQL("notion_databases = jsonb_set(notion_databases, {}, {})")
    return _update(schema, user_id, change.format(sql.Literal([name]), sql.Literal('"<database id>"')))


def without_database(schema: str, user_id: str, name: str) -> str:
    """Takes a database out of `notion_databases`, by its name."""
    change = sql.SQL("notion_databases = notion_databases - {}").format(sql.Literal(name))
    return _update(schema, user_id, change)


def _update(schema: str, user_id: str, change: sql.Composed) -> str:
    return typed(sql.SQL("UPDATE {} SET {} WHERE user_id = {}").format(_table(schema), change, sql.Literal(user_id)))


def _table(schema: str) -> sql.Identifier:
    return sql.Identifier(schema, "user_settings")
