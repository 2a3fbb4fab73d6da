"""What `init` does: the schema `notion_sync`, `user_settings` where there is none, and the sync tables.

The table of a preset is made in the same way by whichever command needs it first (`make_table`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace
from psycopg import errors, sql

from notion_pg_sync.mirror import migrations, repeatable
from notion_pg_sync.mirror.adoption import (
    Changes,
    changes_to,
    favoured_by_default,
    inspect,
    revocations,
    taken_names,
)
from notion_pg_sync.mirror.bookkeeping import NOTHING_MISSING, Lack, find_lack, owner_to_ask
from notion_pg_sync.mirror.connection import Connection, PostgresError
from notion_pg_sync.mirror.diagnosis.rights import current_role
from notion_pg_sync.mirror.locks import LOCKED
from notion_pg_sync.mirror.long_changes import finish, in_turn, make
from notion_pg_sync.mirror.migrations import Migration
from notion_pg_sync.mirror.readers import refresh_readers
from notion_pg_sync.mirror.tables import (
    DEFAULT_SCHEMA,
    SETTINGS_TABLE,
    Misfit,
    SyncTable,
    existing_tables,
    general_table,
    is_taken,
    known_tables,
    renamed_tables,
    settings_on_path,
    strange_tables,
)
from notion_pg_sync.mirror.tenant_roles import missing_on_bookkeeping, missing_on_table, why_no_tenants
from notion_pg_sync.mirror.trust import (
    OwnedRelation,
    Role,
    distrust,
    favoured_on_bookkeeping,
    not_yet_trusted,
    owners_without_rights,
    unknown_roles,
)
from notion_pg_sync.mirror.views import refresh_views

_USER_SETTINGS = """CREATE TABLE {} (
    id                   pg_catalog.uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    user_id              pg_catalog.text NOT NULL UNIQUE,
    notion_access_token  pg_catalog.text,
    notion_token         pg_catalog.text,
    notion_databases     pg_catalog.jsonb DEFAULT '{{}}',
    auto_sync_enabled    boolean NOT NULL DEFAULT true,
    created_at           pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now(),
    updated_at           pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now()
)"""


class Circumstances(Struct, frozen=True):
    """What the changes follow from, beside what is in the database.

    `schema` is where `user_settings` lies or will lie, `role` the tool's own, `tables` the sync tables to see to;
    `row_security` switches row level security on for adopted tables; `trusted` are the roles whose tables a person says
    may count (trust.py); `renamed`: as `renamed_tables` says; `tenant_roles`: the roles of the application's tenants.
    """

    schema: str
    role: str
    tables: tuple[SyncTable, ...]
    row_security: bool = False
    trusted: frozenset[str] = frozenset()
    renamed: Mapping[str, Misfit] = field(default_factory=dict)
    tenant_roles: tuple[str, ...] = ()


class Upgrade(Struct, frozen=True):
    """What the schema `notion_sync` lacks: what somebody dropped, migrations, and whether the repeatable files are due.

    `owner` is the role that has to bring back what was dropped, where the current one may not.
    """

    migrations: tuple[Migration, ...] = ()
    repeatable: bool = False
    lack: Lack = NOTHING_MISSING
    owner: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is lacking."""
        return self.lack.is_empty and not self.migrations and not self.repeatable

    @property
    def problems(self) -> list[str]:
        """What stands in the way, a sentence each."""
        if self.owner is None:
            return []
        return [f"{self.lack.sentence}; run 'notion-pg-sync init' as {self.owner}, who owns it."]

    @property
    def warnings(self) -> list[str]:
        """What a person should know before, a sentence each."""
        if not self.lack.lost_settings:
            return []
        again = (f"{what} ({how})" for what, how in self.lack.lost_settings)
        return [f"what was set there is lost; set it again: {'; '.join(again)}. No row of a sync table is lost."]


class InitPlan(Struct, frozen=True):
    """Everything that `init` would do, in order: the schema `notion_sync`, then the changes to each relation."""

    circumstances: Circumstances
    upgrade: Upgrade
    relations: tuple[Changes, ...]
    unknown_roles: tuple[str, ...] = ()
    no_tenants: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether everything is as it should be."""
        is_done = not any(relation.every or relation.problems for relation in self.relations)
        return self.upgrade.is_empty and is_done and not self.no_tenants

    @property
    def adopts(self) -> bool:
        """Whether it changes relations that somebody else made."""
        return any(relation.adopts and relation.every for relation in self.relations)

    @property
    def distrusted(self) -> list[OwnedRelation]:
        """The relations that it needs and whose owners nobody said to trust."""
        return [relation.distrusted for relation in self.relations if relation.distrusted]

    @property
    def problems(self) -> list[str]:
        """What stands in the way, a sentence each."""
        return [*self.upgrade.problems, *self.problems_for_anybody]

    @property
    def problems_for_anybody(self) -> list[str]:
        """The same, but for the rights that the current role has not."""
        return [
            *(f"there is no role {role}: check the spelling." for role in self.unknown_roles),
            *self.no_tenants,
            *(problem for relation in self.relations for problem in relation.problems),
        ]

    @property
    def warnings(self) -> list[str]:
        """What a person should know before, a sentence each."""
        return [
            *self.upgrade.warnings,
            *(warning for relation in self.relations for warning in relation.warnings),
            *(f"{key}." for relation in self.relations for key in relation.keys_of_its_own),
        ]

    def for_others(self) -> list[Changes]:
        """The relations whose changes only their owner may make."""
        return [relation for relation in self.relations if relation.owner and relation.every]


async def plan_init(
    connection: Connection,
    *,
    row_security: bool = False,
    trusted: Collection[str] = (),
    presets: Collection[str] = (),
    tenant_roles: Collection[str] = (),
) -> InitPlan:
    """Looks at the database and says what `init` has to do; changes nothing.

    `row_security` switches row level security on for adopted tables; `trusted` are roles whose tables may count; of
    `presets` every table is made, of others those that are there are seen to; `tenant_roles` get a tenant's rights.
    Raises `PostgresError` when the database is too new for the tool.
    """
    settings = await _settings(connection, trusted)
    schema = settings.schema if settings else DEFAULT_SCHEMA
    circumstances = Circumstances(
        schema=schema,
        role=await current_role(connection),
        tables=await seen_by_init(connection, schema, presets=presets, trusted=trusted),
        row_security=row_security,
        trusted=frozenset(trusted),
        renamed=await renamed_tables(connection, schema) if await _is_whole(connection) else {},
        tenant_roles=tuple(sorted({*tenant_roles})),
    )
    no_tenants = await why_no_tenants(connection, circumstances.tenant_roles, circumstances.tables)
    if no_tenants:
        circumstances = replace(circumstances, tenant_roles=())
    relations = [await plan(connection, circumstances) for plan in _planners(circumstances)]
    return InitPlan(
        circumstances,
        await _plan_upgrade(connection),
        tuple(relations),
        tuple(await unknown_roles(connection, trusted)),
        tuple(no_tenants),
    )


async def seen_by_init(
    connection: Connection, schema: str, *, presets: Collection[str] = (), trusted: Collection[str] = ()
) -> tuple[SyncTable, ...]:
    """The sync tables that `init` sees to: the general one, those of `presets`, and those of others that are there.

    What a stranger (nobody of `trusted`) put there after the first `init` is left out, so that it stops nobody's.
    """
    known = known_tables(schema)
    there = await existing_tables(connection, schema, (table.name for table in known))
    if await _is_whole(connection):
        there -= {
            table.relation.name
            for table in await strange_tables(connection, schema)
            if not table.is_needed and table.relation.owner.name not in trusted
        }
    general = general_table(schema)
    return tuple(table for table in known if table == general or table.preset in presets or table.name in there)


async def _is_whole(connection: Connection) -> bool:
    """Whether the schema `notion_sync` is there, and nothing of it is missing."""
    lack = await find_lack(connection)
    return lack.version > 0 and lack.is_empty


async def make_table(connection: Connection, table: SyncTable) -> None:
    """Makes a sync table as `init` does, unless there is something of its name; all or nothing, in one transaction.

    Whoever else makes it meanwhile is waited for. Raises what psycopg raises, `InsufficientPrivilege` for example.
    """
    circumstances = Circumstances(table.schema, await current_role(connection), (table,))
    await in_turn(connection, partial(_make, table=table, circumstances=circumstances))


async def _make(connection: Connection, table: SyncTable, circumstances: Circumstances) -> None:
    if not await is_taken(connection, table):
        await _change(connection, partial(_plan_table, table), circumstances)


async def _settings(connection: Connection, trusted: Collection[str]) -> OwnedRelation | None:
    """The `user_settings` that the tool would use: the first that may count, else the first that there is."""
    found = await settings_on_path(connection)
    counting = (one for one in found if one.owner.is_trusted or one.owner.name in trusted)
    return next(counting, found[0] if found else None)


async def carry_out(connection: Connection, plan: InitPlan) -> list[str]:
    """Does what `plan` says: the schema `notion_sync` in one transaction, each relation in one of its own.

    Typed views of an earlier version are replaced. Returns what a person should know of them, a sentence each. Raises
    `PostgresError` when a right is missing, a lock could not be had, or an owner is not trusted.
    """
    for relation in plan.distrusted:
        raise distrust(relation)
    try:
        if not plan.upgrade.is_empty:
            await in_turn(connection, _upgrade)
        for planner in _planners(plan.circumstances):
            await _adopt(connection, planner, plan.circumstances)
        if plan.upgrade.is_empty:
            return await refresh_readers(connection)
        return await refresh_views(connection, only_present=True)
    except errors.IntegrityError as error:
        raise _does_not_fit(error) from error
    except errors.InsufficientPrivilege as error:
        raise PostgresError(
            f"this role may not do that ({error.diag.message_primary}): let the owner of the database run "
            "'notion-pg-sync init', or the statements that 'notion-pg-sync init --sql' prints."
        ) from error
    except errors.FeatureNotSupported as error:
        raise PostgresError(
            f"{error.diag.message_primary} ({error.diag.message_detail}): drop the view, run 'notion-pg-sync "
            "init', and make the view again; nothing was changed."
        ) from error
    except LOCKED as error:
        raise PostgresError(
            "a table is locked by somebody's long transaction: end it (pg_stat_activity shows it), then run "
            "'notion-pg-sync init' again; what was done so far is kept."
        ) from error


def _does_not_fit(error: errors.IntegrityError) -> PostgresError:
    """Why something cannot be brought back or added: the rows that are there do not go with it."""
    table = sql.Identifier(error.diag.schema_name or "", error.diag.table_name or "")
    is_ours = error.diag.schema_name == "notion_sync"
    again = " What the tool itself noted there, the next sync notes again." if is_ours else ""
    return PostgresError(
        f"{table.as_string()} has rows that do not fit what is to be added ({error.diag.message_primary}): change or "
        f"delete them, then run 'notion-pg-sync init' again.{again}",
        sql.SQL("DELETE FROM {};").format(table).as_string() if is_ours else "",
    )


Planner = Callable[[Connection, Circumstances], Awaitable[Changes]]


def _planners(circumstances: Circumstances) -> list[Planner]:
    """For each relation, what finds out how it has to change."""
    return [
        _plan_bookkeeping,
        _plan_user_settings,
        *(partial(_plan_table, table) for table in circumstances.tables),
    ]


async def _plan_bookkeeping(connection: Connection, circumstances: Circumstances) -> Changes:
    """Whom to trust, and nobody else with the rights of an owner on the tables of the schema `notion_sync`."""
    changes = Changes("notion_sync")
    for role in await not_yet_trusted(connection, circumstances.trusted):
        changes.add(
            f"trust {role}, whose triggers then run with the rights of {circumstances.role}",
            sql.SQL("INSERT INTO notion_sync.trusted_owners (owner) VALUES ({})").format(role),
        )
    for table, roles in (await favoured_on_bookkeeping(connection)).items():
        changes.changes += revocations(sql.Identifier("notion_sync", table), roles)
    for owner in await owners_without_rights(connection, [table.qualified_name for table in circumstances.tables]):
        says, to = f"let {owner} make the tool's triggers on its tables", sql.Identifier(owner)
        changes.add(says, sql.SQL("GRANT USAGE ON SCHEMA notion_sync TO {}").format(to))
        functions = sql.SQL("GRANT EXECUTE ON FUNCTION notion_sync.spell_page_id(), notion_sync.set_page_id() TO {}")
        changes.add(says, functions.format(to))
    for role in circumstances.tenant_roles:
        changes.changes += await missing_on_bookkeeping(connection, role, circumstances.role)
    return changes


async def _plan_table(table: SyncTable, connection: Connection, circumstances: Circumstances) -> Changes:
    found = await inspect(connection, table, circumstances.trusted)
    if found is None and (misfit := circumstances.renamed.get(table.qualified_name)):
        changes = Changes(table.qualified_name)
        changes.misfits(misfit)
        return changes
    changes = changes_to(
        table,
        found,
        circumstances.role,
        row_security=circumstances.row_security,
        favoured=await favoured_by_default(connection, table.schema),
        taken=await taken_names(connection, table.schema),
    )
    for role in circumstances.tenant_roles:
        missing, warnings = await missing_on_table(
            connection, role, table, found, row_security=circumstances.row_security
        )
        changes.changes += missing
        changes.warnings += warnings
    if found and not found.owner_is_trusted and found.owner not in circumstances.trusted:
        changes.distrusted = OwnedRelation(table.schema, table.name, Role(found.owner, is_trusted=False))
    return changes


async def _plan_user_settings(connection: Connection, circumstances: Circumstances) -> Changes:
    changes = Changes(f"{circumstances.schema}.{SETTINGS_TABLE}")
    found = await _settings(connection, circumstances.trusted)
    if found is None:
        name = sql.Identifier(circumstances.schema, SETTINGS_TABLE)
        changes.creates = True
        changes.add("create the table", sql.SQL(_USER_SETTINGS).format(name))
        changes.changes += revocations(name, await favoured_by_default(connection, circumstances.schema))
        changes.add(
            "hide it from every role but its owner (it holds tokens)",
            sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name),
        )
    elif not found.owner.is_trusted and found.owner.name not in circumstances.trusted:
        changes.distrusted = found
    return changes


async def _plan_upgrade(connection: Connection) -> Upgrade:
    if await migrations.is_ahead(connection):
        # The newer version's functions suit its tables, and this one's may not.
        return Upgrade()
    lack = await find_lack(connection)
    due = tuple(step for step in migrations.migrations() if step.version > lack.version)
    if lack.is_empty:
        return Upgrade(due, repeatable=bool(due) or await repeatable.is_due(connection))
    owner = await owner_to_ask(connection)
    return Upgrade(due, repeatable=True, lack=lack, owner=owner)


def statements_of_upgrade(upgrade: Upgrade) -> sql.Composed:
    """Its statements, for a transaction whose `search_path` they set.

    Their names mean PostgreSQL's own functions and types, whatever else the session's path finds by them.
    """
    parts: list[sql.Composable] = [sql.SQL("SET LOCAL search_path = pg_catalog, pg_temp;")]
    if not upgrade.lack.is_empty:
        parts += [sql.SQL("-- What is missing"), upgrade.lack.remedy()]
    for step in upgrade.migrations:
        parts += [sql.SQL(f"-- Migration {step.name}"), migrations.statements_of(step)]
    if upgrade.repeatable:
        parts += [sql.SQL("-- Functions, policies, triggers, grants and comments"), repeatable.statements()]
    return sql.SQL("\n").join(parts)


async def _upgrade(connection: Connection) -> None:
    await connection.execute(statements_of_upgrade(await _plan_upgrade(connection)))


async def _change(connection: Connection, planner: Planner, circumstances: Circumstances) -> Changes:
    """Makes the short changes to one relation, and returns what was to change."""
    relation = await planner(connection, circumstances)
    if relation.distrusted:
        raise distrust(relation.distrusted)
    if not relation.owner and relation.changes:
        await make(connection, relation.changes)
    return relation


async def _adopt(connection: Connection, planner: Planner, circumstances: Circumstances) -> None:
    """Changes one relation: what takes a moment first, then what takes long where it has many rows.

    The latter is found out after the former, by which what an application writes from then on is as it is to be.
    """
    relation = await in_turn(connection, partial(_change, planner=planner, circumstances=circumstances))
    if relation.adopts and not relation.owner and not relation.problems:
        async with connection.transaction():
            relation = await planner(connection, circumstances)
        await finish(connection, relation)
