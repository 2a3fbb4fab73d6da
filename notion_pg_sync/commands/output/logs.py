"""Logs on stderr, as loud as was asked for: lines for people, or JSON for programs."""

from __future__ import annotations

import io
import json
import logging
import re
import textwrap
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType

from notion_pg_sync.core.ids import without_tokens
from notion_pg_sync.core.printable import printable, printable_lines

_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

# The query of an address that opens a file for whoever has it, as storages sign them. httpx names each address it asks.
_SIGNED_QUERY = re.compile(r"\?[^\s\"'<>]*(?:x-amz-|signature=)[^\s\"'<>]*", re.IGNORECASE)


class _Once(logging.Filter):
    """Lets an error through once: what fails for one row or database may fail for many."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.ERROR:
            return True
        is_new = record.getMessage() not in self._told
        self._told.add(record.getMessage())
        return is_new


class _Lines(logging.Formatter):
    """A line for each record; a traceback below it is indented, so that nothing in it passes for a record."""

    def __init__(self, *, with_messages: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")
        self._with_messages = with_messages

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        return printable(_without_secrets(super().formatMessage(record)))

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - the name is logging's
        return traceback_of(ei[1], with_messages=self._with_messages) if ei[1] else ""


class _Json(logging.Formatter):
    """An object a line, in ASCII: whatever a message holds is written as JSON's escapes."""

    def __init__(self, *, with_messages: bool) -> None:
        super().__init__()
        self._with_messages = with_messages

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _without_secrets(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1]:
            said["traceback"] = _traceback(record.exc_info[1], with_messages=self._with_messages)
        return json.dumps(said)


def switch_on_logs(verbose: int, *, as_json: bool = False) -> None:
    """0: what is wrong is told in the report, so the tool's own faults alone; 1 (`-v`): what happens; 2 (`-vv`): all.

    `as_json`: a JSON object a line, and at least what `-v` says. What an exception says may hold what stands in rows,
    so it is told from `-vv` on.
    """
    handler = logging.StreamHandler()
    handler.addFilter(_Once())
    handler.setFormatter(_Json(with_messages=verbose > 1) if as_json else _Lines(with_messages=verbose > 1))
    if verbose == 0 and not as_json:
        # Of libraries too: without any handler Python shows their warnings.
        logging.getLogger().addHandler(logging.NullHandler())
        handler.setLevel(logging.ERROR)
        logging.getLogger("notion_pg_sync").addHandler(handler)
        return
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.INFO if verbose > 1 else logging.WARNING)
    logging.getLogger("notion_pg_sync").setLevel(logging.DEBUG if verbose > 1 else logging.INFO)


@contextmanager
def logs_told_to(tell: Callable[[str], None]) -> Iterator[None]:
    """Tells `tell` each line of the logs while the block runs, where they go to a terminal that has live lines."""
    lines = _ToldLines(tell)
    ours = logging.getLogger(), logging.getLogger("notion_pg_sync")
    moved = [
        handler
        for handler in (one for logger in ours for one in logger.handlers)
        if isinstance(handler, logging.StreamHandler) and handler.stream.isatty()
    ]
    before = [handler.setStream(lines) for handler in moved]
    try:
        yield
    finally:
        for handler, stream in zip(moved, before, strict=True):
            handler.setStream(stream)


class _ToldLines(io.TextIOBase):
    """A stream whose lines somebody is told."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def write(self, text: str, /) -> int:
        for line in text.splitlines():
            self._tell(line)
        return len(text)


def traceback_of(error: BaseException, *, with_messages: bool) -> str:
    """The traceback, harmless and indented: no line of it passes for one of the tool's own. It holds no token."""
    return textwrap.indent(printable_lines(_traceback(error, with_messages=with_messages)), "    ", lambda _: True)


def _traceback(error: BaseException, *, with_messages: bool) -> str:
    lines = traceback.format_exception(error) if with_messages else _without_messages(error)
    return _without_secrets("".join(lines).rstrip("\n"))


def _without_secrets(text: str) -> str:
    return _SIGNED_QUERY.sub("?…", without_tokens(text))


def _without_messages(error: BaseException) -> Iterator[str]:
    """The frames and the kinds of errors, the first first; none of what they say."""
    chain: list[BaseException] = []
    earlier: BaseException | None = error
    while earlier is not None and earlier not in chain:
        chain.append(earlier)
        earlier = earlier.__cause__ or (None if earlier.__suppress_context__ else earlier.__context__)
    for one in reversed(chain):
        yield from traceback.format_tb(one.__traceback__)
        yield f"{type(one).__name__}\n"
        if isinstance(one, BaseExceptionGroup):
            for inner in one.exceptions:
                yield from (textwrap.indent(line, "  ") for line in _without_messages(inner))
