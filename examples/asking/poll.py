"""Asks for a sync of one database of a user, and waits until it has ended: python poll.py USER_ID DATABASE_NAME"""

import os
import sys
import time

import psycopg

user_id, database_name = sys.argv[1:]

# No prepared statements, and what is set is set for one transaction: this works through any pooler.
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=None) as connection:

    def answer(statement: str, *parameters: object) -> tuple:
        """The first row of what a statement answers to the user."""
        with connection.transaction():
            connection.execute("SELECT set_config('app.user_id', %s, true)", (user_id,))
            return connection.execute(statement, parameters).fetchone()

    (request_id,) = answer("SELECT notion_sync.sync_notion_database(%s, NULL, %s)", user_id, database_name)
    outcome = "SELECT status, message FROM notion_sync.sync_requests WHERE request_id = %s"
    while (ended := answer(outcome, request_id))[0] not in ("succeeded", "failed"):
        time.sleep(5)

print(*ended, sep=": ")
sys.exit(ended[0] == "failed")
