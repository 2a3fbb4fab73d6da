"""Full and incremental listings miss nothing that was there all along, whatever happens between two answers."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notion_pg_sync.core.intervals import EVERYTHING, Interval, gaps, minute_of, union
from notion_pg_sync.notion.edit_listing import LONGEST_LAG, EditListing
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.full_listing import FullListing
from notion_pg_sync.notion.listing import MOST_FRUITLESS_ANSWERS, Answer, ListingError, Query, Split
from notion_pg_sync.notion.splits import NumberSplit, TitleSplit, splits_of
from notion_pg_sync.sync.rows.plan import watermark_after
from tests.notion.listing_model import BEGINNING, CursorKind, CursorRefusedError, ModelSource

numbers = itertools.count()


def letters(alphabet: str) -> list[Split]:
    """Splits by whether the title has a letter."""
    return [TitleSplit("title", letter) for letter in alphabet]


@st.composite
def sources(draw: st.DrawFn, kinds: tuple[CursorKind, ...] = ("key", "offset", "anchor")) -> ModelSource:
    page_size = draw(st.integers(1, 6))
    cap = page_size * draw(st.integers(1, 4))
    marked = draw(st.none() | st.integers(0, cap // page_size - 1))
    source = ModelSource(draw(st.sampled_from(kinds)), cap, page_size, marked)
    # Few different minutes, so that minutes are crowded; two letters tell up to four kinds of title apart.
    span = draw(st.sampled_from((60, 600, 6000)))
    for number in range(draw(st.integers(0, 60))):
        source.add(f"row{number}", draw(st.integers(0, span)), draw(st.text("abcdefgh", max_size=8)))
    return source


def read_whole(source: ModelSource, listing: FullListing, between: random.Random | None = None) -> set[str]:
    """Carries a listing out in any order of answers; edits the source between them where `between` is given."""
    seen: set[str] = set()
    covered: list[Interval] = []
    waiting: list[Query] = []
    while not listing.is_complete:
        while query := listing.next_query():
            waiting.append(query)
        query = waiting.pop((between or random.Random(0)).randrange(len(waiting)))
        try:
            answer = source.answer(query)
        except CursorRefusedError:
            listing.refused(query)
            continue
        except NotionError as error:
            if not listing.failed(query, error):
                raise
            continue
        progress = listing.answered(query, answer)
        seen.update(row_id for row_id, created in answer.rows if created < progress.until)
        if progress.covered:
            covered.append(progress.covered)
        if between:
            disturb(source, between)
    assert union([*covered, *listing.unread]) == (EVERYTHING,)
    return seen


def disturb(source: ModelSource, by: random.Random) -> None:
    """Somebody works in Notion: trashes, adds, edits."""
    source.now += timedelta(seconds=by.randrange(45))
    for _ in range(by.randrange(3)):
        if not source.rows:
            return
        row = by.choice(sorted(source.rows.values(), key=lambda row: row.row_id))
        match by.randrange(3):
            case 0 if source.cursor_kind != "offset":
                del source.rows[row.row_id]
            case 1:
                source.add(f"new{next(numbers)}", by.randrange(700), "abcdefgh"[by.randrange(8)] * 3)
            case _:
                source.edit(row)


readers = st.integers(1, 6)

# What a clock may say; rows may seem to be created later than now.
clocks = st.sampled_from(
    [BEGINNING + timedelta(minutes=20), BEGINNING - timedelta(days=20_000), BEGINNING + timedelta(days=20_000)]
)


@settings(deadline=None)
@given(sources(), readers, clocks)
def test_a_full_listing_of_a_quiet_source_gives_every_row(source: ModelSource, readers: int, now: datetime) -> None:
    try:
        seen = read_whole(source, FullListing(splits=letters("abcdefgh"), readers=readers, now=now))
    except ListingError as error:
        assert "More rows were created in the minute" in str(error)
    else:
        assert seen == set(source.rows)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(sources(), st.randoms(use_true_random=False), readers)
def test_a_full_listing_misses_nothing_that_was_there_all_along(
    source: ModelSource, by: random.Random, readers: int
) -> None:
    before = set(source.rows)
    try:
        seen = read_whole(source, FullListing(splits=letters("abcdefgh"), readers=readers, now=source.now), by)
    except ListingError:
        return
    assert before & set(source.rows) <= seen


@settings(deadline=None)
@given(sources(("key",)), st.data(), readers)
def test_rows_for_which_notion_fails_keep_no_others_out(source: ModelSource, data: st.DataObject, readers: int) -> None:
    """But for what they enclose in a minute; and they are asked for again where that is known."""
    source.cap, source.marked = 1000, None
    source.failing = (
        set(data.draw(st.lists(st.sampled_from(sorted(source.rows)), max_size=3))) if source.rows else set()
    )
    listing = FullListing(readers=readers, now=source.now + timedelta(days=1))
    seen = read_whole(source, listing)
    by_minute: dict[datetime, list[str]] = {}
    for row in sorted(source.rows.values(), key=lambda row: (row.created, crc32(row.row_id.encode()))):
        by_minute.setdefault(minute_of(row.created), []).append(row.row_id)
    enclosed = set()
    for rows in by_minute.values():
        bad = [place for place, row_id in enumerate(rows) if row_id in source.failing]
        enclosed.update(rows[bad[0] : bad[-1] + 1] if bad else [])
    assert set(source.rows) - seen == enclosed
    assert {minute.start for minute in listing.unread} == {
        minute for minute, rows in by_minute.items() if source.failing & set(rows)
    }
    again = FullListing(gaps(listing.unread), apart=listing.unread, readers=readers, now=source.now)
    assert (read_whole(source, again), again.unread.keys()) == (seen, listing.unread.keys())


def test_one_row_for_which_notion_fails_costs_few_queries() -> None:
    source = ModelSource(cap=10_000, page_size=100)
    for number in range(5000):
        source.add(f"row{number}", number * 600)
    ordinary = ModelSource(cap=10_000, page_size=100, rows=source.rows)
    now = BEGINNING + timedelta(days=365)
    read_whole(ordinary, FullListing(readers=4, now=now))
    source.failing = {"row3000"}
    listing = FullListing(readers=4, now=now)
    assert len(read_whole(source, listing)) == 4999
    assert source.queries < ordinary.queries + 100
    source.queries = 0
    read_whole(source, FullListing(gaps(listing.unread), apart=listing.unread, readers=4, now=now))
    assert source.queries < ordinary.queries + 20


def test_where_notion_fails_for_everything_a_listing_gives_up_soon() -> None:
    source = ModelSource()
    for number in range(500):
        source.add(f"row{number}", number * 60)
    source.failing = set(source.rows)
    with pytest.raises(NotionError):
        read_whole(source, FullListing(readers=4, now=source.now))
    assert source.queries < 80


def test_cursors_by_offset_skip_a_row_when_one_before_it_is_trashed_in_mid_listing() -> None:
    """What remains: with such cursors a row may be passed over. It is not seen, so removal confirms it one by one."""
    source = ModelSource("offset", cap=100, page_size=2)
    for number in range(6):
        source.add(f"row{number}", number * 60)
    listing = FullListing()
    first = listing.next_query()
    assert first is not None
    listing.answered(first, source.answer(first))
    del source.rows["row0"]
    seen = {"row0", "row1"}
    while query := listing.next_query():
        answer = source.answer(query)
        seen.update(row_id for row_id, _ in answer.rows)
        listing.answered(query, answer)
    assert set(source.rows) - seen == {"row2"}


@settings(deadline=None)
@given(sources(), st.lists(st.integers(0, 10), max_size=8), readers)
def test_what_is_left_of_a_listing_reads_the_rest(source: ModelSource, minutes: list[int], readers: int) -> None:
    covered = [
        Interval(BEGINNING + timedelta(minutes=start), BEGINNING + timedelta(minutes=start + 1)) for start in minutes
    ]
    seen: set[str] = set()
    listing = FullListing(gaps(covered), letters("abcdefgh"), readers=readers, now=source.now)
    while query := listing.next_query():
        answer = source.answer(query)
        seen.update(row_id for row_id, _ in answer.rows)
        try:
            listing.answered(query, answer)
        except ListingError:
            return
    expected = {
        row.row_id for row in source.rows.values() if not any(part.start <= row.created < part.end for part in covered)
    }
    assert expected <= seen


def test_a_small_source_is_one_query_without_a_filter() -> None:
    listing = FullListing()
    query = listing.next_query()
    assert query is not None
    assert query.body() == {"sorts": [{"timestamp": "created_time", "direction": "ascending"}]}
    assert listing.answered(query, Answer([], None, has_more=False, capped=False)).covered == EVERYTHING
    assert listing.is_complete


def test_a_minute_beyond_the_cap_that_nothing_splits_is_an_error_that_says_what_to_do() -> None:
    source = ModelSource(cap=5, page_size=5)
    for number in range(6):
        source.add(f"row{number}", 0, "same")
    with pytest.raises(ListingError, match=r"minute 2026-11-02 09:00 UTC .*unique_id"):
        read_whole(source, FullListing(splits=letters("xyz")))


def test_a_cursor_that_comes_back_is_an_error_not_an_endless_loop() -> None:
    listing = FullListing()
    answer = Answer([("row", BEGINNING)], "again", has_more=True, capped=False)
    first = listing.next_query()
    assert first is not None
    listing.answered(first, answer)
    second = listing.next_query()
    assert second is not None
    with pytest.raises(ListingError, match="repeat without end"):
        listing.answered(second, answer)


def test_more_rows_without_a_cursor_is_an_error() -> None:
    listing = FullListing()
    query = listing.next_query()
    assert query is not None
    with pytest.raises(ListingError, match="no cursor"):
        listing.answered(query, Answer([("row", BEGINNING)], None, has_more=True, capped=False))


def test_answers_that_bring_nothing_are_counted_over_all_queries() -> None:
    hours = [BEGINNING + timedelta(hours=hour) for hour in range(5)]
    listing = FullListing([Interval(start, end) for start, end in itertools.pairwise(hours)], readers=4)
    answers = 0
    with pytest.raises(ListingError, match="promising more"):
        while query := listing.next_query():
            answers += 1
            listing.answered(query, Answer([], f"cursor {answers}", has_more=True, capped=False))
    assert answers == MOST_FRUITLESS_ANSWERS + 1


def test_rows_out_of_order_are_an_error() -> None:
    listing = FullListing()
    query = listing.next_query()
    assert query is not None
    rows = [("late", BEGINNING + timedelta(minutes=1)), ("early", BEGINNING)]
    with pytest.raises(ListingError, match="order"):
        listing.answered(query, Answer(rows, None, has_more=False, capped=False))


def test_edits_out_of_order_are_no_proof_and_yet_brought() -> None:
    listing = EditListing(BEGINNING, began_at=BEGINNING + timedelta(hours=1))
    query = listing.next_query()
    assert query is not None
    rows = [("late", BEGINNING + timedelta(minutes=1)), ("early", BEGINNING)]
    assert listing.answered(query, Answer(rows, "more", has_more=True, capped=False)).unseen == {"late", "early"}
    assert listing.gave_up
    assert listing.is_complete


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(sources(), st.randoms(use_true_random=False))
def test_an_incremental_listing_brings_every_edit_that_was_settled_when_it_began(
    source: ModelSource, by: random.Random
) -> None:
    """And at any answer, those of which it says so; if it is sure, all that was edited before it began."""
    since = BEGINNING + timedelta(minutes=3)
    began_at = source.now
    promised = {row.row_id: row.edited for row in source.rows.values() if since <= row.edited < began_at}

    def missed(until: datetime) -> set[str]:
        """Which edits before then have not come, of those that were the last of their row."""
        return {
            row_id
            for row_id, edited in promised.items()
            if edited < until and row_id in source.rows and source.rows[row_id].edited == edited
        } - brought

    listing = EditListing(since, began_at)
    brought: set[str] = set()
    while query := listing.next_query():
        try:
            edits = listing.answered(query, source.answer(query))
            brought |= edits.unseen
            assert missed(edits.until) == set()
        except CursorRefusedError:
            listing.refused(query)
        except ListingError:
            return
        disturb(source, by)
    assert listing.is_complete
    assert listing.gave_up or missed(began_at if listing.is_sure else began_at - LONGEST_LAG) == set()


def edited_rows(count: int, page_size: int) -> ModelSource:
    source = ModelSource(page_size=page_size)
    for number in range(count):
        source.add(f"row{number}", number)
    return source


def test_an_incremental_listing_of_one_answer_is_proof_enough() -> None:
    source = edited_rows(5, page_size=10)
    listing = EditListing(BEGINNING, source.now)
    query = listing.next_query()
    assert query is not None
    edits = listing.answered(query, source.answer(query))
    assert set(edits.unseen) == set(source.rows)
    assert edits.until == source.now
    assert listing.is_complete
    assert not listing.gave_up


def test_an_incremental_listing_of_more_answers_takes_no_cursor_and_each_answer_is_proof_of_its_part() -> None:
    source = ModelSource(page_size=3)
    for number in range(12):
        source.add(f"row{number}", number * 20)
    listing = EditListing(BEGINNING, source.now)
    reached: list[datetime] = []
    brought: list[str] = []
    while query := listing.next_query():
        assert query.cursor is None
        edits = listing.answered(query, source.answer(query))
        reached.append(edits.until)
        brought.extend(edits.unseen)
    assert sorted(brought) == sorted(source.rows)
    minutes = [(until - BEGINNING) / timedelta(minutes=1) for until in reached]
    # Three rows a minute: the last row of an answer may be of the next minute, or the first of it.
    assert minutes == sorted(minutes)
    assert minutes[-2:] == [15, 20]
    assert listing.is_sure


def test_a_minute_that_holds_more_edits_than_an_answer_is_read_twice_and_then_believed() -> None:
    source = edited_rows(5, page_size=3)
    listing = EditListing(BEGINNING, source.now)
    brought: list[str] = []
    crowded: list[bool] = []
    while query := listing.next_query():
        edits = listing.answered(query, source.answer(query))
        brought.extend(edits.unseen)
        crowded.append(edits.is_crowded)
    assert sorted(brought) == sorted(source.rows)
    # The first answer, two passes, the rest until five minutes ago, and since then.
    assert crowded == [True, True, True, True, False, False, False]
    assert not listing.gave_up


def test_edits_of_the_last_minutes_are_read_until_two_passes_agree_or_left_to_the_next_read() -> None:
    for is_quiet in (True, False):
        source = ModelSource(page_size=3)
        for number in range(40):
            source.add(f"row{number}", 16 * 60 + number * 4)
        listing = EditListing(BEGINNING, source.now)
        while query := listing.next_query():
            until = listing.answered(query, source.answer(query)).until
            if not is_quiet:
                source.edit(min(source.rows.values(), key=lambda row: row.edited))
        assert (listing.is_sure, listing.gave_up) == (is_quiet, False)
        assert until == (source.now if is_quiet else source.now - LONGEST_LAG)


def test_a_row_that_the_index_has_in_another_place_moves_no_bound() -> None:
    """It was edited a moment ago, which the index does not know yet: it comes last of an answer, by its former time."""
    source = edited_rows(4, page_size=4)
    listing = EditListing(BEGINNING, source.now)
    query = listing.next_query()
    assert query is not None
    times = [BEGINNING, BEGINNING + timedelta(minutes=1), BEGINNING + timedelta(minutes=2), source.now]
    rows = [(f"row{number}", time) for number, time in enumerate(times)]
    edits = listing.answered(query, Answer(rows, "cursor", has_more=True, capped=False))
    assert edits.until == BEGINNING + timedelta(minutes=2)


def test_rows_that_are_shown_as_they_were_move_no_bound_either() -> None:
    """An answer may show a row in an older state than the one that it is listed by."""
    since = BEGINNING + timedelta(minutes=5)
    listing = EditListing(since, BEGINNING + timedelta(minutes=20))
    query = listing.next_query()
    assert query is not None
    older = [(f"row{number}", BEGINNING + timedelta(minutes=number)) for number in range(3)]
    edits = listing.answered(query, Answer(older, "cursor", has_more=True, capped=False))
    assert (edits.until, edits.is_crowded) == (since, True)
    following = listing.next_query()
    assert following is not None
    assert following.window == Interval(since, since + timedelta(minutes=1))


@settings(max_examples=300, deadline=None)
@given(sources(), st.lists(st.integers(1, 6), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_however_often_an_incremental_read_is_cut_off_it_comes_to_its_end(
    source: ModelSource, answers: list[int], by: random.Random
) -> None:
    """Each run keeps something, or knows that the minute it is in is for a full read; then the copy has every edit."""
    held: dict[str, datetime] = {}
    watermark = BEGINNING + LONGEST_LAG
    for run in itertools.count():
        source.now += timedelta(minutes=15)
        listing = EditListing(watermark - LONGEST_LAG, source.now)
        before, is_crowded = watermark, False
        for _ in range(answers[run % len(answers)]):
            query = listing.next_query()
            if query is None:
                break
            try:
                edits = listing.answered(query, source.answer(query))
            except CursorRefusedError:
                listing.refused(query)
                continue
            held.update({row_id: source.rows[row_id].edited for row_id in edits.unseen})
            watermark = watermark_after(edits.until, source.now)
            is_crowded = edits.is_crowded
            if run < 5:
                source.edit(by.choice([*source.rows.values()])) if source.rows else None
        if listing.gave_up or is_crowded:
            # From here on a full read goes on by creation time.
            return
        if listing.is_complete and run >= 5:
            break
        assert watermark > before
    assert held == {row.row_id: row.edited for row in source.rows.values()}


def test_an_incremental_listing_that_began_before_what_it_asks_for_asks_for_nothing_else() -> None:
    """By a clock that was wrong."""
    source = edited_rows(8, page_size=3)
    since = BEGINNING + timedelta(minutes=1)
    for row in list(source.rows.values())[4:]:
        row.edited = since
    listing = EditListing(since, began_at=BEGINNING - timedelta(days=3000))
    brought: set[str] = set()
    while query := listing.next_query():
        assert query.window.start >= since
        brought |= listing.answered(query, source.answer(query)).unseen
    assert brought == {"row4", "row5", "row6", "row7"}


def test_an_incremental_listing_gives_up_when_one_minute_holds_more_edits_than_a_query_gives() -> None:
    source = edited_rows(9, page_size=3)
    source.cap = 6
    listing = EditListing(BEGINNING, source.now)
    while query := listing.next_query():
        listing.answered(query, source.answer(query))
    assert listing.gave_up


def test_an_incremental_listing_gives_up_when_no_two_passes_of_a_minute_see_the_same() -> None:
    source = edited_rows(40, page_size=3)
    listing = EditListing(BEGINNING, source.now)
    while query := listing.next_query():
        listing.answered(query, source.answer(query))
        source.edit(min(source.rows.values(), key=lambda row: row.edited))
    assert listing.gave_up


def test_a_minute_is_split_by_the_numbers_of_a_unique_id_where_titles_do_not_tell() -> None:
    source = ModelSource(cap=5, page_size=5)
    for number in range(40):
        source.add(f"row{number}", 0, "same")
        source.rows[f"row{number}"].number = number * 1000
    seen = read_whole(source, FullListing(splits=[NumberSplit("id")]))
    assert seen == set(source.rows)


def test_the_splits_of_a_schema_are_those_that_are_proved_to_divide_first() -> None:
    schema = {
        "ID": {"id": "a%3A", "type": "unique_id"},
        "Name": {"id": "title", "type": "title"},
        "Done": {"id": "b", "type": "checkbox"},
        "Stage": {"id": "c", "type": "select"},
    }
    kinds = [type(split).__name__ for split in splits_of(schema)]
    assert kinds[0] == "CheckboxSplit"
    assert kinds[1:9] == ["TitleSplit"] * 8
    assert kinds[9] == "NumberSplit"
