"""doctor and rights: what the tool's role may not do is named, and what doctor says to type lets it."""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from psycopg import sql

from notion_pg_sync.commands.doctor.checks.check import Verdict
from tests.cli.conftest import Command
from tests.commands.conftest import Patient, told

pytestmark = pytest.mark.slow


async def test_everything_is_well_after_init(patient: Patient) -> None:
    assert {(finding.verdict, finding.fix) for finding in await patient.found()} == {(Verdict.OK, "")}


@pytest.mark.parametrize(
    ("name", "statement", "words"),
    [
        ("nothing", "SELECT 1", "is not set up for notion-pg-sync"),
        ("older", "DELETE FROM notion_sync.migrations WHERE version > 1", "are of an older version"),
        ("no user_settings", "DROP TABLE user_settings", "there is no table user_settings"),
    ],
)
async def test_what_init_mends_is_told_with_the_command(
    bare_patient: Patient, name: str, statement: str, words: str
) -> None:
    if name != "nothing":
        await bare_patient.init()
    bare_patient.execute(statement)
    (finding,) = await bare_patient.found("initialised")
    assert (finding.verdict, finding.fix) == (Verdict.BROKEN, "notion-pg-sync init --yes")
    assert words in finding.message


async def test_a_newer_version_is_told_with_the_upgrade(patient: Patient) -> None:
    patient.execute(
        "INSERT INTO notion_sync.migrations (version, name, must_know) VALUES (9999, 'from the future', 9999)"
    )
    (finding,) = await patient.found("initialised")
    assert (finding.verdict, finding.fix) == (Verdict.BROKEN, "pip install --upgrade notion-pg-sync")


async def test_a_role_without_rights_gets_them_by_typing_what_doctor_says_and_then_syncs(
    patient: Patient, small: SmallWorkspace
) -> None:
    patient.execute(
        "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
        "anna",
        small.tokens["anna"],
        f'{{"Characters": "{small.databases["Characters"]}"}}',
    )
    patient.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    role = patient.new_role()
    (first,) = await patient.found("initialised", role)
    assert "may not read and write every row of schema notion_sync" in first.message
    await patient.assert_mended("initialised", role)
    missing = {finding.message.partition("may not: ")[2] for finding in await patient.found("rights", role)}
    assert "make typed views in the schema notion" in missing
    assert "read user_id, notion_access_token, notion_token, notion_databases, auto_sync_enabled of " in " ".join(
        missing
    )
    await patient.assert_mended("rights", role)
    await patient.assert_mended("visible rows", role)
    assert {finding.verdict for finding in await patient.found(None, role)} == {Verdict.OK}
    with WorkspaceServer(small.workspace) as server:
        ended = Command({"DATABASE_URL": patient.url_as(role), "NOTION_BASE_URL": server.url})("sync-all")
    assert (ended.code, ended.err) == (0, "")
    assert patient.execute("SELECT count(*) FROM notion.characters") == [(40,)]


async def test_only_the_missing_rights_are_granted(patient: Patient) -> None:
    role = patient.new_role()
    await patient.assert_mended("initialised", role)
    await patient.assert_mended("rights", role)
    patient.execute(sql.SQL("REVOKE UPDATE, DELETE ON notion_worlds_sync FROM {}").format(sql.Identifier(role)))
    patient.execute(sql.SQL("REVOKE SELECT (notion_token) ON user_settings FROM {}").format(sql.Identifier(role)))
    found = await patient.found("rights", role)
    assert told(found, "UPDATE, DELETE on notion_worlds_sync").fix == (
        f'GRANT UPDATE, DELETE ON "public"."notion_worlds_sync" TO "{role}";'
    )
    assert told(found, "read notion_token of public.user_settings").fix == (
        f'GRANT SELECT ("notion_token") ON "public"."user_settings" TO "{role}";'
    )
    await patient.assert_mended("rights", role)


async def test_row_security_that_hides_users_from_the_tool_is_a_broken_link(patient: Patient) -> None:
    role = patient.new_role()
    patient.give_bookkeeping_to(role)
    await patient.assert_mended("rights", role)
    found = await patient.found("visible rows", role)
    assert told(found, "public.user_settings may hide users").verdict is Verdict.BROKEN
    assert told(found, "public.notion_pages_sync may hide rows").verdict is Verdict.BROKEN
    for finding in found:
        await patient.type(finding.fix)
    assert [finding.verdict for finding in await patient.found("visible rows", role)] == [Verdict.OK]


async def test_a_restrictive_policy_may_hide_rows_from_its_tables_owner_too(patient: Patient) -> None:
    role = patient.new_role()
    patient.give_bookkeeping_to(role)
    await patient.assert_mended("rights", role)
    await patient.assert_mended("visible rows", role)
    patient.execute("CREATE POLICY mine ON notion_worlds_sync AS RESTRICTIVE USING (user_id = 'me')")
    patient.execute(sql.SQL("ALTER TABLE notion_worlds_sync OWNER TO {}").format(sql.Identifier(role)))
    assert [finding.verdict for finding in await patient.found("visible rows", role)] == [Verdict.OK]
    patient.execute("ALTER TABLE notion_worlds_sync FORCE ROW LEVEL SECURITY")
    (finding,) = await patient.found("visible rows", role)
    assert "public.notion_worlds_sync may hide rows" in finding.message
    await patient.assert_mended("visible rows", role)


async def test_a_user_settings_out_of_sight_is_found(patient: Patient) -> None:
    role = patient.new_role()
    await patient.assert_mended("initialised", role)
    patient.execute("CREATE SCHEMA app; ALTER TABLE user_settings SET SCHEMA app")
    (finding,) = await patient.found("initialised", role)
    assert "use the schema app, where user_settings is" in finding.message
    await patient.type(finding.fix)
    (finding,) = await patient.found("initialised", role)
    assert "schema app is not on its search_path" in finding.message
    await patient.type(finding.fix)
    (finding,) = await patient.found("initialised", role)
    assert "user_settings is in schema app" in finding.message
