"""doctor and readers: what a role lacks, or sees too much of, is named, and what doctor says to type mends it."""

from __future__ import annotations

import asyncio
import shlex

import pytest
from psycopg import sql

from notion_pg_sync.commands.doctor.checks.check import Verdict
from notion_pg_sync.commands.grant_reader import run_grant_reader
from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.settings import Settings
from tests.commands.conftest import Patient, only

pytestmark = pytest.mark.slow


async def grant(patient: Patient, *words: str) -> None:
    """Types `grant-reader ROLE [--user U] [--revoke]`."""
    role, *options = words
    user_id = options[options.index("--user") + 1] if "--user" in options else None
    await run_grant_reader(Settings(database_url=patient.url), role, user_id, revoke="--revoke" in options)


@pytest.fixture
def reader(patient: Patient) -> str:
    """A reader of anna's rows."""
    patient.execute("INSERT INTO user_settings (user_id) VALUES ('anna')")
    role = patient.new_role()
    asyncio.run(grant(patient, role, "--user", "anna"))
    return role


async def mended(patient: Patient) -> bool:
    """Types what doctor says, and looks whether that was it."""
    fix = only(await patient.found("readers")).fix
    if fix.startswith("notion-pg-sync grant-reader"):
        await grant(patient, *shlex.split(fix)[2:])
    else:
        await patient.type(fix)
    return only(await patient.found("readers")).verdict is Verdict.OK


async def test_all_is_well_without_readers_and_with_one(patient: Patient) -> None:
    assert only(await patient.found("readers")).message == "no role is a reader (grant-reader)"
    await grant(patient, patient.new_role())
    assert only(await patient.found("readers")).message == "every reader reads what it should"


async def test_what_a_reader_lacks_is_named(patient: Patient, reader: str) -> None:
    patient.execute(sql.SQL("REVOKE SELECT ON notion_worlds_sync FROM {}").format(sql.Identifier(reader)))
    limit = sql.Identifier(f"limit of reader {reader}")
    patient.execute(sql.SQL("DROP POLICY {} ON notion_sync.users").format(limit))
    finding = only(await patient.found("readers"))
    assert finding.verdict is Verdict.WARNING
    assert finding.message == (
        f"the reader {reader} has not the rights and policies that it should have on notion_sync.users, "
        "public.notion_worlds_sync"
    )
    assert await mended(patient)


async def test_a_table_that_shows_it_everybodys_rows_is_broken(patient: Patient, reader: str) -> None:
    patient.execute("ALTER TABLE notion_worlds_sync DISABLE ROW LEVEL SECURITY")
    finding = only(await patient.found("readers"))
    assert finding.verdict is Verdict.BROKEN
    assert "row level security is off on public.notion_worlds_sync" in finding.message
    assert not await mended(patient)
    hidden = only(await patient.found("readers"))
    assert hidden.message == (
        f"row level security is off on public.notion_worlds_sync, so the reader {reader} does not read there"
    )
    assert hidden.needs.endswith("type 'notion-pg-sync init --row-security'")
    await patient.init(row_security=True)
    assert only(await patient.found("readers")).verdict is Verdict.OK


@pytest.mark.parametrize("became", ["BYPASSRLS", "SUPERUSER"])
async def test_a_role_that_nothing_limits_any_more_is_broken(patient: Patient, reader: str, became: str) -> None:
    patient.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(reader), sql.SQL(became)))
    found = await patient.found("readers")
    assert found[0].verdict is Verdict.BROKEN
    if found[0].fix:
        assert await mended(patient)
    else:
        assert f"grant-reader '{reader}' --revoke" in found[0].needs


async def test_a_role_that_is_gone_is_forgotten(patient: Patient, reader: str) -> None:
    patient.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(patient.roles.pop())))
    assert only(await patient.found("readers")).message.endswith("there is no such role any more")
    assert await mended(patient)


async def test_a_reader_of_a_user_who_is_forgotten_is_named(patient: Patient, reader: str) -> None:
    patient.execute("SELECT * FROM notion_sync.forget('anna')")
    assert only(await patient.found("readers")).message == (
        f"the role {reader} was a reader, of a user who was forgotten: it reads nobody's rows"
    )
    assert await mended(patient)


async def test_a_role_that_has_another_name_now_is_to_have_its_own(patient: Patient, reader: str) -> None:
    patient.execute(sql.SQL("ALTER ROLE {} RENAME TO {}").format(sql.Identifier(reader), sql.Identifier(f"{reader} 2")))
    assert only(await patient.found("readers")).message == (
        f"the role of the reader {reader} is called {reader} 2 now, and is given nothing new"
    )
    with pytest.raises(UsageError, match="give it its name back"):
        await grant(patient, reader, "--revoke")
    assert await mended(patient)


async def test_another_role_that_has_the_name_by_now_is_named(patient: Patient, reader: str) -> None:
    patient.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}; CREATE ROLE {0}").format(sql.Identifier(reader)))
    assert only(await patient.found("readers")).message.startswith(
        f"{reader} is another role now than the one that was made a reader, and is given nothing"
    )
    await grant(patient, reader, "--user", "anna")
    assert only(await patient.found("readers")).verdict is Verdict.OK
    patient.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}; CREATE ROLE {0}").format(sql.Identifier(reader)))
    assert await mended(patient)


async def test_a_renamed_role_whose_name_another_has_is_no_reader_any_more(patient: Patient, reader: str) -> None:
    old = f"{reader} 2"
    patient.execute(
        sql.SQL("ALTER ROLE {0} RENAME TO {1}; CREATE ROLE {0}").format(sql.Identifier(reader), sql.Identifier(old))
    )
    patient.roles.append(old)
    assert f"is called {old} now" in only(await patient.found("readers")).message
    assert await mended(patient)
