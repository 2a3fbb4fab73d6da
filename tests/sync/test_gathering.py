"""What is written behind the reading: nothing that came before an error is lost, and no error is."""

from __future__ import annotations

import asyncio

import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.sync.gathering import behind
from tests.installation import Installation


class Work:
    """Something that is done after a while; `error`: what it ends in."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.is_done = False

    async def __call__(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        if self.error:
            raise self.error
        self.is_done = True


async def test_what_was_begun_before_an_error_is_done() -> None:
    work = Work()
    with pytest.raises(ValueError, match="read"):
        async with behind() as writing:
            await writing.begin(work)
            raise ValueError("read")
    assert work.is_done


async def test_of_two_errors_the_one_is_raised_of_what_was_begun_before() -> None:
    with pytest.raises(ValueError, match="written") as raised:
        async with behind() as writing:
            await writing.begin(Work(ValueError("written")))
            raise ValueError("read")
    assert str(raised.value.__context__) == "read"


async def test_nothing_more_is_begun_once_something_failed() -> None:
    work = Work()
    with pytest.raises(ValueError, match="written"):
        async with behind() as writing:
            await writing.begin(Work(ValueError("written")))
            await writing.begin(work)
    assert not work.is_done


async def test_who_is_cancelled_gives_up_what_is_under_way() -> None:
    work, begun = Work(), asyncio.Event()

    async def write() -> None:
        begun.set()
        await asyncio.Event().wait()
        await work()

    async def read() -> None:
        async with behind() as writing:
            await writing.begin(write)
            await asyncio.Event().wait()

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not work.is_done


async def test_answers_that_came_before_an_error_are_written(installation: Installation, small: SmallWorkspace) -> None:
    workspace = installation.workspace
    many = workspace.add_generated_database("Many", rows=300)
    workspace.share("anna", many.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": many.id})
    workspace.faults.add("403_html", path=f"{many.data_source_id}/query$", every=2)
    # Each run has one answer, and writing it takes longer than Notion's refusal of the next.
    for written in (100, 190):
        assert (await installation.sync_all(concurrency=1)).failures != []
        (rows,) = await installation.execute("SELECT count(*) AS count FROM notion_pages_sync")
        assert rows["count"] >= written
