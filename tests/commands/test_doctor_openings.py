"""doctor and strangers: who could make the tool run something of theirs is named, and what doctor shows ends it."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from notion_pg_sync.commands.doctor.checks.check import Verdict
from tests.commands.conftest import Patient, only, told

pytestmark = pytest.mark.slow


async def test_creating_for_everybody_is_told_for_each_schema_of_the_path(patient: Patient) -> None:
    patient.execute("CREATE SCHEMA other; CREATE SCHEMA elsewhere; CREATE SCHEMA no_matter")
    for schema in ("public", "other", "notion_sync", "no_matter"):
        patient.execute(sql.SQL("GRANT CREATE ON SCHEMA {} TO PUBLIC").format(sql.Identifier(schema)))
    ((database,),) = patient.execute("SELECT current_database()")
    patient.execute(f"ALTER DATABASE {database} SET search_path = public, elsewhere, other")
    found = await patient.found("creating in schemas")
    assert [(finding.verdict, finding.fix) for finding in found] == [
        (Verdict.WARNING, f'REVOKE CREATE ON SCHEMA "{schema}" FROM PUBLIC;')
        for schema in ("notion_sync", "other", "public")
    ]
    assert "every role (PUBLIC) may create in the schema public" in found[2].message
    await patient.assert_mended("creating in schemas")


async def test_a_role_of_the_application_may_create_in_its_schema_but_not_in_ours(patient: Patient) -> None:
    role = patient.new_role()
    for schema in ("public", "notion"):
        patient.execute(sql.SQL("GRANT CREATE ON SCHEMA {} TO {}").format(sql.Identifier(schema), sql.Identifier(role)))
    finding = only(await patient.found("creating in schemas"))
    assert f"the role {role} may create in the schema notion:" in finding.message
    # The tool's own role makes views there.
    assert (await patient.found("creating in schemas", role=None))[0].verdict == Verdict.WARNING
    await patient.assert_mended("creating in schemas")


@pytest.mark.parametrize("privilege", ["TRIGGER", "TRUNCATE"])
async def test_who_may_make_triggers_or_truncate_is_named_for_every_table(adopted: Patient, privilege: str) -> None:
    role = adopted.new_role()
    tables = ("user_settings", "notion_worlds_sync", "notion_sync.databases")
    for table in tables:
        adopted.execute(
            sql.SQL("GRANT {} ON {} TO {} WITH GRANT OPTION").format(
                sql.SQL(privilege),
                sql.Identifier(*table.split(".")),
                sql.Identifier(role),
            )
        )
    adopted.execute(
        sql.SQL("SET ROLE {}; GRANT {} ON user_settings TO PUBLIC").format(sql.Identifier(role), sql.SQL(privilege))
    )
    found = await adopted.found("triggers")
    assert {finding.verdict for finding in found} == {Verdict.WARNING}
    for table in ("public.user_settings", "public.notion_worlds_sync", "notion_sync.databases"):
        assert role in told(found, f"on {table},").message
    await adopted.assert_mended("triggers")
    assert adopted.execute("SELECT has_table_privilege(%s, 'user_settings', %s)", role, privilege) == [(False,)]


async def test_a_table_of_a_stranger_is_named_with_its_owner(patient: Patient) -> None:
    role = patient.new_role()
    patient.execute("CREATE TABLE notion_books_sync (LIKE notion_pages_sync INCLUDING ALL)")
    patient.execute(sql.SQL("ALTER TABLE notion_books_sync OWNER TO {}").format(sql.Identifier(role)))
    finding = only(await patient.found("owners"))
    assert (finding.verdict, finding.fix) == (Verdict.WARNING, f"notion-pg-sync init --trust '{role}'")
    assert f"public.notion_books_sync gets no rows, since it belongs to {role}" in finding.message
    await patient.assert_mended("owners")


async def test_a_general_table_of_a_stranger_is_broken(patient: Patient) -> None:
    role = patient.new_role()
    patient.execute(sql.SQL("ALTER TABLE notion_pages_sync OWNER TO {}").format(sql.Identifier(role)))
    finding = only(await patient.found("owners"))
    assert finding.verdict == Verdict.BROKEN
    await patient.assert_mended("owners")


async def test_a_table_of_a_preset_that_a_stranger_made_gets_no_rows(patient: Patient) -> None:
    role = patient.new_role()
    patient.execute(sql.SQL("ALTER TABLE notion_worlds_sync OWNER TO {}").format(sql.Identifier(role)))
    finding = only(await patient.found("owners"))
    assert finding.verdict == Verdict.WARNING
    assert f"public.notion_worlds_sync gets no rows, since it belongs to {role}" in finding.message
    patient.execute("DROP TRIGGER notion_sync_page_id ON notion_worlds_sync")
    assert only(await patient.found("unique keys")).verdict == Verdict.OK
    await patient.assert_mended("owners")


async def test_a_user_settings_of_a_stranger_is_broken(patient: Patient) -> None:
    role = patient.new_role()
    patient.execute(sql.SQL("ALTER TABLE user_settings OWNER TO {}").format(sql.Identifier(role)))
    finding = only(await patient.found("initialised"))
    assert (finding.verdict, finding.fix) == (Verdict.BROKEN, f"notion-pg-sync init --trust '{role}'")
    await patient.assert_mended("initialised")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("default_transaction_read_only = on", "PostgreSQL lets this session only read"),
        ("session_replication_role = replica", "session_replication_role is replica"),
    ],
)
async def test_a_setting_that_keeps_the_tool_from_its_work_is_told_with_its_place(
    patient: Patient, setting: str, words: str
) -> None:
    ((database,),) = patient.execute("SELECT current_database()")
    patient.execute(f"ALTER DATABASE {database} SET {setting}")
    finding = told(await patient.found("settings"), words)
    assert finding.verdict == Verdict.BROKEN
    assert f"for the database {database}" in finding.message
    with psycopg.connect(patient.url, autocommit=True) as session:
        for line in finding.fix.splitlines():
            session.execute(line.encode())
    assert only(await patient.found("settings")).verdict == Verdict.OK
