"""Rows on their way into a sync table: what they hold, and how a statement takes many of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.adapt import PyFormat

from notion_pg_sync.mirror.tables import SyncTable

# JSON is text already when it gets here.
_SENT_AS = {"jsonb": "text"}

# The column of which a row keeps the spelling that it has.
DATABASE = "notion_database_id"


@dataclass(frozen=True)
class RowOwner:
    """Whose rows a batch holds.

    `database_id_as_written` is the database's id as the application writes it, None where that is as Notion does.
    """

    user_id: str
    database_id: str
    database_name: str
    data_source_id: str
    database_id_as_written: str | None = None

    @property
    def written_database_id(self) -> str:
        """What new rows have in `notion_database_id`."""
        return self.database_id_as_written or self.database_id


@dataclass(frozen=True)
class Row:
    """A page as a sync table holds it.

    `extra`: its values for the table's extra columns, by name. `properties` and `fields` are JSON texts. `not_computed`
    names fields that Notion did not compute this time: what is known of them is kept. `content_hash` is a SHA-256 in
    hex.
    """

    page_id: str
    title: str | None
    text: str | None
    extra: Mapping[str, int | None]
    properties: str
    fields: str
    not_computed: frozenset[str]
    url: str | None
    created_at: datetime
    edited_at: datetime
    content_hash: str


class SentRows:
    """Rows as a statement takes them: a list a column, unnested as `incoming`, and what all of them have in common."""

    def __init__(self, table: SyncTable, owner: RowOwner, rows: Sequence[Row]) -> None:
        self._columns: dict[str, tuple[str, Sequence[object]]] = {
            "notion_page_id": ("text", table.spell(row.page_id for row in rows)),
            table.title: ("text", [row.title for row in rows]),
            table.text: ("text", [row.text for row in rows]),
            "properties": ("jsonb", [row.properties for row in rows]),
            "fields": ("jsonb", [row.fields for row in rows]),
            "url": ("text", [row.url for row in rows]),
            "notion_created_at": ("timestamptz", [row.created_at for row in rows]),
            "notion_edited_at": ("timestamptz", [row.edited_at for row in rows]),
            "content_hash": ("text", [row.content_hash for row in rows]),
        }
        for column in table.extra:
            self._columns[column.name] = ("int4", [row.extra[column.name] for row in rows])
        self._common = {
            "user_id": owner.user_id,
            DATABASE: owner.written_database_id,
            "notion_data_source_id": owner.data_source_id,
        }
        if table.has_database_name:
            self._common["database_name"] = owner.database_name

    @property
    def names(self) -> list[str]:
        """The columns that are written."""
        return [*self._columns, *self._common]

    @property
    def incoming(self) -> sql.Composed:
        """An item of a FROM clause: the rows, under the name `incoming`."""
        return sql.SQL("ROWS FROM ({}) AS incoming ({})").format(
            sql.SQL(", ").join(
                sql.SQL("pg_catalog.unnest({}::pg_catalog.{}[])").format(
                    sql.Placeholder(name, PyFormat.BINARY), sql.SQL(_SENT_AS.get(type_, type_))
                )
                for name, (type_, _) in self._columns.items()
            ),
            sql.SQL(", ").join(map(sql.Identifier, self._columns)),
        )

    def value(self, name: str) -> sql.Composed:
        """What a column is to hold, as an expression over `incoming`."""
        if name in self._common:
            return sql.SQL("{}::pg_catalog.text").format(sql.Placeholder(name))
        return sql.SQL("{}::pg_catalog.{}").format(sql.Identifier("incoming", name), sql.SQL(self._columns[name][0]))

    def is_text(self, name: str) -> bool:
        """Whether the column is of text."""
        return name in self._common or self._columns[name][0] == "text"

    def is_time(self, name: str) -> bool:
        """Whether the column is of times."""
        return name not in self._common and self._columns[name][0] == "timestamptz"

    @property
    def parameters(self) -> dict[str, object]:
        """What the placeholders stand for."""
        return {**self._common, **{name: values for name, (_, values) in self._columns.items()}}
