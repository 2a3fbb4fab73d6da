"""`init` as a person meets it: what it will change, a question, and what it did."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from functools import partial

from notion_pg_sync.commands.output.layout import print_message
from notion_pg_sync.commands.output.streams import complain, confirm, remark, say
from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.printable import printable, shell_command
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.mirror.connection import Connection, PostgresError, open_pool
from notion_pg_sync.mirror.initialise import InitPlan, carry_out, plan_init
from notion_pg_sync.mirror.presets import PRESETS
from notion_pg_sync.mirror.printed_plan import NOTHING, statements_for_migration, statements_of
from notion_pg_sync.mirror.read_only import why_read_only
from notion_pg_sync.mirror.trust import OwnedRelation, distrust
from notion_pg_sync.settings import Settings

# More migrations, such as a first init has, are one line.
_MOST_NAMED = 5


async def run_init(
    settings: Settings,
    *,
    yes: bool,
    only_sql: bool,
    no_transaction: bool,
    row_security: bool,
    trusted: Collection[str],
    presets: Collection[str],
    roles: Collection[str],
) -> int:
    """Plans, shows, asks where somebody's tables are to change, and carries out; returns the exit code.

    `only_sql`: it is printed for somebody else to run, with `no_transaction` for a migration tool. `trusted`: the roles
    whose tables may be used, beside those of the tool's own role. `presets`: those of which every table is made.
    `roles`: those of the application's tenants. A statement may take as long as it takes: an index on many rows does.
    Raises `UsageError` where nobody can be asked, and `PostgresError` where PostgreSQL only reads.
    """
    if no_transaction and not only_sql:
        raise UsageError("--no-transaction is a form of --sql: use both.")
    for preset in presets:
        if preset not in PRESETS:
            raise UsageError(f"there is no preset {preset!r}: choose {', '.join(PRESETS)}.")
    out = Screen()
    async with open_pool(settings.database_url or "", statement_seconds=0) as pool, pool.connection() as connection:
        if not only_sql and (read_only := await why_read_only(connection.cursor())):
            raise PostgresError(f"nothing was checked or changed: {read_only.sentence}", read_only.fix)
        ask = partial(_plan, connection, row_security=row_security, presets=presets, roles=roles)
        plan = await ask(trusted)
        if plan.distrusted and not plan.problems and not only_sql and not yes and _is_interactive():
            owners = {relation.owner.name for relation in plan.distrusted if _asked_to_trust(relation, plan)}
            plan = await ask({*trusted, *owners})
        for relation in plan.distrusted:
            raise UsageError(str(distrust(relation)))
        if only_sql:
            say(statements_for_migration(plan, connection) if no_transaction else statements_of(plan, connection))
            return _tell_person(plan)
        options = _as_typed(row_security=row_security, trusted=trusted, presets=presets, roles=roles)
        return await _initialise(connection, plan, out, options, yes=yes)


async def _plan(
    connection: Connection,
    trusted: Collection[str],
    *,
    row_security: bool,
    presets: Collection[str],
    roles: Collection[str],
) -> InitPlan:
    async with connection.transaction():
        return await plan_init(
            connection, row_security=row_security, trusted=trusted, presets=presets, tenant_roles=roles
        )


def _as_typed(
    *, row_security: bool, trusted: Collection[str], presets: Collection[str], roles: Collection[str]
) -> list[str]:
    """The options that a command to be typed next has to repeat, so that it does the same."""
    named = (("--trust", trusted), ("--preset", presets), ("--role", roles))
    return [
        *(["--row-security"] if row_security else []),
        *(word for option, names in named for name in names for word in (option, name)),
    ]


def _tell_person(plan: InitPlan) -> int:
    """Says to whoever prints the SQL what `init` would say, and returns the exit code."""
    for warning in plan.warnings:
        remark(f"! {printable(warning)}")
    for problem in plan.problems_for_anybody:
        remark(f"✗ {printable(problem)}")
    if plan.problems_for_anybody:
        return _refuse("there is no SQL to run: fix what is named above, then print it again.")
    return 0


def _is_interactive() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _asked_to_trust(relation: OwnedRelation, plan: InitPlan) -> bool:
    return confirm(
        f"{relation.qualified_name} belongs to {relation.owner.name}, whose triggers would run with the rights of "
        f"{plan.circumstances.role}. Trust {relation.owner.name}?"
    )


async def _initialise(connection: Connection, plan: InitPlan, out: Screen, options: Sequence[str], *, yes: bool) -> int:
    _show(plan, out)
    if plan.is_empty:
        print_message(out, NOTHING)
        return 0
    if plan.problems:
        return _refuse("init changed nothing: fix what is named above, then run it again.")
    if plan.adopts and not yes:
        if not _is_interactive():
            typed = shell_command("notion-pg-sync", "init", "--yes", *options)
            raise UsageError(f"existing tables would be changed as listed above: run '{typed}' to do so.")
        if not confirm("Change these tables?"):
            print_message(out, "Nothing was changed.")
            return 2
    for sentence in await carry_out(connection, plan):
        print_message(out, f"! {sentence}")
    others = plan.for_others()
    if others:
        roles = ", ".join(sorted({relation.owner or "" for relation in others}))
        return _refuse(
            f"some tables belong to {roles}: let that role run what "
            f"'{shell_command('notion-pg-sync', 'init', '--sql', *options)}' prints, then run init again."
        )
    print_message(out, "Done: this PostgreSQL is ready for notion-pg-sync.")
    return 0


def _show(plan: InitPlan, out: Screen) -> None:
    if not plan.upgrade.lack.is_empty and not plan.upgrade.owner:
        print_message(out, f"• bring back what was dropped: {some(plan.upgrade.lack.in_words)}")
    steps = plan.upgrade.migrations
    if len(steps) > _MOST_NAMED:
        print_message(out, f"• {plural(len(steps), 'migration')} of the schema notion_sync, to {steps[-1].name}")
    else:
        for step in steps:
            print_message(out, f"• migration {step.name}")
    if plan.upgrade.repeatable:
        print_message(out, "• functions, policies, triggers, grants and comments of notion_sync")
    for relation in plan.relations:
        if relation.creates:
            print_message(out, f"• create {relation.relation}")
        elif relation.every:
            is_others = relation.belongs_to not in (None, plan.circumstances.role)
            whose = f", which belongs to {relation.belongs_to}" if is_others else ""
            print_message(out, f"• change {relation.relation}{whose}:")
            for change in relation.every:
                print_message(out, f"    {change.says}")
    for warning in plan.warnings:
        print_message(out, f"! {warning}")
    for problem in plan.problems:
        print_message(out, f"✗ {problem}")


def _refuse(sentence: str) -> int:
    complain(sentence)
    return 1
