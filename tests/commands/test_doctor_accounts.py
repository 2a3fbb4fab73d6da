"""doctor and the accounts: who is connected, and what of their settings cannot be used."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.checks.check import Verdict
from notion_pg_sync.sync.run.token_encryption import looks_encrypted, seal_token
from tests.commands.conftest import Patient, told

pytestmark = pytest.mark.slow

ID = "0f8fad5bd9cb469fa16570867728950e"
OTHER_ID = "7c9e6679742540de944be07fc1f90ae7"
TOKEN = "ntn_0123456789abcdef"


def connect(patient: Patient, user_id: str, token: str | None = TOKEN, databases: object = None) -> None:
    patient.execute(
        "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
        user_id,
        token,
        json.dumps({"Worlds": ID} if databases is None else databases),
    )


async def test_a_healthy_set_up_is_well(patient: Patient) -> None:
    connect(patient, "anna")
    connect(patient, "cora", databases={"*": "*"})
    patient.execute(
        "INSERT INTO user_settings (user_id, notion_token, notion_access_token, notion_databases)"
        " VALUES ('ben', 'old', %s, %s)",
        TOKEN,
        json.dumps({"Worlds": ID}),
    )
    for check in ("connected users", "tokens", "notion_databases"):
        assert {finding.verdict for finding in await patient.found(check)} == {Verdict.OK}
    told(await patient.found("connected users"), "3 users are connected to Notion (1 by OAuth)")
    told(await patient.found("notion_databases"), "2 databases are configured, and everything shared with 1 token")


async def test_nobody_is_broken(patient: Patient) -> None:
    (finding,) = await patient.found("connected users")
    assert (finding.verdict, finding.message) == (
        Verdict.BROKEN,
        "user_settings has no rows, so there is nobody to sync",
    )
    assert finding.needs == "a user and their token: 'notion-pg-sync connect' asks for both"
    connect(patient, "anna")
    assert [one.verdict for one in await patient.found("connected users")] == [Verdict.OK]


async def test_users_without_a_token_are_named(patient: Patient) -> None:
    connect(patient, "anna", token=None)
    connect(patient, "ben", token="")
    (finding,) = await patient.found("connected users")
    assert finding.verdict is Verdict.BROKEN
    assert finding.message.endswith("nobody to sync: anna, ben")
    assert finding.needs.startswith("2 new Notion tokens, for anna, ben, in notion_token of user_settings")
    connect(patient, "cora")
    waiting = told(await patient.found("connected users"), "no Notion token, for anna, ben")
    assert waiting.verdict is Verdict.WARNING
    assert waiting.needs == finding.needs


async def test_a_user_who_has_not_connected_notion_is_no_fault(patient: Patient) -> None:
    connect(patient, "anna")
    connect(patient, "visitor", token=None, databases={})
    findings = await patient.found("connected users")
    assert {finding.verdict for finding in findings} == {Verdict.OK}
    told(findings, "no databases configured: visitor")


async def test_users_that_sync_all_leaves_out_are_told(patient: Patient) -> None:
    connect(patient, "anna")
    connect(patient, "ben")
    patient.execute("ALTER TABLE user_settings ADD COLUMN IF NOT EXISTS auto_sync_enabled boolean")
    patient.execute("UPDATE user_settings SET auto_sync_enabled = user_id = 'anna'")
    assert told(await patient.found("connected users"), "skips ben").verdict is Verdict.OK
    patient.execute("UPDATE user_settings SET auto_sync_enabled = false")
    nobody = told(await patient.found("connected users"), "syncs nobody")
    assert nobody.verdict is Verdict.BROKEN
    assert nobody.needs == "set it to true for those who are to be synced"


async def test_one_user_alone_can_be_examined(patient: Patient) -> None:
    connect(patient, "anna")
    connect(patient, "ben", databases=[])
    assert {finding.verdict for finding in await patient.found("notion_databases", user_id="anna")} == {Verdict.OK}
    (finding,) = await patient.found("connected users", user_id="nobody")
    assert (finding.verdict, finding.message) == (Verdict.BROKEN, "there is no user 'nobody' in user_settings")
    assert patient.execute(finding.look) == [("anna",), ("ben",)]


@pytest.mark.parametrize("around", ["{}\n", " {}", "\t{}\r\n", "{}\u00a0", "\ufeff{}\u200b \u3000\n"])
async def test_a_token_with_blanks_around_it_is_trimmed(patient: Patient, around: str) -> None:
    connect(patient, "anna", around.format(TOKEN))
    (finding,) = await patient.found("tokens")
    assert finding.verdict is Verdict.BROKEN
    assert finding.message == "whitespace or invisible characters stand around 1 token in notion_token (anna)"
    await patient.assert_mended("tokens")
    assert patient.execute("SELECT notion_token FROM user_settings") == [(TOKEN,)]


@pytest.mark.parametrize("token", ["ntn_töken", "ntn_with blank", "ntn_\x07bell"])
async def test_a_token_that_cannot_be_sent_is_broken(patient: Patient, token: str) -> None:
    connect(patient, "anna", token)
    (finding,) = await patient.found("tokens")
    assert finding.verdict is Verdict.BROKEN
    assert "characters that are not allowed in a token" in finding.message
    assert token not in f"{finding}"
    assert finding.needs.startswith("a new Notion token for anna")


async def test_a_token_that_looks_encrypted_needs_a_key(patient: Patient) -> None:
    token = base64.b64encode(bytes(range(60))).decode()
    connect(patient, "anna", token)
    connect(patient, "ben")
    (finding,) = await patient.found("tokens")
    assert finding.verdict is Verdict.BROKEN
    assert finding.message == "1 token looks encrypted, and there is no key: anna"
    assert "NOTION_TOKEN_KEY" in finding.needs
    assert token not in f"{finding}"


async def test_encrypted_tokens_are_opened_and_of_another_key_broken(patient: Patient) -> None:
    passphrase = "a passphrase of more than thirty-two bytes"
    connect(patient, "anna", seal_token(TOKEN, passphrase.encode()[:32]))
    assert [one.verdict for one in await patient.found("tokens", NOTION_TOKEN_KEY=passphrase)] == [Verdict.OK]
    (finding,) = await patient.found("tokens", NOTION_TOKEN_KEY=f"another {passphrase}")
    assert finding.verdict is Verdict.BROKEN
    assert finding.message.startswith("anna: the notion_token cannot be opened with NOTION_TOKEN_KEY")
    assert passphrase not in f"{finding}"


@given(st.binary(min_size=29))
def test_base64_of_enough_bytes_looks_encrypted(stored: bytes) -> None:
    encoded = base64.b64encode(stored).decode()
    assert looks_encrypted(encoded)
    assert not looks_encrypted(f"ntn_{encoded}")
    assert not looks_encrypted(f"secret_{encoded}")


@given(st.binary(max_size=28), st.text(), st.text())
def test_what_is_short_or_no_base64_does_not(stored: bytes, before: str, after: str) -> None:
    assert not looks_encrypted(base64.b64encode(stored).decode())
    assert not looks_encrypted(f"{before}.{after}")


@pytest.mark.parametrize("databases", [[], "Worlds", 7, True])
async def test_notion_databases_that_is_no_object_is_broken(patient: Patient, databases: object) -> None:
    connect(patient, "anna", databases=databases)
    (finding,) = await patient.found("notion_databases")
    assert finding.verdict is Verdict.BROKEN
    assert "not a JSON object" in finding.message
    assert not finding.fix
    assert finding.needs == "the id or the link of each database, in notion_databases of anna"


@pytest.mark.parametrize(
    "databases",
    [
        json.dumps({"Worlds": ID, "It's": OTHER_ID}),
        [{"name": "Worlds", "id": ID}, {"name": "It's", "database_id": OTHER_ID}],
        [{"Worlds": ID}, {"It's": OTHER_ID}],
        [["Worlds", ID], ["It's", OTHER_ID]],
        json.dumps([{"name": "Worlds", "id": ID}, {"name": "It's", "id": OTHER_ID}]),
    ],
)
async def test_notion_databases_that_can_be_read_is_repaired_with_every_id(patient: Patient, databases: object) -> None:
    connect(patient, "anna", databases=databases)
    await patient.assert_mended("notion_databases")
    assert patient.execute("SELECT notion_databases FROM user_settings") == [({"Worlds": ID, "It's": OTHER_ID},)]


@pytest.mark.parametrize(("kind", "left"), [("text", ""), ("varchar(2000)", " DEFAULT '{}'")])
async def test_columns_of_text_are_given_their_type_and_keep_what_they_hold(
    patient: Patient, kind: str, left: str
) -> None:
    connect(patient, "anna")
    for column, default in (("notion_databases", left), ("auto_sync_enabled", "")):
        patient.execute(f"ALTER TABLE user_settings ADD COLUMN IF NOT EXISTS {column} {kind}")
        patient.execute(f"ALTER TABLE user_settings ALTER {column} DROP DEFAULT")
        patient.execute(f"ALTER TABLE user_settings ALTER {column} TYPE {kind} USING {column}::text")
        patient.execute(f"ALTER TABLE user_settings ALTER {column} SET {default}" if default else "SELECT")
    patient.execute("UPDATE user_settings SET auto_sync_enabled = 'true'")
    assert [finding.verdict for finding in await patient.found("settings columns")] == [Verdict.BROKEN] * 2
    await patient.assert_mended("settings columns")
    assert patient.execute("SELECT notion_databases, auto_sync_enabled FROM user_settings") == [({"Worlds": ID}, True)]


async def test_a_renamed_notion_databases_is_found_by_the_ids_in_it(patient: Patient) -> None:
    connect(patient, "anna")
    patient.execute("INSERT INTO notion_sync.accounts (user_id) VALUES ('anna')")
    patient.execute("INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES ('anna', %s, 'Worlds')", ID)
    patient.execute("ALTER TABLE user_settings RENAME notion_databases TO pages_wanted")
    (finding,) = await patient.found("settings columns")
    assert finding.verdict is Verdict.BROKEN
    assert finding.message.endswith(
        "has no column notion_databases any more, so nobody's databases are synced: the column pages_wanted holds them"
    )
    await patient.assert_mended("settings columns")
    assert patient.execute(
        "UPDATE user_settings SET notion_databases = notion_databases RETURNING notion_databases"
    ) == [({"Worlds": ID},)]


async def test_each_malformed_id_is_told_and_mended_by_name(patient: Patient) -> None:
    connect(patient, "o'hara", databases={"Worlds": ID, "Old, 'new' {x}": "not an id", "Tasks": 12})
    findings = await patient.found("notion_databases")
    assert [finding.verdict for finding in findings] == [Verdict.BROKEN, Verdict.BROKEN]
    told(findings, "'not an id' is not a Notion database id")
    told(findings, "database 'Tasks' in notion_databases: its id is not text")
    assert told(findings, "'not an id'").needs == (
        "the id or the link of database \"Old, 'new' {x}\", in notion_databases of o'hara"
    )


@pytest.mark.parametrize(
    "databases",
    [
        json.dumps({"Worlds": {"id": ID, "exclude": ["Salary"]}}),
        {"Worlds": json.dumps({"id": ID, "exclude": ["Salary"]})},
        [{"name": "Worlds", "database_id": ID, "exclude": ["Salary"]}],
    ],
)
async def test_what_is_repaired_keeps_its_exclusions(patient: Patient, databases: object) -> None:
    connect(patient, "anna", databases=databases)
    await patient.assert_mended("notion_databases")
    assert patient.execute("SELECT notion_databases FROM user_settings") == [
        ({"Worlds": {"id": ID, "exclude": ["Salary"]}},)
    ]


async def test_an_entry_that_cannot_be_understood_is_told_with_what_to_write(patient: Patient) -> None:
    connect(patient, "anna", databases={"Worlds": {"id": ID, "exclude": "Salary"}, "Tasks": OTHER_ID})
    (finding,) = await patient.found("notion_databases")
    assert finding.verdict is Verdict.BROKEN
    assert 'write it as ["Salary"], each by its name or its id' in finding.message
    assert (finding.fix, finding.needs) == ("", "a correct entry of database 'Worlds', in notion_databases of anna")


async def test_of_two_names_the_one_that_counts_gets_the_exclusions_of_both(patient: Patient) -> None:
    entries = {"Lands": ID, "Worlds": {"id": ID, "exclude": ["Salary"]}, "Zoo": {"id": ID, "exclude": ["It's"]}}
    connect(patient, "anna", databases=entries)
    findings = await patient.found("notion_databases")
    assert [finding.verdict for finding in findings] == [Verdict.WARNING, Verdict.WARNING]
    counts = "as 'Lands', the first in alphabetical order, with the options of both, and without what either excludes"
    assert [finding.message.endswith(counts) for finding in findings] == [True, True]
    await patient.assert_mended("notion_databases")
    assert patient.execute("SELECT notion_databases FROM user_settings") == [
        ({"Lands": {"id": ID, "exclude": ["Salary", "It's"]}},)
    ]


async def test_files_that_are_wanted_without_a_place_are_told(patient: Patient) -> None:
    connect(patient, "anna", databases={"Worlds": {"id": ID, "files": True}})
    (finding,) = await patient.found("notion_databases")
    assert finding.verdict is Verdict.WARNING
    assert "but no place is known where files are kept" in finding.message


async def test_a_token_in_the_place_of_an_id_is_not_repeated(patient: Patient) -> None:
    connect(patient, "anna", databases={"Worlds": TOKEN})
    (finding,) = await patient.found("notion_databases")
    assert "a token is not a Notion database id" in finding.message
    assert TOKEN not in f"{finding}"


async def test_of_two_names_the_first_in_alphabetical_order_counts(patient: Patient) -> None:
    connect(patient, "anna", databases={"Worlds": ID, "Lands": ID, "Tasks": OTHER_ID})
    (finding,) = await patient.found("notion_databases")
    assert finding.verdict is Verdict.WARNING
    assert "'Worlds' and 'Lands' in notion_databases are one database: it counts once, as 'Lands'" in finding.message
    await patient.assert_mended("notion_databases")
    assert patient.execute("SELECT notion_databases FROM user_settings") == [({"Lands": ID, "Tasks": OTHER_ID},)]


@pytest.mark.parametrize(
    ("databases", "said", "needs"),
    [
        (
            {"Tasks": ID, "tasks ": OTHER_ID},
            "the names 'Tasks' and 'tasks' in notion_databases differ only",
            "tell apart",
        ),
        ({"": ID}, "a name in notion_databases is empty ('')", "give it a name there"),
        ({"*": ID}, "'*' with an id in notion_databases is one database", 'for every database, write {"*": "*"}'),
    ],
)
async def test_a_name_that_may_not_be_meant_so_is_told(
    patient: Patient, databases: dict[str, str], said: str, needs: str
) -> None:
    connect(patient, "anna", databases=databases)
    (finding,) = await patient.found("notion_databases")
    assert finding.verdict is Verdict.WARNING
    assert said in finding.message
    assert needs in finding.needs


async def test_a_link_to_a_view_is_well_and_what_it_brings_is_told(patient: Patient) -> None:
    connect(patient, "anna", databases={"Worlds": f"https://www.notion.so/{ID.replace('-', '')}?v={'a' * 32}"})
    (finding,) = await patient.found("notion_databases")
    assert finding.verdict is Verdict.OK
    assert "all rows of the database are mirrored, whatever the view filters: Worlds" in finding.message


@pytest.mark.parametrize("databases", ["null", "{}"])
async def test_a_user_who_asks_for_nothing_is_warned_of(patient: Patient, databases: str) -> None:
    connect(patient, "anna", databases={})
    patient.execute("UPDATE user_settings SET notion_databases = %s::jsonb", databases)
    (finding,) = await patient.found("notion_databases")
    assert finding.verdict is Verdict.WARNING
    assert finding.message == "notion_databases is empty, so there is nothing to sync, for anna"
    assert finding.needs == "choose databases, where there are to be some ('notion-pg-sync connect anna')"
