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
    # One row a day.
    "DELETE FROM notion_sync.webhook_days WHERE day < current_date - 90",
    # From one data source to the next by the index, those that are gone too. What goes moves the history's beginning.
    """
    WITH RECURSIVE known AS (
        (SELECT user_id, data_source_id FROM notion_sync.page_changes ORDER BY user_id, data_source_id LIMIT 1)
        UNION ALL
        SELECT following.* FROM known CROSS JOIN LATERAL (
            SELECT user_id, data_source_id FROM notion_sync.page_changes AS other
            WHERE (other.user_id, other.data_source_id) > (known.user_id, known.data_source_id)
            ORDER BY user_id, data_source_id LIMIT 1) AS following
    ), kept AS MATERIALIZED (
        SELECT known.*, clock_timestamp()
               - make_interval(days => least(coalesce(source.history_days, account.history_days, 365), 36500)) AS since
        FROM known
        LEFT JOIN notion_sync.data_sources AS source USING (user_id, data_source_id)
        LEFT JOIN notion_sync.accounts AS account USING (user_id)
    ), old AS MATERIALIZED (
        SELECT kept.*, change_id, database_id FROM kept CROSS JOIN LATERAL (
            SELECT change_id, database_id FROM notion_sync.page_changes AS change
            WHERE change.user_id = kept.user_id AND change.data_source_id = kept.data_source_id AND seen_at < since
            ORDER BY seen_at LIMIT %(most)s) AS earliest
        LIMIT %(most)s
    ), gone AS (
        DELETE FROM notion_sync.page_changes WHERE change_id IN (SELECT change_id FROM old)
    ), former AS (
        UPDATE notion_sync.databases AS past SET former_since = greatest(former_since, since)
        FROM (SELECT user_id, database_id, max(since) AS since FROM old
              WHERE NOT EXISTS (SELECT FROM notion_sync.data_sources AS source
                                WHERE source.user_id = old.user_id AND source.data_source_id = old.data_source_id)
              GROUP BY user_id, database_id) AS cut
        WHERE past.user_id = cut.user_id AND past.database_id = cut.database_id
    )
    UPDATE notion_sync.data_sources AS source SET history_since = since
    FROM (SELECT DISTINCT user_id, data_source_id, since FROM old) AS cut
    WHERE source.user_id = cut.user_id AND source.data_source_id = cut.data_source_id AND history_since < since
    """,
)


async def delete_old_records(connection: Connection) -> None:
    """Deletes records that are old enough: syncs that changed nothing and requests after 7 days, all syncs and counts
    of webhooks after 90, removed pages after a year, changes after as many days as are set; at most `MOST_ROWS` of each
    kind at once.
    """
    for deletion in _DELETIONS:
        await connection.execute(deletion, {"most": MOST_ROWS})
