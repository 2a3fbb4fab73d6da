"""doctor and what is excluded from copies: what may show it all the same is told."""

from __future__ import annotations

import json

import pytest
from notion_workspace.literals import formula, number, relation, rollup, title

from notion_pg_sync.commands.doctor.checks.check import Verdict
from notion_pg_sync.commands.doctor.checks.exclusions import excluded_properties
from notion_pg_sync.mirror.diagnosis.excluded import SourceSchema
from tests.commands.conftest import Mirrored, told

CHECK = "excluded properties"


def connect(mirrored: Mirrored, exclude: list[str]) -> None:
    workspace = mirrored.workspace
    staff = workspace.add_database(
        "Staff",
        {
            "Name": title(),
            "Salary": number(),
            "Double": formula('prop("Salary") * 2', "number", lambda row: 2),
            "Half": formula('prop("Age") / 2', "number", lambda row: 1),
            "Age": number(),
        },
        [{"Name": "Ada", "Salary": 9123456789}],
    )
    teams = workspace.add_database(
        "Teams", {"Name": title(), "Who": relation("Staff"), "Cost": rollup("Who", "Salary", "sum")}, [{"Name": "One"}]
    )
    for handle in (staff, teams):
        workspace.share("anna", handle.id)
    mirrored.connect("anna", "anna", Staff=staff.id, Teams=teams.id)
    entry = {"id": staff.id, "exclude": exclude}
    mirrored.execute(
        "UPDATE user_settings SET notion_databases = notion_databases || %s::jsonb",
        json.dumps({"Staff": entry}),
    )


@pytest.mark.slow
async def test_what_is_computed_from_what_is_excluded_is_told(mirrored: Mirrored) -> None:
    connect(mirrored, ["Salary"])
    await mirrored.sync()
    found = await mirrored.found(CHECK)
    assert {finding.verdict for finding in found} == {Verdict.WARNING}
    assert len(found) == 2
    told(found, "anna/Staff: Double is computed from Salary, which is excluded, and may show it")
    told(found, "anna/Teams: Cost is computed from Salary, which is excluded, and may show it")
    mirrored.execute(
        "UPDATE user_settings SET notion_databases = jsonb_set(notion_databases, '{Staff,exclude}', %s::jsonb)"
        " || jsonb_build_object('Teams', jsonb_build_object('id', notion_databases -> 'Teams', 'exclude', %s::jsonb))",
        '["Salary", "Double"]',
        '["Cost"]',
    )
    await mirrored.sync()
    finding = await mirrored.one(CHECK)
    assert (finding.verdict, finding.message) == (
        Verdict.OK,
        "copied are anna/Staff without Double, Salary, anna/Teams without Cost",
    )


@pytest.mark.slow
async def test_where_nothing_is_excluded_nothing_is_told(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    await mirrored.sync()
    assert (await mirrored.one(CHECK)).message == "nothing is excluded"


def test_formulas_and_rollups_of_any_form_are_looked_through() -> None:
    schema: dict[str, object] = {
        "Old": {"id": "o", "name": "Old", "type": "formula", "formula": {"expression": 'prop("Pay") + 1'}},
        "New": {
            "id": "n",
            "name": "New",
            "type": "formula",
            "formula": {"expression": "{{notion:block_property:a%3Ab:other:x}}"},
        },
        "Odd": {"id": "d", "name": "Odd", "type": "formula", "formula": None},
        "Gone": {"id": "g", "name": "Gone", "type": "rollup", "rollup": {"relation_property_id": "r:1"}},
    }
    own = SourceSchema("anna", "Staff", "own", schema, {"Pay": {"p": "Pay"}, "Knows": {"r:1": "Knows"}})
    other = SourceSchema("anna", "Other", "other", {}, {"Secret": {"a:b": "Secret"}})
    messages = [finding.message for finding in excluded_properties([own, other])]
    assert [message.partition(",")[0] for message in messages] == [
        "anna/Staff: Old is computed from Pay",
        "anna/Staff: New is computed from Secret",
        "anna/Staff: Gone is computed from Knows",
    ]
