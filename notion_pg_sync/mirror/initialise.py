"""What `init` does: migrations, `user_settings` where there is none, and the sync tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from psycopg import errors, sql
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random

from notion_pg_sync.mirror import migrations
from notion_pg_sync.mirror.adoption import Changes, changes_to, inspect
from notion_pg_sync.mirror.connection import Connection, PostgresError, fetch_value
from notion_pg_sync.mirror.migrations import Migration
from notion_pg_sync.mirror.tables import DEFAULT_SCHEMA, SyncTable, find_schema, standard_tables

# A statement that waits for a lock holds up everybody who comes after it, so it waits briefly, and again.
_LOCK_TIMEOUT = "3s"
_LOCK_ATTEMPTS = 10

_USER_SETTINGS = """CREATE TABLE {} (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id              text NOT NULL UNIQUE,
    notion_access_token  text,
    notion_token         text,
    notion_databases     jsonb DEFAULT '{{}}',
    auto_sync_enabled    boolean NOT NULL DEFAULT true,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
)"""


@dataclass(frozen=True)
class Circumstances:
    """What the changes follow from, beside what is in the database.

    `schema` is where `user_settings` lies or will lie, `role` the tool's own; `row_security` switches row level
    security on for adopted tables.
    """

    schema: str
    role: str
    row_security: bool


@dataclass(frozen=True)
class InitPlan:
    """Everything that `init` would do, in order: migrations, then the changes to each relation."""

    circumstances: Circumstances
    migrations: tuple[Migration, ...]
    relations: tuple[Changes, ...]

    @property
    def is_empty(self) -> bool:
        """Whether everything is as it should be."""
        return not self.migrations and not any(relation.changes or relation.problems for relation in self.relations)

    @property
    def adopts(self) -> bool:
        """Whether it changes relations that somebody else made."""
        return any(relation.adopts and relation.changes for relation in self.relations)

    @property
    def problems(self) -> list[str]:
        """What stands in the way, a sentence each."""
        return [problem for relation in self.relations for problem in relation.problems]

    @property
    def warnings(self) -> list[str]:
        """What a person should know before, a sentence each."""
        return [warning for relation in self.relations for warning in relation.warnings]

    def for_others(self) -> list[Changes]:
        """The relations whose changes only their owner may make."""
        return [relation for relation in self.relations if relation.owner and relation.changes]


async def plan_init(connection: Connection, *, row_security: bool = False) -> InitPlan:
    """Looks at the database and says what `init` has to do; changes nothing.

    `row_security` switches row level security on for adopted tables. Raises `PostgresError` when the database is newer
    than the tool.
    """
    circumstances = Circumstances(
        schema=await find_schema(connection) or DEFAULT_SCHEMA,
        role=str(await fetch_value(connection, "SELECT current_user")),
        row_security=row_security,
    )
    relations = [await plan(connection, circumstances) for plan in _planners(circumstances)]
    return InitPlan(circumstances, await migrations.pending(connection), tuple(relations))


async def carry_out(connection: Connection, plan: InitPlan) -> None:
    """Does what `plan` says, each migration and each relation in a transaction of its own.

    Raises `PostgresError` when a right is missing, or a lock could not be had.
    """
    try:
        for step in plan.migrations:
            await migrations.apply(connection, step)
        for planner in _planners(plan.circumstances):
            await _change(connection, planner, plan.circumstances)
    except errors.InsufficientPrivilege as error:
        raise PostgresError(
            f"this role may not do that ({error.diag.message_primary}): let the owner of the database run "
            "'notion-pg-sync init', or the statements that 'notion-pg-sync init --sql' prints."
        ) from error
    except errors.LockNotAvailable as error:
        raise PostgresError(
            "a table is locked by somebody's long transaction: end it (pg_stat_activity shows it), then run "
            "'notion-pg-sync init' again; what was done so far is kept."
        ) from error


def statements_of(plan: InitPlan, connection: Connection) -> str:
    """The plan as SQL, for an owner to run."""
    parts = [
        f"-- Migration {step.name}\nBEGIN;\n{migrations.statements_of(step).as_string(connection).strip()}\nCOMMIT;\n"
        for step in plan.migrations
    ]
    for relation in plan.relations:
        if relation.changes:
            lines = [f"-- {change.says}\n{change.statement.as_string(connection)};" for change in relation.changes]
            locked = [f"{relation.lock.as_string(connection)};"] if relation.lock else []
            parts.append("\n".join([f"-- {relation.relation}\nBEGIN;", *locked, *lines, "COMMIT;\n"]))
    return "\n".join(parts)


Planner = Callable[[Connection, Circumstances], Awaitable[Changes]]


def _planners(circumstances: Circumstances) -> list[Planner]:
    """For each relation, what finds out how it has to change."""
    return [_plan_user_settings, *(partial(_plan_table, table) for table in standard_tables(circumstances.schema))]


async def _plan_table(table: SyncTable, connection: Connection, circumstances: Circumstances) -> Changes:
    found = await inspect(connection, table)
    return changes_to(table, found, circumstances.role, row_security=circumstances.row_security)


async def _plan_user_settings(connection: Connection, circumstances: Circumstances) -> Changes:
    changes = Changes(f"{circumstances.schema}.user_settings")
    if await find_schema(connection) is None:
        name = sql.Identifier(circumstances.schema, "user_settings")
        changes.add("create the table", sql.SQL(_USER_SETTINGS).format(name))
        changes.add(
            "hide it from every role but its owner (it holds tokens)",
            sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name),
        )
    return changes


async def _change(connection: Connection, planner: Planner, circumstances: Circumstances) -> None:
    """Changes one relation, by a plan made anew: another `init` may have been there first.

    Of a table that is there already once more under its lock, for the application may write rows in between.
    """
    attempts = AsyncRetrying(
        retry=retry_if_exception_type(errors.LockNotAvailable),
        stop=stop_after_attempt(_LOCK_ATTEMPTS),
        wait=wait_random(0.1, 1),
        reraise=True,
    )
    async for attempt in attempts:
        with attempt:
            async with connection.transaction():
                await migrations.take_turns(connection)
                relation = await planner(connection, circumstances)
                if relation.owner or not relation.changes:
                    return
                await connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(_LOCK_TIMEOUT))
                if relation.lock:
                    await connection.execute(relation.lock)
                    relation = await planner(connection, circumstances)
                for change in relation.changes:
                    await connection.execute(change.statement)
