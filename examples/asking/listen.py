"""The same, and hears at once that it has ended: python listen.py USER_ID DATABASE_NAME"""

import os
import sys

import psycopg

user_id, database_name = sys.argv[1:]

with (
    psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=None) as connection,
    # LISTEN needs a session of its own, so not through a pooler that gives each transaction another.
    psycopg.connect(os.environ["DIRECT_URL"], autocommit=True) as listening,
):
    # Before asking, so that nothing is missed.
    listening.execute("LISTEN notion_sync")

    def answer(statement: str, *parameters: object) -> tuple:
        """The first row of what a statement answers to the user."""
        with connection.transaction():
            connection.execute("SELECT set_config('app.user_id', %s, true)", (user_id,))
            return connection.execute(statement, parameters).fetchone()

    (request_id,) = answer("SELECT notion_sync.sync_notion_database(%s, NULL, %s)", user_id, database_name)
    outcome = "SELECT status, message FROM notion_sync.sync_requests WHERE request_id = %s"
    while (ended := answer(outcome, request_id))[0] not in ("succeeded", "failed"):
        # A hint that something ended, of whatever user; without one, look again after a minute.
        next(listening.notifies(timeout=60, stop_after=1), None)

print(*ended, sep=": ")
sys.exit(ended[0] == "failed")
