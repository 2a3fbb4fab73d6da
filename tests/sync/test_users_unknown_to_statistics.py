"""What a sync costs does not hang on whether PostgreSQL's statistics know of the user."""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace

from tests.installation import Installation

pytestmark = pytest.mark.slow

ROWS = 1_000
TABLES = ("notion_pages_sync", "pages", "search_documents", "seen_pages")


async def looked_at(installation: Installation) -> int:
    """How many rows of the tables were read so far, by an index or not."""
    await installation.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
    (row,) = await installation.execute(
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS n FROM pg_stat_user_tables"
        " WHERE relname = ANY (%s)",
        [*TABLES],
    )
    return int(row["n"])


async def test_a_first_read_of_a_user_who_came_since_looks_at_each_row_a_few_times(
    installation: Installation, small: SmallWorkspace
) -> None:
    many = installation.workspace.add_generated_database("Many", ROWS)
    for user in ("anna", "ben"):
        installation.workspace.share(user, "Many")
    for table in TABLES:
        schema = "public" if table == "notion_pages_sync" else "notion_sync"
        await installation.execute(f"ALTER TABLE {schema}.{table} SET (autovacuum_enabled = false)")
    await installation.connect("anna", small.tokens["anna"], {"Many": many.id})
    assert (await installation.sync_all(requests_per_minute=100_000)).failures == []
    await installation.execute("ANALYZE")
    before = await looked_at(installation)
    await installation.connect("ben", small.tokens["ben"], {"Many": many.id})
    outcome = await installation.sync_all(user_id="ben", requests_per_minute=100_000)
    assert outcome.failures == []
    assert outcome.totals.inserted == ROWS
    assert await looked_at(installation) - before < 40 * ROWS
