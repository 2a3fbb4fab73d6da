"""Readers' roles: what each has and lacks, and `grant-reader` remembered, so that what is made later is granted too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.accounts import TOKEN_COLUMNS
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.locks import LOCKED, in_attempts, limit_lock_waits
from notion_pg_sync.mirror.reader_rights import (
    LIMIT,
    OWNERS_SEARCH,
    READ_OF_OURS,
    READS,
    Granted,
    KeptPolicy,
    Kind,
    OwnersSearch,
    Place,
    Reader,
    ReaderRole,
    Relation,
    unguarded,
)
from notion_pg_sync.mirror.typed_sql import typed

# Any number, the same for every copy of the tool: of two that change what readers have, one waits.
_ADVISORY_LOCK = 7_263_548_195
_LOCK_ATTEMPTS = 4

Result = TypeVar("Result")

_READ_COLUMNS = [f"{table}.{column}" for table, columns in READ_OF_OURS.items() for column in columns]


class Remembered(Struct, frozen=True):
    """What is remembered of a reader, and the name that its role has now; None where that is gone."""

    reader: Reader
    role_now: str | None

    @property
    def counts(self) -> bool:
        """Whether the role of the reader's name is still the one that was made a reader."""
        return self.role_now == self.reader.role


class Due(Struct, frozen=True):
    """Something that is to change for a reader, and the statements that change it."""

    on: Granted
    statements: Sequence[sql.Composed]


class Rights(Struct, frozen=True):
    """What a reader has of all that matters, and what it is to have."""

    reader: Reader
    places: tuple[Place, ...]
    relations: tuple[Relation, ...]
    search: tuple[OwnersSearch, ...]

    @property
    def lacking(self) -> list[Due]:
        """What is not as it is to be, and what brings it there."""
        found = [Due(one, one.lacking(self.reader)) for one in self._all]
        return [due for due in found if due.statements]

    @property
    def withdrawal(self) -> list[Due]:
        """What the reader has, and what takes it."""
        found = [Due(one, one.withdrawal(self.reader)) for one in self._all]
        return [due for due in found if due.statements]

    @property
    def unguarded(self) -> list[Relation]:
        """The tables that would show the reader every user's rows."""
        return unguarded(self.reader, self.relations)

    @property
    def _all(self) -> Sequence[Granted]:
        return (*self.places, *self.relations, *self.search)


async def remembered_readers(connection: Connection) -> list[Remembered]:
    """The readers of all roles, by role; some of the roles may be gone, or have another name."""
    found = await connection.execute(
        """
        SELECT role, user_id, rolname::text FROM notion_sync.readers LEFT JOIN pg_roles ON pg_roles.oid = role_oid
        ORDER BY role
        """
    )
    return [Remembered(Reader(role, user_id), role_now) async for role, user_id, role_now in found]


async def readers_forgotten(connection: Connection) -> list[str]:
    """The roles that are limited as readers of one user are, and that nothing is remembered of."""
    found = await connection.execute(
        """
        SELECT DISTINCT rolname::text COLLATE "C" FROM pg_policy JOIN pg_roles ON pg_roles.oid = ANY (polroles)
        WHERE starts_with(polname, %s) AND NOT polpermissive
          AND rolname NOT IN (SELECT role FROM notion_sync.readers)
        ORDER BY 1
        """,
        (LIMIT,),
    )
    roles = [role async for (role,) in found]
    renamed = {await renamed_to(connection, one.reader) for one in await remembered_readers(connection)}
    return [role for role in roles if role not in renamed]


async def renamed_to(connection: Connection, reader: Reader) -> str | None:
    """The name that a reader's role has by now, if it has another: its policies bind it under that one too."""
    found = await connection.execute(
        """
        SELECT rolname::text FROM pg_policy JOIN pg_roles ON pg_roles.oid = ANY (polroles)
        WHERE polname = ANY (%s) AND rolname::text <> %s LIMIT 1
        """,
        (list(reader.policy_names), reader.role),
    )
    row = await found.fetchone()
    return row[0] if row else None


def undoing_the_new_name(role: str, new_name: str, *, is_taken: bool) -> str:
    """What to type where a reader's role has another name: to give it its own, or, where that is taken, to end it."""
    if is_taken:
        return command_of(Reader(new_name), "--revoke")
    return typed(sql.SQL("ALTER ROLE {} RENAME TO {}").format(sql.Identifier(new_name), sql.Identifier(role)))


def remembering(reader: Reader) -> sql.Composed:
    """The statement that remembers a reader, in the place of what was remembered of its role."""
    return sql.SQL(
        "INSERT INTO notion_sync.readers (role, role_oid, user_id) VALUES ({role}, {oid}, {user})"
        " ON CONFLICT (role) DO UPDATE SET role_oid = EXCLUDED.role_oid, user_id = EXCLUDED.user_id,"
        " since = pg_catalog.clock_timestamp()"
    ).format(role=reader.role, oid=_oid_of(reader.role), user=reader.user_id)


def forgetting_reader(role: str) -> sql.Composed:
    """The statement that forgets a reader, also under another name that its role had."""
    return sql.SQL(
        "DELETE FROM notion_sync.readers WHERE role OPERATOR(pg_catalog.=) {} OR role_oid OPERATOR(pg_catalog.=) {}"
    ).format(role, _oid_of(role))


def _oid_of(role: str) -> sql.Composed:
    return sql.SQL("(SELECT oid FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) {})").format(role)


def command_of(reader: Reader, *options: str) -> str:
    """What to type to make a role this reader."""
    user = ["--user", reader.user_id] if reader.user_id is not None else []
    return shell_command("notion-pg-sync", "grant-reader", reader.role, *user, *options)


async def look_at_role(connection: Connection, role: str, settings_schema: str) -> ReaderRole | None:
    """What the server knows of a role; None where there is none of this name."""
    found = await connection.execute(
        r"""
        SELECT ARRAY(SELECT attribute FROM (VALUES ('SUPERUSER', rolsuper), ('BYPASSRLS', rolbypassrls),
                                                   ('CREATEROLE', rolcreaterole), ('REPLICATION', rolreplication))
                     AS _ (attribute, has) WHERE has),
               ARRAY(SELECT format('the schema %%s', nspname) FROM pg_namespace
                     WHERE nspname IN ('notion', 'notion_sync') AND nspowner = reader.oid
                     UNION ALL
                     SELECT nspname || '.' || relname
                     FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                     WHERE relowner = reader.oid AND relkind IN ('r', 'p', 'v')
                       AND (nspname IN ('notion', 'notion_sync')
                            OR nspname = %(schema)s AND relname ~ '^(notion_.*_sync|user_settings)$')),
               ARRAY(SELECT rolname::text FROM pg_auth_members JOIN pg_roles AS other ON other.oid = roleid
                     WHERE member = reader.oid ORDER BY 1),
               ARRAY(SELECT DISTINCT coalesce(holder.rolname::text, 'PUBLIC')
                     FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
                     CROSS JOIN LATERAL (SELECT * FROM aclexplode(relacl) UNION SELECT * FROM aclexplode(attacl)
                                         UNION SELECT 0, 'pg_read_all_data'::regrole, 'SELECT', false) AS granted
                     LEFT JOIN pg_roles AS holder ON holder.oid = grantee
                     WHERE relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND relname = 'user_settings'
                       AND attname = ANY (%(tokens)s) AND NOT attisdropped AND privilege_type = 'SELECT'
                       AND CASE grantee WHEN 0 THEN true ELSE pg_has_role(reader.oid, grantee, 'MEMBER') END
                     ORDER BY 1),
               EXISTS (SELECT FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
                       WHERE pg_proc.oid = to_regprocedure(%(search)s) AND grantee = 0)
        FROM pg_roles AS reader WHERE rolname::text = %(role)s
        """,
        {"role": role, "schema": settings_schema, "tokens": list(TOKEN_COLUMNS), "search": OWNERS_SEARCH},
    )
    row = await found.fetchone()
    if row is None:
        return None
    attributes, owns, member_of, reads_tokens_as, everybody_searches = row
    return ReaderRole(tuple(attributes), tuple(owns), tuple(member_of), tuple(reads_tokens_as), everybody_searches)


async def look_at_rights(connection: Connection, reader: Reader) -> Rights:
    """What the reader has; of a role that does not exist, nothing."""
    relations = await _relations(connection, reader)
    schemas = {"notion", "notion_sync", *(one.schema for one in relations if one.is_shown)}
    return Rights(
        reader, await _places(connection, reader, schemas), relations, await _owners_search(connection, reader)
    )


async def _relations(connection: Connection, reader: Reader) -> tuple[Relation, ...]:
    found = await connection.execute(
        r"""
        SELECT pg_get_userbyid(relowner), pg_has_role(relowner, 'USAGE'), nspname, relname, kind,
               EXISTS (SELECT FROM pg_attribute
                       WHERE attrelid = pg_class.oid AND attname = 'user_id' AND NOT attisdropped),
               CASE relkind WHEN 'v' THEN coalesce('security_invoker=true' = ANY (reloptions), false)
                            ELSE relrowsecurity END,
               coalesce(has_table_privilege(reader.oid, pg_class.oid, 'SELECT')
                        OR nspname = 'notion_sync' AND (
                            SELECT bool_and(has_column_privilege(reader.oid, attrelid, attnum, 'SELECT'))
                            FROM pg_attribute
                            WHERE attrelid = pg_class.oid AND relname || '.' || attname = ANY (%(columns)s)), false),
               is_granted, names, kept, 'notion_sync.readers'::regclass::oid::bigint
        FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        LEFT JOIN pg_roles AS reader ON rolname::text = %(role)s
        CROSS JOIN LATERAL (
            SELECT coalesce(array_agg(polname::text ORDER BY polname), '{}') AS names,
                   array_agg(ARRAY[polpermissive::text, (polcmd = 'r' AND polroles = ARRAY[reader.oid])::text,
                                   pg_get_expr(polqual, polrelid)] ORDER BY polname) AS kept
            FROM pg_policy
            WHERE polrelid = pg_class.oid
              AND (polname = ANY (%(policies)s)
                   OR polroles = ARRAY[reader.oid]
                      AND (starts_with(polname, %(reads)s) OR starts_with(polname, %(limit)s)))
        ) AS policies
        CROSS JOIN LATERAL (
            SELECT EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = reader.oid)
                   OR EXISTS (SELECT FROM pg_attribute, aclexplode(attacl)
                              WHERE attrelid = pg_class.oid AND grantee = reader.oid) AS is_granted
        ) AS grants
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN nspname = 'notion_sync' AND relkind IN ('r', 'p') AND NOT relispartition THEN 'bookkeeping'
                WHEN nspname = 'notion' AND relkind = 'v' AND relname IN (SELECT view_name FROM notion_sync.views)
                     OR pg_class.oid = to_regclass('notion_sync.field_changes') AND relkind = 'v'
                    THEN 'view'
                WHEN nspname <> 'notion_sync' AND relkind IN ('r', 'p')
                     AND (SELECT relname FROM pg_class AS root
                          WHERE root.oid = coalesce(pg_partition_root(pg_class.oid), pg_class.oid))
                         LIKE 'notion\_%%\_sync'
                     AND notion_sync.is_trusted(relowner)
                     AND 2 = (SELECT count(*) FROM pg_attribute
                              WHERE attrelid = pg_class.oid AND attname IN ('user_id', 'notion_data_source_id')
                                AND NOT attisdropped)
                    THEN CASE WHEN relispartition THEN 'partition of a sync table' ELSE 'sync table' END
                WHEN (names <> '{}' OR is_granted AND nspname = 'notion' AND relkind = 'v')
                     AND notion_sync.is_trusted(relowner)
                    THEN 'left'
            END AS kind
        ) AS kinds
        WHERE kind IS NOT NULL
        ORDER BY nspname, relname
        """,
        {
            "role": reader.role,
            "columns": _READ_COLUMNS,
            "policies": list(reader.policy_names),
            "reads": READS,
            "limit": LIMIT,
        },
    )
    return tuple(
        [
            Relation(owner, owned, schema, name, Kind(kind), *(*row, _kept(names, kept or []), here))
            async for owner, owned, schema, name, kind, *row, names, kept, here in found
        ]
    )


def _kept(names: Sequence[str], policies: Sequence[Sequence[str]]) -> dict[str, KeptPolicy]:
    return {
        name: KeptPolicy(permissive == "true", as_made == "true", using)
        for name, (permissive, as_made, using) in zip(names, policies, strict=True)
    }


async def _places(connection: Connection, reader: Reader, schemas: set[str]) -> tuple[Place, ...]:
    found = await connection.execute(
        """
        SELECT pg_get_userbyid(datdba), pg_has_role(datdba, 'USAGE'), 'DATABASE', datname::text, 'CONNECT',
               coalesce(has_database_privilege(reader.oid, pg_database.oid, 'CONNECT'), false),
               EXISTS (SELECT FROM aclexplode(datacl) WHERE grantee = reader.oid AND privilege_type = 'CONNECT')
        FROM pg_database LEFT JOIN pg_roles AS reader ON rolname::text = %(role)s
        WHERE datname = current_database()
        UNION ALL
        SELECT pg_get_userbyid(nspowner), pg_has_role(nspowner, 'USAGE'), 'SCHEMA', nspname::text, 'USAGE',
               coalesce(has_schema_privilege(reader.oid, pg_namespace.oid, 'USAGE'), false),
               EXISTS (SELECT FROM aclexplode(nspacl) WHERE grantee = reader.oid AND privilege_type = 'USAGE')
        FROM pg_namespace LEFT JOIN pg_roles AS reader ON rolname::text = %(role)s
        WHERE nspname = ANY (%(schemas)s)
        ORDER BY 3, 4
        """,
        {"role": reader.role, "schemas": sorted(schemas)},
    )
    return tuple([Place(*row) async for row in found])


async def _owners_search(connection: Connection, reader: Reader) -> tuple[OwnersSearch, ...]:
    found = await connection.execute(
        """
        SELECT pg_get_userbyid(proowner), pg_has_role(proowner, 'USAGE'),
               EXISTS (SELECT FROM aclexplode(proacl) JOIN pg_roles ON oid = grantee WHERE rolname::text = %s)
        FROM pg_proc WHERE oid = to_regprocedure(%s)
        """,
        (reader.role, OWNERS_SEARCH),
    )
    return tuple([OwnersSearch(*row) async for row in found])


async def refresh_readers(connection: Connection) -> list[str]:
    """Gives every reader what was made since, and says, a sentence each, what this role may not give.

    One query where there is no reader. Raises what psycopg raises; a table that is locked is no error but a sentence.
    """
    if not any(rights.lacking for rights in await _rights_of(connection)):
        return []

    async def give() -> list[str]:
        return [said for rights in await _rights_of(connection) for said in await _give(connection, rights)]

    try:
        return await one_at_a_time(connection, give)
    except LOCKED as error:
        why = error.diag.message_primary
        return [f"Readers could not be given what is new, since a table is in use ({why}); the next run does it."]


async def one_at_a_time(connection: Connection, work: Callable[[], Awaitable[Result]]) -> Result:
    """What `work` gives, done in one transaction in which nobody else changes what readers have.

    It has to find out within what is to be done. Raises what psycopg raises, one of `LOCKED` for a table in use.
    """

    async def alone() -> Result:
        await limit_lock_waits(connection)
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
        return await work()

    return await in_attempts(connection, alone, attempts=_LOCK_ATTEMPTS)


async def _rights_of(connection: Connection) -> list[Rights]:
    """Of every reader whose role is still the one that was made a reader."""
    remembered = await remembered_readers(connection)
    return [await look_at_rights(connection, one.reader) for one in remembered if one.counts]


async def _give(connection: Connection, rights: Rights) -> list[str]:
    for due in rights.lacking:
        if due.on.owned:
            await carry_out(connection, due.statements)
    others = [due.on for due in rights.lacking if not due.on.owned]
    if not others:
        return []
    return [
        f"The reader {rights.reader.role} may not read {some([one.in_words() for one in others])} yet: let "
        f"{owners_of(others)} run {command_of(rights.reader)!r}."
    ]


async def carry_out(connection: Connection, statements: Sequence[sql.Composed]) -> None:
    """Runs the statements, one after the other."""
    for statement in statements:
        await connection.execute(statement)


def owners_of(changed: Sequence[Granted]) -> str:
    """Whose they are, in words."""
    return " and ".join(sorted({one.owner for one in changed}))
