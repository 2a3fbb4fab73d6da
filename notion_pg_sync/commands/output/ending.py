"""How every command begins and ends: what goes wrong becomes one sentence on stderr, and an exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import typer
from msgspec import Struct, field

from notion_pg_sync.commands.output.logs import switch_on_logs, traceback_of
from notion_pg_sync.commands.output.streams import OutputClosedError, complain, remark
from notion_pg_sync.core.errors import ExitCode, NothingAttemptedError, ToolError
from notion_pg_sync.core.printable import printable
from notion_pg_sync.embedded.fallback import chosen_postgres
from notion_pg_sync.mirror.connection import NotSetUpError
from notion_pg_sync.settings import Settings

if TYPE_CHECKING:
    from notion_pg_sync.commands.output.ping import Pings


class Ending(Struct):
    """How a command ends: its exit `code`, and what `report` tells of it to whom `pings` go, if to anybody."""

    code: int = ExitCode.OK
    report: list[str] = field(default_factory=list)
    pings: Pings | None = None

    def fail(self, code: int, sentence: str) -> None:
        """Says what went wrong."""
        self.code = code
        complain(sentence)
        self.report.append(sentence)


@contextmanager
def ending_process(verbose: int, *, log_json: bool = False) -> Iterator[Ending]:
    """Lets the block say how the command ends, then ends the process so. What the block raises is one sentence."""
    # What was imported stays: from now on Python looks for what can be freed, and not among that.
    gc.freeze()
    gc.enable()
    switch_on_logs(verbose, as_json=log_json)
    _clean_up_on_signals()
    ending = Ending()
    try:
        yield ending
        sys.stdout.flush()
    except OutputClosedError as error:
        ending.code = error.exit_code
    except typer.Abort:
        ending.fail(128 + signal.SIGINT, "cancelled; nothing was changed.")
    except ToolError as error:
        ending.fail(error.exit_code, _sentence(error, verbose))
    except Exception as error:  # noqa: BLE001 - the one place where everything ends as a sentence
        ending.fail(ExitCode.FAILED, _sentence(error, verbose))
    if ending.pings:
        ending.pings.end(ending.code, ending.report)
    sys.exit(ending.code)


def _clean_up_on_signals() -> None:
    """Outside of a run, which has its own handlers: so that an embedded server is stopped and nothing is left behind.

    What this process was told to ignore, as by nohup, it ignores.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


@contextmanager
def postgres_of(settings: Settings) -> Iterator[Settings]:
    """The settings with the PostgreSQL to use, which the block has; the embedded one is started and stopped.

    Of the embedded one nobody need say that it is to be set up: `connect` does that.
    """
    on_terminal = sys.stderr.isatty()
    with chosen_postgres(settings, dict(os.environ), on_terminal=on_terminal) as (url, says):
        if says and on_terminal:
            remark(printable(says))
        try:
            yield replace(settings, database_url=url)
        except NotSetUpError as error:
            if settings.database_url is not None:
                raise
            raise NothingAttemptedError(
                "nobody has connected Notion to this PostgreSQL yet: run 'notion-pg-sync connect me'."
            ) from error


def _sentence(error: Exception, verbose: int) -> str:
    from notion_pg_sync.sync.run.failures import logged_failure  # noqa: PLC0415 - only where needed

    failure = logged_failure(error)
    if verbose >= 2 and not failure.is_internal:
        remark(traceback_of(error, with_messages=True))
    return failure.sentence
