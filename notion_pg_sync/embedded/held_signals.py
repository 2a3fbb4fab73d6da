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

    Signals reach the main thread alone: in any other the block is left alone by them anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _: object) -> None:
        if came:
            put_back()
            signal.raise_signal(number)
        came.append(number)

    before = {number: signal.getsignal(number) for number in _HELD}
    held = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}

    def put_back() -> None:
        for number, handler in held.items():
            signal.signal(number, handler)

    for number in held:
        signal.signal(number, note)
    try:
        yield
    finally:
        put_back()
        if came:
            signal.raise_signal(came[0])
