"""Signals that come while something is made, or taken down, of which no half may be left."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Lets Ctrl-C, and what else asks the process to end, wait until the block is done; a second one does not wait.

    Signals reach the main thread alone: in any other the block is left alone by them anyway, as within such a block.
    """
    is_held = isinstance(signal.getsignal(signal.SIGINT), _Holding)
    if is_held or threading.current_thread() is not threading.main_thread():
        yield
        return
    holding = _Holding()
    try:
        yield
    finally:
        holding.end()


class _Holding:
    """Takes the place of what handles signals until it ends, and then passes on what came."""

    def __init__(self) -> None:
        before = {number: signal.getsignal(number) for number in _HELD}
        self._before = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
        self._came: int | None = None
        for number in self._before:
            signal.signal(number, self)

    def __call__(self, number: int, _: object) -> None:
        if self._came is not None:
            self._put_back()
            signal.raise_signal(number)
        self._came = number

    def end(self) -> None:
        """Puts back what was there, and passes on what came meanwhile."""
        self._put_back()
        if self._came is not None:
            signal.raise_signal(self._came)

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
