"""What may go wrong while a place is taken: no file is lost, and the place that keeps them stays the one that does."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from notion_pg_sync.sync.files.place import MARK
from tests.files.conftest import UNPACED, WELL, FileSite
from tests.files.test_kept import PLAN, SKETCH, small_files

pytestmark = pytest.mark.slow


def wait_until_kept(site: FileSite, count: int, user_id: str = "anna") -> None:
    """Until so many files of a user are kept."""
    deadline = time.monotonic() + 30
    while len(site.kept(user_id)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_a_run_keeps_at_the_old_place_meanwhile_is_not_missed_at_the_new_one(site: FileSite) -> None:
    site.add_albums(small_files(80))
    site.add_albums([[PLAN]], name="Bens", user_id="ben")
    assert site.command("sync", "ben", "Bens", *UNPACED, "--files", site.store.where) == WELL
    site.workspace.configure(file_latency=0.3)
    other = Path(f"{site.store.where}-other")
    with ThreadPoolExecutor(1) as host:
        old = host.submit(site.command, "sync", "anna", "Albums", *UNPACED, "--files", site.store.where)
        wait_until_kept(site, 1)
        assert site.command("sync", "ben", "Bens", *UNPACED, "--full", "--files", str(other)) == WELL
        ended = old.result()
    assert ended.code == 1
    assert "another place does" in ended.err
    site.workspace.configure(file_latency=0)
    assert site.command("sync-all", *UNPACED, "--files", str(other)) == WELL
    kept = [*site.kept().values(), *site.kept("ben").values()]
    assert [key for key, *_ in kept if not (other / key).exists()] == []
    assert len(kept) == 81


def test_a_place_that_cannot_be_marked_takes_nothing_from_the_one_that_keeps_files(
    site: FileSite, tmp_path: Path
) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    other = tmp_path / "other"
    (other / MARK / "something").mkdir(parents=True)
    ended = site.command("sync-all", *UNPACED, "--full", "--files", str(other))
    assert (ended.code, f"at {other}" in ended.err) == (1, True)
    assert site.sync() == WELL
    assert site.workspace.files.counts() == {"200": 2}


def test_what_names_no_file_is_exact_though_the_place_is_still_to_be_made(site: FileSite) -> None:
    site.add_albums([[], []])
    assert site.sync() == WELL
    verified = site.command("sync", "anna", "Albums", *UNPACED, "--files", site.store.where, "--verify")
    assert (verified.code, verified.err) == (0, "")


def test_what_is_written_where_the_disk_was_until_now_is_not_taken_for_kept(site: FileSite) -> None:
    source = site.add_albums(small_files(80))
    site.workspace.configure(file_latency=0.3)
    kept, mounted = Path(site.store.where), Path(f"{site.store.where}-mounted")
    with ThreadPoolExecutor(1) as host:
        running = host.submit(site.sync)
        wait_until_kept(site, 1)
        kept.rename(mounted)
        kept.mkdir()
        ended = running.result()
    assert ended.code == 1
    assert "is not where the files of this database are" in ended.err
    shutil.rmtree(kept)
    mounted.rename(kept)
    site.workspace.configure(file_latency=0)
    assert site.sync() == WELL
    assert site.problems(source) == []
