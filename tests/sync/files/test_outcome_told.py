"""What a dry run says of the files that a run would fetch."""

from __future__ import annotations

import pytest

from notion_pg_sync.sync.files.outcome import FilesDue


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (FilesDue(2, 2000), "2 files would be fetched (2.0 kB)."),
        (FilesDue(2, 1000, unmeasured=1), "2 files would be fetched (at least 1.0 kB)."),
        (FilesDue(2, unmeasured=2), "2 files would be fetched (their sizes are not known)."),
    ],
)
def test_sizes_that_nobody_told_are_not_told_as_nothing(due: FilesDue, said: str) -> None:
    assert due.sentence == said
