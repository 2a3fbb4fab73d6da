"""What the reading of a data source has left out so far, and what a person is told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.left_out import LeftOut, UnreadMinute
from notion_pg_sync.core.wording import plural
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.page_properties import PropertyValue
from notion_pg_sync.notion.pages import Page

# Each failure costs its retries. Where so many values of one property failed, it is the property.
MAX_FAILURES_PER_PROPERTY = 10


class LeftSoFar:
    """Values and pages that Notion does not give, and why: by page id and property, which is empty for a page.

    `unread`: minutes of which no listing gives all pages, and why.
    """

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], LeftOut] = {}
        self.unread: dict[datetime, NotionError] = {}
        self._failures: Counter[str] = Counter()

    def add_value(self, page: Page, value: PropertyValue, error: NotionError) -> None:
        """Takes in that Notion did not give the rest of a value."""
        self._failures[value.id] += 1
        self.found[page.id, value.name] = LeftOut(page.id, value.name, error.code, str(error))

    def add_pages(self, errors: Mapping[str, NotionError], minutes: Mapping[str, datetime] | None = None) -> None:
        """Takes in that Notion did not give pages, by id; `minutes` are those of them that no listing gives."""
        minutes = minutes or {}
        for page_id, error in errors.items():
            self.found[page_id, ""] = LeftOut(page_id, "", error.code, str(error), minutes.get(page_id))

    @property
    def pages(self) -> list[str]:
        """The pages that Notion does not give at all."""
        return [page_id for page_id, property_ in self.found if not property_]

    def note_minutes(self, minutes: Mapping[str, datetime]) -> None:
        """Takes in which of these pages, by id, were created in minutes of which no listing gives all pages."""
        for page_id, minute in minutes.items():
            self.found[page_id, ""] = replace(self.found[page_id, ""], created_at=minute)

    def of(self, page_ids: Collection[str]) -> list[LeftOut]:
        """What was left out of these pages."""
        return [one for one in self.found.values() if one.page_id in page_ids]

    def forget(self, page_ids: Collection[str]) -> None:
        """Takes in that these pages are read once more."""
        self.found = {key: one for key, one in self.found.items() if one.page_id not in page_ids}

    def why_not(self, value: PropertyValue) -> NotionError | None:
        """Why the rest of a value is not asked for: Notion has failed for too many values of the property."""
        if self._failures[value.id] < MAX_FAILURES_PER_PROPERTY:
            return None
        return NotionError(
            f"Notion failed for {MAX_FAILURES_PER_PROPERTY} values of {value.name}, so no more were asked for.",
            code=ErrorCode.INCOMPLETE,
        )

    @property
    def unnamed(self) -> list[UnreadMinute]:
        """The minutes of which not even an id is known of the pages that are left out."""
        named = {one.created_at for one in self.found.values()}
        return [
            UnreadMinute(minute, error.code, f"pages created at {minute:%Y-%m-%d %H:%M} UTC: {error}")
            for minute, error in self.unread.items()
            if minute not in named
        ]

    def notes(self) -> list[str]:
        """What a person should know of it, a sentence for each property, and for pages."""
        by_property: dict[str, list[LeftOut]] = {}
        for one in self.found.values():
            by_property.setdefault(one.property, []).append(one)
        pages = by_property.pop("", [])
        return [
            *(_values_note(name, found) for name, found in sorted(by_property.items())),
            *_pages_note(pages),
            *_unnamed_note(self.unnamed),
        ]


def _values_note(name: str, found: list[LeftOut]) -> str:
    return (
        f"{name} of {plural(len(found), 'page')} could not be read whole ({found[0].message}): what was known of it is "
        "kept, and it is tried again at each run."
    )


def _pages_note(found: list[LeftOut]) -> Iterable[str]:
    if found:
        yield (
            f"{plural(len(found), 'page')} could not be read, such as {found[0].page_id} ({found[0].message}): what is "
            "known of it is kept, and it is tried again at each run."
        )


def _unnamed_note(found: list[UnreadMinute]) -> Iterable[str]:
    for one in found:
        yield (
            f"Notion fails for {one.message} Which pages these are is not known. They are missing, and are tried again "
            "at each run."
        )
