"""`init` as a person meets it: what it will change, a question, and what it did."""

from __future__ import annotations

import sys

from notion_pg_sync.mirror.connection import Connection, open_pool, transaction
from notion_pg_sync.mirror.initialise import InitPlan, carry_out, plan_init, statements_of
from notion_pg_sync.report.output import complain, confirm
from notion_pg_sync.report.terminal import Screen
from notion_pg_sync.settings import Settings


async def run_init(settings: Settings, *, yes: bool, only_sql: bool, row_security: bool) -> int:
    """Plans, shows, asks where somebody's tables are to change, and carries out; returns the exit code."""
    out = Screen(soft_wrap=True)
    async with open_pool(settings.database_url or "") as pool, pool.connection() as connection:
        async with transaction(pool) as reading:
            plan = await plan_init(reading, row_security=row_security)
        if only_sql:
            print(statements_of(plan, connection))
            return 0
        return await _initialise(connection, plan, out, yes=yes)


async def _initialise(connection: Connection, plan: InitPlan, out: Screen, *, yes: bool) -> int:
    _show(plan, out)
    if plan.is_empty:
        out.print("Everything is in place; nothing to do.")
        return 0
    if plan.problems:
        return _refuse("init changed nothing: mend what is named above, then run it again.")
    if plan.adopts and not yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            _refuse("existing tables would be changed as listed above: run 'notion-pg-sync init --yes' to do so.")
            return 2
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
    for step in plan.upgrade.migrations:
        out.print(f"• migration {step.name}")
    if plan.upgrade.repeatable:
        out.print("• functions, policies, triggers, grants and comments of notion_sync")
    for relation in plan.relations:
        if relation.changes and not relation.adopts:
            out.print(f"• create {relation.relation}")
        elif relation.changes:
            out.print(f"• change {relation.relation}:")
            for change in relation.changes:
                out.print(f"    {change.says}")
    for warning in plan.warnings:
        out.print(f"! {warning}")
    for problem in plan.problems:
        out.print(f"✗ {problem}")


def _refuse(sentence: str) -> int:
    complain(sentence)
    return 1
