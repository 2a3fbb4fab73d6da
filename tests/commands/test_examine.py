"""doctor goes on after a broken link, and skips what depends on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.checks.check import (
    EVERYTHING,
    Check,
    Examination,
    Finding,
    Subject,
    Verdict,
    broken,
    ok,
    warning,
)
from notion_pg_sync.commands.doctor.checks.examine import Examined, examine, explains, with_causes
from notion_pg_sync.commands.doctor.command import verdict_sentence
from notion_pg_sync.settings import Settings


def finds(finding: Finding) -> Callable[[Examination], Awaitable[list[Finding]]]:
    async def run(_: Examination) -> list[Finding]:
        return [finding]

    return run


async def examined(*checks: Check) -> list[Examined]:
    async with AsyncExitStack() as resources:
        return [one async for one in examine(Examination(Settings(), {}, resources), checks)]


async def test_what_needs_a_broken_link_is_skipped_with_the_reason() -> None:
    down = Check("first", "One", finds(broken("it is down", "start it")))
    reads = Check("second", "One", finds(ok("it reads")), needs=(down,))
    writes = Check("third", "One", finds(ok("it writes")), needs=(reads,))
    alone = Check("fourth", "Two", finds(ok("it stands alone")))
    first, second, third, fourth = await examined(down, reads, writes, alone)
    assert not first.holds
    assert [(finding.verdict, finding.message) for finding in second.findings] == [
        (Verdict.SKIPPED, "not checked, since it depends on: first")
    ]
    assert [finding.message for finding in third.findings] == ["not checked, since it depends on: second"]
    assert [finding.message for finding in fourth.findings] == ["it stands alone"]


async def test_a_warning_stops_nothing() -> None:
    slow = Check("first", "One", finds(warning("it is slow", "tune it")))
    _, second = await examined(slow, Check("second", "One", finds(ok("it reads")), needs=(slow,)))
    assert second.holds


async def test_a_check_that_fails_by_itself_is_a_broken_link_and_the_others_go_on() -> None:
    async def fails(_: Examination) -> list[Finding]:
        raise ZeroDivisionError

    first, second = await examined(Check("first", "One", fails), Check("second", "One", finds(ok("it reads"))))
    assert first.findings[0].verdict is Verdict.BROKEN
    assert "ZeroDivisionError" in first.findings[0].message
    assert second.holds


async def test_a_cause_is_as_bad_as_the_worst_that_follows_from_it() -> None:
    paused = warning("it is paused", "go on", EVERYTHING)
    told = with_causes(
        await examined(
            Check("first", "One", finds(paused)),
            Check("second", "One", finds(broken("it is old", "go on", EVERYTHING)), depth=1),
        )
    )
    assert [(one.finding.verdict, one.cause is paused, one.verdict) for one in told] == [
        (Verdict.WARNING, True, Verdict.BROKEN),
        (Verdict.BROKEN, True, Verdict.BROKEN),
    ]
    assert verdict_sentence(told) == "1 broken link: fix it, then run doctor again."


@given(st.lists(st.sampled_from(list(Verdict)), max_size=8))
async def test_every_check_gives_one_answer_whatever_came_before(verdicts: list[Verdict]) -> None:
    checks: list[Check] = []
    for number, verdict in enumerate(verdicts):
        checks.append(Check(f"check {number}", "One", finds(Finding(verdict, "seen")), needs=tuple(checks[-1:])))
    answers = await examined(*checks)
    assert [one.check for one in answers] == checks
    holding = [one.holds for one in answers]
    assert holding == sorted(holding, reverse=True)


@pytest.mark.parametrize(
    ("cause", "finding", "is_explained"),
    [
        (EVERYTHING, EVERYTHING, True),
        (EVERYTHING, ("anna",), True),
        (EVERYTHING, ("anna", "Tasks"), True),
        (("anna",), EVERYTHING, False),
        (("anna",), ("anna", "Tasks"), True),
        (("anna", "Tasks"), ("anna",), True),
        (("anna",), ("ben", "Tasks"), False),
    ],
)
def test_a_whole_run_fails_only_of_what_concerns_everybody(
    cause: Subject, finding: Subject, is_explained: bool
) -> None:
    assert explains(broken("it is down", "", cause), broken("it failed", "", finding)) is is_explained
