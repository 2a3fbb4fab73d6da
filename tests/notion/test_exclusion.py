"""What an entry of an exclusion covers, and what later entries and names change of that."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.notion.exclusion import (
    NOTHING,
    TITLE,
    Exclusion,
    ExclusionError,
    check_met,
    check_title,
    corrected,
    include,
    named,
    settle,
    without,
    without_emails,
)

names = st.text(min_size=1, max_size=8)
ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5).filter(
    lambda id_: id_ != TITLE and id_.strip() == id_
)
schemas = st.dictionaries(ids, names, max_size=6)
entries = st.lists(names | ids, max_size=4)


@given(schemas, entries, st.data())
def test_what_was_met_once_is_covered_under_any_name(properties: dict[str, str], written: list[str], data: Any) -> None:
    exclusion = settle(NOTHING, written).now.met(properties)
    for id_, name in properties.items():
        if exclusion.covers(quote(id_, safe=""), name):
            assert exclusion.covers(id_, data.draw(names))


@given(schemas, names, names)
def test_a_property_of_an_excluded_name_is_covered_however_new(
    properties: dict[str, str], name: str, new_id: str
) -> None:
    exclusion = settle(NOTHING, [name]).now.met(properties)
    assert exclusion.covers(f"new {new_id}", name)
    assert exclusion.covers("", f"  {name.upper()} " if name.upper().casefold() == name.casefold() else name)


@given(ids)
def test_an_id_is_covered_in_either_spelling(id_: str) -> None:
    for written in (id_, quote(id_, safe="")):
        exclusion = Exclusion({written: {}})
        assert exclusion.covers(quote(id_, safe=""), "any name")
        assert exclusion.covers(id_, "any name") or quote(id_, safe="") != id_


@given(schemas, entries)
def test_the_title_is_never_covered(properties: dict[str, str], written: list[str]) -> None:
    exclusion = settle(NOTHING, [*written, "Name", TITLE]).now.met({**properties, TITLE: "Name"})
    assert not exclusion.covers(TITLE, "Name")
    with pytest.raises(ExclusionError, match="means the title 'Name'"):
        check_title(exclusion, {**properties, TITLE: "Name"})


@given(schemas, entries, entries)
def test_no_list_but_an_empty_one_lifts_what_was_met(
    properties: dict[str, str], before: list[str], now: list[str]
) -> None:
    stored = settle(NOTHING, before).now.met(properties)
    for written in (None, now):
        covered = [id_ for id_, name in properties.items() if stored.covers(id_, name) and stored.entries]
        settled = settle(stored, written)
        if written != []:
            met = {id_ for known in stored.entries.values() for id_ in known}
            assert all(settled.now.covers(id_, "x") for id_ in covered if id_ in met)
    lifted = settle(stored, [])
    assert (lifted.now, lifted.lifted) == (NOTHING, stored)


@given(schemas, st.text(min_size=1, max_size=8).filter(lambda entry: entry.strip()))
def test_an_entry_is_met_or_fails(properties: dict[str, str], entry: str) -> None:
    exclusion = settle(NOTHING, [entry]).now.met(properties)
    if exclusion.unmet:
        with pytest.raises(ExclusionError):
            check_met(exclusion, properties)
        assert not any(exclusion.covers(id_, name) for id_, name in properties.items())
    else:
        check_met(exclusion, properties)


@given(schemas, entries)
def test_what_is_left_of_a_schema_and_of_its_pages_has_nothing_that_is_covered(
    properties: dict[str, str], written: list[str]
) -> None:
    exclusion = settle(NOTHING, written).now.met(properties)
    schema = {name: {"id": quote(id_, safe=""), "name": name, "type": "number"} for id_, name in properties.items()}
    kept = without(schema, exclusion)
    assert not any(exclusion.covers(id_, name) for id_, name in named(kept).items())
    assert all(exclusion.covers(schema[name]["id"], name) for name in schema.keys() - kept.keys())


def test_an_entry_that_met_nothing_is_corrected_by_a_later_list_alone() -> None:
    stored = Exclusion({"Salry": {}, "Notes": {"n": "Notes"}})
    assert settle(stored, ["Salary"]).now.entries.keys() == {"Salary", "Salry", "Notes"}
    assert corrected(stored, None) == stored
    assert corrected(stored, ["Salry"]) == stored
    assert corrected(stored, ["Salary"]).entries == {"Notes": {"n": "Notes"}}


def test_the_accents_of_a_name_count_however_they_are_written() -> None:
    assert Exclusion({"Geha\u0308lter": {}}).covers("x", "Geh\u00e4lter")


def test_near_names_are_told() -> None:
    with pytest.raises(ExclusionError, match="did you mean 'Salary'\\?"):
        check_met(Exclusion({"Salry": {}}), {"s": "Salary", "c": "City"})


STORED = Exclusion({"Salary": {"s": "Pay", "t": "Salary"}, "Notes": {"n": "Notes"}, "City": {"c": "Town"}})


@pytest.mark.parametrize(
    ("wanted", "entry"), [("notes", "Notes"), ("n", "Notes"), ("Salary", "Salary"), ("Town", "City")]
)
def test_an_entry_is_lifted_by_its_words_and_by_a_property_that_it_alone_stands_for(wanted: str, entry: str) -> None:
    settled = include(STORED, None, wanted)
    assert settled.lifted.entries.keys() == {entry}
    assert settled.now.entries.keys() == STORED.entries.keys() - {entry}


@pytest.mark.parametrize(
    ("wanted", "written", "said"),
    [
        ("Notes", ["notes"], "notion_databases itself excludes 'Notes', as 'notes'"),
        ("Town", ["City"], "notion_databases itself excludes 'Town', as 'City'"),
        ("Pay", None, "which also excludes 'Salary'"),
        ("Age", None, "'Age' is not excluded: what is excluded is 'Notes', 'Pay', 'Salary', 'Town'"),
    ],
)
def test_what_cannot_be_lifted_is_told(wanted: str, written: list[str] | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        include(STORED, written, wanted)


def test_addresses_of_people_go_wherever_they_are_and_nothing_else_does() -> None:
    ada = {"object": "user", "id": "1", "type": "person", "name": "Ada", "person": {"email": "ada@example.com"}}
    bare = {**ada, "person": {}}
    page = {
        "created_by": ada,
        "properties": {
            "Who": {"type": "people", "people": [ada]},
            "person": {"type": "email", "email": "kept@example.com"},
            "Text": {"rich_text": [{"type": "mention", "mention": {"type": "user", "user": ada}}]},
        },
    }
    assert without_emails(page) == {
        "created_by": bare,
        "properties": {
            "Who": {"type": "people", "people": [bare]},
            "person": {"type": "email", "email": "kept@example.com"},
            "Text": {"rich_text": [{"type": "mention", "mention": {"type": "user", "user": bare}}]},
        },
    }
