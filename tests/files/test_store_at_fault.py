"""A place that cannot be written: told once, whoever it concerns; nothing else stops, and the next run goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from notion_workspace import File

from tests.cli.conftest import BARE
from tests.files.conftest import UNPACED, WELL, FileSite
from tests.files.test_kept import PLAN, SKETCH
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def test_it_is_one_failure_of_the_run_however_many_files_and_users_it_keeps_waiting(site: FileSite) -> None:
    shots = [[File(f"{number}.txt", f"0f00ba13-{number:04}/{number}.txt")] for number in range(30)]
    site.add_albums(shots)
    site.add_albums([[PLAN]], name="Bens", user_id="ben")
    Path(site.store.where).write_text("no folder")
    ended = site.sync()
    assert ended.code == 1
    (line,) = ended.err.splitlines()
    assert line.startswith("notion-pg-sync: anna, ben: no files are kept at ")
    assert line.endswith("it is not a folder: name one.")
    ((message,),) = site.execute("SELECT return_message FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 1")
    assert "31 left to the next run" in str(message)
    assert site.failures() == {}
    Path(site.store.where).unlink()
    assert site.sync() == WELL
    assert len(site.kept()) == 30
    assert len(site.kept("ben")) == 1


def test_a_store_that_fails_half_way_costs_no_file_its_place_in_the_queue(site: FileSite) -> None:
    """What was kept stays; what was under way is no file's failure."""
    source = site.add_albums([[PLAN], [SKETCH]])
    site.workspace.files.faults.add("slow", path="sketch", seconds=15)
    with subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "sync-all", *UNPACED, "--files", site.store.where],
        env={**BARE, **site.command.environment},
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        wait_until(site.kept)
        Path(site.store.where).rename(f"{site.store.where}.away")
        Path(site.store.where).write_text("no folder")
        _, said = running.communicate()
    assert running.returncode == 1
    assert "it is not a folder" in said
    assert site.failures() == {}
    Path(site.store.where).unlink()
    Path(f"{site.store.where}.away").rename(site.store.where)
    site.workspace.files.faults.clear()
    assert site.sync() == WELL
    assert site.problems(source) == []


def test_a_run_that_is_stopped_leaves_nothing_half(either: FileSite) -> None:
    source = either.add_albums([[PLAN], [SKETCH]])
    either.workspace.files.describe(SKETCH.url, size=50_000_000)
    either.workspace.files.faults.add("stall", path="sketch", seconds=600)
    with subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "sync-all", *UNPACED, "--files", either.store.where],
        env={**BARE, **either.command.environment},
        cwd=Path(__file__).parents[2],
        stderr=subprocess.DEVNULL,
    ) as running:
        wait_until(lambda: either.kept() and any(one.sent > 10_000_000 for one in either.workspace.files.all()))
        running.send_signal(signal.SIGTERM)
    assert running.returncode == 128 + signal.SIGTERM
    assert list(either.store.sizes()) == [key for key, *_ in either.kept().values()]
    assert either.store.unfinished() == []
    either.workspace.files.faults.clear()
    assert either.sync() == WELL
    assert either.problems(source) == []
