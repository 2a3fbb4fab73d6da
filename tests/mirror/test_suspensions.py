"""Who is a witness that Notion is well: another token's success, or another database's, between two failures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from notion_pg_sync.mirror import suspensions
from notion_pg_sync.mirror.connection import Connection, open_pool

NOW = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORLDS, TASKS = "0a1b2c3d-0000-4000-8000-00000000000a", "0a1b2c3d-0000-4000-8000-00000000000b"


@dataclass
class Records:
    """Run records, made by hand."""

    connection: Connection
    runid: int = 0

    async def of_user(self, user_id: str, fingerprint: str | None) -> None:
        await self.connection.execute(
            "INSERT INTO notion_sync.accounts (user_id, token_fingerprint) VALUES (%s, %s)", (user_id, fingerprint)
        )

    async def of_database(
        self, user_id: str, began: timedelta, ended: timedelta, error_code: str | None = None, database_id: str = TASKS
    ) -> None:
        """A sync, by times before `NOW`."""
        self.runid += 1
        status = "failed" if error_code else "succeeded"
        await self.connection.execute(
            "INSERT INTO notion_sync.job_run_details (runid, status, start_time) VALUES (%s, 'running', %s)",
            (self.runid, NOW - began),
        )
        await self.connection.execute(
            "INSERT INTO notion_sync.database_runs (runid, user_id, database_id, database_name, status, error_code,"
            " start_time, end_time) VALUES (%s, %s, %s, '', %s, %s, %s, %s)",
            (self.runid, user_id, database_id, status, error_code, NOW - began, NOW - ended),
        )


@pytest.fixture
async def records(initialised_url: str) -> AsyncIterator[Records]:
    async with open_pool(initialised_url) as pool, pool.connection() as connection:
        made = Records(connection)
        for user_id, fingerprint in (("anna", "a"), ("twin", "a"), ("ben", "b")):
            await made.of_user(user_id, fingerprint)
        yield made


@pytest.mark.parametrize(
    ("sync", "is_witness"),
    [
        (("ben", 14, 13, None), True),
        (("ben", 16, 13, None), True),
        (("ben", 17, 16, None), False),
        (("ben", 1, -1, None), False),
        (("ben", 14, 13, "network"), False),
        (("twin", 14, 13, None), False),
        (("anna", 14, 13, None), False),
    ],
    ids=[
        "another token between the two refusals",
        "one that began before them",
        "one that ended before them",
        "one that ended after the request began, so that Notion may just have come back",
        "a failure",
        "the same token, another user's",
        "the user's own",
    ],
)
async def test_who_is_a_witness_for_a_token(
    records: Records, sync: tuple[str, int, int, str | None], is_witness: bool
) -> None:
    """It was refused 15 minutes ago, and is now."""
    user_id, began, ended, error_code = sync
    await records.of_database(user_id, began * MINUTE, ended * MINUTE, error_code)
    found = await suspensions.is_another_token_accepted(records.connection, "anna", NOW - 15 * MINUTE, NOW)
    assert found is is_witness


@pytest.mark.parametrize(
    ("began", "ended", "database_id", "is_witness"),
    [(14, 13, TASKS, True), (17, 16, TASKS, False), (1, -1, TASKS, False), (14, 13, WORLDS, False)],
)
async def test_who_is_a_witness_for_a_database(
    records: Records, began: int, ended: int, database_id: str, is_witness: bool
) -> None:
    """anna's Worlds failed 15 minutes ago, and does now; anna's other database is as good as ben's."""
    connection = records.connection
    await connection.execute(
        "INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES ('anna', %s, 'Worlds')", (WORLDS,)
    )
    await records.of_database("anna", 15 * MINUTE, 15 * MINUTE, "in_trash", WORLDS)
    await records.of_database("anna", began * MINUTE, ended * MINUTE, None, database_id)
    await records.of_database("anna", 0 * MINUTE, 0 * MINUTE, "in_trash", WORLDS)
    latest = await suspensions.latest_results(connection, "anna", WORLDS, 3)
    assert latest.has_witness is is_witness
    assert latest.codes[0] == "in_trash"


async def test_what_came_of_the_tokens_of_a_run(records: Records) -> None:
    for user_id in ("anna", "ben"):
        await suspensions.refuse_token(records.connection, user_id, NOW, "It was revoked.")
    assert await suspensions.tokens_asked_since(records.connection, NOW - MINUTE) == (2, False)
    assert await suspensions.tokens_asked_since(records.connection, NOW + MINUTE) == (0, False)
    await records.of_database("twin", MINUTE / 2, 0 * MINUTE)
    assert await suspensions.tokens_asked_since(records.connection, NOW - MINUTE) == (2, True)
