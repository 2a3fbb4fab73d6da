"""What `init` would do as SQL, for an owner to run, or for a migration tool of the application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from psycopg import sql

from notion_pg_sync import __version__
from notion_pg_sync.core.printable import printable
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.adoption import Change, Changes
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.initialise import InitPlan, statements_of_upgrade
from notion_pg_sync.mirror.locks import LOCK_TIMEOUT
from notion_pg_sync.mirror.long_changes import AT_ONCE, removal
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.typed_sql import harmless

NOTHING = "Everything is in place; nothing to do."

# How long a table is locked by the form for one transaction, as measured (bench/adoption.py).
_SECONDS_PER_100_000_ROWS = "10 to 35"

# Settings that the transaction of a migration tool has for what comes after ours.
_KEPT = ("search_path", "lock_timeout")


def statements_of(plan: InitPlan, connection: Connection) -> str:
    """The plan as SQL for psql: several transactions, and statements that can be in none.

    Where something stands in the way, nothing but comments, which say what.
    """
    head = [
        f"notion-pg-sync {__version__}: what 'notion-pg-sync init' would change. Let psql run it, "
        "with -v ON_ERROR_STOP=1: some of it cannot be in a transaction. If it is cut off, print it again.",
        *_said(plan),
    ]
    if plan.problems_for_anybody or plan.is_empty:
        return _comments(head)
    parts = [_comments(head)]
    if not plan.upgrade.is_empty:
        upgrade = statements_of_upgrade(plan.upgrade).as_string(connection)
        parts.append(f"-- {_whose('notion_sync', plan.upgrade.owner)}\nBEGIN;\n{upgrade}\nCOMMIT;\n")
    for relation in plan.relations:
        if relation.every:
            parts.append(f"-- {_whose(relation.relation, relation.owner)}")
            parts += [f"{part}\n" for part in _parts_of(relation, connection)]
    return "\n".join(parts)


def statements_for_migration(plan: InitPlan, connection: Connection) -> str:
    """The plan as SQL for one transaction, which a migration tool begins and ends.

    It is also for databases with other rows than this one. Where something stands in the way, nothing but comments,
    which say what.
    """
    head = [
        f"notion-pg-sync {__version__}: what 'notion-pg-sync init' would change, for one transaction, which the "
        "migration tool begins and ends.",
        *_said(plan),
    ]
    if plan.problems_for_anybody or plan.is_empty:
        return _comments(head)
    head.append(
        f"Its policies are for the role {plan.circumstances.role}, which printed it: print it as the role that runs "
        "'notion-pg-sync sync-all'."
    )
    for relation in plan.relations:
        if relation.adopts and relation.every and relation.in_rows:
            head.append(
                f"Until the transaction ends, nobody else reads or writes {relation.relation}: about "
                f"{_SECONDS_PER_100_000_ROWS} seconds for each 100,000 rows "
                f"({plural(relation.in_rows.rows, 'row')} in the database that this was printed for)."
            )
    parts = [_comments(head), _keeping_settings(connection)]
    if not plan.upgrade.is_empty:
        parts.append("-- notion_sync")
        parts.append(f"{statements_of_upgrade(plan.upgrade).as_string(connection)}\n")
    parts.append(_restored("search_path", connection))
    for relation in plan.relations:
        changes = list(_in_one_transaction(relation))
        if changes:
            lines = [f"-- {_whose(relation.relation, relation.owner)}", f"{AT_ONCE};"]
            parts.append("\n".join([*lines, *(_line(change, connection) for change in changes)]) + "\n")
    parts.append(_restored("lock_timeout", connection))
    return "\n".join(parts)


def _said(plan: InitPlan) -> Iterator[str]:
    """What a person should know before, as `init` says it."""
    if plan.is_empty:
        yield NOTHING
    yield from (f"! {warning}" for warning in plan.warnings)
    yield from (f"✗ {problem}" for problem in plan.problems_for_anybody)
    if plan.problems_for_anybody:
        yield "Nothing is to be changed before what is marked with ✗ is fixed: then print this again."


def _comments(lines: Iterable[str]) -> str:
    # A line end in a name must not end the comment.
    return "".join(f"-- {printable(line)}\n" for line in lines)


def _whose(name: str, owner: str | None) -> str:
    return printable(f"{name}, which belongs to {owner}: run this as {owner}" if owner else name)


def _parts_of(relation: Changes, connection: Connection) -> Iterator[str]:
    """The changes to one relation: each part a transaction, or one statement that is in none."""
    rows = relation.in_rows
    if relation.changes:
        yield _transaction(relation.changes, connection)
    if rows and rows.duplicates:
        yield _transaction(removal(rows), connection)
    for change in relation.key.changes(concurrently=True) if relation.key else []:
        yield _line(change, connection)
    if relation.narrow_keys:
        yield _transaction(relation.narrow_keys, connection)
    if rows and rows.to_fill:
        yield _line(rows.fills_in_batches, connection)
    for index in relation.indexes:
        yield from (_line(change, connection) for change in index.changes(concurrently=True))


def _in_one_transaction(relation: Changes) -> Iterator[Change]:
    """The same for one transaction; what hangs on rows comes with the triggers, whatever rows there are here."""
    rows = relation.in_rows
    yield from relation.changes
    if rows and (rows.duplicates or (relation.key and rows.may_remove)):
        yield from removal(rows)
    if relation.key:
        yield from relation.key.changes(concurrently=False)
    yield from relation.narrow_keys
    if rows and (rows.to_fill or relation.changes):
        yield rows.fills_at_once
    for index in relation.indexes:
        yield from index.changes(concurrently=False)


def _transaction(changes: Iterable[Change], connection: Connection) -> str:
    lines = ["-- together", "BEGIN;", f"{AT_ONCE};"]
    return "\n".join([*lines, *(_line(change, connection) for change in changes), "COMMIT;"])


def _line(change: Change, connection: Connection) -> str:
    return f"-- {printable(change.says)}\n{harmless(change.statement.as_string(connection))};"


def _keeping_settings(connection: Connection) -> str:
    """What remembers the transaction's own settings, limits how long a lock is waited for, and wants a transaction."""
    kept = sql.SQL(", ").join(
        qualified(
            "pg_catalog.set_config({kept}, pg_catalog.current_setting({name}), true)",
            kept=sql.Literal(f"notion_sync.kept_{name}"),
            name=sql.Literal(name),
        )
        for name in _KEPT
    )
    check = qualified(
        """DO $$
BEGIN
    IF coalesce(pg_catalog.current_setting('notion_sync.kept_lock_timeout', true), '') {=} '' THEN
        RAISE EXCEPTION 'this has to be run in one transaction: let the migration tool begin one';
    END IF;
END
$$"""
    )
    lines = [
        sql.SQL("SELECT {};").format(kept),
        sql.SQL("SET LOCAL lock_timeout = {};").format(LOCK_TIMEOUT),
        check + sql.SQL(";"),
    ]
    return "\n".join(line.as_string(connection) for line in lines) + "\n"


def _restored(name: str, connection: Connection) -> str:
    statement = qualified(
        "SELECT pg_catalog.set_config({name}, pg_catalog.current_setting({kept}), true);",
        kept=sql.Literal(f"notion_sync.kept_{name}"),
        name=sql.Literal(name),
    )
    return f"{statement.as_string(connection)}\n"
