"""How many bytes of Notion's answers a process holds: of all data sources that it reads side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notion_pg_sync.notion.answered_pages import AnsweredPage

# What is under way, waits to be written or is being written. The tool itself takes about 60 MB, and what is converted
# and sent at once (`MOST_PART_BYTES`) about ten times its own size.
MOST_HELD_BYTES = 16 * 1024 * 1024
# Pages that are parsed, converted and sent at once: about 100 pages of 200 properties, 400 of 27.
MOST_PART_BYTES = 2 * 1024 * 1024

# How much of what was expected of the next answer stays, where an answer was smaller.
_REMEMBERED = 0.75


class AnswerMemory:
    """What is held of `most` bytes. Each listing may hold one answer beyond that, so that none waits for another."""

    def __init__(self, most: int = MOST_HELD_BYTES) -> None:
        self.most = most
        self.held = 0
        self.freed = asyncio.Event()

    def change(self, size: int) -> None:
        """Takes in that so many bytes more are held, or fewer."""
        self.held += size
        if size < 0:
            self.freed.set()

    @contextmanager
    def share(self) -> Iterator[AnswerShare]:
        """The part of one listing, which is given back with the block."""
        share = AnswerShare(self)
        try:
            yield share
        finally:
            share.give_back(share.held)


class AnswerShare:
    """What one listing holds: its answers under way, each as large as the last ones were, and those that came.

    `expected`: the size of an answer in bytes, None until one came; until then no second one should be asked for.
    """

    def __init__(self, memory: AnswerMemory) -> None:
        self._memory = memory
        self.held = 0
        self.expected: int | None = None

    async def reserve(self) -> int:
        """Waits until an answer has room, and takes that; returns how many bytes that is."""
        while self.held and self._memory.held + (self.expected or 0) > self._memory.most:
            self._memory.freed.clear()
            await self._memory.freed.wait()
        size = self.expected or 0
        self._change(size)
        return size

    def settle(self, reserved: int, size: int) -> None:
        """Takes in that an answer for which there was room has `size` bytes."""
        self._change(size - reserved)
        self.expected = max(size, int((self.expected or 0) * _REMEMBERED))

    def give_back(self, size: int) -> None:
        """Takes in that so many bytes are held no longer."""
        self._change(-size)

    def _change(self, size: int) -> None:
        self.held += size
        self._memory.change(size)


def in_parts(pages: Sequence[AnsweredPage], most: int = MOST_PART_BYTES) -> list[list[AnsweredPage]]:
    """Pure: `pages` in order, in parts of `most` bytes or of one page; a single empty part where there are none."""
    parts: list[list[AnsweredPage]] = [[]]
    size = 0
    for page in pages:
        if parts[-1] and size + page.size > most:
            parts.append([])
            size = 0
        parts[-1].append(page)
        size += page.size
    return parts
