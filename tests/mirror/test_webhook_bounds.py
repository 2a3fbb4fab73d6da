"""What bounds the requests that webhooks make, and what comes of events that come at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.mirror.conftest import Copies, page_event
from tests.waiting import wait_until


def test_the_same_event_again_asks_for_nothing_more(copies: Copies) -> None:
    event = copies.event("page.created", copies.page("Worlds"))
    assert [copies.receive({**event, "attempt_number": attempt}) for attempt in range(1, 9)] == [2] * 8
    assert len(copies.waiting()) == 2
    assert copies.counted() == (8, 0)


def test_past_a_hundred_pages_the_database_is_asked_for_once(copies: Copies) -> None:
    source = copies.small.data_sources["Tasks"]
    events = [page_event(str(uuid4()), data_source_id=source) for _ in range(130)]
    assert copies.receive(*events) == 1
    waiting = copies.waiting()
    assert len(waiting) == 101
    assert ("ben", "Tasks", None) in waiting
    # Those that waited before are found among them, and others' databases are asked for by the page.
    copies.receive(events[0])
    copies.receive(copies.event("page.created", copies.page("Worlds")))
    assert len(copies.waiting() - waiting) == 2


def test_where_the_database_or_everything_waits_no_page_is_asked_for(copies: Copies) -> None:
    copies.execute("SELECT notion_sync.sync_notion_database('anna', NULL, 'Worlds')")
    copies.execute("SELECT notion_sync.sync_all_notion_databases('ben')")
    assert copies.receive(copies.event("page.created", copies.page("Worlds"))) == 2
    assert copies.receive(copies.event("page.created", copies.page("Tasks"))) == 1
    assert copies.waiting() == {("anna", "Worlds", None)}


def test_what_a_run_has_taken_up_is_asked_for_again(copies: Copies) -> None:
    """It may have read the page before it was edited."""
    event = copies.event("page.created", copies.page("Tasks"))
    copies.receive(event)
    copies.execute("UPDATE notion_sync.sync_requests SET status = 'running', started_at = now(), runid = 1")
    assert copies.receive(event) == 1
    assert len(copies.waiting()) == 1


@pytest.mark.parametrize(("waiting", "asked"), [(899, "page"), (900, "database"), (999, "database"), (1000, None)])
def test_a_user_who_has_all_that_may_wait_holds_up_nobody(copies: Copies, waiting: int, asked: str | None) -> None:
    copies.execute(
        "INSERT INTO notion_sync.sync_requests (user_id, database_id)"
        " SELECT 'anna', gen_random_uuid() FROM generate_series(1, %s)",
        waiting,
    )
    page = copies.page("Worlds")
    assert copies.receive(copies.event("page.created", page)) == (2 if asked else 1)
    expected = {("anna", "Worlds", {"page": page, "database": None}[asked])} if asked else set()
    assert copies.waiting() == {("ben", "Worlds", page), *expected}


def at_once(copies: Copies, call: Callable[[psycopg.Connection, int], None], sessions: int = 8) -> None:
    """Calls from several sessions that begin together; raises what any of them raises."""
    begin = threading.Barrier(sessions)

    def session(number: int) -> None:
        with psycopg.connect(copies.url, autocommit=True) as connection:
            begin.wait(30)
            call(connection, number)

    with ThreadPoolExecutor(sessions) as pool:
        list(pool.map(session, range(sessions)))


def test_sessions_that_bring_the_same_events_ask_once_and_count_all(copies: Copies) -> None:
    events = [copies.event("page.created", page) for page in copies.small.workspace.page_ids("Worlds")]

    def deliver(connection: psycopg.Connection, _: int) -> None:
        for event in events:
            asked = connection.execute("SELECT notion_sync.receive_webhook(%s)", (Jsonb(event),)).fetchone()
            assert asked == (2,)

    at_once(copies, deliver)
    assert copies.waiting() == {(user, "Worlds", event["entity"]["id"]) for user in ("anna", "ben") for event in events}
    assert copies.counted() == (8 * len(events), 0)


def test_sessions_that_meet_the_bound_together_raise_nothing(copies: Copies) -> None:
    copies.execute(
        "INSERT INTO notion_sync.sync_requests (user_id, database_id)"
        " SELECT 'anna', gen_random_uuid() FROM generate_series(1, 880)"
    )
    sources = [copies.small.data_sources[name] for name in ("Worlds", "Characters")]

    def deliver(connection: psycopg.Connection, number: int) -> None:
        for turn in range(20):
            event = page_event(str(uuid4()), data_source_id=sources[(turn + number) % 2])
            connection.execute("SELECT notion_sync.receive_webhook(%s)", (Jsonb(event),))

    at_once(copies, deliver)
    assert copies.execute("SELECT count(*) <= 1000 FROM notion_sync.sync_requests WHERE user_id = 'anna'") == [(True,)]
    assert {("anna", "Worlds", None), ("anna", "Characters", None)} <= copies.waiting()


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_an_event_that_meets_another_is_no_error_whatever_the_isolation(copies: Copies, isolation: str) -> None:
    """Notion would send it again, and pause the subscription after some of them."""
    event = copies.event("page.created", copies.page("Worlds"))
    with psycopg.connect(copies.url) as above:
        above.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}".encode())
        above.execute("SELECT 1 FROM notion_sync.webhook_days")
        assert copies.receive(event) == 2
        assert above.execute("SELECT notion_sync.receive_webhook(%s)", (Jsonb(event),)).fetchone() == (2,)
    assert len(copies.waiting()) == 2
    assert copies.counted() == (1, 0)


def test_a_session_waits_for_one_that_has_not_committed_the_same(copies: Copies) -> None:
    event = Jsonb(copies.event("page.created", copies.page("Worlds")))
    with psycopg.connect(copies.url) as first, ThreadPoolExecutor(1) as pool:
        first.execute("SELECT notion_sync.receive_webhook(%s)", (event,))
        second = pool.submit(copies.receive, event.obj)
        blocked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        wait_until(lambda: copies.execute(blocked) or second.done())
        assert not second.done()
        first.rollback()
        assert second.result(60) == 2
    assert len(copies.waiting()) == 2
    assert copies.counted() == (1, 0)


def test_a_session_that_counted_and_forgot_to_commit_holds_up_no_other_event(copies: Copies) -> None:
    with psycopg.connect(copies.url) as forgotten:
        forgotten.execute(
            "SELECT notion_sync.receive_webhook(%s)", (Jsonb(copies.event("page.created", copies.page("Tasks"))),)
        )
        assert copies.receive(copies.event("page.created", copies.page("Characters"))) == 1
        forgotten.rollback()
    assert copies.waiting() == {("anna", "Characters", copies.page("Characters"))}
