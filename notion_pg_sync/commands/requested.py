"""`sync-all --requested`: a look that costs little, since it is taken every minute; and a run where somebody asks.

What a run needs is imported once there is one.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import psycopg

from notion_pg_sync.commands.output.streams import say
from notion_pg_sync.core.errors import ExitCode
from notion_pg_sync.mirror.connection import open_connection
from notion_pg_sync.mirror.jobs import REQUESTED
from notion_pg_sync.mirror.looks import NOTHING_IS_ASKED, Look, look_for_requests, note_look
from notion_pg_sync.settings import Settings, SettingsError
from notion_pg_sync.sync.run.signals import run_until_done

log = logging.getLogger(__name__)

# Milliseconds where nobody is in the way; the next look comes in a minute.
_LONGEST_STATEMENT_SECONDS = 30.0


def refuse_beside_requested(typed: Settings) -> None:
    """Raises `SettingsError` for what does not go with `--requested`."""
    beside = {
        "--full": typed.full and not typed.verify,
        "--full-bodies": typed.full_bodies,
        "--verify": typed.verify,
        "--dry-run": typed.dry_run,
    }
    for option, is_typed in beside.items():
        if is_typed:
            raise SettingsError(
                f"--requested syncs what applications ask for and nothing else, as soon as it can, and {option} is for "
                "everything: leave one of them out."
            )


def run_requested(
    settings: Settings,
    command: str,
    user_id: str | None,
    *,
    as_json: bool,
    report: list[str],
    begins: Callable[[], None] | None,
) -> int:
    """Looks for requests of everybody or of one user, and serves them; returns the exit code.

    Where there is nothing to do, only a person or a log is told so. For the others see `show_run` and `serve_requests`.
    """
    why_not = run_until_done(_look(settings, user_id))
    if why_not is not None and not as_json:
        log.info(why_not)
        if sys.stdout.isatty():
            say(why_not)
        return ExitCode.OK
    from notion_pg_sync.commands.output.console import show_run  # noqa: PLC0415
    from notion_pg_sync.sync.run.requested import serve_requests  # noqa: PLC0415
    from notion_pg_sync.sync.run.run import RunOutcome  # noqa: PLC0415

    async def nothing() -> RunOutcome:
        return RunOutcome(not_begun=why_not)

    return show_run(
        lambda listener: (
            serve_requests(settings, listener, command, user_id, begins=begins) if why_not is None else nothing()
        ),
        as_json=as_json,
        report=report,
    )


async def _look(settings: Settings, user_id: str | None) -> str | None:
    """Why there is nothing to do, in a sentence; None where there may be something."""
    async with open_connection(settings.database_url or "", _LONGEST_STATEMENT_SECONDS) as connection:
        try:
            look = await look_for_requests(connection, user_id)
        except psycopg.ProgrammingError:
            from notion_pg_sync.mirror.migrations import check_version  # noqa: PLC0415 - only where it is of use

            await check_version(connection)
            raise
        if look.is_due:
            await note_look(connection)
    return _why_not(look)


def _why_not(look: Look) -> str | None:
    if look.is_paused:
        return REQUESTED.pause
    # One that is served may be of a run that died, which takes some time to be known.
    return None if look.can_begin or look.is_open else NOTHING_IS_ASKED
