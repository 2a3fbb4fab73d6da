"""What comparing a copy with Notion came to: lines for a person, JSON for programs."""

from __future__ import annotations

from dataclasses import asdict

from notion_pg_sync.core.wording import plural
from notion_pg_sync.sync.verify.verification import Difference, Verification


def verification_lines(verification: Verification) -> list[str]:
    """What was compared, every difference, and what Notion does not tell."""
    lines = [verification.sentence]
    lines += [f"  {_line(difference)}" for difference in verification.differences]
    if verification.more_differences:
        lines.append(f"  and {plural(verification.more_differences, 'more difference')}")
    return lines + [f"  note: {remark}" for remark in verification.remarks]


def verification_as_json(verification: Verification) -> dict[str, object]:
    """Everything, for programs."""
    return {"exact": verification.is_exact, **asdict(verification)}


def _line(difference: Difference) -> str:
    name = "" if difference.name is None else f" {difference.name!r}"
    path = f" at {difference.path}" if difference.path else ""
    page = "" if difference.page_id is None else f" of page {difference.page_id}"
    sides = f"Notion {difference.in_notion}, PostgreSQL {difference.in_postgresql}"
    return f"{difference.kind.replace('_', ' ')}:{name}{path}{page}: {sides}"
