"""A data source small enough to prove things with: what Notion would answer to a listing's queries, in memory.

It has the three kinds of cursor that the real one may have, a cap, and rows that come, go and are edited between any
two answers. The sample workspace serves the same over HTTP; this one is for thousands of runs a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from zlib import crc32

from notion_pg_sync.core.intervals import minute_of
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.listing import Answer, Query

CursorKind = Literal["key", "offset", "anchor"]
BEGINNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class CursorRefusedError(Exception):
    """Notion would answer 400."""


FAILURE = NotionError("Notion answered 500.", code="internal_server_error", status=500)


@dataclass
class ModelRow:
    row_id: str
    created: datetime
    edited: datetime
    title: str = ""
    number: int = 0


@dataclass
class ModelSource:
    """`marked`: which answer of a query says that its result is cut, counted from 0; None: the last one.

    Where the result is not cut yet by then, the last answer says it: one of them always does. `failing`: rows for which
    every answer that would hold them fails.
    """

    cursor_kind: CursorKind = "key"
    cap: int = 50
    page_size: int = 10
    marked: int | None = None
    rows: dict[str, ModelRow] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
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
            reverse=query.is_descending,
        )
        start, given, said = self._position(order, query, column)
        room = self.cap - given
        page = order[start : start + min(self.page_size, query.most or self.page_size, room)]
        if any(row.row_id in self.failing for row in page):
            raise FAILURE
        rest = order[start + len(page) :]
        is_cut = len(order) - start > room
        ends = is_cut and given + len(page) >= self.cap
        says = is_cut and (given // self.page_size == self.marked or (ends and not said))
        given += len(page)
        has_more = bool(rest) and not ends
        cursor = self._cursor(page[-1], rest[0], start + len(page), column) if has_more else None
        return Answer(
            rows=[(row.row_id, minute_of(getattr(row, column))) for row in page],
            next_cursor=f"{cursor}#{given}#{int(said or says)}#{self.queries}" if cursor is not None else None,
            has_more=has_more,
            capped=says,
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

    def _cursor(self, last: ModelRow, following: ModelRow, position: int, column: str) -> str:
        """What the next query goes on from."""
        return {
            "key": f"{getattr(last, column).isoformat()}|{crc32(last.row_id.encode())}",
            "offset": str(position),
            "anchor": following.row_id,
        }[self.cursor_kind]

    def _position(self, order: list[ModelRow], query: Query, column: str) -> tuple[int, int, bool]:
        """Where a query goes on, how many rows it has given, and whether it has said that its result is cut."""
        if query.cursor is None:
            return 0, 0, False
        where, given, said, _ = query.cursor.split("#")
        return self._place(order, where, column, is_descending=query.is_descending), int(given), said == "1"

    def _place(self, order: list[ModelRow], where: str, column: str, *, is_descending: bool) -> int:
        if self.cursor_kind == "offset":
            return int(where)
        if self.cursor_kind == "key":
            time, tie = where.split("|")
            key = (datetime.fromisoformat(time), int(tie))
            keys = [(getattr(row, column), crc32(row.row_id.encode())) for row in order]
            later = (i for i, other in enumerate(keys) if (other < key if is_descending else other > key))
            return next(later, len(order))
        at = next((i for i, row in enumerate(order) if row.row_id == where), None)
        if at is None:
            raise CursorRefusedError
        return at
