"""Pure, without I/O: the queries that read what was edited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from msgspec import Struct

from notion_pg_sync.core.intervals import LATEST, MINUTE, Interval, minute_of
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.listing import Answer, Course, OutOfOrderError, Patience, Query

# How long an edit may take to appear in queries, which is not documented (docs/notion-api.md#time).
LONGEST_LAG = timedelta(minutes=5)


class Edits(Struct, frozen=True):
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
        self._patience = Patience()
        self._until = start
        self._is_crowded = False
        self._seen: set[tuple[str, datetime]] = set()
        self._seen_in_pass: set[tuple[str, datetime]] = set()
        self._seen_in_last_pass: set[tuple[str, datetime]] | None = None
        self._passes_left = 0
        self._next: Course | None = self._course(Interval(start, LATEST))
        self._under_way: Course | None = None
        self._after_answer: Callable[[Course, Answer], None] = self._after_first
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

    def _course(self, window: Interval) -> Course:
        return Course(Query("last_edited_time", window), window.end, self._patience)

    def _course_of(self, query: Query) -> Course:
        course = self._under_way
        if course is None or course.query is not query:
            raise ValueError("this query is not under way")
        self._under_way = None
        return course

    def _after_first(self, _: Course, answer: Answer) -> None:
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

    def _after_settled(self, _: Course, answer: Answer) -> None:
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

    def _within_pass(self, window: Interval, then: _AfterPasses, course: Course, answer: Answer) -> None:
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

    def _within_rest(self, course: Course, answer: Answer) -> None:
        self._goes_on(course, answer)

    def _goes_on(self, course: Course, answer: Answer) -> bool:
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
