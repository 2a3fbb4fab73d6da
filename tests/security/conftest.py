"""What the tests of who sees and may do what have in common."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def statements_shown(page: str, kind: str) -> list[str]:
    """The blocks of statements that a page of the documentation shows as of a kind (`sql KIND`), in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks: list[str] = re.findall(rf"```sql {kind}\n(.*?)```", text, re.DOTALL)
    assert blocks
    return blocks
