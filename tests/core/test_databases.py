"""What a person writes means one database, everywhere the same one."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.databases import ConfiguredDatabase, find_databases, resolve_database
from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.ids import looks_like_id

TASKS, ARCHIVE, NOTES = (str(UUID(int=number)) for number in (1, 2, 3))
CANDIDATES = [ConfiguredDatabase("Tasks", TASKS), ConfiguredDatabase("Archive", ARCHIVE)]

NAMES = st.text(min_size=1).filter(lambda name: not looks_like_id(name))
DATABASES = st.lists(st.builds(ConfiguredDatabase, NAMES, st.uuids().map(str)), unique_by=lambda one: one.database_id)


@pytest.mark.parametrize(
    "written",
    [
        "Tasks",
        "tasks",
        " TASKS ",
        TASKS,
        TASKS.replace("-", ""),
        TASKS.upper(),
        f"https://www.notion.so/Tasks-{TASKS.replace('-', '')}?v=1",
    ],
)
def test_a_name_an_id_or_a_link_means_the_database(written: str) -> None:
    assert resolve_database(written, CANDIDATES, whose="it has").database_id == TASKS


def test_capitals_count_where_they_tell_two_names_apart() -> None:
    two = [*CANDIDATES, ConfiguredDatabase("tasks", NOTES)]
    assert resolve_database("tasks", two, whose="it has").database_id == NOTES
    assert resolve_database("Tasks", two, whose="it has").database_id == TASKS
    with pytest.raises(UsageError, match=rf"it has 2 databases 'TASKS'.*{TASKS}, {NOTES}"):
        resolve_database("TASKS", two, whose="it has")


def test_two_of_one_name_are_refused_with_their_ids() -> None:
    two = [*CANDIDATES, ConfiguredDatabase("Tasks", NOTES)]
    with pytest.raises(UsageError, match=rf"it has 2 databases 'Tasks'.*{TASKS}, {NOTES}"):
        resolve_database("Tasks", two, whose="it has")


def test_a_title_that_became_anothers_is_refused_with_both_names() -> None:
    renamed = ConfiguredDatabase("Tasks", TASKS, title="Aufgaben")
    other = ConfiguredDatabase("Tasks (2)", NOTES, title="Tasks")
    assert resolve_database("Aufgaben", [renamed, other], whose="it has") == renamed
    assert resolve_database("tasks (2)", [renamed, other], whose="it has") == other
    with pytest.raises(UsageError) as error:
        resolve_database("Tasks", [renamed, other], whose="it has")
    assert str(error.value) == (
        f"it has 2 databases 'Tasks': give the id of the one that is meant ({TASKS}, {NOTES}). {TASKS} is 'Tasks' "
        f"('Aufgaben' in Notion); {NOTES} is 'Tasks (2)' ('Tasks' in Notion)."
    )


def test_one_database_under_two_names_is_one() -> None:
    two = [*CANDIDATES, ConfiguredDatabase("tasks", TASKS)]
    assert resolve_database("TASKS", two, whose="it has").database_id == TASKS


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(UsageError, match=r"it has no database 'Taks': did you mean 'Tasks'"):
        resolve_database("Taks", CANDIDATES, whose="it has")


def test_where_nothing_is_near_all_names_are_listed() -> None:
    with pytest.raises(UsageError, match=r"no database 'Zoo'.*: Tasks, Archive"):
        resolve_database("Zoo", CANDIDATES, whose="it has")
    with pytest.raises(UsageError, match=r"no database 'Zoo': there are none"):
        resolve_database("Zoo", [], whose="it has")


def test_an_unknown_id_is_taken_at_its_word_only_where_that_is_wanted() -> None:
    with pytest.raises(UsageError):
        resolve_database(NOTES, CANDIDATES, whose="it has")
    assert resolve_database(NOTES, CANDIDATES, whose="it has", unknown_ids=True).database_id == NOTES


@given(databases=DATABASES, data=st.data())
def test_every_database_is_found_by_its_id_and_by_its_name(
    databases: list[ConfiguredDatabase], data: st.DataObject
) -> None:
    if not databases:
        return
    one = data.draw(st.sampled_from(databases))
    assert resolve_database(one.database_id, databases, whose="it has") == one
    assert one in find_databases(one.name, databases)


@given(databases=DATABASES, written=st.text())
def test_what_is_found_is_meant(databases: list[ConfiguredDatabase], written: str) -> None:
    for one in find_databases(written, databases):
        assert one in databases
        assert looks_like_id(written) or one.name.strip().casefold() == written.strip().casefold()
