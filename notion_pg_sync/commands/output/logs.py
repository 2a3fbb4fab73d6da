"""Logs on stderr, as loud as was asked for: lines for people, or JSON for programs."""

from __future__ import annotations

import json
import logging
import textwrap
import traceback
from datetime import UTC, datetime
from types import TracebackType

from notion_pg_sync.core.printable import printable

_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Lines(logging.Formatter):
    """A line for each record; a traceback below it is indented, so that nothing in it passes for a record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        return printable(super().formatMessage(record))

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - the name is logging's
        return _indented(super().formatException(ei))


class _Json(logging.Formatter):
    """An object a line, in ASCII: whatever a message holds is written as JSON's escapes."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said)


def switch_on_logs(verbose: int, *, as_json: bool = False) -> None:
    """0: what went wrong is told in the report, so nothing; 1 (`-v`): what happens; 2 (`-vv`): every request too.

    `as_json`: a JSON object a line, and at least what `-v` says.
    """
    if verbose == 0 and not as_json:
        # Of libraries too: without any handler Python shows their warnings.
        logging.getLogger().addHandler(logging.NullHandler())
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if as_json else _Lines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.INFO if verbose > 1 else logging.WARNING)
    logging.getLogger("notion_pg_sync").setLevel(logging.DEBUG if verbose > 1 else logging.INFO)


def traceback_of(error: BaseException) -> str:
    """The traceback, indented: no line of it passes for one of the tool's own."""
    return _indented("".join(traceback.format_exception(error)).rstrip("\n"))


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ", lambda _: True)
