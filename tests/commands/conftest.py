"""A patient for `doctor`: an initialised database, roles of its own, and somebody who types what doctor says."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SampleWorkspace, SmallWorkspace, WorkspaceServer
from psycopg import sql
from psycopg.conninfo import make_conninfo

from notion_pg_sync.commands.doctor.checks.all_checks import ALL_CHECKS
from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, Verdict
from notion_pg_sync.commands.doctor.checks.examine import Examined, examine
from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from notion_pg_sync.settings import Settings, read_settings
from tests.installation import Installation

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
            names.update(needed.name for needed in check.needs)
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

    async def init(
        self, *, row_security: bool = False, trusted: Sequence[str] = (), presets: Sequence[str] = ()
    ) -> None:
        async with open_pool(self.url) as pool, pool.connection() as connection:
            plan = await plan_init(connection, row_security=row_security, trusted=trusted, presets=presets)
            await carry_out(connection, plan)

    async def type(self, fix: str) -> None:
        """Types what doctor said: `notion-pg-sync init`, or SQL as the owner of everything."""
        assert fix
        if not fix.endswith(";") and "\n" in fix:
            for line in fix.splitlines():
                await self.type(line)
        elif fix.startswith("notion-pg-sync init"):
            words = shlex.split(fix)
            trusted = words[words.index("--trust") + 1 :] if "--trust" in words else []
            presets = words[words.index("--preset") + 1 :] if "--preset" in words else []
            await self.init(row_security="--row-security" in words, trusted=trusted, presets=presets)
        else:
            self.execute(fix)

    async def assert_mended(self, check: str, role: str | None = None) -> None:
        """What doctor says of `check` fixes it, however often one has to ask."""
        for _ in range(3):
            for fix in {finding.fix: None for finding in await self.found(check, role) if finding.fix}:
                await self.type(fix)
        assert {finding.verdict for finding in await self.found(check, role)} == {Verdict.OK}


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
    """A database as `init` makes it, with the tables of the preset."""
    asyncio.run(bare_patient.init(presets=["story-app"]))
    return bare_patient


@pytest.fixture
def adopted(bare_patient: Patient, app_schema: str) -> Patient:
    """A database that an application made, adopted by `init`."""
    bare_patient.execute(app_schema)
    asyncio.run(bare_patient.init())
    return bare_patient


def told(findings: list[Finding], words: str) -> Finding:
    """The one finding that says `words`."""
    (one,) = [finding for finding in findings if words in finding.message]
    return one


def only(findings: list[Finding]) -> Finding:
    """The one finding that there is."""
    (one,) = findings
    return one


@dataclass
class Mirrored:
    """A patient whose users' Notion is the sample workspace."""

    patient: Patient
    small: SmallWorkspace
    url: str

    @property
    def workspace(self) -> SampleWorkspace:
        return self.small.workspace

    def connect(self, user_id: str, label: str, *databases: str, **ids: str) -> None:
        """Connects a user with the token of this label; databases by name, or with ids of their own."""
        wanted = {**{name: self.small.databases[name] for name in databases}, **ids}
        self.patient.execute(
            "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
            user_id,
            self.small.tokens.get(label, label),
            json.dumps(wanted or {"*": "*"}),
        )

    def execute(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        return self.patient.execute(statement, *parameters)

    async def found(self, check: str, user_id: str | None = None, **environment: str) -> list[Finding]:
        """What a check finds; whatever it finds, it shows no token."""
        environment = {"NOTION_BASE_URL": self.url, **environment}
        # A token that is refused must not keep the others from being used, so this is no need of the last check.
        wanted = {"tokens accepted", check} if check == "databases shared" else {check}
        examined = await examined_by(wanted, self.patient.url, user_id, **environment)
        findings = [finding for one in examined if one.check.name == check for finding in one.findings]
        assert not any(token in f"{findings}" for token in self.small.tokens.values())
        return findings

    async def one(self, check: str) -> Finding:
        """The one finding of a check."""
        return only(await self.found(check))

    @property
    def installation(self) -> Installation:
        return Installation(Settings(database_url=self.patient.url, notion_base_url=self.url), self.workspace)

    async def sync(self) -> None:
        await self.installation.sync_all()

    async def type(self, fix: str) -> None:
        """Types what doctor said: a sync, in this process, or what a patient's own people type."""
        if not fix.endswith(";") and "\n" in fix:
            for line in fix.splitlines():
                await self.type(line)
            return
        words = shlex.split(fix, comments=True)
        match words[:2]:
            case ["notion-pg-sync", "sync"]:
                await self.installation.sync_one(words[2], words[3], full="--full" in words)
            case ["notion-pg-sync", "sync-all"]:
                await self.installation.sync_all(words[3] if "--user" in words else None)
            case _:
                await self.patient.type(fix)


@pytest.fixture
def mirrored(patient: Patient, small: SmallWorkspace) -> Iterator[Mirrored]:
    with WorkspaceServer(small.workspace) as server:
        yield Mirrored(patient, small, server.url)
