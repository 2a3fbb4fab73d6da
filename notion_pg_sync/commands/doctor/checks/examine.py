"""Runs checks in their order: what does not hold stops only what needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass

from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, Verdict, broken, skipped
from notion_pg_sync.sync.run.failures import logged_failure


@dataclass(frozen=True)
class Examined:
    """A check and what it found."""

    check: Check
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether what needs this check can be tried."""
        return not any(finding.verdict in (Verdict.BROKEN, Verdict.SKIPPED) for finding in self.findings)


async def examine(examination: Examination, checks: Iterable[Check]) -> AsyncIterator[Examined]:
    """Tries every check, each once what it needs holds, and gives its findings as they come."""
    standing: list[Check] = []
    for check in checks:
        missing = first_missing(check, standing)
        findings = (
            [skipped(f"not checked, since it depends on: {missing.name}")]
            if missing
            else await _findings(examination, check)
        )
        examined = Examined(check, tuple(findings))
        if examined.holds:
            standing.append(check)
        yield examined


def first_missing(check: Check, standing: Collection[Check]) -> Check | None:
    """The first of the checks that `check` needs which does not hold."""
    return next((needed for needed in check.needs if needed not in standing), None)


async def _findings(examination: Examination, check: Check) -> list[Finding]:
    try:
        return await check.run(examination)
    except Exception as error:  # noqa: BLE001 - becomes a line of its own; the other checks go on
        return [broken(logged_failure(error).sentence, "see 'notion-pg-sync doctor -vv'")]
