"""Several things at once, of which the first error is the error of all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TypeVar

Result = TypeVar("Result")


async def gather_or_cancel(coroutines: Iterable[Coroutine[None, None, Result]]) -> list[Result]:
    """The results in order. Where one raises, the others are given up, and its error is raised as it is.

    An `asyncio.TaskGroup` would wrap it in a group, and hide what it is from those who have to tell it.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
