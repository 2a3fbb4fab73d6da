"""Old records go, a little at each run; what still says something stays."""

from __future__ import annotations

import json

import pytest

from notion_pg_sync.mirror import retention
from notion_pg_sync.mirror.connection import open_pool, transaction
from tests.cli.conftest import Site


@pytest.fixture
def old_site(site: Site) -> Site:
    """A run of each age in days (1, 8, 91), in each kind: without changes, with changes, failed."""
    site.execute(
        """
        INSERT INTO notion_sync.job_run_details (runid, status, start_time, end_time)
        SELECT row_number() OVER (ORDER BY age DESC, kind), CASE kind WHEN 'failed' THEN 'failed' ELSE 'succeeded' END,
               now() - make_interval(days => age), now() - make_interval(days => age)
        FROM unnest(ARRAY[1, 8, 91]) AS age, unnest(ARRAY['unchanged', 'changed', 'failed']) AS kind
        """
    )
    site.execute(
        """
        INSERT INTO notion_sync.database_runs (runid, user_id, database_id, database_name, status, inserted, end_time)
        SELECT runid, 'anna', gen_random_uuid(), 'Worlds', status, CASE mod(runid - 1, 3) WHEN 0 THEN 1 ELSE 0 END,
               end_time
        FROM notion_sync.job_run_details
        """
    )
    return site


def kept(site: Site) -> list[tuple[object, ...]]:
    """The runs that are left, with their age in days, and whether they changed rows."""
    return site.execute(
        """
        SELECT round(extract(epoch FROM now() - run.end_time) / 86400)::int, run.status, inserted > 0
        FROM notion_sync.job_run_details AS run JOIN notion_sync.database_runs USING (runid) ORDER BY runid
        """
    )


async def test_unchanged_successes_go_after_a_week_and_the_rest_after_90_days(old_site: Site) -> None:
    async with open_pool(old_site.database_url) as pool, transaction(pool) as connection:
        await retention.delete_old_records(connection)
    assert kept(old_site) == [
        (8, "succeeded", True),
        (8, "failed", False),
        (1, "succeeded", True),
        (1, "failed", False),
        (1, "succeeded", False),
    ]
    assert old_site.execute("SELECT count(*) FROM notion_sync.job_run_details") == [(5,)]


async def test_a_run_that_holds_a_lease_stays(old_site: Site) -> None:
    old_site.execute(
        "INSERT INTO notion_sync.accounts (user_id, lease_runid, lease_expires_at)"
        " SELECT 'anna', min(runid), now() FROM notion_sync.job_run_details"
    )
    async with open_pool(old_site.database_url) as pool, transaction(pool) as connection:
        await retention.delete_old_records(connection)
    old = "SELECT count(*) FROM notion_sync.job_run_details WHERE end_time < now() - interval '90 days'"
    assert old_site.execute(old) == [(1,)]


def test_each_run_of_sync_all_sees_to_it(old_site: Site) -> None:
    old_site.execute("SELECT setval('notion_sync.runid_seq', 100)")
    old_site.execute(
        "INSERT INTO notion_sync.removed_pages (user_id, page_id, sync_table, reason, removed_at, row)"
        " SELECT 'anna', gen_random_uuid(), 'table', 'trashed', now() - age, '{}'"
        " FROM unnest(ARRAY['300 days'::interval, '400 days']) AS age"
    )
    old_site.connect("anna", old_site.small.tokens["anna"], json.dumps({"Worlds": old_site.small.databases["Worlds"]}))
    assert old_site.command("sync-all").code == 0
    assert len(kept(old_site)) == 6
    assert old_site.execute("SELECT count(*) FROM notion_sync.removed_pages") == [(1,)]


async def test_of_many_old_changes_some_go_at_each_run_and_what_is_told_of_the_past_stays_true(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST_ROWS", 2)
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Worlds": site.small.databases["Worlds"]}))
    assert site.command("sync-all").code == 0
    site.execute("UPDATE notion_sync.data_sources SET history_days = 10, history_since = now() - interval '100 days'")
    site.execute(
        """
        INSERT INTO notion_sync.page_changes
            (user_id, page_id, data_source_id, database_id, database_name, kind, seen_at, old, new)
        SELECT 'anna', page_id, data_source_id, database_id, 'Worlds', 'updated', now() - make_interval(days => age),
               jsonb_build_object('name', 'before ' || age), jsonb_build_object('name', 'after ' || age)
        FROM (SELECT page_id, data_source_id, database_id FROM notion_worlds_sync CROSS JOIN
              notion_sync.data_sources ORDER BY page_id LIMIT 1) AS page, unnest(ARRAY[90, 80, 70, 60, 50, 5]) AS age
        """
    )
    past = (
        "SELECT count(*) FROM notion_sync.rows_as_of('anna', 'Worlds', now() - interval '7 days')"
        " WHERE title = 'before 5'"
    )
    left = []
    async with open_pool(site.database_url) as pool:
        for _ in range(4):
            async with transaction(pool) as connection:
                await retention.delete_old_records(connection)
            left += site.execute("SELECT count(*) FROM notion_sync.page_changes")
            assert site.execute(past) == [(1,)]
            assert site.execute(
                "SELECT history_since BETWEEN now() - interval '11 days' AND now() - interval '9 days'"
                " FROM notion_sync.data_sources"
            ) == [(True,)]
    assert left == [(4,), (2,), (1,), (1,)]
