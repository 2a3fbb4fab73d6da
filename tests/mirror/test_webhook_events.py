"""Events of webhooks: for whom they ask for a sync of what, and what an event may be."""

from __future__ import annotations

import json
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notion_workspace import SmallWorkspace
from psycopg.types.json import Jsonb

from notion_pg_sync.core.printable import to_storable
from tests.installation import Installation
from tests.mirror.conftest import NOBODYS, Copies, Event, page_event
from tests.notion.arbitrary_json import json_values, wild_text

PAGE_EVENTS = [
    *("content_updated", "properties_updated", "moved", "deleted", "undeleted", "locked", "unlocked", "created"),
    # One that nobody has heard of yet.
    "thought_about",
]
TABLE_EVENTS = ["created", "deleted", "undeleted", "moved", "content_updated", "schema_updated"]
OTHER_EVENTS = [
    *("comment.created", "view.updated", "file_upload.completed", "workspace.renamed", "page", "pages.created", ""),
]


@pytest.mark.parametrize("kind", PAGE_EVENTS)
def test_an_event_on_a_page_asks_for_the_page_of_each_user_who_has_it(copies: Copies, kind: str) -> None:
    page = copies.page("Worlds")
    event = page_event(page, kind=f"page.{kind}", id=str(uuid4()), type="space")
    assert copies.receive(event) == 2
    assert copies.waiting() == {("anna", "Worlds", page), ("ben", "Worlds", page)}


def test_a_page_of_one_user_is_asked_for_that_user(copies: Copies) -> None:
    page = copies.page("Tasks")
    assert copies.receive(copies.event("page.properties_updated", page, updated=["title"])) == 1
    assert copies.waiting() == {("ben", "Tasks", page)}


def test_an_id_may_be_written_without_dashes(copies: Copies) -> None:
    page = copies.page("Tasks")
    assert copies.receive(page_event(page.replace("-", "").upper(), id=NOBODYS, type="page")) == 1
    assert copies.waiting() == {("ben", "Tasks", page)}


@pytest.mark.parametrize("kind", ["page.created", "page.undeleted", "page.moved", "page.properties_updated"])
def test_a_page_that_no_copy_has_is_found_by_its_data_source(copies: Copies, kind: str) -> None:
    page = copies.small.workspace.add_page("Worlds", {"Name": "Terra Incognita"})
    assert copies.receive(copies.event(kind, page)) == 2
    assert copies.waiting() == {("anna", "Worlds", page), ("ben", "Worlds", page)}


def test_a_page_that_moved_is_asked_for_where_it_was_and_where_it_is(copies: Copies) -> None:
    page = copies.page("Characters")
    copies.small.workspace.move_page(page, "Worlds")
    assert copies.receive(copies.event("page.moved", page)) == 3
    assert copies.waiting() == {("anna", "Characters", page), ("anna", "Worlds", page), ("ben", "Worlds", page)}


def test_a_page_that_moved_out_of_all_copies_is_asked_for_where_it_was(copies: Copies) -> None:
    page = copies.page("Characters")
    copies.small.workspace.move_page(page, "Private")
    assert copies.receive(copies.event("page.moved", page)) == 1
    assert copies.waiting() == {("anna", "Characters", page)}


def test_a_new_page_of_which_only_the_database_is_told_asks_for_that(copies: Copies) -> None:
    """As events of API versions before data sources have it."""
    event = page_event(NOBODYS, id=copies.small.databases["Worlds"], type="database")
    assert copies.receive(event) == 2
    assert copies.waiting() == {("anna", "Worlds", None), ("ben", "Worlds", None)}


def test_a_new_page_of_a_data_source_that_is_new_asks_for_its_database(copies: Copies) -> None:
    event = page_event(NOBODYS, id=copies.small.databases["Tasks"], type="database", data_source_id=str(uuid4()))
    assert copies.receive(event) == 1
    assert copies.waiting() == {("ben", "Tasks", None)}


@pytest.mark.parametrize("kind", TABLE_EVENTS)
@pytest.mark.parametrize("family", ["data_source", "database"])
def test_an_event_on_a_data_source_or_a_database_asks_for_the_database(copies: Copies, family: str, kind: str) -> None:
    ids = {"data_source": copies.small.data_sources, "database": copies.small.databases}[family]
    assert copies.receive(copies.event(f"{family}.{kind}", ids["Worlds"])) == 2
    assert copies.waiting() == {("anna", "Worlds", None), ("ben", "Worlds", None)}


def test_a_data_source_that_is_new_is_found_by_its_database(copies: Copies) -> None:
    parent = {"id": copies.small.databases["Tasks"], "type": "database"}
    event = {
        "type": "data_source.created",
        "entity": {"id": NOBODYS, "type": "data_source"},
        "data": {"parent": parent},
    }
    assert copies.receive(event) == 1
    assert copies.waiting() == {("ben", "Tasks", None)}


@pytest.mark.parametrize("kind", OTHER_EVENTS)
def test_events_on_anything_else_ask_for_nothing(copies: Copies, kind: str) -> None:
    page = copies.page("Worlds")
    event = {"type": kind, "entity": {"id": page, "type": "page"}, "data": {"page_id": page, "parent": {"id": page}}}
    assert copies.receive(event) == 0
    assert copies.counted() == (1, 0)


def test_what_nobody_has_finds_nothing(copies: Copies) -> None:
    for family in ("page", "data_source", "database"):
        event = {"type": f"{family}.deleted", "entity": {"id": NOBODYS, "type": family}, "data": {}}
        assert copies.receive(event) == 0
    assert copies.waiting() == set()
    assert copies.counted() == (3, 3)


def test_it_deletes_nothing(copies: Copies) -> None:
    rows = "SELECT count(*) FROM notion_worlds_sync"
    before = copies.execute(rows), copies.execute("SELECT count(*) FROM notion_sync.pages")
    page = copies.page("Worlds")
    copies.receive(copies.event("page.deleted", page))
    copies.receive(copies.event("database.deleted", copies.small.databases["Worlds"]))
    assert (copies.execute(rows), copies.execute("SELECT count(*) FROM notion_sync.pages")) == before


def test_what_is_suspended_is_not_asked_for_and_still_found(copies: Copies) -> None:
    page = copies.page("Worlds")
    copies.execute("UPDATE notion_sync.accounts SET suspended_since = now() WHERE user_id = 'anna'")
    assert copies.receive(copies.event("page.created", page)) == 1
    copies.execute("UPDATE notion_sync.databases SET suspended_since = now() WHERE user_id = 'ben' AND name = 'Worlds'")
    assert copies.receive(copies.event("page.created", copies.page("Worlds", 1))) == 0
    assert copies.waiting() == {("ben", "Worlds", page)}
    assert copies.counted() == (2, 0)


async def test_an_edit_is_in_the_copy_after_its_event_and_a_run(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("anna", small.tokens["anna"], {"Worlds": small.databases["Worlds"]})
    assert (await installation.sync_all()).failures == []
    (edited, *_) = small.workspace.page_ids("Worlds")
    small.workspace.edit_page(edited, {"Name": "Middle-earth"})
    event = small.workspace.webhook_event("page.properties_updated", edited)
    await installation.execute("SELECT notion_sync.receive_webhook(%s)", Jsonb(event))
    assert (await installation.sync_all()).failures == []
    requests = await installation.execute("SELECT status FROM notion_sync.sync_requests")
    assert requests == [{"status": "succeeded"}]
    rows = await installation.execute("SELECT name FROM notion_worlds_sync WHERE notion_page_id = %s", edited)
    assert rows == [{"name": "Middle-earth"}]


@pytest.mark.parametrize("event", [None, [], ["page.created"], "{}", 7, True])
def test_what_is_no_object_is_refused_in_a_sentence(copies: Copies, event: object) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="is a JSON object"):
        copies.receive(event)


def test_so_is_no_event_at_all(copies: Copies) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="is a JSON object, and this is null"):
        copies.execute("SELECT notion_sync.receive_webhook(NULL)")


@pytest.mark.parametrize("event", [{}, {"verification_token": "secret_x"}, {"type": 7}, {"type": None}, {"type": {}}])
def test_what_has_no_type_is_no_event_and_is_not_counted(copies: Copies, event: Event) -> None:
    assert copies.receive(event) == 0
    assert copies.counted() == (0, 0)


def storable(value: object) -> object:
    """What PostgreSQL takes as jsonb: without NUL and lone surrogates, and with numbers that JSON has."""
    if isinstance(value, dict):
        return {to_storable(key): storable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, str):
        return to_storable(value)
    return value if value is None or isinstance(value, int | float) else f"{value}"


KINDS = st.sampled_from(
    [*(f"page.{kind}" for kind in PAGE_EVENTS), "data_source.moved", "database.created", "comment.created", "page."]
)


def test_no_event_is_an_error_whatever_it_holds(copies: Copies) -> None:
    known = [copies.page("Worlds"), *copies.small.databases.values(), *copies.small.data_sources.values()]
    ids = st.sampled_from(known) | json_values
    parents = st.fixed_dictionaries({}, optional={"id": ids, "type": json_values, "data_source_id": ids})
    events = st.fixed_dictionaries(
        {"type": KINDS | wild_text},
        optional={
            "entity": st.fixed_dictionaries({}, optional={"id": ids, "type": json_values}) | json_values,
            "data": st.fixed_dictionaries({}, optional={"parent": parents | json_values}) | json_values,
        },
    )

    with psycopg.connect(copies.url, autocommit=True) as connection:

        @settings(suppress_health_check=[HealthCheck.too_slow])
        @given(events)
        def is_none(event: Event) -> None:
            text = json.dumps(storable(event))
            (asked,) = connection.execute("SELECT notion_sync.receive_webhook(%s)", (text,)).fetchone() or (None,)
            assert asked >= 0

        is_none()
