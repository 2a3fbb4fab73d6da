"""What comparing copies with Notion came to: lines for a person, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import asdict

from notion_pg_sync.core.wording import plural
from notion_pg_sync.sync.verify.verification import MOST_KEPT, Difference, Verification, sentence_of

# User id and name of a database, and what comparing it came to.
Verified = tuple[str, str, Verification]


def verification_lines(verified: Sequence[Verified]) -> list[str]:
    """What was compared, every difference, and what Notion does not tell; in one line what is well of many."""
    if len(verified) == 1:
        ((_, _, verification),) = verified
        return [verification.sentence, *_details(verification)]
    lines = [sentence_of([verification for _, _, verification in verified])]
    for user_id, name, verification in verified:
        details = _details(verification)
        if details:
            lines += [f"{user_id}/{name}: {verification.sentence}", *details]
    return lines


def verification_as_json(verified: Sequence[Verified]) -> dict[str, object]:
    """Everything, for programs."""
    all_of_them = [verification for _, _, verification in verified]
    differences = [
        {"user_id": user_id, "database": name, **asdict(difference)}
        for user_id, name, verification in verified
        for difference in verification.differences
    ]
    several = len(verified) > 1
    return {
        "exact": all(one.is_exact for one in all_of_them),
        "databases": len(verified),
        "rows": sum(one.rows for one in all_of_them),
        "values": sum(one.values for one in all_of_them),
        "requests": sum(one.requests for one in all_of_them),
        "differences": differences[:MOST_KEPT],
        "more_differences": sum(one.difference_count for one in all_of_them) - len(differences[:MOST_KEPT]),
        "edited_since": sum(one.edited_since for one in all_of_them),
        "remarks": [
            f"{user_id}/{name}: {remark}" if several else remark
            for user_id, name, verification in verified
            for remark in verification.remarks
        ],
    }


def _details(verification: Verification) -> list[str]:
    lines = [f"  {_line(difference)}" for difference in verification.differences]
    if verification.more_differences:
        lines.append(f"  and {plural(verification.more_differences, 'more difference')}")
    return lines + [f"  note: {remark}" for remark in verification.remarks]


def _line(difference: Difference) -> str:
    name = "" if difference.name is None else f" {difference.name!r}"
    path = f" at {difference.path}" if difference.path else ""
    page = "" if difference.page_id is None else f" of page {difference.page_id}"
    sides = f"Notion {difference.in_notion}, PostgreSQL {difference.in_postgresql}"
    if difference.kind == "file_differs" and difference.page_id is None:
        # Of bytes: what PostgreSQL says, and what the place has.
        sides = f"{difference.in_notion}, there: {difference.in_postgresql}"
    return f"{difference.kind.replace('_', ' ')}:{name}{path}{page}: {sides}"
