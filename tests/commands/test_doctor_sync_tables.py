"""doctor and the sync tables: keys that are missing, and foreign keys that take rows along or hold them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.checks.check import Verdict
from notion_pg_sync.mirror.diagnosis.sync_tables import with_delete_action
from tests.commands.conftest import Patient, told

pytestmark = pytest.mark.slow

FAVOURITES = """
    CREATE SCHEMA app;
    CREATE TABLE app."my favourites" (
        character_id uuid {nullable} CONSTRAINT "to character"
            REFERENCES notion_characters_sync ON DELETE {action} DEFERRABLE INITIALLY DEFERRED
    )
"""


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE notion_worlds_sync DROP CONSTRAINT notion_worlds_sync_page_key", "add the unique key"),
        ("ALTER TABLE notion_worlds_sync DROP COLUMN url", "add the columns url"),
        (
            "DROP TRIGGER notion_sync_page_id ON notion_worlds_sync",
            "add a trigger that writes every page id with dashes",
        ),
        (
            "ALTER TABLE notion_worlds_sync DISABLE TRIGGER notion_sync_page_id",
            "add a trigger that writes every page id",
        ),
        ("CREATE UNIQUE INDEX narrow ON notion_worlds_sync (notion_page_id)", "drop the unique key narrow"),
    ],
)
async def test_a_table_that_init_mends(patient: Patient, statement: str, words: str) -> None:
    patient.execute(statement)
    (finding,) = await patient.found("unique keys")
    assert (finding.verdict, finding.fix) == (Verdict.BROKEN, "notion-pg-sync init --yes")
    assert words in finding.message
    assert "public.notion_worlds_sync" in finding.message
    await patient.assert_mended("unique keys")


async def test_the_general_table_is_missed_and_those_of_a_preset_are_not(patient: Patient) -> None:
    patient.execute("DROP TABLE notion_worlds_sync")
    (finding,) = await patient.found("unique keys")
    assert finding.verdict is Verdict.OK
    patient.execute("DROP TABLE notion_pages_sync")
    (finding,) = await patient.found("unique keys")
    assert (finding.verdict, finding.fix) == (Verdict.BROKEN, "notion-pg-sync init --yes")
    assert "public.notion_pages_sync is not as it should be: create the table" in finding.message
    await patient.assert_mended("unique keys")


async def test_a_key_that_notion_does_not_know_is_a_decision_of_somebodys(patient: Patient) -> None:
    patient.execute("ALTER TABLE notion_worlds_sync ADD CONSTRAINT one_title UNIQUE (user_id, name)")
    (finding,) = await patient.found("unique keys")
    assert (finding.verdict, finding.fix) == (Verdict.WARNING, "")
    assert (
        "the unique key one_title (user_id, name) of public.notion_worlds_sync is unknown to Notion" in finding.message
    )
    assert finding.needs == "decide whether the application needs this key"


async def test_double_rows_are_counted(patient: Patient) -> None:
    patient.execute("ALTER TABLE notion_worlds_sync DROP CONSTRAINT notion_worlds_sync_page_key")
    for _ in range(3):
        patient.execute(
            "INSERT INTO notion_worlds_sync (notion_page_id, notion_database_id, user_id) VALUES ('p', 'd', 'u')"
        )
    (finding,) = await patient.found("unique keys")
    assert "move 2 duplicate rows to notion_sync.removed_pages" in finding.message
    await patient.assert_mended("unique keys")


async def test_ids_that_are_written_otherwise_are_counted(patient: Patient) -> None:
    patient.execute("ALTER TABLE notion_worlds_sync DISABLE TRIGGER notion_sync_page_id")
    patient.execute(
        "INSERT INTO notion_worlds_sync (notion_page_id, notion_database_id, user_id)"
        " VALUES ('abcdef00000040008000000000000002', 'd', 'u'), ('draft', 'd', 'u')"
    )
    (finding,) = await patient.found("unique keys")
    assert "write 1 page id with dashes" in finding.message
    await patient.assert_mended("unique keys")


async def test_a_column_of_another_type_stands_in_the_way(patient: Patient) -> None:
    patient.execute("ALTER TABLE notion_worlds_sync ALTER content_hash TYPE bytea USING NULL")
    (finding,) = await patient.found("unique keys")
    assert "content_hash is of type bytea" in finding.message


async def test_a_table_of_the_applications_own_gets_sql(patient: Patient) -> None:
    patient.execute("CREATE TABLE notion_notes_sync (LIKE notion_pages_sync)")
    (finding,) = await patient.found("unique keys")
    assert "CREATE UNIQUE INDEX" in finding.fix
    await patient.assert_mended("unique keys")


async def test_a_cascade_is_warned_of_and_becomes_set_null(patient: Patient) -> None:
    patient.execute(FAVOURITES.format(nullable="", action="CASCADE"))
    (finding,) = await patient.found("foreign keys")
    assert finding.verdict is Verdict.WARNING
    assert "app.my favourites points at public.notion_characters_sync (foreign key to character" in finding.message
    await patient.type(finding.fix)
    ((action, deferrable),) = patient.execute(
        "SELECT confdeltype, condeferrable FROM pg_constraint WHERE conname = 'to character'"
    )
    assert (action, deferrable) == ("n", True)
    assert [finding.verdict for finding in await patient.found("foreign keys")] == [Verdict.OK]


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
async def test_where_null_cannot_be_the_row_stays(patient: Patient, action: str) -> None:
    patient.execute(FAVOURITES.format(nullable="NOT NULL", action=action))
    told(await patient.found("foreign keys"), f"ON DELETE {action})")
    await patient.assert_mended("foreign keys")
    told(await patient.found("foreign keys"), "a row that leaves Notion stays while something points at it")


@pytest.mark.parametrize(
    ("action", "words"),
    [("RESTRICT", "stays"), ("NO ACTION", "stays"), ("SET NULL", "can go"), ("SET DEFAULT", "can go")],
)
async def test_what_holds_a_row_or_lets_it_go_is_said(patient: Patient, action: str, words: str) -> None:
    patient.execute(FAVOURITES.format(nullable="", action=action))
    (finding,) = await patient.found("foreign keys")
    assert finding.verdict is Verdict.OK
    assert words in finding.message


@given(
    st.sampled_from(["", " MATCH FULL"]),
    st.sampled_from(["", " ON UPDATE CASCADE"]),
    st.sampled_from(["", " ON DELETE CASCADE", " ON DELETE SET NULL (a)", " ON DELETE RESTRICT"]),
    st.sampled_from(["", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED", " NOT VALID"]),
)
def test_only_the_delete_action_of_a_definition_changes(match: str, update: str, delete: str, rest: str) -> None:
    start = f'FOREIGN KEY (a, "b (c)") REFERENCES public.t(x, y){match}'
    assert (
        with_delete_action(f"{start}{update}{delete}{rest}", "SET NULL") == f"{start} ON DELETE SET NULL{update}{rest}"
    )
