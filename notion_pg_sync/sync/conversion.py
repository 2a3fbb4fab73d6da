"""Pure: pages of one data source -> rows of its sync table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from notion_pg_sync.mirror.rows import Row
from notion_pg_sync.mirror.tables import TextSources
from notion_pg_sync.notion.cleaning import clean, page_hash
from notion_pg_sync.notion.pages import Page
from notion_pg_sync.notion.properties import fields_of, first_integer, first_text, title_text
from notion_pg_sync.notion.schema import Column, settle_types


@dataclass
class Conversion:
    """How pages become rows, and what of them could not be kept as it was."""

    columns: list[Column]
    texts: TextSources
    altered_rows: int = 0
    not_computed: Counter[str] = field(default_factory=Counter)
    unfit: Counter[str] = field(default_factory=Counter)

    def settle_types(self, pages: Sequence[Page]) -> bool:
        """Gives formulas and rollups the type of their first value; whether that changed any column."""
        before = self.columns
        self.columns = settle_types(before, [page.properties for page in pages])
        return self.columns != before

    def rows_of(self, pages: Sequence[Page]) -> list[Row]:
        """The rows of completed `pages`, in order."""
        return [self._row_of(page) for page in pages]

    def notes(self) -> list[str]:
        """What a person should know of the rows converted so far, a sentence each."""
        notes = []
        if self.altered_rows:
            notes.append(f"{self.altered_rows} rows held characters or numbers that PostgreSQL cannot store.")
        for name, count in sorted(self.not_computed.items()):
            notes.append(f"Notion did not compute {name} in {count} rows; what was known of it is kept.")
        for name, count in sorted(self.unfit.items()):
            notes.append(f"{count} values do not fit the type of column {name}.")
        return notes

    def _row_of(self, page: Page) -> Row:
        cleaned: tuple[dict[str, Any], int] = clean(page.properties)
        properties, altered = cleaned
        fields = fields_of(properties, self.columns)
        self.altered_rows += altered > 0
        self.not_computed.update(fields.not_computed)
        self.unfit.update(fields.unfit)
        url, _ = clean(page.url)
        return Row(
            page_id=page.id,
            title=title_text(properties),
            text=first_text(properties, self.texts.text),
            message_count=first_integer(properties, self.texts.message_count),
            properties=properties,
            fields=fields.values,
            not_computed=fields.not_computed,
            url=url,
            created_at=page.created_at,
            edited_at=page.edited_at,
            content_hash=page_hash(_content(page, properties, fields.values)),
        )


def _content(page: Page, properties: Mapping[str, object], fields: Mapping[str, object]) -> dict[str, object]:
    """What a row's hash covers: all that is stored of the page, and where the page is.

    `fields` too, though they follow from the properties: a column may be new while they are as they were.
    """
    return {
        "properties": properties,
        "fields": fields,
        "url": page.url,
        "parent": page.parent_id,
        "created_at": page.created_at.isoformat(),
        "edited_at": page.edited_at.isoformat(),
    }
