"""Typed views in the schema `notion`: one a database name, one column a property, replaced where that is possible.

And beside it views of the properties that hold several values, and of bodies, made and dropped together with it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import cast

from msgspec import Struct
from msgspec.structs import replace
from psycopg import errors, sql

from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror import view_catalog as catalog
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.locks import LOCKED, in_attempts, limit_lock_waits
from notion_pg_sync.mirror.readers import refresh_readers
from notion_pg_sync.mirror.side_views import side_view_name, side_views
from notion_pg_sync.mirror.view_catalog import Existing
from notion_pg_sync.mirror.view_columns import Arrangement, Typed, arrange, columns_of_all
from notion_pg_sync.mirror.view_definition import SCHEMA, View, ViewSource

log = logging.getLogger(__name__)

# Any number, the same for every copy of the tool: of two that make views, one waits.
_ADVISORY_LOCK = 7_263_548_191
_LOCK_ATTEMPTS = 4
# The last: something came to depend on a view that was about to be dropped.
_PASSING = (*LOCKED, errors.DependentObjectsStillExist)
# The role may not, there is something else with the view's name, a type for example, or a table lacks what views read.
_LASTING_ERRORS = (
    errors.InsufficientPrivilege,
    errors.DuplicateObject,
    errors.DuplicateTable,
    errors.UndefinedColumn,
)


# Whose it is decides.
_DEPENDED_ON = "-- drop what depends on the view, sync the database, and make it again"


class _Task(Struct, frozen=True):
    """What is to be done about one view: it is to be as `view` says, or to go where that is None.

    `fingerprint` is what the bookkeeping has of it once that is done. `lasting` is so until somebody does something:
    said by every refresh, with the SQL to type in `remedy`, where there is some.
    """

    name: str
    view: View | None
    existing: Existing | None
    is_due: bool
    says: tuple[str, ...] = ()
    fingerprint: str = ""
    lasting: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def waits_for_order(self) -> bool:
        """Whether its columns are to be in another order, once nothing depends on it."""
        return self.existing is not None and self.existing.waits_for_order

    @property
    def replaces(self) -> bool:
        """Whether there is a view of ours that stays, as it is or another."""
        return self.existing is not None and self.existing.is_ours and bool(self.view or self.existing.dependents)


async def refresh_views(
    connection: Connection, names: Collection[str] | None = None, *, only_present: bool = False
) -> list[str]:
    """Brings the views of the databases with these `names` (None: all) up to date, in one transaction.

    Views that no user is behind any more are dropped, whatever `names`. With `only_present` views are replaced and none
    is made or dropped, for a role that is not to own one. Four queries and nothing else where all is as it should be.
    The connection is best not in a transaction: locks are held until its end. Returns what a person should know, a
    sentence each. Raises what psycopg raises; a view that is locked, or that the role may not change, is no error but a
    sentence, and the next refresh tries again. Readers (readers.py) are then given what is new.
    """
    said = await _refresh(connection, names, only_present=only_present)
    return [*said, *await refresh_readers(connection)]


async def _refresh(connection: Connection, names: Collection[str] | None, *, only_present: bool) -> list[str]:
    async with connection.transaction():
        tasks = await _tasks(connection, names, only_present=only_present)
    if not any(task.is_due for task in tasks):
        return [sentence for task in tasks for sentence in (*task.says, *task.lasting)]

    async def refresh() -> list[str]:
        nonlocal tasks
        await limit_lock_waits(connection)
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
        # Looked at again: another refresh may have been there first.
        if not only_present:
            await _rename(connection)
        tasks = await _tasks(connection, names, only_present=only_present)
        return [line for task in tasks for line in await _carry_out(connection, task)]

    try:
        return await in_attempts(connection, refresh, attempts=_LOCK_ATTEMPTS, passing=_PASSING)
    except _PASSING as error:
        names_of_due = ", ".join(f"{SCHEMA}.{task.name}" for task in tasks if task.is_due)
        return [f"The view {names_of_due} is in use ({_reason(error)}); the next run brings it up to date."]


async def _rename(connection: Connection) -> None:
    """Renames the views whose databases have another name now: their grants and what depends on them stay."""
    for old, new in await catalog.renamed_views(connection):
        beside = await catalog.side_views_of(connection, old)
        names = {old: new, **{name: side_view_name(new, column) for name, column in beside}}
        there = await catalog.find_existing(connection, [*names, *names.values()])
        if any(name in there and there[name].oid for name in names.values()):
            continue
        try:
            async with connection.transaction():
                for name, new_name in names.items():
                    if name in there and there[name].is_ours:
                        await catalog.rename(connection, name, new_name, None if name == old else new)
        except _LASTING_ERRORS as error:
            log.info("the view %s could not be renamed to %s: %s", old, new, _reason(error))


class PendingView(Struct, frozen=True):
    """A view that is not as it should be, or of which there is something to say.

    `sources` are whose rows it is to show; none where it is to go. `remedy` is SQL to type before, where that helps.
    """

    name: str
    seen: str
    sources: tuple[ViewSource, ...]
    remedy: str = ""


async def pending_views(connection: Connection) -> list[PendingView]:
    """What a refresh of all views would do or say now; changes nothing."""
    pending = []
    for task in await _tasks(connection, None):
        sources = task.view.sources if task.view else ()
        if task.is_due:
            pending.append(PendingView(task.name, _pending(task), sources))
        pending += [PendingView(task.name, said, sources, task.remedy) for said in (*task.says, *task.lasting)]
    return pending


def _pending(task: _Task) -> str:
    name = f"the view {SCHEMA}.{task.name}"
    if task.view is None:
        return f"{name} shows nobody's rows any more"
    if task.existing is None or task.existing.oid is None:
        return f"{name} is missing"
    if not task.existing.is_invoker:
        return f"{name} shows rows by its owner's rights"
    return f"{name} is not as its databases are"


async def _tasks(connection: Connection, names: Collection[str] | None, *, only_present: bool = False) -> list[_Task]:
    sources = await catalog.find_sources(connection, names)
    columns = await catalog.find_columns(connection, list(sources)) if sources else {}
    wanted: dict[str, View] = {}
    for name, of_view in sources.items():
        wanted[name] = View(name, tuple(columns_of_all(columns[name])), tuple(of_view))
        wanted.update({view.name: view for view in side_views(name, of_view)})
    existing = await catalog.find_existing(connection, list(wanted))
    strange = [name for name in wanted if name not in existing or not (existing[name].oid and existing[name].is_ours)]
    in_the_way = await catalog.in_the_way(connection, strange) if strange else {}
    tasks = [
        *(
            _left_alone(view, in_the_way[name]) if name in in_the_way else _task_for(view, existing.get(name))
            for name, view in wanted.items()
        ),
        *(_task_without_users(name, existing[name]) for name in sorted(existing.keys() - wanted.keys())),
    ]
    return [task for task in tasks if task.replaces] if only_present else tasks


def _left_alone(wanted: View, remedy: str) -> _Task:
    """Something of somebody else's has the view's name."""
    says = (
        f"{SCHEMA}.{wanted.name} is not a view of notion-pg-sync; it is left alone, and no view is created: give it "
        f"another name, {remedy}"
    )
    return _Task(wanted.name, wanted, None, is_due=False, lasting=(says,), remedy=remedy)


def _task_for(wanted: View, existing: Existing | None) -> _Task:
    """What makes `wanted` of what there is."""
    if existing is None or existing.oid is None:
        return _task(wanted, arrange(wanted.columns), None)
    if existing.can_be_reordered:
        return _task(wanted, arrange(wanted.columns), existing)
    arrangement = arrange(wanted.columns, existing.columns)
    if arrangement.misfits and existing.dependents:
        return _task(wanted, arrange(wanted.columns, existing.columns, keep=True), existing)
    return _task(wanted, arrangement, existing)


def _task(wanted: View, arrangement: Arrangement, existing: Existing | None) -> _Task:
    view = replace(wanted, columns=arrangement.columns)
    kept = arrangement.misfits if existing and existing.dependents else ()
    fingerprint = " ".join([view.fingerprint, *kept])
    lasting = _stay_as_they_were(view, existing, kept) if existing and (kept or existing.waits_for_order) else ()
    is_in_place = existing is not None and existing.is_invoker and existing.is_as_made and not existing.can_be_reordered
    if existing and is_in_place and existing.fingerprint == fingerprint and _typed(view) == existing.columns:
        return _Task(view.name, view, existing, is_due=False, lasting=lasting, remedy=_DEPENDED_ON if lasting else "")
    says = []
    if arrangement.left_out:
        says.append(
            f"The view {SCHEMA}.{view.name} has no room for {len(arrangement.left_out)} more columns: "
            f"{some(arrangement.left_out)}."
        )
    return _Task(view.name, view, existing, is_due=True, says=tuple(says), fingerprint=fingerprint, lasting=lasting)


def _stay_as_they_were(view: View, existing: Existing, kept: Sequence[str]) -> tuple[str, ...]:
    """What is said of the columns that stay for what depends on the view, as they were or where they were."""
    stay = f"its columns {some(kept)} stay as they were" if kept else "its columns stay in their order"
    return (
        f"{', '.join(existing.dependents)} depends on the view {SCHEMA}.{view.name}, so {stay}; once nothing "
        "depends on it, the next run makes them as they should be.",
    )


def _task_without_users(name: str, existing: Existing) -> _Task:
    """A view of ours that shows nobody's rows any more goes; where something depends on it, it stays, empty."""
    if existing.is_ours and existing.dependents:
        dependents = ", ".join(existing.dependents)
        says = f"{dependents} depends on the view {SCHEMA}.{name}, so it stays, although no user needs it."
        is_known = existing.fingerprint == catalog.LEFT_EMPTY
        return _Task(name, None, existing, is_due=not is_known, says=() if is_known else (says,))
    return _Task(name, None, existing, is_due=True)


async def _carry_out(connection: Connection, task: _Task) -> list[str]:
    """Does what is due for one view, and returns what there is to say of it."""
    if not task.is_due:
        return [*task.says, *task.lasting]
    try:
        async with connection.transaction():
            if task.view is None:
                await _remove(connection, task)
            else:
                await _make(connection, task.view, task.existing)
                await catalog.record(connection, task.view, task.fingerprint, reorder=task.waits_for_order)
    except _LASTING_ERRORS as error:
        return [f"The view {SCHEMA}.{task.name} could not be made: {_reason(error)}."]
    return [*task.says, *task.lasting]


async def _remove(connection: Connection, task: _Task) -> None:
    existing = task.existing
    if existing and existing.is_ours and existing.dependents:
        await _make(connection, View(task.name, arrange((), existing.columns, keep=True).columns, ()), existing)
        await catalog.record_left_empty(connection, task.name)
        return
    if existing and existing.is_ours:
        await connection.execute(sql.SQL("DROP VIEW {} RESTRICT").format(sql.Identifier(SCHEMA, task.name)))
    await catalog.forget(connection, task.name)


async def _make(connection: Connection, view: View, existing: Existing | None) -> None:
    if existing is None or existing.oid is None:
        await connection.execute(view.statement(replacing=False))
        await _comment(connection, view, {}, is_new=True)
        return
    said = await catalog.comments_of(connection, existing.oid)
    options = await catalog.options_of(connection, existing.oid)
    replaceable = _begins_with(view, existing)
    if replaceable:
        await connection.execute(view.statement(replacing=True))
    else:
        await _make_anew(connection, view, existing.oid)
    for name, value in options:
        statement = sql.SQL("ALTER VIEW {} SET ({} = {})")
        await connection.execute(statement.format(view.identifier, sql.Identifier(name), sql.Literal(value)))
    await _comment(connection, view, said, is_new=not replaceable)


def _typed(view: View) -> tuple[Typed, ...]:
    return tuple((column.name, column.type) for column in view.columns)


def _begins_with(view: View, existing: Existing) -> bool:
    """Whether PostgreSQL replaces the existing view: it may only get more columns, at its end."""
    return _typed(view)[: len(existing.columns)] == existing.columns


async def _make_anew(connection: Connection, view: View, oid: int) -> None:
    """Drops the view and makes it again, with its owner and exactly the rights that were given on it."""
    owner, grants = await catalog.owner_of(connection, oid), await catalog.grants_of(connection, oid)
    names = {None, *(column.name for column in view.columns)}
    await connection.execute(sql.SQL("DROP VIEW {} RESTRICT").format(view.identifier))
    await connection.execute(view.statement(replacing=False))
    made = cast(int, await fetch_value(connection, "SELECT %s::regclass::oid", view.identifier.as_string(connection)))
    # What a schema's default privileges grant may be more than there was.
    statements = [grant.taken_from(view) for grant in await catalog.grants_of(connection, made)]
    statements += [grant.given_on(view) for grant in grants if grant.column in names]
    if owner != await catalog.owner_of(connection, made):
        statements.append(sql.SQL("ALTER VIEW {} OWNER TO {}").format(view.identifier, sql.Identifier(owner)))
    for statement in statements:
        await connection.execute(statement)


async def _comment(connection: Connection, view: View, said: dict[str, str], *, is_new: bool) -> None:
    statements = catalog.comment_statements(view, said, is_new)
    if statements:
        await connection.execute(sql.SQL(";\n").join(statements))


def _reason(error: errors.Error) -> str:
    return error.diag.message_primary or type(error).__name__
