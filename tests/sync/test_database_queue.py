"""Which database of an account comes next, and for which requests are taken up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.sync.rows.asked_pages import fits
from notion_pg_sync.sync.run.serving import MOST_SYNCS, DatabaseQueue

DATABASES = [ConfiguredDatabase(name, name) for name in "abcde"]
A, B, C, *_ = DATABASES


def test_what_is_asked_for_comes_first_and_nothing_comes_twice() -> None:
    queue = DatabaseQueue([A, B, C])
    assert queue.put_first([C]) == 0
    assert [queue.next(), queue.next(), queue.next(), queue.next()] == [C, A, B, None]
    assert queue.asked == {"c"}


def test_what_has_been_synced_is_put_in_once_more() -> None:
    queue = DatabaseQueue([A, B])
    assert queue.next() == A
    assert queue.is_first_sync("a")
    assert queue.put_first([A]) == 1
    assert [queue.next(), queue.next()] == [A, B]
    assert not queue.is_first_sync("a")


async def test_nothing_is_taken_up_for_what_is_at_work() -> None:
    queue = DatabaseQueue([A, B])
    async with queue.at_work("a"):
        assert queue.may_be_asked_for(["a", "b"]) == ["b"]
    assert queue.may_be_asked_for(["a", "b"]) == ["a", "b"]


@given(st.lists(st.sampled_from(DATABASES), max_size=40))
def test_who_asks_without_end_gets_each_database_so_often_and_no_more(asked: list[ConfiguredDatabase]) -> None:
    queue = DatabaseQueue()
    came = []
    for database in asked:
        queue.put_first([database] if queue.may_be_asked_for([database.database_id]) else [])
        came.append(queue.next())
    for database in DATABASES:
        assert came.count(database) == min(asked.count(database), MOST_SYNCS)


def test_a_page_fits_a_schema_with_the_same_names_ids_and_types() -> None:
    schema = {"Name": {"id": "title", "type": "title"}, "Age": {"id": "a%3Bb", "type": "number", "number": {}}}
    page = {"Name": {"id": "title", "type": "title"}, "Age": {"id": "a;b", "type": "number", "number": 1}}
    assert fits(read_properties(page), schema)
    assert fits(read_properties(page), {**schema, "Do": {"id": "x", "type": "button"}})
    assert not fits(read_properties({"Name": page["Name"]}), schema)
    assert not fits(read_properties({**page, "New": {"id": "n", "type": "number"}}), schema)
    assert not fits(read_properties({**page, "Age": {"id": "a;b", "type": "select"}}), schema)
    assert not fits(read_properties({"Name": page["Name"], "Years": page["Age"]}), schema)
