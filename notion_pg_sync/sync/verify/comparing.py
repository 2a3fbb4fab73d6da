"""Pure: what of a page PostgreSQL holds otherwise than it must, for `sync --verify`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from notion_pg_sync.mirror.held_rows import HeldRow
from notion_pg_sync.mirror.held_texts import HeldAbout, HeldBody, HeldDocument
from notion_pg_sync.mirror.held_views import HeldView
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.sync.verify.expectation import MISSING, Expected, first_difference, is_not_told, wanted_beside
from notion_pg_sync.sync.verify.expected_bodies import is_text_of
from notion_pg_sync.sync.verify.expected_fields import (
    NOT_TOLD,
    NamedColumn,
    expected_fields,
    expected_integer,
    expected_people,
    expected_search_text,
    expected_text,
    in_view,
    same_in_view,
)
from notion_pg_sync.sync.verify.expected_files import Naming, Paths
from notion_pg_sync.sync.verify.verification import Difference, Kind, short

_PEOPLE = ("people", "created_by", "last_edited_by")
# How the name of the column ends that shows people's names beside their ids, by the type of that.
_INDEXED = "of title, text, names of people and body"
_NAMES = {"uuid[]": "_names", "uuid": "_name"}


class HeldPage(Struct, frozen=True):
    """What is held of a page, wherever that is; None where there is nothing.

    `shown`: its row of the typed view. `related`: by relation, what the relation's view shows, None where there is no
    such view. `names`: who the people are, by id. `files`: the paths of those that it names, by where.
    """

    row: HeldRow | None = None
    document: HeldDocument | None = None
    body: HeldBody | None = None
    shown: Mapping[str, Any] | None = None
    related: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    names: Mapping[str, str | None] = field(default_factory=dict)
    about: HeldAbout | None = None
    files: Mapping[Naming, Paths] = field(default_factory=dict)


class Wanted(Struct, frozen=True):
    """By what the pages of a data source are compared.

    `view` is None where the user wants none. `clock_formulas`: of these, what follows from them is held against what
    the row has of them, since Notion's value has moved on.
    """

    table: SyncTable
    database_id: str
    database_name: str
    data_source_id: str
    columns: Sequence[NamedColumn]
    view: HeldView | None
    clock_formulas: frozenset[str]

    def differences(self, expected: Expected, held: HeldPage) -> Iterator[Difference]:
        """All that differs of a page, its body aside."""
        row = held.row
        if row is None:
            yield Difference("missing_row", expected.page_id, None, "", short(expected.title), "no row")
            return
        if row.page_id != expected.page_id:
            shorts = short(expected.page_id), short(row.page_id)
            yield Difference("column_differs", row.page_id, "notion_page_id", "", *shorts)
            return
        has = row.properties if isinstance(row.properties, dict) else {}
        expected = _beside(expected, has)
        properties = {**expected.properties, **{name: has[name] for name in self.clock_formulas if name in has}}
        fields = expected_fields(properties, self.columns)
        for column, wanted, value in self._columns(expected, properties, row):
            if wanted != value:
                kind: Kind = "title_differs" if column == self.table.title else "column_differs"
                yield Difference(kind, row.page_id, column, "", short(wanted), short(value))
        yield from _property_differences(expected, row)
        yield from _field_differences(fields, row)
        yield from _about_differences(expected, held.about)
        yield from self._search_differences(expected, fields, held.document)
        if self.view is not None and self.view.columns:
            people = {column.name for column in self.columns if column.property_type in _PEOPLE}
            yield from _view_differences(self.view, expected.page_id, fields, held, people)

    def _columns(
        self, expected: Expected, properties: Mapping[str, Any], row: HeldRow
    ) -> Iterator[tuple[str, object, object]]:
        """Names of columns, what each must hold and what it holds."""
        yield self.table.title, expected.title, row.title
        yield self.table.text, expected_text(properties, self.table.text_sources), row.text
        for column in self.table.extra:
            yield column.name, expected_integer(properties, column.properties), row.extra[column.name]
        yield "url", expected.url, row.url
        for name, wanted in expected.page.items():
            yield name, wanted, row.about_page[name]
        yield "notion_created_at", _iso(expected.created_at), _iso(row.created_at)
        yield "notion_edited_at", _iso(expected.edited_at), _iso(row.edited_at)
        yield "notion_data_source_id", self.data_source_id, row.data_source_id
        yield "notion_database_id", self.database_id, row.database_id
        if self.table.has_database_name:
            yield "database_name", self.database_name, row.database_name

    def _search_differences(
        self, expected: Expected, fields: Mapping[str, Any], document: HeldDocument | None
    ) -> Iterator[Difference]:
        if document is None:
            yield Difference("search_differs", expected.page_id, None, "", short(expected.title), "nothing")
            return
        text = expected_search_text(fields, self.columns)
        people = expected_people(fields, self.columns)
        compared = [
            ("title", expected.title, document.title),
            ("text", document.text if text is None else text, document.text),
            ("people", document.people if people is None else people, document.people),
            ("data_source_id", self.data_source_id, document.data_source_id),
            ("index", _INDEXED, _INDEXED if document.is_indexed else "of other words"),
        ]
        for name, wanted, value in compared:
            if wanted != value:
                yield Difference("search_differs", expected.page_id, name, "", short(wanted), short(value))


def _beside(expected: Expected, held: Mapping[str, Any]) -> Expected:
    """What a row must hold, where that depends on what it holds of a property."""
    properties = {name: wanted_beside(expected, name, held.get(name, MISSING)) for name in expected.properties}
    return replace(expected, properties=properties)


def _about_differences(expected: Expected, about: HeldAbout | None) -> Iterator[Difference]:
    """What differs of what the page is, beside its properties."""
    for name, wanted in expected.about.items():
        value = MISSING if about is None else getattr(about, name)
        spot = first_difference(wanted, value)
        if spot is not None:
            shorts = short(spot.in_notion), short(spot.in_postgresql)
            yield Difference("column_differs", expected.page_id, f"notion_sync.pages.{name}", spot.path, *shorts)


def _property_differences(expected: Expected, row: HeldRow) -> Iterator[Difference]:
    held: Mapping[str, Any] = row.properties if isinstance(row.properties, dict) else {}
    for name in {**expected.properties, **held}:
        wanted, value = expected.properties.get(name, MISSING), held.get(name, MISSING)
        if is_not_told(wanted) and value is not MISSING:
            continue
        spot = first_difference(wanted, value)
        if spot is not None:
            shorts = short(spot.in_notion), short(spot.in_postgresql)
            yield Difference("value_differs", row.page_id, name, spot.path, *shorts)


def _field_differences(fields: Mapping[str, Any], row: HeldRow) -> Iterator[Difference]:
    held: Mapping[str, Any] = row.fields if isinstance(row.fields, dict) else {}
    for name in {**fields, **held}:
        wanted, value = fields.get(name, MISSING), held.get(name, MISSING)
        if wanted is NOT_TOLD:
            continue
        spot = first_difference(wanted, value)
        if spot is not None:
            shorts = short(spot.in_notion), short(spot.in_postgresql)
            yield Difference("field_differs", row.page_id, name, spot.path, *shorts)


def _view_differences(
    view: HeldView, page_id: str, fields: Mapping[str, Any], held: HeldPage, people: Collection[str]
) -> Iterator[Difference]:
    """What the typed view, and the views of its relations, show otherwise than they must."""
    name = f"notion.{view.name}"
    if held.shown is None:
        yield Difference("view_differs", page_id, name, "", "a row", "no row")
        return
    for column in view.wanted:
        wanted = in_view(fields.get(column, MISSING), view.columns.get(column, ""))
        if column not in view.columns or wanted is NOT_TOLD:
            continue
        if not same_in_view(wanted, held.shown.get(column)):
            yield Difference("view_differs", page_id, name, column, short(wanted), short(held.shown.get(column)))
        beside = column + _NAMES.get(view.columns[column], "")
        if column in people and beside in view.columns and beside not in view.wanted:
            names = [held.names.get(one) for one in wanted] if isinstance(wanted, list) else held.names.get(wanted)
            if names != held.shown.get(beside):
                yield Difference("view_differs", page_id, name, beside, short(names), short(held.shown.get(beside)))
    for relation, related in held.related.items():
        wanted = in_view(fields.get(relation, MISSING), "uuid[]") or []
        if wanted is not NOT_TOLD and wanted != list(related or ()):
            of_relation = f"notion.{view.relations[relation]}"
            yield Difference("view_differs", page_id, of_relation, "", short(wanted), short(related))


def body_differences(page_id: str, markdown: str, body: HeldBody | None) -> Iterator[Difference]:
    """What is kept of a page's body otherwise than it must be; `markdown` is what Notion gives."""
    if body is None:
        yield Difference("body_differs", page_id, None, "", short(markdown), "no body")
        return
    if body.markdown != markdown:
        yield Difference("body_differs", page_id, "markdown", "", short(markdown), short(body.markdown))
    elif not is_text_of(body.plain_text, markdown):
        yield Difference("body_differs", page_id, "plain_text", "", "the text of the body", short(body.plain_text))


def file_differences(
    page_id: str, expected: Mapping[Naming, Paths], held: Mapping[Naming, Paths]
) -> Iterator[Difference]:
    """Which files a page is recorded to name otherwise than it does."""
    for place, column in sorted({*expected, *held}):
        wanted, recorded = expected.get((place, column), ()), held.get((place, column), ())
        if wanted != recorded:
            yield Difference("file_differs", page_id, column or None, place, short(wanted), short(recorded))


def _iso(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None
