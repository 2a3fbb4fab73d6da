"""The pictures of screens in docs/screens: `python -m docs.made.screens` makes all of them, from real runs.

`tests/test_screens.py` makes them once more, and fails where what is stored shows something else.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from notion_workspace import WorkspaceServer
from notion_workspace.showcase import Showcase, build_showcase
from rich.text import Text

from docs.made.terminal import save_screen, shown_by
from notion_pg_sync.embedded.server import EmbeddedPostgres

FOLDER = Path(__file__).parents[1] / "screens"
TOOL = Path(sys.executable).with_name("notion-pg-sync")
# As tall as a window of a browser: in a page, a taller one is no picture, but a wall.
MOST_PIXELS = 900
_PIXELS_OF_A_CHARACTER = 12.2
# The first lines of parts of the demo, and those of what comes after them.
_PARTS_OF_THE_DEMO = {
    "demo": (("Rows are typed columns", "Where Ada mentions"), ("The past of one page", "A kept picture")),
    "demo-changes": (("Somebody edits a few pages", "Rows are typed columns"),),
}
_UNDER_WAY_LINE = re.compile("[⠀-⣿] ")
_VARIES = (
    (r",?\s+waiting\s+for\s+Notion's\s+rate\s+limit", ""),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b|\b\d+:\d\d:\d\d(\.\d+)?", "TIME"),
    (r"(?<!\w)(less than )?(an?|#|\d[\d.]*) (s|seconds?|minutes?|hours?)\b( ago)?|\bnow\b", "TIME"),
    (r"(?<=127\.0\.0\.1:)\d+", "PORT"),
    (r"\S*/notion-pg-sync-demo-\w+", "FOLDER"),
    ("[━┃╇]+", "━"),
)
_UNDER_WAY = {"Archive": 3_000, "Logbook": 2_000, "Recipes": 1_500}


@dataclass(frozen=True)
class Picture:
    """What a terminal of so many `columns` showed of a command."""

    name: str
    command: str
    shown: Text
    columns: int

    @property
    def path(self) -> Path:
        """Where it is stored."""
        return FOLDER / f"{self.name}.svg"

    def save(self) -> None:
        """Stores it."""
        save_screen(self.shown, f"notion-pg-sync {self.command}", self.path, columns=self.columns)


def pictures() -> Iterator[Picture]:
    """Makes every picture."""
    yield from _of_the_demo()
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-screens-"))
    showcase = build_showcase()
    try:
        with EmbeddedPostgres(folder) as postgres, WorkspaceServer(showcase.workspace) as notion:
            environment = {**_bare(folder), "DATABASE_URL": postgres.url, "NOTION_BASE_URL": notion.url}
            yield from _of_a_site(showcase, environment)
    finally:
        shutil.rmtree(folder)


def _of_the_demo() -> Iterator[Picture]:
    shown = shown_by([str(TOOL), "demo"], _bare(Path("/nonexistent")), columns=80, lines=24)
    for name, parts in _PARTS_OF_THE_DEMO.items():
        yield Picture(name, "demo", Text("\n\n").join(_part(shown, *part) for part in parts), 80)


def _of_a_site(showcase: Showcase, environment: dict[str, str]) -> Iterator[Picture]:
    """Two users of the showcase, and one with databases that take a while."""
    workspace = showcase.workspace
    tokens = {**showcase.tokens, "eve": workspace.add_token("eve").secret}
    large = {name: workspace.add_generated_database(name, rows=rows).id for name, rows in _UNDER_WAY.items()}
    for database_id in large.values():
        workspace.share("eve", database_id)
    _quietly("init", "--yes", environment=environment)
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        for user, secret in tokens.items():
            connection.execute(
                "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
                (user, secret, json.dumps({**showcase.databases, "eve": large}[user])),
            )
    _quietly("sync-all", environment=environment)
    # All of them are known by then, so that a percentage and a time left are shown.
    workspace.configure(latency=0.5)
    under_way = "".join(rf"(?=[\s\S]*{name} .* about [2-8]\d%, .* left)" for name in _UNDER_WAY)
    yield _of_a_command("progress", ["sync-all", "--full"], environment, once=under_way)
    workspace.configure(latency=0.05)
    showcase.edit_a_few_pages()
    _quietly("sync-all", environment=environment)
    workspace.unshare("ben", next(iter(showcase.databases["ben"].values())))
    _quietly("sync-all", environment=environment)
    yield _of_a_command("status", ["status"], environment)
    yield _of_a_command("doctor", ["doctor", "--no-cron-check"], environment)


def _of_a_command(name: str, command: list[str], environment: dict[str, str], once: str | None = None) -> Picture:
    shown = shown_by([str(TOOL), *command], environment, columns=100, lines=35, once=once)
    return Picture(name, " ".join(command), shown, 100)


def _part(shown: Text, first: str, after: str) -> Text:
    """The lines from the one that begins with `first` up to the one that begins with `after`. Raises `ValueError`."""
    lines = shown.split("\n", allow_blank=True)
    found = [number for words in (first, after) for number, line in enumerate(lines) if line.plain.startswith(words)]
    if len(found) != 2:
        raise ValueError(f"the demo has no part from {first!r} to {after!r}:\n{shown.plain}")
    part = list(lines[slice(*found)])
    while not part[-1].plain:
        part.pop()
    return Text("\n").join(part)


def _bare(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home)}


def _quietly(*command: str, environment: Mapping[str, str]) -> None:
    """Runs a command of the tool; databases that fail are shown later."""
    subprocess.run([TOOL, *command], env=environment, check=False, capture_output=True)


def stored_text(path: Path) -> str:
    """What a stored picture shows, line by line."""
    lines: dict[float, str] = {}
    svg = path.read_text(encoding="utf-8")
    for x, y, said in re.findall(r'<text class="[^"]*-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        # Of blanks alone there is no text.
        before = lines.get(float(y), "").ljust(round(float(x) / _PIXELS_OF_A_CHARACTER))
        lines[float(y)] = before + html.unescape(said).replace("\xa0", " ")
    return "\n".join(line for _, line in sorted(lines.items()))


def without_what_varies(shown: str) -> str:
    """Pure: the words and numbers of a screen without times, ports, and how the lines are folded that have such.

    Of what is under way no number stays, nor the order.
    """
    lines = shown.splitlines()
    under_way = sorted(re.sub(r"\d[\d,.:]*", "#", line[1:]) for line in lines if _UNDER_WAY_LINE.match(line))
    text = " ".join("\n".join([*under_way, *(line for line in lines if not _UNDER_WAY_LINE.match(line))]).split())
    for varies, stands_for in _VARIES:
        text = re.sub(varies, stands_for, text)
    return text


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for picture in pictures():
        picture.save()
