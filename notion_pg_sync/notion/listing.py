"""Pure, without I/O: which queries read a data source whole, and which read what was edited.

A listing is told of each answer and says which queries come next; it knows nothing of the network, and any number of
its queries may be under way at once. What a query of Notion gives and where it stops: docs/notion-api.md#queries.

The rules that exactness rests on:

- Windows begin and end on whole minutes and are half open, `on_or_after` start and `before` end. So it does not matter
  whether Notion compares exact or rounded times: every row falls into exactly one window.
- The listing goes by `created_time`, which never changes, so no row moves from one window to another.
- A query that stops at the cap is carried on from the minute of its last row. That minute is read again, since the cap
  may have cut it in two. Notion says on any one of a query's answers that it will stop there (`request_status`).
- A cursor never outlives its query: where one is refused, the query starts again at the minute it had reached.
- Where Notion fails for every answer that would hold a page, that page is gone round: half as many rows are asked for,
  until it stands alone; then what is left of the window is cut in two, down to the page's minute, which is read from
  both its ends. What lies between is not read, and `FullListing.unread` tells so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.core.intervals import EARLIEST, EVERYTHING, LATEST, MINUTE, Interval, minute_of
from notion_pg_sync.notion.errors import NotionError

# A query gives at most 10,000 rows and a page size is never below 1; beyond this many answers the server is leading
# us in a circle.
MOST_ANSWERS_A_QUERY = 10_000

# An answer may hold fewer rows than were asked for; so many in a row, of all queries of a listing, without any that
# their query had not brought before lead nowhere.
MOST_FRUITLESS_ANSWERS = 100

# A reader gives part of its stretch away when it is likely to need more answers than this for the rest, and keeps no
# more than this many to itself. Found by trying histories of several shapes (tests/notion/test_listing_shape.py).
MIN_QUERIES_WORTH_SPLITTING = 6
FAR_AHEAD_QUERIES = 64

# How long an edit may take to appear in queries, which is not documented (docs/notion-api.md#time).
LONGEST_LAG = timedelta(minutes=5)

# Notion may fail for a page or a few; where it fails so often with no answer in between, it is Notion that fails.
MOST_FAILURES_IN_A_ROW = 20
MOST_UNREAD_MINUTES = 20

# An answer of so many rows is as large as any.
_LARGEST_ANSWER = 100

# No page is older.
_NOTION_BEGAN = datetime(2013, 1, 1, tzinfo=UTC)

# A refused cursor is ordinary; a query whose every cursor is refused is not.
MOST_RESTARTS = 20


class ListingError(ToolError):
    """A data source cannot be read completely; the message says why and what can be done."""

    code = ErrorCode.INCOMPLETE


class OutOfOrderError(ListingError):
    """An answer is not in the order that was asked for."""


@dataclass(frozen=True)
class RowSubset:
    """Some of a minute's rows: those that satisfy `filter`. `splits` can split them further, where there are any."""

    filter: dict[str, object]
    splits: Sequence[Split] = ()


class Split(Protocol):
    """A way to divide rows."""

    def parts(self) -> tuple[RowSubset, ...]:
        """Parts of which every row is in exactly one."""


@dataclass(frozen=True, eq=False)
class Query:
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


@dataclass(frozen=True)
class Answer:
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


@dataclass
class _Patience:
    """How many answers in a row brought nothing new, or did not come, whichever queries of a listing they were for."""

    fruitless: int = 0
    failures: int = 0

    def is_worn_out(self) -> bool:
        """Takes in that an answer did not come; whether there were too many of these."""
        self.failures += 1
        return self.failures > MOST_FAILURES_IN_A_ROW

    def is_tried(self, fruitful: bool) -> None:
        self.fruitless = 0 if fruitful else self.fruitless + 1
        if self.fruitless > MOST_FRUITLESS_ANSWERS:
            raise ListingError("Notion's answers keep promising more rows, but bring none: run the sync again.")


@dataclass
class _Course:
    """One query and what followed from it: its cursors, and how far in time its rows have come.

    `end`: where it may stop, once others read what lies beyond; never later than its query's window.
    `pace`: how much time the rows of its last answer spanned. `capped`: one of the query's answers said that it is cut.
    `suspects`: for one of so many rows that come next, Notion fails.
    """

    query: Query
    end: datetime
    patience: _Patience
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


def _halves(window: Interval, now: datetime) -> tuple[Interval, Interval] | None:
    """A window of time cut in the middle of what can have pages by `now`; None where that is within a minute."""
    start, end = max(window.start, _NOTION_BEGAN), min(window.end, now)
    if end - start < 2 * MINUTE:
        return None
    middle = minute_of(start + (end - start) / 2)
    return Interval(window.start, middle), Interval(middle, window.end)


@dataclass(frozen=True)
class Progress:
    """What an answer of a full listing brought.

    `covered`: the creation times of which all rows have now come, with this answer and those before it. Rows that were
    created at `until` or later are left to other queries.
    """

    covered: Interval | None
    until: datetime = LATEST


class FullListing:
    """Reads a data source whole, or what is left of it, by `created_time`, in up to `readers` stretches side by side.

    `windows` are the creation times to read. `splits`, in order of preference, are for minutes in which more rows were
    created than one query gives. `apart`: minutes to read in which Notion failed before. `now`, by Notion's clock:
    hardly a row is created later. `unread` are the minutes that were not read whole, since Notion fails there, and how.
    Raises `ListingError` where completeness cannot be had.

    It begins with one query; whenever a reader is idle, one that has far to go gives away the later part of what is
    left to it. So a small data source is one query, and a history of any shape is soon read by all readers.
    """

    def __init__(
        self,
        windows: Iterable[Interval] = (EVERYTHING,),
        splits: Sequence[Split] = (),
        *,
        apart: Iterable[Interval] = (),
        readers: int = 1,
        now: datetime = LATEST,
    ) -> None:
        self.unread: dict[Interval, NotionError] = {}
        self._readers = readers
        self._patience = _Patience()
        self._now = min(minute_of(now) + MINUTE, LATEST) if now < LATEST else LATEST
        self._ready: deque[_Course] = deque()
        self._under_way: dict[Query, _Course] = {}
        # Courses still to be finished in a minute that had to be split.
        self._unfinished_parts: dict[Interval, int] = {}
        for window in windows:
            self._add(window, (), splits)
        for minute in apart:
            self._add(minute, (), splits, most=1)

    @property
    def is_complete(self) -> bool:
        """Whether all answers are in, but for what is `unread`."""
        return not self._ready and not self._under_way

    def next_query(self) -> Query | None:
        """A query to make now, None while everything waits for answers (or `is_complete`)."""
        if not self._ready:
            return None
        course = self._ready.popleft()
        self._under_way[course.query] = course
        return course.query

    def answered(self, query: Query, answer: Answer) -> Progress:
        """Takes in the answer to `query`."""
        course = self._under_way.pop(query)
        course.take_in(answer)
        if query.filters:
            return Progress(self._part_answered(course, answer))
        until = course.end
        return Progress(self._stretch_answered(course, answer), until)

    def _stretch_answered(self, course: _Course, answer: Answer) -> Interval | None:
        start, reached = course.query.window.start, minute_of(course.reached)
        if reached >= course.end or not (answer.has_more or course.capped):
            return Interval(start, course.end)
        if answer.has_more:
            course.go_on(answer)
            self._ready.append(course)
            self._give_away(course)
            return Interval(start, reached)
        if reached > start:
            course.start_again(Interval(reached, course.end))
            self._ready.append(course)
            return Interval(start, reached)
        self._split(Interval(reached, reached + MINUTE), (), course.splits)
        self._add(Interval(reached + MINUTE, course.end), (), course.splits)
        return None

    def refused(self, query: Query) -> None:
        """Takes in that Notion refused the cursor of `query`."""
        course = self._under_way.pop(query)
        course.refused()
        self._ready.append(course)

    def failed(self, query: Query, error: NotionError) -> bool:
        """Takes in that Notion fails for `query` again and again. Returns whether there is a way round."""
        course = self._under_way.pop(query)
        if self._patience.is_worn_out():
            return False
        if query.most == 1:
            return not query.filters and self._go_round(course, error)
        course.narrow()
        self._ready.append(course)
        return True

    def _go_round(self, course: _Course, error: NotionError) -> bool:
        """Goes round the page that comes next in a course; returns whether there is a way."""
        left, splits = course.left, course.splits
        if left.end - left.start > MINUTE:
            halves = _halves(left, self._now)
            for half in halves or ():
                self._add(half, (), splits, most=1)
            return halves is not None
        if course.query.is_descending:
            self.unread[left] = error
        else:
            self._add(left, (), splits, most=1, is_descending=True)
        return len(self.unread) <= MOST_UNREAD_MINUTES

    def _add(
        self,
        window: Interval,
        filters: tuple[dict[str, object], ...],
        splits: Sequence[Split],
        *,
        most: int | None = None,
        is_descending: bool = False,
    ) -> None:
        if not window.is_empty:
            query = Query("created_time", window, filters, is_descending=is_descending, most=most)
            self._ready.append(_Course(query, window.end, self._patience, splits))

    def _give_away(self, course: _Course) -> None:
        """Lets an idle reader have the later part of what is left to `course`, where that is far and Notion answers.

        Half of it; but where rows came densely, not much more than as many answers again as `FAR_AHEAD_QUERIES` of
        them, since what lies far beyond is likely of another density. It keeps whole answers, as far as its pace tells,
        so that little is read that the other reads too.
        """
        if course.query.most is not None or len(self._ready) + len(self._under_way) >= self._readers:
            return
        answers_left = (min(course.end, self._now) - course.reached) / course.pace
        if answers_left < MIN_QUERIES_WORTH_SPLITTING:
            return
        cut = minute_of(course.reached + course.pace * round(min(answers_left / 2, FAR_AHEAD_QUERIES)))
        self._add(Interval(cut, course.end), (), course.splits)
        course.end = cut

    def _part_answered(self, course: _Course, answer: Answer) -> Interval | None:
        minute = course.query.window
        if answer.has_more:
            course.go_on(answer)
            self._ready.append(course)
            return None
        self._unfinished_parts[minute] -= 1
        if course.capped:
            self._split(minute, course.query.filters, course.splits)
        if self._unfinished_parts[minute]:
            return None
        del self._unfinished_parts[minute]
        return minute

    def _split(self, minute: Interval, filters: tuple[dict[str, object], ...], splits: Sequence[Split]) -> None:
        if not splits:
            raise ListingError(
                f"More rows were created in the minute {minute.start:%Y-%m-%d %H:%M} UTC than one query of Notion "
                "gives, and no filter can split them: give the database an ID property (unique_id)."
            )
        parts = splits[0].parts()
        for part in parts:
            self._add(minute, (*filters, part.filter), (*part.splits, *splits[1:]))
        self._unfinished_parts[minute] = self._unfinished_parts.get(minute, 0) + len(parts)


@dataclass(frozen=True)
class Edits:
    """What an answer of an edit listing brought.

    `unseen`: the page ids of its rows that no answer before had brought. `until`: all rows have come that were edited
    before then and not again since. `is_crowded`: a minute is being read that holds more edits than an answer; nothing
    of it is proved until all of it is read.
    """

    unseen: frozenset[str]
    until: datetime
    is_crowded: bool


class EditListing:
    """Reads what was edited at `since` or later, by `last_edited_time`, one query after the other.

    `began_at` is when the read began, by Notion's clock. An edit may take `LONGEST_LAG` to appear in queries; what is
    older is settled. What is promised is every row whose edit was settled when the read began, and that was not edited
    again since; later edits come too, and are promised by the next read.

    Rows that are edited meanwhile move to the end, and a cursor may be anchored on a row that moves. So settled edits
    are read without cursors: an answer proves that all edits before the minute of its last row have come, and the next
    query begins with that minute. The times of rows that are not settled prove nothing: the index may have them in
    another place.

    A minute that holds more than an answer, and edits that are not settled, take cursors. They are read in a window of
    the past, which an edited row leaves: no row moves within it, and a cursor whose row has left is refused. Cursors
    that count rows would pass over one for each that left; so passes are made until two in a row see the same. Where
    they don't in a settled minute, or that holds more edits than a query gives, or an answer is not in the order of its
    times, or Notion fails for one (`has_failed`), `gave_up` is true: only a full read is exact. Where they don't in
    what is not settled, `is_sure` is false: the next read brings what this one missed.
    """

    def __init__(self, since: datetime, began_at: datetime, most_passes: int = 4) -> None:
        self.since = start = minute_of(since)
        # A clock that was wrong may have put the beginning before `since`: then nothing is promised.
        self._settled_until = max(start, minute_of(began_at) - LONGEST_LAG)
        self._began_at = max(start, minute_of(began_at))
        self._most_passes = most_passes
        self._patience = _Patience()
        self._until = start
        self._is_crowded = False
        self._seen: set[tuple[str, datetime]] = set()
        self._seen_in_pass: set[tuple[str, datetime]] = set()
        self._seen_in_last_pass: set[tuple[str, datetime]] | None = None
        self._passes_left = 0
        self._next: _Course | None = self._course(Interval(start, LATEST))
        self._under_way: _Course | None = None
        self._after_answer: Callable[[_Course, Answer], None] = self._after_first
        self.gave_up = False
        self.has_failed = False
        self.is_sure = True

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing more to ask; `gave_up` says whether what came is all."""
        return self._next is None and self._under_way is None

    def next_query(self) -> Query | None:
        """The query to make now, None while an answer is awaited (or `is_complete`)."""
        if self._next is None:
            return None
        self._under_way, self._next = self._next, None
        return self._under_way.query

    def answered(self, query: Query, answer: Answer) -> Edits:
        """Takes in the answer to `query`."""
        course = self._course_of(query)
        unseen = [row for row in answer.rows if row not in self._seen]
        self._seen.update(unseen)
        self._seen_in_pass.update(answer.rows)
        try:
            course.take_in(answer)
        except OutOfOrderError:
            # As where Notion's index lags behind its rows. A full read goes by times that never change.
            self.gave_up = self._is_crowded = True
        else:
            self._after_answer(course, answer)
        return Edits(frozenset(page_id for page_id, _ in unseen), self._until, self._is_crowded)

    def refused(self, query: Query) -> None:
        """Takes in that Notion refused the cursor of `query`."""
        course = self._course_of(query)
        course.refused()
        self._next = course

    def failed(self, query: Query, _: NotionError) -> bool:
        """Takes in that Notion fails for `query` again and again. There is a way round only for a full read."""
        self._course_of(query)
        self.gave_up = self.has_failed = True
        return True

    def _course(self, window: Interval) -> _Course:
        return _Course(Query("last_edited_time", window), window.end, self._patience)

    def _course_of(self, query: Query) -> _Course:
        course = self._under_way
        if course is None or course.query is not query:
            raise ValueError("this query is not under way")
        self._under_way = None
        return course

    def _after_first(self, _: _Course, answer: Answer) -> None:
        """One answer that holds everything is proof by itself; most listings end so."""
        if not (answer.has_more or answer.capped):
            self._until = self._began_at
        elif self._until < self._settled_until:
            self._advance(answer)
        else:
            self._begin_passes(Interval(self._settled_until, self._began_at), self._after_unsettled)

    def _advance(self, answer: Answer) -> None:
        """Goes on behind an answer that is not the last, or into a minute that it does not hold all of."""
        settled = [time for _, time in answer.rows if time < self._settled_until]
        reached = max(map(minute_of, settled), default=self._until)
        if reached > self._until:
            self._until = reached
            self._read_settled()
        else:
            self._is_crowded = True
            self._begin_passes(Interval(self._until, self._until + MINUTE), self._after_crowded)

    def _read_settled(self) -> None:
        if self._until < self._settled_until:
            self._next = self._course(Interval(self._until, self._settled_until))
            self._after_answer = self._after_settled
        else:
            self._next = self._course(Interval(self._settled_until, LATEST))
            self._after_answer = self._after_first

    def _after_settled(self, _: _Course, answer: Answer) -> None:
        if answer.has_more or answer.capped:
            self._advance(answer)
        else:
            self._until = self._settled_until
            self._read_settled()

    def _after_crowded(self, *, agreed: bool) -> None:
        self.gave_up = not agreed
        if agreed:
            self._is_crowded = False
            self._until += MINUTE
            self._read_settled()

    def _after_unsettled(self, *, agreed: bool) -> None:
        self.is_sure = agreed
        if agreed:
            self._until = self._began_at
        self._next = self._course(Interval(self._began_at, LATEST))
        self._after_answer = self._within_rest

    def _begin_passes(self, window: Interval, then: _AfterPasses) -> None:
        self._passes_left = self._most_passes
        self._seen_in_last_pass = None
        self._after_answer = partial(self._within_pass, window, then)
        self._begin_pass(window)

    def _begin_pass(self, window: Interval) -> None:
        self._passes_left -= 1
        self._seen_in_pass = set()
        self._next = self._course(window)

    def _within_pass(self, window: Interval, then: _AfterPasses, course: _Course, answer: Answer) -> None:
        if self._goes_on(course, answer):
            return
        if course.capped:
            then(agreed=False)
        elif self._seen_in_pass == self._seen_in_last_pass:
            then(agreed=True)
        elif self._passes_left:
            self._seen_in_last_pass = self._seen_in_pass
            self._begin_pass(window)
        else:
            then(agreed=False)

    def _within_rest(self, course: _Course, answer: Answer) -> None:
        self._goes_on(course, answer)

    def _goes_on(self, course: _Course, answer: Answer) -> bool:
        """Whether the window needs a further query, which is then the next."""
        window, reached = course.query.window, minute_of(course.reached)
        if answer.has_more:
            course.go_on(answer)
        elif course.capped and reached > window.start:
            course.start_again(Interval(reached, window.end))
        else:
            return False
        self._next = course
        return True


class _AfterPasses(Protocol):
    """What follows on passes; `agreed`: two in a row saw the same, and all of it."""

    def __call__(self, *, agreed: bool) -> None: ...
