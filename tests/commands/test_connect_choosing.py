"""What `connect` writes into `notion_databases` loses nothing that was said of a database."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.connect.choosing import configuration_of, described, everything
from notion_pg_sync.core.databases import ConfiguredDatabase, DatabaseOptions
from notion_pg_sync.sync.run.configuration import read_configuration

IDS = [f"{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 12}" for digit in "1234"]
names = st.sampled_from(["Tasks", " Tasks ", "tasks", "", "*", "Worlds"])
options = st.sampled_from([{}, {"exclude": ["Salary"]}, {"exclude": []}, {"exclude": "Salary"}, {"colour": 1}])
entries = st.builds(lambda one, said: {"id": one, **said}, st.sampled_from(IDS), options) | st.sampled_from(
    [*IDS, IDS[0].replace("-", ""), "oops", {"exclude": ["Salary"]}]
)
current_ones = st.dictionaries(names, entries)


@given(current_ones, st.lists(st.sampled_from(IDS), unique=True))
def test_what_is_picked_keeps_its_entry_and_what_is_new_gets_one(current: dict[str, object], picked: list[str]) -> None:
    before = read_configuration(current)
    known = {one.database_id: one for one in before.databases}
    written = configuration_of([known.get(one, ConfiguredDatabase("Tasks", one)) for one in picked], current)
    after = read_configuration(written)
    assert {one.database_id for one in after.databases} | after.held == {*picked}
    for database in after.databases:
        kept = known.get(database.database_id)
        assert kept is None or kept.options == database.options
    assert after.held == before.held & {*picked}
    assert all(current[key] == value for key, value in written.items() if not isinstance(value, str))


@given(current_ones)
def test_everything_excludes_what_was_excluded(current: dict[str, object]) -> None:
    before, after = read_configuration(current), read_configuration(everything(current))
    assert after.everything
    options_after = {one.database_id: one.options for one in after.databases}
    for database in before.databases:
        assert options_after.get(database.database_id, DatabaseOptions()) == database.options
    assert after.held == before.held


def test_what_is_asked_for_is_told_with_its_options() -> None:
    said = {"Tasks": {"id": IDS[0], "exclude": ["Salary", "Notes"], "bodies": True, "views": False}, "Worlds": IDS[1]}
    assert described(said) == "Tasks (without Salary, Notes; with bodies; without views), Worlds"
    assert described({"Tasks": "oops"}) == "nothing"
    assert described({"*": "*"}) == "every database that is shared with it"
