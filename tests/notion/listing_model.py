"""A data source small enough to prove things with: what Notion would answer to a listing's queries, in memory.

It has the three kinds of cursor that the real one may have, a cap, and rows that come, go and are edited between any
two answers. The sample workspace serves the same over HTTP; this one is for thousands of runs a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from zlib import crc32

from notion_pg_sync.notion.intervals import minute_of
from notion_pg_sync.notion.listing import Answer, Query

CursorKind = Literal["key", "offset", "anchor"]
BEGINNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class CursorRefusedError(Exception):
    """Notion would answer 400."""


@dataclass
class ModelRow:
    row_id: str
    created: datetime
    edited: datetime
    title: str = ""
    number: int = 0


@dataclass
class ModelSource:
    cursor_kind: CursorKind = "key"
    cap: int = 50
    page_size: int = 10
    rows: dict[str, ModelRow] = field(default_factory=dict)
    queries: int = 0
    now: datetime = BEGINNING + timedelta(minutes=20)

    def edit(self, row: ModelRow) -> None:
        row.edited = self.now

    def add(self, row_id: str, created_seconds: int, title: str = "") -> None:
        created = BEGINNING + timedelta(seconds=created_seconds)
        self.rows[row_id] = ModelRow(row_id, created, created, title)

    def answer(self, query: Query) -> Answer:
        self.queries += 1
        column = "created" if query.timestamp == "created_time" else "edited"
        order = sorted(
            (row for row in self.rows.values() if self._matches(row, query, column)),
            key=lambda row: (getattr(row, column), crc32(row.row_id.encode())),
        )
        start, given = self._position(order, query.cursor, column)
        room = self.cap - given
        page = order[start : start + min(self.page_size, room)]
        rest = order[start + len(page) :]
        given += len(page)
        capped = bool(rest) and given >= self.cap
        has_more = bool(rest) and not capped
        return Answer(
            rows=[(row.row_id, minute_of(getattr(row, column))) for row in page],
            next_cursor=self._cursor(page[-1], rest[0], start + len(page), given, column) if has_more else None,
            has_more=has_more,
            capped=capped,
        )

    def _matches(self, row: ModelRow, query: Query, column: str) -> bool:
        time: datetime = getattr(row, column)
        if not query.window.start <= time < query.window.end:
            return False
        return all(self._satisfies(row, condition) for condition in query.filters)

    def _satisfies(self, row: ModelRow, condition: dict[str, object]) -> bool:
        ((kind, said),) = ((kind, said) for kind, said in condition.items() if kind != "property")
        assert isinstance(said, dict)
        ((operator, value),) = said.items()
        if kind == "unique_id":
            assert isinstance(value, int)
            return row.number < value if operator == "less_than" else row.number >= value
        contains = str(value).lower() in row.title.lower()
        return contains if operator == "contains" else not contains

    def _cursor(self, last: ModelRow, following: ModelRow, position: int, given: int, column: str) -> str:
        """What the next query goes on from, and how many rows were given so far; the queries make it unique."""
        where = {
            "key": f"{getattr(last, column).isoformat()}|{crc32(last.row_id.encode())}",
            "offset": str(position),
            "anchor": following.row_id,
        }[self.cursor_kind]
        return f"{where}#{given}#{self.queries}"

    def _position(self, order: list[ModelRow], cursor: str | None, column: str) -> tuple[int, int]:
        if cursor is None:
            return 0, 0
        where, given, _ = cursor.split("#")
        if self.cursor_kind == "offset":
            return int(where), int(given)
        if self.cursor_kind == "key":
            time, tie = where.split("|")
            key = (datetime.fromisoformat(time), int(tie))
            later = (i for i, row in enumerate(order) if (getattr(row, column), crc32(row.row_id.encode())) > key)
            return next(later, len(order)), int(given)
        at = next((i for i, row in enumerate(order) if row.row_id == where), None)
        if at is None:
            raise CursorRefusedError
        return at, int(given)
