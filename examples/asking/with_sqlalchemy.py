"""Asks for a sync of one database and of all databases of a user: python with_sqlalchemy.py USER_ID DATABASE_NAME"""

import os
import sys

from sqlalchemy import create_engine, func, select

user_id, database_name = sys.argv[1:]
engine = create_engine(os.environ["DATABASE_URL"], connect_args={"prepare_threshold": None})

with engine.begin() as connection:
    connection.execute(select(func.set_config("app.user_id", user_id, True)))
    print(connection.scalar(select(func.notion_sync.sync_notion_database(user_id, None, database_name))))
    everything = func.notion_sync.sync_all_notion_databases(user_id)
    columns = everything.table_valued("request_id", "database_id", "database_name", "problem")
    for row in connection.execute(select(columns)):
        print(*row)
