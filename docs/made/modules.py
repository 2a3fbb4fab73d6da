"""The list of modules in docs/architecture.md, from their docstrings: `python -m docs.made.modules` writes it."""

from __future__ import annotations

import ast
import itertools
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN = "<!-- From here on made by `python -m docs.made.modules`. -->\n"

# From the ground up; what is not named here comes last.
ORDER = ["core", "notion", "mirror", "sync", "commands", "embedded"]


def page() -> str:
    """The page, with the list as it should be."""
    written, _, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    tool, workspace = ROOT / "notion_pg_sync", ROOT / "workspace" / "notion_workspace"
    folders = [*_folders(tool), *_folders(workspace)]
    return written + BEGIN + "".join(_section(folder) for folder in folders)


def says(file: Path) -> str:
    """The first paragraph of a module's docstring, or of the comment that an SQL file begins with, in one line."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        paragraph = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
    else:
        comment = itertools.takewhile(lambda line: line.startswith("--"), text.splitlines())
        paragraph = "\n".join(line.removeprefix("--") for line in comment)
    return " ".join(paragraph.split())


def _folders(package: Path) -> list[Path]:
    """The package and the folders in it that hold modules or SQL, in the order in which they build on each other."""
    holding = {file.parent for ending in ("py", "sql") for file in package.rglob(f"*.{ending}")}

    def place(folder: Path) -> tuple[int, Path]:
        part = folder.relative_to(package).parts[:1]
        return (ORDER.index(part[0]) if part and part[0] in ORDER else len(ORDER) if part else -1), folder

    return sorted(holding, key=place)


def _section(folder: Path) -> str:
    files = sorted(file for ending in ("py", "sql") for file in folder.glob(f"*.{ending}"))
    package = [says(file) for file in files if file.name == "__init__.py"]
    lines = [f"\n**`{folder.relative_to(ROOT)}/`** {' '.join(package)}".rstrip() + "\n"]
    lines += [_wrapped(f"- `{file.name}`: {says(file)}") for file in files if file.name != "__init__.py"]
    return "\n".join(lines) + "\n"


def _wrapped(line: str) -> str:
    return textwrap.fill(line, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
