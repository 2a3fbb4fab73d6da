"""`init` as a person meets it: what it will change, a question, and what it did."""

from __future__ import annotations

import sys
from collections.abc import Collection

from notion_pg_sync.commands.output.streams import complain, confirm
from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.connection import Connection, PostgresError, open_pool
from notion_pg_sync.mirror.initialise import InitPlan, carry_out, plan_init, statements_of
from notion_pg_sync.mirror.presets import PRESETS
from notion_pg_sync.mirror.read_only import why_read_only
from notion_pg_sync.mirror.trust import OwnedRelation, distrust
from notion_pg_sync.settings import Settings


async def run_init(
    settings: Settings,
    *,
    yes: bool,
    only_sql: bool,
    row_security: bool,
    trusted: Collection[str],
    presets: Collection[str],
) -> int:
    """Plans, shows, asks where somebody's tables are to change, and carries out; returns the exit code.

    `trusted`: the roles whose tables may be used, beside those of the tool's own role. `presets`: those of which every
    table is made. A statement may take as long as it takes: an index on many rows does. Raises `UsageError` where
    nobody can be asked, and `PostgresError` where PostgreSQL only reads.
    """
    for preset in presets:
        if preset not in PRESETS:
            raise UsageError(f"there is no preset {preset!r}: choose {', '.join(PRESETS)}.")
    out = Screen(soft_wrap=True)
    async with open_pool(settings.database_url or "", statement_seconds=0) as pool, pool.connection() as connection:
        if not only_sql and (read_only := await why_read_only(connection.cursor())):
            raise PostgresError(f"nothing was checked or changed: {read_only.sentence}", read_only.fix)
        plan = await _plan(connection, row_security, trusted, presets)
        if plan.distrusted and not plan.problems and not only_sql and not yes and _is_interactive():
            owners = {relation.owner.name for relation in plan.distrusted if _asked_to_trust(relation, plan)}
            plan = await _plan(connection, row_security, {*trusted, *owners}, presets)
        for relation in plan.distrusted:
            raise UsageError(str(distrust(relation)))
        if only_sql:
            print(statements_of(plan, connection))
            return 0
        return await _initialise(connection, plan, out, yes=yes)


async def _plan(
    connection: Connection, row_security: bool, trusted: Collection[str], presets: Collection[str]
) -> InitPlan:
    async with connection.transaction():
        return await plan_init(connection, row_security=row_security, trusted=trusted, presets=presets)


def _is_interactive() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _asked_to_trust(relation: OwnedRelation, plan: InitPlan) -> bool:
    return confirm(
        f"{relation.qualified_name} belongs to {relation.owner.name}, whose triggers would run with the rights of "
        f"{plan.circumstances.role}. Trust {relation.owner.name}?"
    )


async def _initialise(connection: Connection, plan: InitPlan, out: Screen, *, yes: bool) -> int:
    _show(plan, out)
    if plan.is_empty:
        out.print("Everything is in place; nothing to do.")
        return 0
    if plan.problems:
        return _refuse("init changed nothing: fix what is named above, then run it again.")
    if plan.adopts and not yes:
        if not _is_interactive():
            raise UsageError(
                "existing tables would be changed as listed above: run 'notion-pg-sync init --yes' to do so."
            )
        if not confirm("Change these tables?"):
            out.print("Nothing was changed.")
            return 2
    for sentence in await carry_out(connection, plan):
        out.print(f"! {sentence}", markup=False)
    others = plan.for_others()
    if others:
        roles = ", ".join(sorted({relation.owner or "" for relation in others}))
        return _refuse(
            f"some tables belong to {roles}: let that role run what 'notion-pg-sync init --sql' prints, "
            "then run init again."
        )
    out.print("Done: this PostgreSQL is ready for notion-pg-sync.")
    return 0


def _show(plan: InitPlan, out: Screen) -> None:
    if not plan.upgrade.lack.is_empty and not plan.upgrade.owner:
        out.print(f"• bring back what was dropped: {some(plan.upgrade.lack.in_words)}")
    for step in plan.upgrade.migrations:
        out.print(f"• migration {step.name}")
    if plan.upgrade.repeatable:
        out.print("• functions, policies, triggers, grants and comments of notion_sync")
    for relation in plan.relations:
        if relation.creates:
            out.print(f"• create {relation.relation}")
        elif relation.every:
            is_others = relation.belongs_to not in (None, plan.circumstances.role)
            whose = f", which belongs to {relation.belongs_to}" if is_others else ""
            out.print(f"• change {relation.relation}{whose}:")
            for change in relation.every:
                out.print(f"    {change.says}")
    for warning in plan.warnings:
        out.print(f"! {warning}")
    for problem in plan.problems:
        out.print(f"✗ {problem}")


def _refuse(sentence: str) -> int:
    complain(sentence)
    return 1
