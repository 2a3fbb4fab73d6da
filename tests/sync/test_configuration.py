"""What users and applications put into `notion_databases` is understood, or named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.databases import ConfiguredDatabase, DatabaseOptions
from notion_pg_sync.core.ids import looks_like_id, parse_id
from notion_pg_sync.sync.run.configuration import Configuration, Double, read_configuration, repaired, without_place

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


# Near enough to what is understood that every part of it is met.
words = st.sampled_from(["id", "exclude", "bodies", "files", "views", "*", ONE, TWO, "Salary", ""]) | st.text()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner) | st.dictionaries(words, inner),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_either_understood_or_a_problem(written: object) -> None:
    found = read_configuration(written)
    if written and not isinstance(written, dict):
        assert found.problems
    assert not found.held & {one.database_id for one in found.databases}


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


def test_an_object_has_an_id_or_a_link_and_options() -> None:
    found = read_configuration(
        {
            "Characters": {"id": ONE.replace("-", ""), "exclude": ["Salary", "Salary", "a%3Bc"], "views": False},
            "Worlds": {"id": f"https://www.notion.so/Worlds-{'2' * 32}?v={'3' * 32}", "bodies": True},
        }
    )
    assert found.problems == ()
    assert found.databases == (
        ConfiguredDatabase(
            "Characters", ONE, ONE.replace("-", ""), options=DatabaseOptions(("Salary", "a%3Bc"), views=False)
        ),
        ConfiguredDatabase("Worlds", TWO, options=DatabaseOptions(bodies=True)),
    )
    assert found.of_views == ("Worlds",)


@pytest.mark.parametrize("bare", [ONE, {"id": ONE}])
def test_an_object_without_options_says_what_its_id_says(bare: object) -> None:
    assert read_configuration({"Tasks": bare}) == read_configuration({"Tasks": ONE})


def test_an_exclusion_of_nothing_is_another_thing_than_none() -> None:
    (lifted,) = read_configuration({"Tasks": {"id": ONE, "exclude": []}}).databases
    (silent,) = read_configuration({"Tasks": {"id": ONE}}).databases
    assert (lifted.options.exclude, silent.options.exclude) == ((), None)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"exclude": ["Salary"]}, 'it has no "id": write {"id": "<database id>"}, with the options beside it.'),
        ({"id": 7}, 'its "id" is not text: write it in quotes, as "<database id>".'),
        ({"id": "oops"}, "'oops' is not a Notion database id: copy the database's link in Notion"),
        ({"id": ONE, "Exclude ": []}, '"Exclude " (there are exclude, bodies, files, views): write "exclude".'),
        ({"id": ONE, "red": 1}, 'there is no option "red" (there are exclude, bodies, files, views): take it out.'),
        ({"id": ONE, "bodies": None}, '"bodies" is not true or false: write one of these, without quotes.'),
        ({"id": ONE, "views": "true"}, '"views" is not true or false'),
        ({"id": ONE, "files": 1}, '"files" is not true or false'),
        ('{"id": "x"}', "it is an object within text: write the object itself, without quotes around it."),
        ([ONE], 'its id is not text: write it in quotes, as "<database id>".'),
        *(
            ({"id": ONE, "exclude": strange}, '"exclude" is not a list of properties: write it as ["Salary"]')
            for strange in ("Salary", None, ["Salary", 7], ["Salary", " "], [""], {"Salary": True}, [["Salary"]], False)
        ),
    ],
)
def test_an_entry_that_cannot_be_understood_fails_its_database_alone(entry: object, told: str) -> None:
    found = read_configuration({"Characters": entry, "Worlds": TWO})
    assert found.databases == (ConfiguredDatabase("Worlds", TWO),)
    (problem,) = found.problems
    assert problem.message.startswith("database 'Characters' in notion_databases: ")
    assert told in problem.message


def test_everything_that_is_wrong_with_an_entry_is_told_at_once() -> None:
    (problem,) = read_configuration({"Tasks": {"id": "oops", "exclud": [], "bodies": "yes"}}).problems
    assert all(said in problem.message for said in ("'oops' is not", 'write "exclude"', '"bodies" is not'))


excluding = st.lists(st.text(min_size=1).filter(str.strip), min_size=1)
broken_parts = st.sampled_from(
    [{"exclude": "Salary"}, {"exclude": None}, {"exclude": [7]}, {"excludes": ["Salary"]}, {"views": "no"}]
)


@given(excluding, excluding | st.none(), st.permutations(["A", "B", " C "]))
def test_of_one_database_under_more_names_what_any_excludes_counts(
    ours: list[str], theirs: list[str] | None, names: list[str]
) -> None:
    entry = {"id": ONE} if theirs is None else {"id": ONE, "exclude": theirs}
    kept: dict[str, object] = {names[0]: {"id": ONE, "exclude": ours}, names[1]: entry, names[2]: ONE}
    found = read_configuration(kept)
    (database,) = found.databases
    assert set(database.options.exclude or ()) == {*ours, *(theirs or ())}
    for double in found.doubles:
        kept = {key: value for key, value in {**kept, **double.merged}.items() if key != double.name}
        assert read_configuration(kept).databases == found.databases


@given(broken_parts, excluding, st.booleans())
def test_a_database_with_a_broken_entry_is_not_synced_under_any_name(
    part: dict[str, object], exclude: list[str], everything: bool
) -> None:
    star: dict[str, object] = {"*": "*"} if everything else {}
    found = read_configuration({"A": {"id": ONE, **part}, "B": {"id": ONE, "exclude": exclude}, "C": ONE, **star})
    assert found.databases == ()
    assert found.held == {ONE}
    assert not found.takes_found(ONE)
    assert found.takes_found(TWO) == everything


ids = st.sampled_from([ONE, ONE.replace("-", "").upper(), f"https://notion.so/A-{'1' * 32}?v={'2' * 32}", TWO, "oops"])
wild = json_values | st.lists(st.sampled_from(["Salary", "Notes", " ", 7]), max_size=2)
objects = st.fixed_dictionaries({}, optional={"id": ids, "exclude": wild, "bodies": wild, "exclud": wild})
entries = objects | objects.map(json.dumps) | ids | json_values


@given(st.dictionaries(st.sampled_from(["*", "", "Tasks", " Tasks", "Worlds"]), entries), st.booleans())
def test_no_database_is_taken_without_what_any_entry_of_it_says_to_exclude(
    configured: dict[str, object], everything: bool
) -> None:
    configured |= {"*": "*"} if everything else {}
    found = read_configuration(configured)
    excluded = {one.database_id: set(one.options.exclude or ()) for one in found.databases}
    for written in configured.values():
        entry = json.loads(written) if isinstance(written, str) and written.startswith("{") else written
        if not isinstance(entry, dict) or "exclude" not in entry:
            continue
        text = entry.get("id")
        if not isinstance(text, str) or not looks_like_id(text):
            assert not found.takes_found(ONE)
        elif (database_id := parse_id(text)) in excluded:
            assert isinstance(entry["exclude"], list)
            assert excluded[database_id] >= set(entry["exclude"])
        else:
            assert not found.takes_found(database_id)


@pytest.mark.parametrize("lost", [{"exclude": ["Salary"]}, {"id": "oops", "exclude": ["Salary"]}, {"id": 7}, [ONE]])
def test_nothing_is_taken_from_search_while_a_database_that_excludes_is_not_known(lost: object) -> None:
    found = read_configuration({"*": "*", "Characters": lost, "Worlds": TWO})
    assert found.databases == (ConfiguredDatabase("Worlds", TWO),)
    assert not found.takes_found(ONE)
    (problem,) = found.problems
    assert problem.message.endswith(
        "Until then no database that only search finds is synced, since it may be the one that is meant."
    )


def test_a_malformed_id_alone_leaves_search_as_it_is() -> None:
    assert read_configuration({"*": "*", "Characters": "oops"}).takes_found(ONE)


def test_an_object_under_the_star_is_one_database_with_its_options() -> None:
    found = read_configuration({"*": {"id": ONE, "exclude": ["Salary"]}})
    assert found.databases == (ConfiguredDatabase(ONE, ONE, options=DatabaseOptions(("Salary",))),)
    assert not found.everything


def test_files_that_are_wanted_without_a_place_are_told() -> None:
    found = read_configuration({"Tasks": {"id": ONE, "files": True}, "Worlds": {"id": TWO, "files": False}})
    assert found.doubts == ()
    (doubt,) = without_place(found.databases)
    assert doubt.message == (
        "\"files\" is true for 'Tasks' in notion_databases, but no place is known where files are kept"
    )
    assert list(without_place(read_configuration({"Worlds": {"id": TWO, "files": False}}).databases)) == []


WITH_OPTIONS = {"id": ONE, "exclude": ["Salary"], "bodies": True}


@pytest.mark.parametrize(
    "stored",
    [
        json.dumps({"Tasks": WITH_OPTIONS, "Worlds": TWO}),
        {"Tasks": json.dumps(WITH_OPTIONS), "Worlds": TWO},
        json.dumps({"Tasks": json.dumps(WITH_OPTIONS), "Worlds": TWO}),
        [{"name": "Tasks", **WITH_OPTIONS}, {"name": "Worlds", "database_id": TWO}],
        [{"name": "Tasks", "database_id": ONE, "exclude": ["Salary"], "bodies": True}, {"Worlds": TWO}],
        [{"Tasks": WITH_OPTIONS}, ["Worlds", TWO], ["Worlds", TWO]],
        [["Tasks", WITH_OPTIONS], ["Worlds", TWO]],
    ],
)
def test_what_was_stored_otherwise_is_repaired_with_its_options(stored: object) -> None:
    assert read_configuration(stored).problems
    assert repaired(stored) == {"Tasks": WITH_OPTIONS, "Worlds": TWO}


@pytest.mark.parametrize(
    "stored",
    [
        [{"name": "Tasks", "id": ONE, "excluded": ["Salary"]}],
        [{"Tasks": WITH_OPTIONS}, {"Tasks": ONE}],
        [{"Tasks": WITH_OPTIONS}, 7],
        {"Tasks": json.dumps({"id": ONE, "exclude": "Salary"})},
        {"Tasks": {"id": ONE, "exclude": "Salary"}},
    ],
)
def test_what_may_lose_an_exclusion_is_not_repaired(stored: object) -> None:
    assert repaired(stored) is None


@given(json_values)
def test_what_is_repaired_can_be_read(stored: object) -> None:
    found = repaired(stored)
    assert found is None or (found and not read_configuration(found).problems)
