"""What an older set-up left in the database: pg_cron's jobs, a setting, and functions."""

from __future__ import annotations

import re

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.kept_settings import KeptSetting, kept_by_the_server, kept_for
from notion_pg_sync.mirror.typed_sql import typed

API_SETTING = "app.api_url"
# Those that notion_sync has too, and those that the older set-up had beside them.
_REPLACED = ["sync_notion_database", "sync_all_notion_databases"]
_HELPERS = ["set_sync_api_url", "sync_all_users_notion_databases", "sync_notion_database_via_api"]
_SYNCS = re.compile(r"sync_(all_)?(users_)?notion_database|api\.notion\.com")
_CHANGES = re.compile(
    r"\b(?:delete|truncate|update|insert|merge|drop|alter)\b[^;]*?\b(notion_\w+_sync\b|notion\\?_%)", re.IGNORECASE
)


class CronJob(Struct, frozen=True):
    """An active job of pg_cron; `owned`: by the tool's role.

    `does` is its command, and the source of the functions that this calls, and of those that they call.
    """

    jobid: int
    name: str | None
    schedule: str
    owned: bool
    does: str

    @property
    def called(self) -> str:
        """How people call it."""
        return self.name or f"number {self.jobid}"

    @property
    def syncs_notion(self) -> bool:
        """Whether it is the older set-up's scheduler."""
        return self.name == "sync-notion-databases" or _SYNCS.search(self.does) is not None

    @property
    def changes(self) -> list[str]:
        """The sync tables that it may write to or empty, by what it says."""
        return sorted({found[1].lower() for found in _CHANGES.finditer(self.does)})

    @property
    def pause(self) -> str:
        """SQL that lets it rest, and keeps it."""
        return typed(sql.SQL("SELECT cron.alter_job({}, active := false)").format(sql.Literal(self.jobid)))

    @property
    def unschedule(self) -> str:
        """SQL that takes it out of pg_cron, which knows names only within one role's jobs."""
        key = self.name if self.name and self.owned else self.jobid
        return typed(sql.SQL("SELECT cron.unschedule({})").format(sql.Literal(key)))


class PgCron(Struct, frozen=True):
    """pg_cron in this database; `jobs` are those that are active, None where the role may not read them.

    `all_visible`: the role sees the jobs of every role, not its own alone.
    """

    jobs: tuple[CronJob, ...] | None
    all_visible: bool


class OlderFunction(Struct, frozen=True):
    """A function of the older set-up; `replaced`: the tool has one of its name."""

    schema: str
    name: str
    arguments: str
    owner: str
    replaced: bool

    @property
    def signature(self) -> str:
        """Name and types, for people."""
        return f"{self.schema}.{self.name}({self.arguments})"

    @property
    def has_successor(self) -> bool:
        """Whether `init` makes a function of its name where it was, as soon as it is gone."""
        return self.replaced and self.schema == "public"

    @property
    def drop(self) -> str:
        """SQL that removes it."""
        name = sql.Identifier(self.schema, self.name)
        return typed(sql.SQL("DROP FUNCTION {}({})").format(name, sql.SQL(self.arguments)))


async def look_at_pg_cron(connection: Connection) -> PgCron | None:
    """pg_cron, by its extension or its tables; None where it is not in this database."""
    found = await connection.execute(
        """
        SELECT coalesce(has_schema_privilege(job.relnamespace, 'USAGE')
                        AND has_table_privilege(job.oid, 'SELECT'), false),
               coalesce(row_security_active(job.oid), false)
        FROM (SELECT) AS always
        LEFT JOIN pg_class AS job ON job.relnamespace = to_regnamespace('cron') AND job.relname = 'job'
        WHERE job.oid IS NOT NULL OR EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron')
        """
    )
    row = await found.fetchone()
    if row is None:
        return None
    readable, only_own = row
    return PgCron(await _jobs(connection) if readable else None, all_visible=not only_own)


async def api_settings(connection: Connection) -> list[KeptSetting]:
    """Where the setting `app.api_url` is kept: for this database, for a role, or in the server's configuration."""
    found = await connection.execute(
        """
        SELECT datname, rolname
        FROM pg_db_role_setting
        LEFT JOIN pg_database ON pg_database.oid = setdatabase
        LEFT JOIN pg_roles ON pg_roles.oid = setrole
        WHERE (setdatabase = 0 OR datname = current_database())
          AND EXISTS (SELECT FROM unnest(setconfig) AS setting WHERE starts_with(setting, %s || '='))
        ORDER BY 1, 2
        """,
        (API_SETTING,),
    )
    kept = [kept_for(API_SETTING, database, role) async for database, role in found]
    if not kept and await fetch_value(connection, "SELECT nullif(current_setting(%s, true), '')", API_SETTING):
        return [kept_by_the_server(API_SETTING)]
    return kept


async def older_functions(connection: Connection) -> list[OlderFunction]:
    """Functions of the older set-up, in any schema, with types fully named; none comes before one that needs it.

    Those of its names that know nothing of `notion_sync`, and those that send what is of Notion to `app.api_url`.
    """
    found = await connection.execute(
        """
        SELECT nspname, proname, pg_get_function_identity_arguments(older.oid), pg_get_userbyid(proowner),
               proname = ANY (%(replaced)s)
        FROM pg_proc AS older
        JOIN pg_namespace ON pg_namespace.oid = pronamespace
        CROSS JOIN LATERAL (SELECT coalesce(pg_get_function_sqlbody(older.oid), prosrc)) AS body (source)
        WHERE nspname <> 'notion_sync' AND prokind = 'f' AND strpos(source, 'notion_sync.') = 0
          AND (proname = ANY (%(replaced)s || %(helpers)s)
               OR strpos(source, %(setting)s) > 0 AND source ~* 'notion' AND prorettype <> 'trigger'::regtype)
        ORDER BY (
            WITH RECURSIVE needing (oid) AS (
                SELECT older.oid
                UNION
                SELECT objid FROM needing JOIN pg_depend
                  ON classid = 'pg_proc'::regclass AND refclassid = 'pg_proc'::regclass AND refobjid = needing.oid
            )
            SELECT count(*) FROM needing
        ), 1, 2, 3
        """,
        {"replaced": _REPLACED, "helpers": _HELPERS, "setting": API_SETTING},
    )
    return [OlderFunction(*row) async for row in found]


async def _jobs(connection: Connection) -> tuple[CronJob, ...]:
    # Whatever reaches one table may do so through functions, and theirs: UNION ends where a function comes again.
    found = await connection.execute(
        """
        SELECT jobid, jobname::text, schedule, username = current_user, concat_ws(E'\\n', command, (
            WITH RECURSIVE called (oid, source) AS (
                SELECT 0::oid, command COLLATE "C"
                UNION
                SELECT pg_proc.oid, coalesce(pg_get_function_sqlbody(pg_proc.oid), prosrc) COLLATE "C"
                FROM called JOIN pg_proc
                  ON strpos(lower(source), lower(proname)) > 0
                     AND source ~* ('\\m' || regexp_replace(proname, '\\W', '.', 'g') || '"?\\s*\\(')
                WHERE prokind IN ('f', 'p') AND pronamespace NOT IN (SELECT oid FROM pg_namespace
                    WHERE nspname IN ('pg_catalog', 'information_schema', 'notion_sync'))
            )
            SELECT string_agg(source, E'\\n') FROM called WHERE oid <> 0
        ))
        FROM cron.job
        WHERE database = current_database() AND active
        ORDER BY jobid
        """
    )
    return tuple([CronJob(*row) async for row in found])
