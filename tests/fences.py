"""What the documentation shows in blocks of its own, for tests that run it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass(frozen=True)
class Fence:
    """A block: its language, with what else stands there, and its text, without the indent of a list."""

    language: str
    text: str


def fences(text: str) -> list[Fence]:
    """The blocks of a page or of a part of it, in order."""
    found = re.findall(r"^( *)```([^\n`]*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    return [Fence(language, re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)) for indent, language, block in found]


def blocks(page: Path, language: str) -> list[str]:
    """The texts of a page's blocks in this language."""
    return [fence.text for fence in fences(page.read_text(encoding="utf-8")) if fence.language == language]


def section(page: Path, heading: str) -> str:
    """What stands under a heading (`## …`), up to the next of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    _, _, rest = f"\n{page.read_text(encoding='utf-8')}".partition(f"\n{heading}\n")
    assert rest, f"{page.name} has no {heading!r}"
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]
