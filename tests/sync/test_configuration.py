"""What users and applications put into `notion_databases` is understood, or named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.sync.run.configuration import Configuration, Double, read_configuration

ONE = "11111111-1111-1111-1111-111111111111"
TWO = "22222222-2222-2222-2222-222222222222"


def test_nothing_configured_asks_for_nothing() -> None:
    assert read_configuration(None) == Configuration()
    assert read_configuration({}) == Configuration()


def test_names_and_ids_in_any_form() -> None:
    found = read_configuration({"Worlds": TWO.replace("-", ""), "Characters": f"https://www.notion.so/C-{'1' * 32}"})
    worlds = ConfiguredDatabase("Worlds", TWO, TWO.replace("-", ""))
    assert found.databases == (ConfiguredDatabase("Characters", ONE), worlds)
    assert not found.everything


def test_a_database_under_two_names_counts_under_the_first_in_the_alphabet() -> None:
    found = read_configuration({"Zoo": ONE, "Animals": ONE.replace("-", "")})
    assert found.databases == (ConfiguredDatabase("Animals", ONE, ONE.replace("-", "")),)


def test_an_id_is_kept_as_it_is_written_where_it_is_one_and_nothing_else() -> None:
    written = {
        "a": "ABCDEF00-0000-4000-8000-000000000001",
        "b": "abcdef000000400080000000000000b0",
        "c": " abcdef000000400080000000000000c0",
        "d": "abcdef00-0000-4000-8000-0000000000d0",
        "e": "a-bcdef000000400080000000000000e0",
    }
    kept = {database.name: database.id_as_written for database in read_configuration(written).databases}
    assert kept == {"a": written["a"], "b": written["b"], "c": None, "d": None, "e": None}


def test_a_star_asks_for_everything_beside_what_is_named() -> None:
    found = read_configuration({"*": "*", "Characters": ONE})
    assert found.everything
    assert found.databases == (ConfiguredDatabase("Characters", ONE),)


def test_a_malformed_id_is_named_and_the_others_count() -> None:
    found = read_configuration({"Characters": "oops", "Worlds": TWO, "Stories": 7})
    assert found.databases == (ConfiguredDatabase("Worlds", TWO),)
    assert [problem.message.split(":")[0] for problem in found.problems] == [
        "database 'Characters' in notion_databases",
        "database 'Stories' in notion_databases",
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(json_values)
def test_any_json_is_either_understood_or_a_problem(written: object) -> None:
    found = read_configuration(written)
    if written and not isinstance(written, dict):
        assert found.problems


@pytest.mark.parametrize("key", [" Tasks", "Tasks\n", "\u00a0Tasks "])
def test_blanks_around_a_name_do_not_count(key: str) -> None:
    found = read_configuration({key: ONE})
    assert found.databases == (ConfiguredDatabase("Tasks", ONE),)
    assert found.doubts == ()


@pytest.mark.parametrize(
    "written", [{"Tasks": ONE, " Tasks": TWO}, {" Tasks": ONE, "Tasks ": TWO}, {"Tasks": ONE, "tasks": TWO}]
)
def test_names_that_are_hard_to_tell_apart_stay_two_and_are_told(written: dict[str, str]) -> None:
    found = read_configuration(written)
    names = {one.name for one in found.databases}
    assert (len(names), {one.database_id for one in found.databases}) == (2, {ONE, TWO})
    (doubt,) = found.doubts
    assert all(repr(name) in doubt.message for name in names)


@pytest.mark.parametrize("key", ["", " ", "*", " * "])
def test_an_id_without_a_name_is_one_database_that_notion_names(key: str) -> None:
    found = read_configuration({key: ONE, "Worlds": TWO})
    assert found.databases == (ConfiguredDatabase("Worlds", TWO), ConfiguredDatabase(ONE, ONE))
    assert not found.everything
    (doubt,) = found.doubts
    assert repr(key) in doubt.message


def test_a_name_counts_before_none() -> None:
    found = read_configuration({"": ONE, "Zoo": ONE})
    assert found.databases == (ConfiguredDatabase("Zoo", ONE),)
    assert found.doubles == (Double("", "Zoo", {}),)


@pytest.mark.parametrize("start", ["https://www.notion.so/mine/", "https://app.notion.com/p/Tasks-", ""])
def test_the_id_of_a_link_to_a_view_is_the_databases(start: str) -> None:
    found = read_configuration({"Tasks": f"{start}{'1' * 32}?v={'2' * 32}&pvs=4", "Worlds": TWO})
    assert [(one.name, one.database_id) for one in found.databases] == [("Tasks", ONE), ("Worlds", TWO)]
    assert found.of_views == ("Tasks",)
