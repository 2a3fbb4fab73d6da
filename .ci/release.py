"""What has to be true before a tag becomes a release: `python .ci/release.py v1.2.3` prints the release's notes.

The tag is the version, in both places where it is written, and the changelog has it with a date. Otherwise it says what
is wrong, and ends with 1.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def notes_of(tag: str, folder: Path) -> str:
    """What the changelog says of the version that `tag` names. Raises `ValueError` where the release is not ready."""
    version = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, and the version in pyproject.toml is {version}: tag v{version}.")
    package = (folder / "notion_pg_sync" / "__init__.py").read_text(encoding="utf-8")
    if f'__version__ = "{version}"\n' not in package:
        raise ValueError(f"notion_pg_sync/__init__.py has another version than pyproject.toml: write {version} there.")
    changelog = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(version)} - (.+)\n([\s\S]*?)(?=^## |\Z)", changelog, re.MULTILINE)
    if found is None:
        raise ValueError(f"CHANGELOG.md has no heading '## {version} - DATE': write what is new.")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", found[1]):
        raise ValueError(f"CHANGELOG.md says '{found[1]}' of {version}: write the date of the release.")
    return found[2].strip()


if __name__ == "__main__":
    try:
        print(notes_of(sys.argv[1], Path.cwd()))
    except ValueError as error:
        sys.exit(f"no release: {error}")
