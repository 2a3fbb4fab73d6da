"""Whether the roles that `grant-reader` made readers read what they should, and no more."""

from __future__ import annotations

from psycopg import sql

from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, broken, ok, warning
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED, SECTION
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.reader_rights import Reader, ReaderRole, why_no_reader, why_unguarded
from notion_pg_sync.mirror.readers import (
    Remembered,
    Rights,
    command_of,
    look_at_rights,
    look_at_role,
    readers_forgotten,
    remembered_readers,
    renamed_to,
    undoing_the_new_name,
)
from notion_pg_sync.mirror.tables import SETTINGS_TABLE
from notion_pg_sync.mirror.typed_sql import typed


async def _readers(examination: Examination) -> list[Finding]:
    async def look(connection: Connection) -> tuple[int, list[Finding]]:
        readers = await remembered_readers(connection)
        findings = [finding for one in readers for finding in await _look(connection, examination.schema, one)]
        return len(readers), findings + list(map(forgotten, await readers_forgotten(connection)))

    count, findings = await examination.ask(look)
    return findings or [ok("every reader reads what it should" if count else "no role is a reader (grant-reader)")]


async def _look(connection: Connection, schema: str, remembered: Remembered) -> list[Finding]:
    reader = remembered.reader
    role = await look_at_role(connection, reader.role, schema)
    if new_name := await renamed_to(connection, reader):
        seen = f"the role of the reader {reader.role} is called {new_name} now, and is given nothing new"
        return [warning(seen, undoing_the_new_name(reader.role, new_name, is_taken=role is not None))]
    if role is None:
        seen = f"the reader {reader.role} is remembered, and there is no such role any more"
        return [warning(seen, command_of(Reader(reader.role), "--revoke"))]
    if not remembered.counts:
        seen = (
            f"{reader.role} is another role now than the one that was made a reader, and is given nothing; if it is to "
            f"read, type {command_of(reader)!r}"
        )
        return [warning(seen, command_of(Reader(reader.role), "--revoke"))]
    settings = sql.Identifier(schema, SETTINGS_TABLE)
    return [*unlimited(reader, role, settings), *unlike(await look_at_rights(connection, reader))]


def unlimited(reader: Reader, role: ReaderRole, settings: sql.Identifier) -> list[Finding]:
    """What the role of a reader became since, which no policy limits."""
    why, fix = why_no_reader(reader, role, settings)
    needs = "" if fix else f"take that from it, or type {command_of(Reader(reader.role), '--revoke')!r}"
    return [broken(f"the reader {reader.role} {why}", fix, needs=needs)] if why else []


def unlike(rights: Rights) -> list[Finding]:
    """What a reader has that it should not have, or lacks."""
    role = rights.reader.role
    findings = []
    if shown := [one for one in rights.unguarded if one.can_read]:
        why, _, fix = why_unguarded(rights.reader, shown)
        findings.append(broken(f"{why}, so the reader {role} sees every user's rows there", _fix_of(rights) or fix))
    elif rights.unguarded:
        why, first, fix = why_unguarded(rights.reader, rights.unguarded)
        seen = f"{why}, so the reader {role} does not read there"
        findings.append(warning(seen, needs=f"{first}, then type {fix!r}") if first else warning(seen, fix))
    if not findings and (due := rights.lacking):
        places = some([one.on.in_words() for one in due])
        seen = f"the reader {role} has not the rights and policies that it should have on {places}"
        findings.append(warning(seen, _fix_of(rights)))
    return findings


def _fix_of(rights: Rights) -> str:
    """What the next run does too, where it may."""
    return typed(*(statement for due in rights.lacking for statement in due.statements))


def forgotten(role: str) -> Finding:
    """A role that was a reader of a user who is forgotten."""
    return warning(
        f"the role {role} was a reader, of a user who was forgotten: it reads nobody's rows",
        command_of(Reader(role), "--revoke"),
    )


READER_CHECKS = (Check("readers", SECTION, _readers, needs=(INITIALISED,)),)
