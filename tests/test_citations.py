"""What code and documentation cite exists: every `docs/….md#heading`, and every link to a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Folders whose names begin with a dot hold no text of ours that cites, `.github` aside.
FOLDERS = [".github", *sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != ".")]
CITATION = re.compile(r"\b(docs/[a-z0-9/-]+\.md)#([\w-]+)")
LINK = re.compile(r"\]\(([^)\s#]*)#([^)\s]+)\)")


def texts(*endings: str) -> Iterator[tuple[Path, str]]:
    """Every file of the repository with one of these endings, and what it says."""
    top = [path for path in ROOT.iterdir() if path.is_file()]
    for path in [*top, *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]:
        if path.name.endswith(endings) and path != Path(__file__):
            yield path, path.read_text(encoding="utf-8")


@cache
def anchors(page: Path) -> list[str]:
    """The anchors that GitHub gives to the headings of a page; a second heading of one name has a number."""
    found: list[str] = []
    in_code = False
    for line in page.read_text(encoding="utf-8").splitlines():
        in_code ^= line.lstrip().startswith("```")
        if not in_code and (heading := re.match(r"#{1,6} (.+)", line)):
            words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).strip().lower()
            anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            again = sum(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", one) is not None for one in found)
            found.append(f"{anchor}-{again}" if again else anchor)
    return found


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# The `GET` users/me\n```sh\n# none\n```\n## 1,000 rows\n## [A link](b.md)\n## 1,000 rows\n")
    assert anchors(page) == ["the-get-usersme", "1000-rows", "a-link", "1000-rows-1"]


def test_every_heading_that_is_cited_is_there() -> None:
    cited = [
        (path, page, anchor)
        for path, text in texts(".py", ".sql", ".md", ".toml", ".yml")
        for page, anchor in CITATION.findall(text)
    ]
    assert cited
    missing = [f"{path}: {page}#{anchor}" for path, page, anchor in cited if anchor not in anchors(ROOT / page)]
    assert missing == []


def test_pages_are_cited_by_heading_and_not_by_number() -> None:
    numbered = re.compile(r"\.md, section")
    assert [str(path) for path, text in texts(".py", ".sql", ".md") if numbered.search(text)] == []


@pytest.mark.parametrize("path", [path for path, _ in texts(".md")], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_heading_leads_to_one(path: Path) -> None:
    for target, anchor in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert anchor in anchors(path.parent / target if target else path), f"{target}#{anchor}"
