"""doctor and row level security: what is open to everybody is named, and what doctor says to type shuts it."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import errors, sql

from notion_pg_sync.commands.doctor.checks.check import Verdict
from notion_pg_sync.mirror.diagnosis.row_security import Policy, passes_all, without_pitfalls
from tests.commands.conftest import Patient, told

TOKEN = "ntn_secret"


def readable(patient: Patient, role: str, query: str, claims: str = "") -> list[tuple[object, ...]]:
    """What a pooled session of `role` with these claims gets."""
    with psycopg.connect(patient.url) as connection:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))
        return connection.execute(query.encode()).fetchall()


async def test_an_adopted_database_is_told_what_is_amiss_and_typing_it_mends_it(adopted: Patient) -> None:
    found = await adopted.found("row level security")
    off = told(found, "row level security is off on public.notion_chat_sessions_sync, public.notion_pages_sync")
    policies, _, typed = off.needs.partition(", then type ")
    assert policies == "give the application's roles their policies"
    await adopted.type(typed.strip("'"))
    await adopted.assert_mended("row level security")


async def test_a_policy_that_fails_on_an_empty_claim_stands_afterwards(adopted: Patient) -> None:
    reader = adopted.new_role()
    adopted.execute(sql.SQL("GRANT SELECT ON notion_characters_sync TO {}").format(sql.Identifier(reader)))
    query = "SELECT name FROM notion_characters_sync WHERE notion_page_id IS NOT NULL"
    with pytest.raises(errors.InvalidTextRepresentation):
        readable(adopted, reader, query)
    fragile = told(await adopted.found("row level security"), "'Users can view own notion characters'")
    assert fragile.verdict is Verdict.WARNING
    await adopted.type(fragile.fix)
    assert readable(adopted, reader, query) == []
    assert readable(adopted, reader, query, '{"sub": "user-oauth"}') == [("Aragorn",)]
    assert not [finding for finding in await adopted.found("row level security") if "Users can view" in finding.message]


async def test_policies_that_would_open_every_token_are_objected_to(adopted: Patient) -> None:
    (finding,) = await adopted.found("open to everybody")
    assert finding.verdict is Verdict.WARNING
    assert "the policies user_settings_select_all and user_settings_update_all" in finding.message
    await adopted.type(finding.fix)
    assert [finding.verdict for finding in await adopted.found("open to everybody")] == [Verdict.OK]


@pytest.mark.parametrize("role", ["anon", "authenticated"])
@pytest.mark.parametrize("how", ["row level security off", "a policy for all", "one column"])
async def test_a_token_that_everybody_can_read_is_a_broken_link(patient: Patient, role: str, how: str) -> None:
    patient.new_role(role)
    patient.execute("INSERT INTO user_settings (user_id, notion_token) VALUES ('anna', %s)", TOKEN)
    columns = "(notion_token, user_id)" if how == "one column" else ""
    patient.execute(f"GRANT SELECT {columns} ON user_settings TO {role}")
    if how == "a policy for all":
        patient.execute("CREATE POLICY all_see ON user_settings FOR SELECT USING (true)")
    else:
        patient.execute("ALTER TABLE user_settings DISABLE ROW LEVEL SECURITY")
    query = "SELECT notion_token FROM user_settings"
    assert readable(patient, role, query) == [(TOKEN,)]
    (finding,) = await patient.found("open to everybody")
    assert finding.verdict is Verdict.BROKEN
    assert finding.message == f"the role {role} can read every user's token in public.user_settings"
    await patient.type(finding.fix)
    assert readable(patient, role, query) == []
    assert [finding.verdict for finding in await patient.found("open to everybody")] == [Verdict.OK]


async def test_a_token_granted_to_public_is_a_broken_link(patient: Patient) -> None:
    patient.execute("ALTER TABLE user_settings DISABLE ROW LEVEL SECURITY")
    patient.execute("GRANT SELECT, UPDATE ON user_settings TO PUBLIC")
    reading, changing = await patient.found("open to everybody")
    assert reading.message == "every role (PUBLIC) can read every user's token in public.user_settings"
    assert "can change every user's row" in changing.message
    await patient.type(reading.fix)
    assert [finding.verdict for finding in await patient.found("open to everybody")] == [Verdict.OK]


async def test_a_grant_behind_a_schema_that_is_closed_opens_nothing(patient: Patient) -> None:
    patient.execute("ALTER TABLE user_settings DISABLE ROW LEVEL SECURITY; GRANT SELECT ON user_settings TO PUBLIC")
    patient.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    assert [finding.verdict for finding in await patient.found("open to everybody")] == [Verdict.OK]


async def test_rows_that_everybody_can_read_are_warned_of(patient: Patient) -> None:
    patient.execute("ALTER TABLE notion_pages_sync DISABLE ROW LEVEL SECURITY")
    patient.execute("GRANT SELECT ON notion_pages_sync, notion_worlds_sync TO PUBLIC")
    patient.execute("CREATE POLICY open ON notion_worlds_sync USING (true)")
    found = await patient.found("open to everybody")
    assert [finding.message for finding in found] == [
        "every role (PUBLIC) can read every user's rows in public.notion_pages_sync",
        "every role (PUBLIC) can read every user's rows in public.notion_worlds_sync",
    ]
    await patient.assert_mended("open to everybody")


async def test_a_view_by_its_owners_rights_is_warned_of(patient: Patient) -> None:
    patient.execute('CREATE VIEW notion."odd name" AS SELECT user_id FROM notion_pages_sync')
    patient.execute("CREATE VIEW notion.good WITH (security_invoker = on) AS SELECT user_id FROM notion_pages_sync")
    (finding,) = await patient.found("open to everybody")
    assert "the view notion.odd name shows every user's rows" in finding.message
    await patient.assert_mended("open to everybody")


async def test_a_table_of_somebody_elses_that_init_does_not_see_to_gets_sql(patient: Patient) -> None:
    patient.execute("CREATE TABLE notion_notes_sync (LIKE notion_pages_sync INCLUDING ALL)")
    (finding,) = await patient.found("row level security")
    assert "public.notion_notes_sync" in finding.message
    assert "ENABLE ROW LEVEL SECURITY" in finding.fix
    await patient.assert_mended("row level security")


async def test_row_security_without_any_policy_for_readers_is_warned_of(patient: Patient) -> None:
    patient.execute('DROP POLICY "notion-pg-sync tenant" ON notion_worlds_sync')
    (finding,) = await patient.found("row level security")
    assert "no policy lets anybody see their rows" in finding.message
    await patient.assert_mended("row level security")


SETTING = "current_setting('request.jwt.claims'::text, true)"
SAFE = f"NULLIF({SETTING}, ''::text)"


@pytest.mark.parametrize(
    ("expression", "fixed"),
    [
        (f"((({SETTING})::json ->> 'sub'::text) = user_id)", f"((({SAFE})::json ->> 'sub'::text) = user_id)"),
        ("(id = (current_setting('request.jwt.claims'::text))::uuid)", f"(id = ({SAFE})::uuid)"),
        (f"(((NULLIF({SETTING}, ''::text))::jsonb ->> 'sub'::text) = user_id)", None),
        (f"(user_id = {SETTING})", None),
        ("(user_id = notion_sync.current_user_id())", None),
        ("((auth.uid())::text = user_id)", None),
        (f"(({SETTING} || ''::text))::jsonb IS NOT NULL", None),
    ],
)
def test_only_a_cast_of_a_setting_is_rewritten_and_once(expression: str, fixed: str | None) -> None:
    assert without_pitfalls(expression) == (fixed or expression)
    assert without_pitfalls(without_pitfalls(expression)) == without_pitfalls(expression)


@given(st.text(alphabet="(current_setting'::jsonb,true) NULLIF", max_size=80))
def test_anything_else_is_left_alone(expression: str) -> None:
    assert without_pitfalls(without_pitfalls(expression)) == without_pitfalls(expression)


policies = st.builds(
    Policy,
    name=st.just("any"),
    command=st.sampled_from(["ALL", "SELECT", "UPDATE"]),
    permissive=st.booleans(),
    binds_us=st.just(True),
    binds=st.just(("public",)),
    using=st.sampled_from(["true", "(user_id = 'me'::text)"]),
    check=st.none(),
)


@given(st.lists(policies, max_size=5))
def test_rows_pass_only_where_one_policy_lets_all_in_and_none_keeps_any_out(several: list[Policy]) -> None:
    governing = [policy for policy in several if policy.command in ("ALL", "SELECT")]
    open_ones = [policy for policy in governing if policy.permissive and policy.using == "true"]
    shut_ones = [policy for policy in governing if not policy.permissive and policy.using != "true"]
    assert passes_all(several, "SELECT") == (bool(open_ones) and not shut_ones)
