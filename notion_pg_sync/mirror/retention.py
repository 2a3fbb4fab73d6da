"""How long records are kept: what is older goes a little at each run, so that no run pays for many."""

from __future__ import annotations

from notion_pg_sync.mirror.connection import Connection

# More than a run of ten thousand databases adds.
MOST_ROWS = 20_000

_DELETIONS = (
    # Syncs that changed nothing say little after a week. The latest result is kept on notion_sync.databases.
    """
    DELETE FROM notion_sync.database_runs WHERE (runid, user_id, database_id) IN (
        SELECT runid, user_id, database_id FROM notion_sync.database_runs
        WHERE status = 'succeeded' AND inserted = 0 AND updated = 0 AND removed = 0
          AND end_time < clock_timestamp() - interval '7 days'
        ORDER BY end_time LIMIT %(most)s)
    """,
    """
    DELETE FROM notion_sync.job_run_details WHERE runid IN (
        SELECT runid FROM notion_sync.job_run_details AS run
        WHERE (end_time < clock_timestamp() - interval '90 days'
               OR (status = 'succeeded' AND end_time < clock_timestamp() - interval '7 days'
                   AND NOT EXISTS (SELECT FROM notion_sync.database_runs WHERE database_runs.runid = run.runid)))
          AND NOT EXISTS (SELECT FROM notion_sync.accounts WHERE lease_runid = run.runid)
        ORDER BY runid LIMIT %(most)s)
    """,
    """
    DELETE FROM notion_sync.removed_pages WHERE removal_id IN (
        SELECT removal_id FROM notion_sync.removed_pages
        WHERE removed_at < clock_timestamp() - interval '1 year'
        ORDER BY removed_at LIMIT %(most)s)
    """,
    """
    DELETE FROM notion_sync.sync_requests WHERE request_id IN (
        SELECT request_id FROM notion_sync.sync_requests
        WHERE ended_at < clock_timestamp() - interval '7 days'
        ORDER BY ended_at LIMIT %(most)s)
    """,
)


async def delete_old_records(connection: Connection) -> None:
    """Deletes records that are old enough: syncs that changed nothing and requests after 7 days, all syncs after 90,
    removed pages after a year; at most `MOST_ROWS` of each kind at once.
    """
    for deletion in _DELETIONS:
        await connection.execute(deletion, {"most": MOST_ROWS})
