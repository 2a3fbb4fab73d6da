"""Columns of typed views whose property is of another type in Notion by now, and what gives them that type."""

from __future__ import annotations

from msgspec import Struct
from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.typed_sql import typed


class RetypedColumn(Struct, frozen=True):
    """A column of a user's data source whose property is a `property_type` by now, which would be `new_type`.

    `type` is the one that it was given. `is_shown_as_text`: it cannot hold all values, so the view shows it as text.
    """

    user_id: str
    database_name: str
    data_source_id: str
    view_name: str
    name: str
    type: str
    property_name: str
    property_type: str
    new_type: str
    is_shown_as_text: bool

    @property
    def fix(self) -> str:
        """The statement that gives it the new type from the next sync on."""
        call = sql.SQL("SELECT notion_sync.retype_column({}, {}, {}, {})")
        return typed(call.format(self.user_id, self.data_source_id, self.name, self.new_type))


async def retyped_columns(connection: Connection) -> list[RetypedColumn]:
    """All of them, of users who want views, by user and database."""
    async with connection.cursor(row_factory=class_row(RetypedColumn)) as cursor:
        await cursor.execute(
            """
            SELECT user_id, database_name, data_source_id::text, view_name, columns.name, type, property_name,
                   property_type, new_type, unfit_values > 0 AS is_shown_as_text
            FROM notion_sync.accounts
            JOIN notion_sync.data_sources USING (user_id)
            LEFT JOIN notion_sync.databases USING (user_id, database_id)
            JOIN notion_sync.columns USING (user_id, data_source_id)
            WHERE coalesce(databases.views, accounts.views) AND new_type IS NOT NULL
            ORDER BY 1, 2, 3, 5
            """
        )
        return await cursor.fetchall()
