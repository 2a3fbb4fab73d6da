"""Pure, without I/O: the queries of which listings are made, and how one of them is carried on.

A listing is told of each answer and says which queries come next; it knows nothing of the network, and any number of
its queries may be under way at once. What a query of Notion gives and where it stops: docs/notion-api.md#queries.

The rules that exactness rests on, of every listing:

- Windows begin and end on whole minutes and are half open, `on_or_after` start and `before` end. So it does not matter
  whether Notion compares exact or rounded times: every row falls into exactly one window.
- A query that stops at the cap is carried on from the minute of its last row. That minute is read again, since the cap
  may have cut it in two. Notion says on any one of a query's answers that it will stop there (`request_status`).
- A cursor never outlives its query: where one is refused, the query starts again at the minute it had reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.core.intervals import EARLIEST, LATEST, MINUTE, Interval, minute_of

# A query gives at most 10,000 rows and a page size is never below 1; beyond this many answers the server is leading
# us in a circle.
MOST_ANSWERS_A_QUERY = 10_000

# An answer may hold fewer rows than were asked for; so many in a row, of all queries of a listing, without any that
# their query had not brought before lead nowhere.
MOST_FRUITLESS_ANSWERS = 100

# Notion may fail for a page or a few; where it fails so often with no answer in between, it is Notion that fails.
MOST_FAILURES_IN_A_ROW = 20

# An answer of so many rows is as large as any.
_LARGEST_ANSWER = 100

# A refused cursor is ordinary; a query whose every cursor is refused is not.
MOST_RESTARTS = 20


class ListingError(ToolError):
    """A data source cannot be read completely; the message says why and what can be done."""

    code = ErrorCode.INCOMPLETE


class OutOfOrderError(ListingError):
    """An answer is not in the order that was asked for."""


class RowSubset(Struct, frozen=True):
    """Some of a minute's rows: those that satisfy `filter`. `splits` can split them further, where there are any."""

    filter: dict[str, object]
    splits: Sequence[Split] = ()


class Split(Protocol):
    """A way to divide rows."""

    def parts(self) -> tuple[RowSubset, ...]:
        """Parts of which every row is in exactly one."""


class Query(Struct, frozen=True, eq=False):
    """One request: a window of `timestamp`, further filters, and where in its result to go on (`cursor`).

    `most`: how many rows its answer may hold, since Notion has failed there; None: as many as the reader likes.
    Two queries are equal only when they are the same request of the same listing.
    """

    timestamp: str
    window: Interval
    filters: tuple[dict[str, object], ...] = ()
    cursor: str | None = None
    is_descending: bool = False
    most: int | None = None

    def body(self) -> dict[str, object]:
        """The request's JSON body, page size aside."""
        direction = "descending" if self.is_descending else "ascending"
        body: dict[str, object] = {"sorts": [{"timestamp": self.timestamp, "direction": direction}]}
        conditions = [*_bounds(self.timestamp, self.window), *self.filters]
        if len(conditions) == 1:
            body["filter"] = conditions[0]
        elif conditions:
            body["filter"] = {"and": conditions}
        if self.cursor is not None:
            body["start_cursor"] = self.cursor
        return body


class Answer(Struct, frozen=True):
    """What a listing needs to know of one answer.

    `rows`: page id and value of the query's timestamp, in the answer's order. `capped`: Notion said in
    `request_status` that the result of the whole query is cut; it need not say so on each of its answers.
    """

    rows: Sequence[tuple[str, datetime]]
    next_cursor: str | None
    has_more: bool
    capped: bool


def _bounds(timestamp: str, window: Interval) -> list[dict[str, object]]:
    bounds: list[dict[str, object]] = []
    if window.start > EARLIEST:
        bounds.append({"timestamp": timestamp, timestamp: {"on_or_after": _iso(window.start)}})
    if window.end < LATEST:
        bounds.append({"timestamp": timestamp, timestamp: {"before": _iso(window.end)}})
    return bounds


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Patience(Struct):
    """How many answers in a row brought nothing new, or did not come, whichever queries of a listing they were for."""

    fruitless: int = 0
    failures: int = 0

    def is_worn_out(self) -> bool:
        """Takes in that an answer did not come; whether there were too many of these."""
        self.failures += 1
        return self.failures > MOST_FAILURES_IN_A_ROW

    def is_tried(self, fruitful: bool) -> None:
        """Takes in an answer that promises more rows; raises `ListingError` where too many in a row brought none."""
        self.fruitless = 0 if fruitful else self.fruitless + 1
        if self.fruitless > MOST_FRUITLESS_ANSWERS:
            raise ListingError("Notion's answers keep promising more rows, but bring none: run the sync again.")


class Course(Struct):
    """One query and what followed from it: its cursors, and how far in time its rows have come.

    `end`: where it may stop, once others read what lies beyond; never later than its query's window.
    `pace`: how much time the rows of its last answer spanned. `capped`: one of the query's answers said that it is cut.
    `suspects`: for one of so many rows that come next, Notion fails.
    """

    query: Query
    end: datetime
    patience: Patience
    splits: Sequence[Split] = ()
    reached: datetime = EARLIEST
    pace: timedelta = MINUTE
    answers: int = 0
    capped: bool = False
    restarts: int = 0
    suspects: int = 0
    cursors: set[str] = field(default_factory=set)
    brought: set[str] = field(default_factory=set)

    def take_in(self, answer: Answer) -> None:
        """Checks that the answer is one that a listing can go on from."""
        self.answers += 1
        self.patience.failures = 0
        self.capped = self.capped or answer.capped
        if answer.rows:
            self.pace = max(MINUTE, answer.rows[-1][1] - answer.rows[0][1])
        for _, time in answer.rows:
            if time < self.reached:
                raise OutOfOrderError(
                    f"Notion's answer is not in the order of {self.query.timestamp} that was asked for: "
                    "run the sync again, and report it if it happens again."
                )
            self.reached = time
        if not answer.has_more:
            return
        page_ids = {page_id for page_id, _ in answer.rows}
        self.patience.is_tried(fruitful=not page_ids <= self.brought)
        self.brought |= page_ids
        if answer.next_cursor is None:
            raise ListingError("Notion's answer has more rows but no cursor to reach them: run the sync again.")
        if answer.next_cursor in self.cursors or self.answers >= MOST_ANSWERS_A_QUERY:
            raise ListingError("Notion's answers repeat without end (a cursor came back): run the sync again.")
        self.cursors.add(answer.next_cursor)

    @property
    def left(self) -> Interval:
        """What is left to it: from the minute that it has reached."""
        return Interval(max(self.query.window.start, minute_of(self.reached)), self.end)

    def go_on(self, answer: Answer) -> None:
        """Takes in that the query goes on behind `answer`."""
        self.suspects = max(0, self.suspects - len(answer.rows))
        self.query = replace(self.query, cursor=answer.next_cursor, most=self._most_after_an_answer())

    def _most_after_an_answer(self) -> int | None:
        """How many rows the next answer may hold: twice as many, or half of the suspects while there are any."""
        most = self.query.most
        if most is None or self.suspects:
            return most and max(1, self.suspects // 2)
        return most * 2 if most * 2 <= _LARGEST_ANSWER else None

    def narrow(self) -> None:
        """Takes in that Notion fails for its query: it asks for half as many rows."""
        self.suspects = self.query.most or _LARGEST_ANSWER
        self.query = replace(self.query, most=max(1, self.suspects // 2))

    def start_again(self, window: Interval) -> None:
        """A new query for what is left of the window."""
        self.query = replace(self.query, window=window, cursor=None)
        self.reached = EARLIEST
        self.answers = 0
        self.capped = False
        self.cursors.clear()
        self.brought.clear()

    def refused(self) -> None:
        """Its cursor was refused; the query starts at the minute that it had reached."""
        self.restarts += 1
        if self.restarts > MOST_RESTARTS:
            raise ListingError(f"Notion refused the cursors of one query {self.restarts} times: run the sync again.")
        self.start_again(self.left)
