"""Pure: what keeping files comes to."""

from __future__ import annotations

import humanize
from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.core.wording import plural


class FileCounts(Struct, frozen=True):
    """How many files are kept by now that were not before, and of how many bytes; how many could not be fetched.

    `left`: how many there was no time for, or no way to. `requests`: what was asked of Notion for their addresses.
    """

    kept: int = 0
    failed: int = 0
    left: int = 0
    bytes: int = 0
    requests: int = 0

    def __add__(self, other: FileCounts) -> FileCounts:
        return FileCounts(
            self.kept + other.kept,
            self.failed + other.failed,
            self.left + other.left,
            self.bytes + other.bytes,
            self.requests + other.requests,
        )

    def with_kept(self, size: int) -> FileCounts:
        """With one more that is kept."""
        return replace(self, kept=self.kept + 1, bytes=self.bytes + size)

    def with_failed(self) -> FileCounts:
        """With one more that failed."""
        return replace(self, failed=self.failed + 1)

    @property
    def sentence(self) -> str:
        """Such as `12 files kept, 3 failed.`; empty where there was nothing to do."""
        said = [f"{plural(self.kept, 'file')} kept"] if self.kept or self.failed or self.left else []
        said += [f"{self.failed:,} failed"] if self.failed else []
        said += [f"{self.left:,} left to the next run"] if self.left else []
        return f"{', '.join(said)}." if said else ""


class FilesDue(Struct, frozen=True):
    """What a dry run would fetch: how many files, and of how many bytes as far as that was asked for.

    `unmeasured`: those of them whose size was not asked for. `too_large`: what it would leave out.
    """

    files: int = 0
    bytes: int = 0
    unmeasured: int = 0
    too_large: int = 0

    def __add__(self, other: FilesDue) -> FilesDue:
        return FilesDue(
            self.files + other.files,
            self.bytes + other.bytes,
            self.unmeasured + other.unmeasured,
            self.too_large + other.too_large,
        )

    @property
    def sentence(self) -> str:
        """Such as `12 files would be fetched (3.4 MB).`; empty where there are none."""
        if not (self.files or self.too_large):
            return ""
        size = f"{'at least ' if self.unmeasured else ''}{humanize.naturalsize(self.bytes)}"
        if self.files and self.unmeasured == self.files:
            size = "their sizes are not known"
        too_large = f", {self.too_large:,} left out as too large" if self.too_large else ""
        return f"{plural(self.files, 'file')} would be fetched ({size}){too_large}."
