"""Runs of several hosts at one time, with one place for the files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from notion_workspace import File

from tests.files.conftest import UNPACED, WELL, FileSite
from tests.files.test_kept import small_files

pytestmark = pytest.mark.slow


def test_runs_of_two_hosts_keep_every_file_once(either: FileSite) -> None:
    """Both may take the place that is new, and remove what is to be removed."""
    sources = {
        user_id: either.add_albums(small_files(40), name=f"Albums of {user_id}", user_id=user_id)
        for user_id in either.small.tokens
    }
    either.workspace.configure(file_latency=0.02)
    old = File("old.txt", "0f00ba12-9999/old.txt")
    command = ("sync-all", *UNPACED, "--files", either.store.where)
    for round_ in range(2):
        with ThreadPoolExecutor(2) as hosts:
            ended = list(hosts.map(lambda _: either.command(*command), range(2)))
        assert ended == [WELL, WELL]
        if round_ == 0:
            for source in sources.values():
                either.workspace.edit_page(either.page(source, "Album 0"), {"Files": [old]})
            either.workspace.clock.advance(3600)
    assert either.workspace.files.counts() == {"200": 41 * len(sources)}
    for user_id, source in sources.items():
        kept = either.kept(user_id)
        assert len(kept) == 41
        assert either.half() == []
        assert either.named(source) == set(
            either.execute(
                "SELECT page_id, place, property, position, name, path FROM notion_sync.page_files WHERE user_id = %s",
                user_id,
            )
        )
    assert len(either.store.sizes()) == 41 * len(sources)
