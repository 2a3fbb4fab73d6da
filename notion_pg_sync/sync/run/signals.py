"""Runs a command's coroutine so that a signal stops it cleanly: what is under way is given up, and recorded."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import TypeVar

from notion_pg_sync.core.errors import ErrorCode, ToolError

Result = TypeVar("Result")


class StoppedBySignalError(ToolError):
    """A signal stopped the command; `number` is the signal's."""

    code = ErrorCode.INTERRUPTED

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}; what was written is kept.")
        self.exit_code = 128 + number


def run_until_done(coroutine: Coroutine[None, None, Result]) -> Result:
    """Runs `coroutine`; on SIGINT and SIGTERM cancels it, lets it record that, and raises `StoppedBySignalError`."""
    return asyncio.run(_stoppable(coroutine))


async def _stoppable(coroutine: Coroutine[None, None, Result]) -> Result:
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(coroutine)
    received: list[int] = []

    def stop(number: int) -> None:
        received.append(number)
        work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        return await work
    except asyncio.CancelledError:
        if received:
            raise StoppedBySignalError(received[0]) from None
        raise
