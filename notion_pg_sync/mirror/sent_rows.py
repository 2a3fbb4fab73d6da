"""Rows on their way into a sync table: what they hold, and how a statement takes many of them at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from psycopg import sql
from psycopg.adapt import PyFormat

from notion_pg_sync.core.hosted_files import HostedFile
from notion_pg_sync.mirror.tables import SyncTable

# JSON is text already when it gets here.
_SENT_AS = {"jsonb": "text", "uuid": "text"}

# The column that is not sent: it follows from the page's id, however that is written.
_PAGE = "page_id"

# The column of which a row keeps the spelling that it has.
DATABASE = "notion_database_id"


class RowOwner(Struct, frozen=True):
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


class AboutPage(Struct, frozen=True):
    """What a page is, beside its properties; `icon` and `cover` are JSON texts.

    `incomplete`: the properties whose values Notion did not give whole or did not compute.
    """

    icon: str | None = None
    cover: str | None = None
    public_url: str | None = None
    created_by: str | None = None
    last_edited_by: str | None = None
    is_locked: bool | None = None
    incomplete: tuple[str, ...] = ()


class Row(Struct, frozen=True):
    """A page as a sync table holds it, and what is noted `about` it beside.

    `extra`: its values for the table's extra columns, by name. `properties` and `fields` are JSON texts. `not_whole`
    names fields that Notion did not compute this time, or gave only a part of: what is known of them is kept. `icon` is
    an emoji or a URL, `cover` a URL. `content_hash` is a SHA-256 in hex, and so is `answer_hash`, of the answer that
    the page came in, None where the page is to be read again whatever comes. `files`: those that the page names, where
    they are kept.
    """

    page_id: str
    title: str | None
    text: str | None
    extra: Mapping[str, int | None]
    properties: str
    fields: str
    not_whole: frozenset[str]
    url: str | None
    created_at: datetime
    edited_at: datetime
    content_hash: str
    icon: str | None = None
    cover: str | None = None
    about: AboutPage = AboutPage()
    answer_hash: str | None = None
    files: Sequence[HostedFile] = ()


# What a statement is told of pages, as an item of a FROM clause.
ABOUT_PAGES = """
    ROWS FROM (
        pg_catalog.unnest(%(about_pages)b::pg_catalog.uuid[]), pg_catalog.unnest(%(icons)b::pg_catalog.text[]),
        pg_catalog.unnest(%(covers)b::pg_catalog.text[]), pg_catalog.unnest(%(public_urls)b::pg_catalog.text[]),
        pg_catalog.unnest(%(creators)b::pg_catalog.uuid[]), pg_catalog.unnest(%(editors)b::pg_catalog.uuid[]),
        pg_catalog.unnest(%(locks)b::pg_catalog.bool[]), pg_catalog.unnest(%(incomplete)b::pg_catalog.text[]),
        pg_catalog.unnest(%(answers)b::pg_catalog.bytea[])
    ) AS about (page_id, icon, cover, public_url, created_by, last_edited_by, is_locked, incomplete, answer_hash)
"""


def about_pages(rows: Collection[Row]) -> dict[str, object]:
    """What the placeholders of `ABOUT_PAGES` stand for; `incomplete` is a JSON array there."""
    every = [row.about for row in rows]
    return {
        "about_pages": [row.page_id for row in rows],
        "answers": [bytes.fromhex(row.answer_hash) if row.answer_hash else None for row in rows],
        "icons": [about.icon for about in every],
        "covers": [about.cover for about in every],
        "public_urls": [about.public_url for about in every],
        "creators": [about.created_by for about in every],
        "editors": [about.last_edited_by for about in every],
        "locks": [about.is_locked for about in every],
        "incomplete": [json.dumps(about.incomplete, ensure_ascii=False) for about in every],
    }


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
            "notion_icon": ("text", [row.icon for row in rows]),
            "notion_cover": ("text", [row.cover for row in rows]),
            "notion_public_url": ("text", [row.about.public_url for row in rows]),
            "notion_created_by": ("uuid", [row.about.created_by for row in rows]),
            "notion_edited_by": ("uuid", [row.about.last_edited_by for row in rows]),
            "notion_is_locked": ("bool", [row.about.is_locked for row in rows]),
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
        self._types = {
            **{name: type_ for name, (type_, _) in self._columns.items()},
            _PAGE: "uuid",
            **dict.fromkeys(self._common, "text"),
        }

    @property
    def names(self) -> list[str]:
        """The columns that are written."""
        return [*self._types]

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
        source = "notion_page_id" if name == _PAGE else name
        return sql.SQL("{}::pg_catalog.{}").format(sql.Identifier("incoming", source), sql.SQL(self._types[name]))

    def is_text(self, name: str) -> bool:
        """Whether the column is of text."""
        return self._types[name] == "text"

    def is_time(self, name: str) -> bool:
        """Whether the column is of times."""
        return self._types[name] == "timestamptz"

    @property
    def parameters(self) -> dict[str, object]:
        """What the placeholders stand for."""
        return {**self._common, **{name: values for name, (_, values) in self._columns.items()}}
