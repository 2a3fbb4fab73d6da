"""A patient for `doctor`: an initialised database, roles of its own, and somebody who types what doctor says."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from notion_pg_sync.report.checks.all_checks import ALL_CHECKS
from notion_pg_sync.report.checks.check import Check, Examination, Finding, Verdict
from notion_pg_sync.report.checks.examine import Examined, examine
from notion_pg_sync.settings import read_settings

# Of the checks, those that ask nobody but PostgreSQL, whoever is connected.
SECTIONS = ("PostgreSQL", "Older set-up")


async def findings_of(
    database_url: str, check: str | None = None, user_id: str | None = None, **environment: str
) -> list[Finding]:
    """What the checks of PostgreSQL find, or the one that is named, of whatever section; through a real pool."""
    wanted = [each.name for each in ALL_CHECKS if check == each.name or (check is None and each.section in SECTIONS)]
    examined = await examined_by(wanted, database_url, user_id, **environment)
    return [finding for one in examined if one.check.name in wanted for finding in one.findings]


async def examined_by(
    wanted: Collection[str], database_url: str, user_id: str | None = None, **environment: str
) -> list[Examined]:
    """These checks, and what they need, tried as doctor does."""
    async with AsyncExitStack() as resources:
        settings = read_settings({"DATABASE_URL": database_url, **environment})
        examination = Examination(settings, environment, resources, user_id=user_id)
        return [one async for one in examine(examination, needed_for(wanted))]


def needed_for(wanted: Collection[str]) -> list[Check]:
    """The checks of these names and what they need, in order."""
    names = set(wanted)
    for check in reversed(ALL_CHECKS):
        if check.name in names:
            names.update(check.needs)
    return [check for check in ALL_CHECKS if check.name in names]


@dataclass
class Patient:
    """A database with the tool's tables, and a way to make it ill and well."""

    url: str
    roles: list[str] = field(default_factory=list)

    def execute(self, statement: str | sql.Composed, *parameters: object) -> list[tuple[object, ...]]:
        """As the owner of everything."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            query = statement.encode() if isinstance(statement, str) else statement
            cursor = connection.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def new_role(self, name: str | None = None) -> str:
        """A role without any right that may log in."""
        role = name or f"test role {uuid4().hex}"
        self.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        self.roles.append(role)
        return role

    def give_bookkeeping_to(self, role: str) -> None:
        """Makes the role the owner of `notion_sync`, as if it had run `init`."""
        owner = sql.Identifier(role)
        self.execute(sql.SQL("ALTER SCHEMA notion_sync OWNER TO {}").format(owner))
        for (name,) in self.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'notion_sync'"):
            table = sql.Identifier("notion_sync", str(name))
            self.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(table, owner))

    def url_as(self, role: str) -> str:
        return make_conninfo(self.url, user=role)

    async def found(
        self, check: str | None = None, role: str | None = None, user_id: str | None = None, **environment: str
    ) -> list[Finding]:
        """What doctor finds, working as `role`, of all users or of one."""
        return await findings_of(self.url_as(role) if role else self.url, check, user_id, **environment)

    async def init(self, *, row_security: bool = False) -> None:
        async with open_pool(self.url) as pool, pool.connection() as connection:
            await carry_out(connection, await plan_init(connection, row_security=row_security))

    async def type(self, mend: str) -> None:
        """Types what doctor said: `notion-pg-sync init`, or SQL as the owner of everything."""
        assert mend
        if mend.startswith("notion-pg-sync init"):
            await self.init(row_security="--row-security" in mend)
        else:
            self.execute(mend)

    async def assert_mended(self, check: str, role: str | None = None) -> None:
        """What doctor says of `check` mends it, however often one has to ask."""
        for _ in range(3):
            for mend in {finding.mend: None for finding in await self.found(check, role) if finding.mend}:
                await self.type(mend)
        assert {finding.verdict for finding in await self.found(check, role)} == {Verdict.WELL}


@pytest.fixture
def bare_patient(database_url: str, administrator: psycopg.Connection) -> Iterator[Patient]:
    """An empty database. Tests that make roles of well-known names take turns, where they share a server."""
    patient = Patient(database_url)
    administrator.execute("SELECT pg_advisory_lock(20260311)")
    yield patient
    for role in patient.roles:
        patient.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(sql.Identifier(role)))
        patient.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        patient.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    administrator.execute("SELECT pg_advisory_unlock(20260311)")


@pytest.fixture
def patient(bare_patient: Patient) -> Patient:
    """A database as `init` makes it."""
    asyncio.run(bare_patient.init())
    return bare_patient


@pytest.fixture
def adopted(bare_patient: Patient, app_schema: str) -> Patient:
    """A database that an application made, adopted by `init`."""
    bare_patient.execute(app_schema)
    asyncio.run(bare_patient.init())
    return bare_patient


def told(findings: list[Finding], words: str) -> Finding:
    """The one finding that says `words`."""
    (one,) = [finding for finding in findings if words in finding.seen]
    return one
