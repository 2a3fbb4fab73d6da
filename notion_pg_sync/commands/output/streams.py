"""Nothing that is printed can steer a terminal or forge a line, whoever wrote it and whatever prints it."""

from __future__ import annotations

import io
import sys
from typing import TextIO

import typer

from notion_pg_sync.core.printable import printable, printable_lines


class PrintableStream:
    """A text stream that writes to `inner`, with control characters written out, all but line ends and tabs.

    It has no `buffer`, by which libraries would write past it.
    """

    def __init__(self, inner: TextIO) -> None:
        self.inner = inner
        self.encoding = inner.encoding
        self.errors = inner.errors

    def write(self, text: str) -> int:
        """Writes it, harmless; returns how long it was."""
        self.inner.write(printable_lines(text))
        return len(text)

    def flush(self) -> None:
        """As `inner` does."""
        self.inner.flush()

    def fileno(self) -> int:
        """As `inner` has it."""
        return self.inner.fileno()

    def isatty(self) -> bool:
        """Whether `inner` is a terminal."""
        return self.inner.isatty()


def protect_streams() -> None:
    """Lets nothing of the kind reach stdout and stderr, libraries' messages and Python's tracebacks included.

    What their encoding lacks is written out too.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, PrintableStream(stream))


def complain(sentence: str) -> None:
    """Says on stderr, in one line, what is wrong."""
    typer.echo(f"notion-pg-sync: {printable(sentence)}", err=True)


def remark(text: str) -> None:
    """Says on stderr, in lines of their own, what is no failure by itself."""
    typer.echo(printable_lines(text), err=True)


def confirm(question: str, *, default: bool = False) -> bool:
    """Asks a person yes or no, in one line. Raises `typer.Abort`."""
    return typer.confirm(printable(question), default=default)


def ask(question: str, *, default: str, show_default: bool = True) -> str:
    """Asks a person for a line, in one line. Raises `typer.Abort`."""
    return str(typer.prompt(printable(question), default=default, show_default=show_default))
