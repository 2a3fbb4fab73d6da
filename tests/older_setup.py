"""The set-up that docs/from-pg-cron.md takes people away from, with the real pg_cron and a platform's roles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psycopg
from notion_workspace import SmallWorkspace
from psycopg.rows import tuple_row

from tests.debian_postgres import DebianPostgres

HERE = Path(__file__).parent
OWNER, SUPERUSER = "postgres", "supabase_admin"
SYNCS, CLEANS, OTHER = "sync-notion-databases", "weekly-cleanup", "of-something-else"
_PLATFORM = f"""
    CREATE EXTENSION pg_cron;
    CREATE ROLE {OWNER} LOGIN CREATEROLE BYPASSRLS;
    CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS;
    GRANT anon, authenticated, service_role TO {OWNER};
    ALTER DATABASE postgres OWNER TO {OWNER};
    GRANT USAGE ON SCHEMA cron TO {OWNER};
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public
        GRANT ALL ON TABLES TO anon, authenticated, service_role;
    GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
    ALTER DATABASE postgres SET app.api_url = 'https://app.example.com';
"""

Row = tuple[object, ...]


class OlderSetup(DebianPostgres):
    """A PostgreSQL whose pg_cron starts the application's jobs, as a context manager.

    `uuids`: the ids of users in `user_settings` are of type uuid, not text. The application's owner is no superuser.
    """

    def __init__(self, *, uuids: bool) -> None:
        super().__init__("postgresql-15-cron", "pg_cron.so", superuser=SUPERUSER)
        self._uuids = uuids

    def settings(self) -> Mapping[str, object]:
        return {"shared_preload_libraries": "pg_cron", "cron.database_name": "postgres", "cron.host": self.data}

    def __enter__(self) -> Self:
        super().__enter__()
        self.execute(_PLATFORM)
        for file in (HERE / "mirror" / "app_schema.sql", HERE / "older_setup.sql"):
            self.ask(self._with_ids(file.read_text(encoding="utf-8")))
        self.ask("DELETE FROM user_settings")
        return self

    @property
    def url(self) -> str:
        """The connection string of the application's owner."""
        return self.socket_url(user=OWNER)

    def ask(self, statement: str, *parameters: object, role: str | None = None, claims: str = "") -> list[Row]:
        """What a statement answers to the application's owner, or to `role` with a token's claims, as by PostgREST."""
        with psycopg.connect(self.url, row_factory=tuple_row) as connection:
            if role:
                connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))
                connection.execute(f"SET LOCAL ROLE {role}".encode())
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def runs(self, job: str, since: object = "-infinity") -> list[Row]:
        """How a job's runs ended that began since then, by pg_cron's own records; the oldest first."""
        return self.ask(
            "SELECT status FROM cron.job_run_details JOIN cron.job USING (jobid)"
            " WHERE jobname = %s AND start_time > %s AND end_time IS NOT NULL ORDER BY runid",
            *(job, since),
        )

    def notion_has(self, small: SmallWorkspace, user_id: str, label: str, *databases: str) -> None:
        """Lets the application's route know what a user's databases hold."""
        for name in databases:
            for page_id in small.workspace.truth(small.data_sources[name], small.tokens[label]):
                self.ask(
                    "INSERT INTO route.notion VALUES (%s, %s, %s, %s, %s)",
                    *(user_id, small.databases[name], name, page_id, f"{name}, read by the route"),
                )

    def _with_ids(self, script: str) -> str:
        if not self._uuids:
            return script
        script = re.sub(r"(CREATE TABLE user_settings \([^;]*?\n    user_id +)text", r"\1uuid", script)
        script = script.replace("p_user_id text", "p_user_id uuid")
        return script.replace("'user-oauth'", "gen_random_uuid()").replace("'user-integration'", "gen_random_uuid()")
