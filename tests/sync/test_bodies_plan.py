"""Whatever the edits, and whenever runs come between them, the bodies that are kept are in the end Notion's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.sync.bodies.plan import SETTLING, blocks_may_help, goes_on, is_settled

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


@dataclass
class Kept:
    """A body as it is kept: its edit, whether that is settled, and which version it is."""

    edited_at: datetime
    settled: bool
    version: int


@dataclass
class Model:
    """One page in Notion, and its body as runs keep it by the rule of `mirror.bodies.Due.BEHIND`."""

    now: datetime = NOON
    edited_at: datetime = NOON
    version: int = 0
    kept: Kept | None = None
    requests: list[datetime] = field(default_factory=list)

    def edit(self) -> None:
        self.version += 1
        self.edited_at = minute(self.now)

    def run(self, edited_meanwhile: bool = False) -> None:
        row = self.edited_at
        if edited_meanwhile:
            self.edit()
        if self.kept is None or self.kept.edited_at != row or not self.kept.settled:
            self.requests.append(self.now)
            self.kept = Kept(row, is_settled(row, self.now), self.version)


STEPS = st.tuples(st.integers(0, 400), st.sampled_from(["edit", "run", "run and edit"]))


@given(st.lists(STEPS, max_size=30))
def test_after_the_last_edit_has_settled_one_run_is_enough(steps: list[tuple[int, str]]) -> None:
    model = Model()
    for seconds, what in steps:
        model.now += timedelta(seconds=seconds)
        if what == "edit":
            model.edit()
        else:
            model.run(edited_meanwhile=what == "run and edit")
    model.now += SETTLING
    model.run()
    assert model.kept is not None
    assert model.kept.version == model.version
    asked = len(model.requests)
    model.now += timedelta(days=1)
    model.run()
    assert len(model.requests) == asked


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_a_body_read_within_the_minute_of_an_edit_is_never_settled(edit: datetime, later: timedelta) -> None:
    edited_at, asked_at = minute(edit.replace(tzinfo=UTC)), edit.replace(tzinfo=UTC) + later
    assert not is_settled(edited_at, min(asked_at, edited_at + timedelta(seconds=59)))
    assert is_settled(edited_at, asked_at + SETTLING)


@pytest.mark.parametrize("code", ["invalid_request_url", "malformed", "validation_error", "internal_server_error"])
def test_blocks_are_asked_for_where_the_markdown_is_at_fault(code: str) -> None:
    assert blocks_may_help(code)


@pytest.mark.parametrize("code", ["unauthorized", "restricted_resource", "object_not_found", "network", "rate_limited"])
def test_blocks_are_not_asked_for_where_they_would_fail_alike(code: str) -> None:
    assert not blocks_may_help(code)


@pytest.mark.parametrize(
    ("read", "failed", "expected"),
    [
        (50, [], True),
        (49, ["internal_server_error"], True),
        (0, ["object_not_found"] * 50, True),
        (0, ["internal_server_error"] * 4, True),
        (0, ["internal_server_error"] * 5, False),
        (49, ["unauthorized"], False),
    ],
)
def test_reading_ends_where_not_the_page_is_at_fault(read: int, failed: list[str], expected: bool) -> None:
    assert goes_on(read, failed) is expected
