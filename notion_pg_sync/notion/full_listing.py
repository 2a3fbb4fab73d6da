"""Pure, without I/O: the queries that read a data source whole.

It goes by `created_time`, which never changes, so no row moves from one window to another.

Where Notion fails for every answer that would hold a page, that page is gone round: half as many rows are asked for,
until it stands alone; then what is left of the window is cut in two, down to the page's minute, which is read from both
its ends. What lies between is not read, and `FullListing.unread` tells so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from notion_pg_sync.core.intervals import EVERYTHING, LATEST, MINUTE, Interval, minute_of
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.listing import Answer, Course, ListingError, Patience, Query, Split

# A reader gives part of its stretch away when it is likely to need more answers than this for the rest, and keeps no
# more than this many to itself. Found by trying histories of several shapes (tests/notion/test_listing_shape.py).
MIN_QUERIES_WORTH_SPLITTING = 6
FAR_AHEAD_QUERIES = 64

# More such minutes are no odd page.
MOST_UNREAD_MINUTES = 20

# No page is older.
_NOTION_BEGAN = datetime(2013, 1, 1, tzinfo=UTC)


def _halves(window: Interval, now: datetime) -> tuple[Interval, Interval] | None:
    """A window of time cut in the middle of what can have pages by `now`; None where that is within a minute."""
    start, end = max(window.start, _NOTION_BEGAN), min(window.end, now)
    if end - start < 2 * MINUTE:
        return None
    middle = minute_of(start + (end - start) / 2)
    return Interval(window.start, middle), Interval(middle, window.end)


class Progress(Struct, frozen=True):
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
        self._patience = Patience()
        self._now = min(minute_of(now) + MINUTE, LATEST) if now < LATEST else LATEST
        self._ready: deque[Course] = deque()
        self._under_way: dict[Query, Course] = {}
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
        """A query to make now, None while everything waits for answers (or `is_complete`).

        While Notion fails there is but one at a time: answers that are too large would be held side by side.
        """
        if not self._ready or (self._patience.failures and self._under_way):
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

    def _stretch_answered(self, course: Course, answer: Answer) -> Interval | None:
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

    def _go_round(self, course: Course, error: NotionError) -> bool:
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
            self._ready.append(Course(query, window.end, self._patience, splits))

    def _give_away(self, course: Course) -> None:
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

    def _part_answered(self, course: Course, answer: Answer) -> Interval | None:
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
