"""Pure: pages of one data source -> rows of its sync table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from msgspec import Struct, field
from msgspec.structs import asdict

from notion_pg_sync.core.columns import Column
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.sent_rows import AboutPage, Row
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.cleaning import Storable, page_hash, picture_link, picture_text, storable_text, to_storable
from notion_pg_sync.notion.completion import incomplete_values
from notion_pg_sync.notion.computed_types import settle_types
from notion_pg_sync.notion.hosted_files import files_named
from notion_pg_sync.notion.json_text import canonical_text
from notion_pg_sync.notion.page_properties import PageProperties, read_properties
from notion_pg_sync.notion.pages import Page
from notion_pg_sync.notion.properties import (
    ColumnsByProperty,
    columns_by_property,
    fields_of,
    first_integer,
    first_text,
    title_text,
)


class Conversion(Struct):
    """How pages become rows of `table`, and what of them could not be kept as it was.

    `keeps_files`: the files that they name are kept too.
    """

    columns: list[Column]
    table: SyncTable
    keeps_files: bool = False
    altered_rows: int = 0
    not_computed: Counter[str] = field(default_factory=Counter)
    not_shared_out: Counter[str] = field(default_factory=Counter)
    unfit: Counter[str] = field(default_factory=Counter)

    def settle_types(self, pages: Sequence[Page]) -> bool:
        """Gives formulas and rollups the type that their values tell; whether that changed any column."""
        before = self.columns
        self.columns = settle_types(before, [page.properties for page in pages])
        return self.columns != before

    def rows_of(self, pages: Sequence[Page]) -> list[Row]:
        """The rows of completed `pages`, in order."""
        columns = columns_by_property(self.columns)
        return [self._row_of(page, columns) for page in pages]

    def notes(self) -> list[str]:
        """What a person should know of the rows converted so far, a sentence each."""
        notes = []
        if self.altered_rows:
            notes.append(f"{plural(self.altered_rows, 'row')} held characters or numbers that PostgreSQL cannot store.")
        for name, count in sorted(self.not_computed.items()):
            notes.append(f"Notion did not compute {name} in {plural(count, 'row')}; what was known of it is kept.")
        for name, count in sorted(self.not_shared_out.items()):
            notes.append(
                f"Notion does not tell which parts of {name} belong to which related page in {plural(count, 'row')}; "
                "what was known of it is kept."
            )
        new_types = {column.name: column for column in self.columns if column.new_type}
        for name, count in sorted(self.unfit.items()):
            if name in new_types:
                notes.append(_shown_as_text(new_types[name]))
                continue
            values = plural(count, "value does", "values do")
            notes.append(f"{values} not fit the type of column {name}: null in typed views, and kept in fields.")
        return notes

    def _row_of(self, page: Page, columns: ColumnsByProperty) -> Row:
        stored = to_storable(page.properties.given)
        # Nearly all pages are clean as they come, and read already.
        properties = read_properties(stored.value) if stored.altered else page.properties
        fields = fields_of(properties, columns)
        self.altered_rows += stored.altered > 0
        partial = {column.name for property_id in page.cut for column in columns.get(property_id, ())}
        if fields.not_computed:
            not_shared_out = _not_shared_out(properties, columns)
            self.not_shared_out.update(not_shared_out - partial)
            self.not_computed.update(fields.not_computed - not_shared_out - partial)
        if fields.unfit:
            self.unfit.update(fields.unfit)
        fields_text = canonical_text(fields.values)
        # What is told of such a row, or has to be tried again, comes of reading it.
        is_plain = not (stored.altered or fields.not_computed or fields.unfit or page.cut)
        about = _about(page, _incomplete(properties, columns, fields.not_computed, page.cut))
        return Row(
            page_id=page.id,
            title=title_text(properties),
            text=first_text(properties, self.table.text_sources),
            extra={column.name: first_integer(properties, column.properties) for column in self.table.extra},
            properties=stored.text,
            fields=fields_text,
            not_whole=fields.not_computed | partial,
            url=_storable(page.url),
            created_at=page.created_at,
            edited_at=page.edited_at,
            content_hash=_hash(page, stored, fields_text, about),
            icon=picture_link(page.icon),
            cover=picture_link(page.cover),
            about=about,
            answer_hash=page.answer_hash if is_plain and not about.incomplete else None,
            # Before signatures are cut.
            files=files_named(page.properties, page.cover, page.icon, columns) if self.keeps_files else (),
        )


def _shown_as_text(column: Column) -> str:
    return (
        f"{column.property_name} is of type {column.property_type} in Notion now: typed views show its column "
        f"{column.name}, which was {column.type}, as text until notion_sync.retype_column gives it another type."
    )


def _not_shared_out(properties: PageProperties, columns: ColumnsByProperty) -> set[str]:
    """The columns of rollups whose parts are not distinguished."""
    return {column.name for value in incomplete_values(properties) for column in columns.get(value.id, ())}


def _incomplete(
    properties: PageProperties, columns: ColumnsByProperty, not_computed: Collection[str], cut: Collection[str]
) -> tuple[str, ...]:
    """The properties, by name, that are not told whole, or whose columns have no value this time."""
    names = {value.name for value in incomplete_values(properties)}
    if not_computed or cut:
        empty = {id_ for id_, own in columns.items() if any(column.name in not_computed for column in own)}
        names |= {value.name for value in properties if value.id in empty or value.id in cut}
    return tuple(sorted(names))


def _about(page: Page, incomplete: tuple[str, ...]) -> AboutPage:
    return AboutPage(
        picture_text(page.icon),
        picture_text(page.cover),
        _storable(page.public_url),
        page.created_by,
        page.last_edited_by,
        page.is_locked,
        incomplete,
    )


def _storable(text: str | None) -> str | None:
    return None if text is None else storable_text(text)


def _hash(page: Page, stored: Storable, fields_text: str, about: AboutPage) -> str:
    """The hash of a row: of all that is stored of the page, and of where the page is.

    Of the fields too, though they follow from the properties: a column may be new while those are as they were.
    """
    place = [page.url, page.parent_id, page.created_at.isoformat(), page.edited_at.isoformat()]
    return page_hash(stored.text, fields_text, canonical_text(place), canonical_text(asdict(about)))
