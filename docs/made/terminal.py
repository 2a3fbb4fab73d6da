"""A terminal that a program draws: what a command shows on it, as coloured text."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from io import StringIO
from itertools import groupby
from pathlib import Path

import pyte
from rich.color import ColorParseError
from rich.console import Console
from rich.style import Style
from rich.text import Text

# More than any command prints; empty lines at the end are left out.
_LINES = 400


def shown_by(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    columns: int = 100,
    lines: int = 40,
    once: str | None = None,
) -> Text:
    """What a terminal of this size shows when the command has ended, or as soon as `once` (a pattern) is on it.

    What has left its screen is shown too.

    The command is left to end in either case. Its exit code is not looked at: a failure is worth showing, too. Raises
    `ValueError` if `once` was never on it.
    """
    screen = pyte.Screen(columns, _LINES)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {"TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
    with subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    ) as process:
        os.close(theirs)
        snapshot: Text | None = None
        while True:
            # What is drawn anew is whole where nothing comes for a moment.
            if not select.select([ours], [], [], 0.02)[0]:
                if once and snapshot is None and re.search(once, "\n".join(screen.display)):
                    snapshot = _text_of(screen)
                if process.poll() is not None:
                    break
                continue
            try:
                stream.feed(os.read(ours, 65_536))
            except OSError:  # what Linux says once the other side is closed
                break
    os.close(ours)
    if once and snapshot is None:
        raise ValueError(f"{once!r} was never on the screen")
    return snapshot or _text_of(screen)


def save_screen(text: Text, title: str, path: Path, *, columns: int = 100) -> None:
    """Writes the text as a picture (SVG) of a terminal."""
    console = Console(record=True, width=columns, file=StringIO())
    console.print(text)
    # Without the fonts that rich would have fetched from elsewhere.
    picture = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title=title), flags=re.DOTALL)
    # Else some programs leave out the blanks that a line begins with.
    picture = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)
    path.write_text(picture, encoding="utf-8")


def _text_of(screen: pyte.Screen) -> Text:
    lines = [_line(screen, number) for number in range(screen.lines)]
    while lines and not lines[-1].plain:
        lines.pop()
    return Text("\n").join(lines)


def _line(screen: pyte.Screen, number: int) -> Text:
    line = Text()
    characters = [screen.buffer[number][column] for column in range(screen.columns)]
    for style, alike in groupby(characters, key=_style):
        line.append("".join(character.data for character in alike), style)
    line.rstrip()
    return line


def _style(character: pyte.screens.Char) -> Style:
    return Style(
        color=_colour(character.fg), bold=character.bold, italic=character.italics, underline=character.underscore
    )


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    known = {"brown": "yellow"}.get(name, name)
    known = known.replace("bright", "bright_") if known.startswith("bright") else known
    try:
        Style(color=known)
    except ColorParseError:
        return f"#{name}"
    return known
