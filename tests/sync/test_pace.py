"""Users who share a token share its pace: Notion limits the token."""

from __future__ import annotations

from dataclasses import replace

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.listener import SilentListener
from tests.installation import Installation


async def test_one_token_has_one_pace_whoever_uses_it(installation: Installation) -> None:
    settings = replace(installation.settings, requests_per_minute=1)
    async with open_pool(settings.database_url or "") as pool:
        work = RunContext(settings, 0, pool, "public", {}, SilentListener())
        async with work.open_client("ntn_shared") as one, work.open_client("ntn_shared") as other:
            async with one.pacer.turn():
                pass
            assert other.pacer.delay() > 0
        async with work.open_client("ntn_another") as another:
            assert another.pacer.delay() == 0
        assert "ntn_" not in repr(work)
