"""Runs checks in their order: what does not hold stops only what needs it. And tells causes from what follows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from msgspec import Struct

from notion_pg_sync.commands.doctor.checks.check import (
    EVERYTHING,
    Check,
    Examination,
    Finding,
    Verdict,
    broken,
    skipped,
)
from notion_pg_sync.commands.doctor.checks.wording import sentence
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.lock_holders import HeldLockError, LockHolder
from notion_pg_sync.sync.run.failures import logged_failure


class Examined(Struct, frozen=True):
    """A check and what it found; `missing`: the check without which it could not be tried."""

    check: Check
    findings: tuple[Finding, ...]
    missing: Check | None = None

    @property
    def holds(self) -> bool:
        """Whether what needs this check can be tried."""
        return not any(map(_stops, self.findings))


async def examine(examination: Examination, checks: Iterable[Check]) -> AsyncIterator[Examined]:
    """Tries every check, each once what it needs holds, and gives its findings as they come."""
    standing: list[Check] = []
    for check in checks:
        missing = next((needed for needed in check.needs if needed not in standing), None)
        findings = (
            [skipped(f"not checked, since it depends on: {missing.name}")]
            if missing
            else await _findings(examination, check)
        )
        examined = Examined(check, tuple(findings), missing)
        if examined.holds:
            standing.append(check)
        yield examined


def held_up(holders: Sequence[LockHolder]) -> Finding:
    """What it means that somebody holds a lock on what is to be read or written."""
    verb = "holds a lock" if len(holders) == 1 else "hold locks"
    seen = f"{some([holder.described for holder in holders])} {verb} that the tool waits for"
    return broken(seen, "\n".join(holder.fix for holder in holders), EVERYTHING)


class Told(Struct, frozen=True):
    """One finding of a check; `cause` is the finding from which it follows, itself where it is a cause.

    `verdict`: its own, but that a cause is as bad as the worst that follows from it.
    """

    check: Check
    finding: Finding
    cause: Finding
    verdict: Verdict


def with_causes(examined: Iterable[Examined]) -> list[Told]:
    """Every finding in order, with its cause.

    What could not be tried follows from what kept it, and what says the same from the first that does. What tells how
    databases and runs are follows from a finding of a smaller depth that is about the same.
    """
    found = list(examined)
    troubles = [(one.check.depth, finding) for one in found for finding in one.findings if finding.is_trouble]
    troubles.sort(key=lambda each: (each[0], each[1].verdict is not Verdict.BROKEN))
    keeping: dict[str, Finding] = {}
    said: dict[tuple[str, str], Finding] = {}
    told: list[tuple[Check, Finding, Finding]] = []
    for one in found:
        for finding in one.findings:
            cause = keeping.get(one.missing.name) if one.missing else _cause(one.check.depth, finding, troubles)
            cause = cause or (said.setdefault(_like(one, finding), finding) if finding.is_trouble else None)
            told.append((one.check, finding, cause or finding))
        if not one.holds:
            keeping[one.check.name] = told[-1][-1] if one.missing else next(filter(_stops, one.findings))
    breaking = {id(cause) for _, finding, cause in told if finding.verdict is Verdict.BROKEN}
    return [
        Told(check, finding, cause, Verdict.BROKEN if id(finding) in breaking else finding.verdict)
        for check, finding, cause in told
    ]


def _like(examined: Examined, finding: Finding) -> tuple[str, str]:
    """The same for findings that are one cause."""
    return (examined.check.name, finding.kind) if finding.kind else (finding.message, finding.fix)


def _stops(finding: Finding) -> bool:
    return finding.verdict in (Verdict.BROKEN, Verdict.SKIPPED)


def _cause(depth: int, finding: Finding, troubles: Sequence[tuple[int, Finding]]) -> Finding | None:
    """The first of `troubles`, the likeliest first, from which a finding of a check of this depth follows."""
    earlier = (trouble for of_depth, trouble in troubles if of_depth < depth and finding.is_trouble)
    return next((trouble for trouble in earlier if explains(trouble, finding)), None)


def explains(cause: Finding, finding: Finding) -> bool:
    """Whether it is about something that the other is about, or a part of that: a user explains their databases.

    What is about everything follows only from what is.
    """
    return any(
        subject[: len(wider)] == wider or (subject and wider[: len(subject)] == subject)
        for wider in cause.concerns
        for subject in finding.concerns
    )


async def _findings(examination: Examination, check: Check) -> list[Finding]:
    try:
        return await check.run(examination)
    except Exception as error:  # noqa: BLE001 - becomes a line of its own; the other checks go on
        if isinstance(error.__cause__, HeldLockError):
            return [held_up(error.__cause__.holders)]
        failure = logged_failure(error)
        return [broken(sentence(failure.sentence), needs="see what is wrong there", look="notion-pg-sync doctor -vv")]
