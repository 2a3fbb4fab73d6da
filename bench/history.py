"""A long history in the bookkeeping, made by SQL: what `status` is to be quick with."""

from __future__ import annotations

import psycopg

_STATEMENTS = (
    """
    INSERT INTO user_settings (user_id, notion_token, notion_databases)
    SELECT 'user' || u, 'ntn_bench',
           (SELECT jsonb_object_agg('Base ' || d, md5(u || '.' || d)::uuid::text)
            FROM generate_series(1, %(databases)s) AS d)
    FROM generate_series(1, %(users)s) AS u
    """,
    "INSERT INTO notion_sync.accounts (user_id) SELECT user_id FROM user_settings ON CONFLICT DO NOTHING",
    """
    INSERT INTO notion_sync.job_run_details (jobid, job_pid, status, return_message, start_time, end_time)
    SELECT (SELECT max(jobid) FROM notion_sync.job), n, 'succeeded', '10 of 10 databases of 1 users synced.',
           now() - interval '15 minutes' * (%(runs)s - n), now() - interval '15 minutes' * (%(runs)s - n)
    FROM generate_series(1, %(runs)s) AS n
    """,
    """
    INSERT INTO notion_sync.databases (user_id, database_id, name, last_runid, last_mode, last_status,
        last_rows_read, last_requests, last_seconds, last_started_at, last_ended_at, last_succeeded_at)
    SELECT user_id, value::uuid, key, (SELECT max(runid) FROM notion_sync.job_run_details), 'incremental', 'succeeded',
           0, 3, 0.5, now(), now(), now()
    FROM user_settings, jsonb_each_text(notion_databases) ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO notion_sync.data_sources (user_id, data_source_id, database_id, database_name, view_name, name,
        sync_table, schema, schema_fingerprint, row_count, synced_at, fresh_as_of, full_as_of)
    SELECT user_id, database_id, database_id, name, 'base', name,
           'notion_pages_sync', '{}', '', 0, now(), now(), now()
    FROM notion_sync.databases AS made
    WHERE NOT EXISTS (SELECT FROM notion_sync.data_sources AS known
                      WHERE (known.user_id, known.database_id) = (made.user_id, made.database_id))
    """,
    """
    INSERT INTO notion_sync.database_runs (runid, user_id, database_id, database_name, mode, status, end_time)
    SELECT runid, user_id, database_id, name, 'incremental', 'succeeded', now()
    FROM (SELECT runid FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT %(runs)s) AS runs,
         (SELECT * FROM notion_sync.databases ORDER BY user_id, database_id LIMIT %(each)s) AS synced
    ON CONFLICT DO NOTHING
    """,
    "ANALYZE",
)


def add_history(database_url: str, *, users: int, databases: int, runs: int, each: int) -> None:
    """Adds `users` of `databases` without rows each, all fresh, and `runs` runs with records of `each` databases."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in _STATEMENTS:
            parameters = {"users": users, "databases": databases, "runs": runs, "each": each}
            connection.execute(statement.encode(), parameters if "%(" in statement else None)
