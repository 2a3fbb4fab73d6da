"""Pure: how many files are kept, in a sentence."""

from __future__ import annotations

import humanize

from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.files import FileTotals


def files_told(files: FileTotals | None) -> str:
    """How many of the files that pages name are kept; empty where there are none, or none are known."""
    if files is None or not files.wanted:
        return ""
    parts = [f"{files.kept:,} of {plural(files.wanted, 'file')} kept ({humanize.naturalsize(files.bytes)})"]
    parts += [f"{files.failed:,} failed (notion_sync.files says why)"] if files.failed else []
    return f"Files: {', '.join(parts)}."
