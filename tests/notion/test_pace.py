"""What is allowed to begin, against a Notion that counts in each way in which it may count."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from notion_workspace.errors import ApiError
from notion_workspace.limits import Limits
from notion_workspace.state import Settings

from notion_pg_sync.notion.pace import Pace, Request

KINDS = ["fixed", "by_request", "sliding"]


@dataclass
class Course:
    """How it went: when each answer came that was no refusal, and what was refused."""

    answered: list[float] = field(default_factory=list)
    refused: list[Request] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)


@dataclass
class Notion:
    """A sample workspace's limits, at a time that is told; `others`: when somebody else uses the token."""

    limit: int
    kind: str
    phase: float = 0.0
    others: Sequence[float] = ()
    now: float = 0.0

    def __post_init__(self) -> None:
        settings = Settings(rate_limit=self.limit, rate_windows=self.kind, rate_phase=self.phase)  # type: ignore[arg-type]
        self._limits = Limits(settings, clock=lambda: self.now)
        self._others = sorted(self.others)

    def retry_after(self, now: float) -> float | None:
        """Counts a request: None where it is let in, else the seconds to wait."""
        while self._others and self._others[0] <= now:
            self._count(self._others.pop(0))
        return self._count(now)

    def _count(self, now: float) -> float | None:
        self.now = now
        try:
            self._limits.check("token")
        except ApiError as error:
            assert error.additional_data is not None
            return float(error.additional_data["retry_after"])
        return None


@dataclass(frozen=True)
class Reading:
    """What is wanted: a request from each of these times on, so many at once, each of which takes one of the ways to
    Notion and has its answer after one of the latencies.
    """

    wanted: Sequence[float]
    ways: Sequence[float] = (0.125,)
    latencies: Sequence[float] = (0.375,)
    concurrency: int = 12


def run(pace: Pace, notion: Notion, reading: Reading) -> Course:
    """Reads as the pace allows it, again what is refused."""
    course = Course()
    waiting = sorted(reading.wanted)
    under_way: list[tuple[float, int, Request, float | None]] = []
    arriving: list[tuple[float, int, Request]] = []
    now = 0.0
    while waiting or under_way or arriving:
        moments = [one[0][0] for one in (arriving, under_way) if one]
        if waiting and len(under_way) + len(arriving) < reading.concurrency:
            begins = max(now, waiting[0])
            if begins == now and (seconds := pace.wait(now)) == 0:
                heapq.heappop(waiting)
                way = reading.ways[len(course.begun) % len(reading.ways)]
                heapq.heappush(arriving, (now + way, len(course.begun), pace.begin(now)))
                course.begun.append(now)
                continue
            moments.append(begins if begins > now else now + seconds)
        assert min(moments) > now or under_way or arriving, "time stands still"
        now = min(moments)
        if arriving and arriving[0][0] <= now:
            _, number, request = heapq.heappop(arriving)
            answered = max(now, request.began + reading.latencies[number % len(reading.latencies)])
            heapq.heappush(under_way, (answered, number, request, notion.retry_after(now)))
        elif under_way and under_way[0][0] <= now:
            _, _, request, seconds_told = heapq.heappop(under_way)
            if seconds_told is None:
                course.answered.append(now)
            else:
                course.refused.append(request)
                pace.refuse(request, now, seconds_told, ends_minute=True)
                heapq.heappush(waiting, now)
            pace.end(request, now)
    return course


def today(limit: int) -> Pace:
    """The pace that tries nothing."""
    return Pace(limit, lowest_limit=limit + 1)


def seconds(least: float, most: float) -> st.SearchStrategy[float]:
    """Fractions that add up exactly, so that the edges of windows are met."""
    return st.integers(round(least * 64), round(most * 64)).map(lambda count: count / 64)


limits = st.integers(1, 12)
bursts = st.lists(st.tuples(seconds(0, 400), st.integers(1, 30)), min_size=1, max_size=6)
countings = st.tuples(st.sampled_from(KINDS), seconds(0, 59.75))
readings = st.builds(
    Reading,
    wanted=bursts.map(lambda bursts: [begin for begin, count in bursts for _ in range(count)]),
    ways=st.lists(seconds(0, 2), min_size=1, max_size=5),
    latencies=st.lists(seconds(0.25, 15), min_size=1, max_size=7),
    concurrency=st.integers(1, 5),
)


@given(limits, countings, readings)
@example(
    9,
    ("by_request", 0.0),
    Reading([0.0, *[0.265625] * 9, *[120.265625] * 10], ways=[0.0], latencies=[1.5, 0.25], concurrency=2),
)
def test_only_what_is_tried_is_refused_and_once(limit: int, counting: tuple[str, float], reading: Reading) -> None:
    course = run(Pace(limit, lowest_limit=1), Notion(limit, *counting), reading)
    assert len(course.answered) == len(reading.wanted)
    assert all(request.past for request in course.refused)
    assert len(course.refused) <= 1


@given(limits, countings, readings, st.lists(seconds(0, 130), min_size=1, max_size=5))
def test_so_it_is_where_requests_are_minutes_on_their_way(
    limit: int, counting: tuple[str, float], reading: Reading, ways: list[float]
) -> None:
    course = run(Pace(limit, lowest_limit=1), Notion(limit, *counting), replace(reading, ways=ways))
    assert all(request.past for request in course.refused)


@pytest.mark.parametrize("kind", KINDS)
def test_requests_that_are_long_on_their_way_are_not_forgotten(kind: str) -> None:
    reading = Reading([0.0] * 17, ways=[0.0, 0.0, 58.125, 0.0], latencies=[0.25], concurrency=2)
    course = run(Pace(2, lowest_limit=1), Notion(2, kind), reading)
    assert all(request.past for request in course.refused)


@given(limits, readings, st.data())
def test_nothing_is_refused_at_the_edges_of_minutes_that_are_known(
    limit: int, reading: Reading, data: st.DataObject
) -> None:
    phase = data.draw(seconds(20, 40))
    around = st.integers(1, 5).flatmap(lambda minute: seconds(-4, 4).map(lambda offset: minute * 60 - phase + offset))
    at_edges = data.draw(st.lists(around, min_size=10, max_size=60))
    wanted = [0.0] * (limit + 1) + at_edges
    course = run(Pace(limit, lowest_limit=1), Notion(limit, "fixed", phase), replace(reading, wanted=wanted))
    assert len(course.answered) == len(wanted)
    assert all(request.past for request in course.refused)
    assert len(course.refused) <= 1


@given(limits, limits, countings, readings, st.lists(seconds(0, 400), max_size=20))
def test_no_answer_comes_more_than_a_window_later_than_without_trying(
    limit: int, real_limit: int, counting: tuple[str, float], reading: Reading, others: list[float]
) -> None:
    tried = run(Pace(limit, lowest_limit=1), Notion(real_limit, *counting, others), reading)
    untried = run(today(limit), Notion(real_limit, *counting, others), reading)
    # Who is later meets others whom the one before did not meet.
    windows = 2 if others else 1
    for later, earlier in zip(tried.answered, untried.answered, strict=True):
        assert later <= earlier + 60 * windows + max(reading.latencies) + 1


@pytest.mark.parametrize("phase", [7.0, 24.0, 41.0])
def test_a_second_budget_begins_where_notions_minute_does(phase: float) -> None:
    reading = Reading([0.0] * 346, ways=[0.1875], latencies=[0.375])
    course = run(Pace(180), Notion(180, "fixed", phase), reading)
    reset = 60 - phase + reading.ways[0]
    late = min(begun for begun in course.begun if begun > 10) - reset
    assert 0 <= late <= 1 + reading.ways[0]
    assert max(course.answered) <= reset + late + 14 * 0.375
    assert len(course.refused) == 1


def test_every_later_minute_begins_with_a_budget_too() -> None:
    course = run(Pace(180), Notion(180, "fixed", 41.0), Reading([0.0] * 900, latencies=[0.4]))
    assert len(course.refused) == 1
    assert max(course.answered) <= 4 * 60 - 41 + 1 + 180 / 12 * 0.4 + 1


def test_a_minute_that_begins_in_the_midst_of_a_burst_is_filled_one_by_one() -> None:
    reading = Reading([0.0] * 400, latencies=[0.4])
    course = run(Pace(180), Notion(180, "fixed", 57.0), reading)
    untried = run(today(180), Notion(180, "fixed", 57.0), reading)
    assert len(course.refused) == 1
    assert sum(begun < 60 for begun in course.begun) > 250
    assert max(course.answered) < max(untried.answered)


@pytest.mark.parametrize("kind", ["by_request", "sliding"])
def test_where_windows_may_slide_the_pace_is_as_without_trying(kind: str) -> None:
    reading = Reading([0.0] * 700, latencies=[0.4])
    tried, untried = (run(pace, Notion(180, kind), reading) for pace in (Pace(180), today(180)))
    assert len(tried.refused) == 1
    assert max(tried.answered) <= max(untried.answered) + 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_that_is_higher_is_found_out_by_no_more_than_a_budget(kind: str) -> None:
    course = run(Pace(180), Notion(600, kind, 10.0), Reading([0.0] * 1000, latencies=[0.1]))
    assert course.refused == []
    assert max(sum(at <= begun < at + 60 for begun in course.begun) for at in course.begun) <= 360
    assert sum(60 <= begun < 120 for begun in course.begun) <= 180


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_that_is_lower_is_met_as_without_trying(kind: str) -> None:
    reading = Reading([0.0] * 500, latencies=[0.4])
    tried, untried = (run(pace, Notion(120, kind, 10.0), reading) for pace in (Pace(180), today(180)))
    assert (tried.begun, tried.answered) == (untried.begun, untried.answered)


@pytest.mark.parametrize(("limit", "wanted"), [(179, 400), (600, 600)])
def test_nothing_is_tried_past_a_limit_that_leaves_room_or_is_not_spent(limit: int, wanted: int) -> None:
    reading = Reading([0.0] * wanted, latencies=[0.1])
    tried, untried = (run(pace, Notion(600, "fixed", 10.0), reading) for pace in (Pace(limit), today(limit)))
    assert tried.begun == untried.begun


def spent(limit: int) -> Pace:
    """A budget that began and was answered at 1000."""
    pace = Pace(limit, lowest_limit=1)
    for _ in range(limit):
        pace.end(pace.begin(1000), 1000)
    return pace


def test_one_at_a_time_is_tried_with_nothing_else_under_way() -> None:
    pace = spent(3)
    trial = pace.begin(1001)
    assert pace.wait(1001) == 59
    pace.end(trial, 1002)
    assert pace.wait(1002) == 0


@pytest.mark.parametrize(("seconds", "ends_minute"), [(20.0, False), (61.0, True)])
def test_a_refusal_that_tells_no_minute_ends_the_trying(seconds: float, ends_minute: bool) -> None:
    pace = spent(3)
    trial = pace.begin(1001)
    pace.refuse(trial, 1001, seconds, ends_minute=ends_minute)
    pace.end(trial, 1001)
    assert pace.wait(1001) == seconds
    for at in (1062, 1062, 1062):
        assert pace.wait(at) == 0
        pace.end(pace.begin(at), at)
    assert pace.wait(1062) == 60


def learned() -> Pace:
    """Whose minutes have surely begun at 1020, 1080 …, and may have so a second before."""
    pace = spent(3)
    trial = pace.begin(1001)
    pace.refuse(trial, 1001, 19, ends_minute=True)
    pace.end(trial, 1001)
    return pace


def test_a_budget_may_begin_in_each_minute_that_is_known() -> None:
    pace = learned()
    assert pace.wait(1001) == 19
    for minute in (1020, 1080, 1140):
        for _ in range(3):
            assert pace.wait(minute) == 0
            pace.end(pace.begin(minute), minute)
        assert pace.wait(minute) == 60


def test_what_is_under_way_or_was_answered_just_before_a_minute_counts_in_it_too() -> None:
    pace = learned()
    slow = pace.begin(1070)
    pace.end(pace.begin(1079.5), 1079.75)
    pace.begin(1080)
    assert pace.wait(1080) == 59.75
    pace.end(slow, 1081)
    assert pace.wait(1081) == 58.75


def test_a_refusal_in_a_minute_that_is_known_ends_the_trying() -> None:
    pace = learned()
    for _ in range(3):
        request = pace.begin(1020)
    pace.refuse(request, 1020, 5, ends_minute=True)
    pace.end(request, 1020)
    assert pace.wait(1020) == 5
    assert pace.wait(1026) == 54
