"""Nothing that is printed can steer a terminal or forge a line, whoever wrote it and whatever prints it.

What cannot be printed ends the command with a sentence, or quietly where nobody reads any more: never with a traceback.
"""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
from typing import TextIO

import typer

from notion_pg_sync.core.errors import ExitCode, ToolError
from notion_pg_sync.core.printable import printable, printable_lines

# What the tool itself prints that an encoding such as Latin-1 lacks, in ASCII.
_PLAIN = {"•": "*", "…": "...", "–": "-", "→": "->", "✓": "+", "✗": "x"}
_WRITTEN_OUT = "notion-pg-sync"
# Of a terminal that does not say how many it has.
_USUAL_COLUMNS = 80
# Narrower than this nothing is folded.
_FEWEST_COLUMNS = 20


class OutputError(ToolError):
    """What a command prints cannot be written."""

    exit_code: int = ExitCode.FAILED


class OutputClosedError(OutputError):
    """Nobody reads any more what a command prints, such as `head`: it ends as SIGPIPE ends other programs."""

    exit_code: int = 128 + signal.SIGPIPE


class GuardedStream:
    """A text stream that writes to `inner` and does not fail with an `OSError`.

    What cannot be written is an `OutputError`; with `is_lossy`, as for stderr, it is lost. Nothing more is written
    then, so that Python, which flushes at its end, does not meet the same once more.
    """

    def __init__(self, inner: TextIO, *, is_lossy: bool) -> None:
        self.inner = inner
        self.encoding = inner.encoding
        self.errors = inner.errors
        self._is_lossy = is_lossy

    def write(self, text: str) -> int:
        """Writes it; returns how long it was. Raises `OutputError`."""
        # By writing nothing, click finds out what kind of stream it is, and takes any error for an answer.
        if text:
            try:
                self.inner.write(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """As `inner` does. Raises `OutputError`."""
        try:
            self.inner.flush()
        except OSError as error:
            self._give_up(error)

    def fileno(self) -> int:
        """As `inner` has it."""
        return self.inner.fileno()

    def isatty(self) -> bool:
        """Whether `inner` is a terminal."""
        return self.inner.isatty()

    def _give_up(self, error: OSError) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.inner.fileno())
        os.close(nowhere)
        if self._is_lossy:
            return
        if isinstance(error, BrokenPipeError):
            raise OutputClosedError("nobody reads what is printed.") from error
        raise OutputError(
            f"what is printed cannot be written to stdout ({error.strerror}): see where that goes, then run it again."
        ) from error


class PrintableStream:
    """A text stream that writes to `inner`, with control characters written out, all but line ends and tabs.

    It has no `buffer`, by which libraries would write past it.
    """

    def __init__(self, inner: GuardedStream) -> None:
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

    What their encoding lacks is written out too. What is printed to a stream that is closed is lost.
    """
    codecs.register_error(_WRITTEN_OUT, _written_out)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # For as long as the process lives.
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_WRITTEN_OUT)
            setattr(sys, name, PrintableStream(GuardedStream(stream, is_lossy=name == "stderr")))


def _written_out(error: UnicodeError) -> tuple[str | bytes, int]:
    """How `codecs` asks what stands for characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    plain = "".join(_PLAIN.get(one) or one.encode("ascii", "backslashreplace").decode() for one in lacking)
    return plain, error.end


def may_be_terminal() -> bool:
    """Whether stdout is a terminal, or a variable is set by which rich takes it for one: else rich is not needed."""
    return sys.stdout.isatty() or "FORCE_COLOR" in os.environ or "TTY_COMPATIBLE" in os.environ


def say(text: str, end: str = "\n") -> None:
    """Prints to stdout at once. Raises `OutputError`."""
    print(text, end=end, flush=True)


def complain(sentence: str) -> None:
    """Says on stderr what is wrong: in one line, which a terminal shows folded."""
    _tell(f"notion-pg-sync: {printable(sentence)}")


def remark(text: str) -> None:
    """Says on stderr, in lines of their own, what is no failure by itself."""
    _tell(printable_lines(text))


def _tell(text: str) -> None:
    typer.echo(_folded(text, sys.stderr), err=True)


def _folded(text: str, stream: TextIO, before: str = "") -> str:
    """As a terminal shows it: folded, with room for what stands `before` an answer. Elsewhere it stays as it is."""
    if not stream.isatty():
        return text
    from notion_pg_sync.commands.output.layout import fold_message  # noqa: PLC0415 - only for people

    return fold_message(text, max(_columns(stream) - len(before), _FEWEST_COLUMNS))


def _columns(stream: TextIO) -> int:
    """How wide the terminal is that it is."""
    said = os.environ.get("COLUMNS", "")
    try:
        return int(said) if said.isdecimal() else os.get_terminal_size(stream.fileno()).columns or _USUAL_COLUMNS
    except OSError:
        return _USUAL_COLUMNS


def confirm(question: str, *, default: bool = False) -> bool:
    """Asks a person yes or no, in one line, which a terminal shows folded. Raises `typer.Abort`."""
    return typer.confirm(_folded(printable(question), sys.stdout, " [y/N]: "), default=default)


def ask(question: str, *, default: str, show_default: bool = True) -> str:
    """Asks a person for a line, in one line, which a terminal shows folded. Raises `typer.Abort`."""
    folded = _folded(printable(question), sys.stdout, f" [{default}]: ")
    return str(typer.prompt(folded, default=default, show_default=show_default))
