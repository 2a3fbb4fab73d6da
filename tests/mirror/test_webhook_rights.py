"""Who may pass on webhooks' events, and how long these are counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from notion_pg_sync.mirror import retention
from notion_pg_sync.mirror.connection import open_pool, transaction
from notion_pg_sync.settings import Settings
from tests.installation import Installation
from tests.mirror.conftest import NOBODYS, Copies, Event, page_event
from tests.pgbouncer import PgBouncer


def may_execute(copies: Copies, role: str) -> bool:
    ((may,),) = copies.execute(
        "SELECT has_function_privilege(%s, 'notion_sync.receive_webhook(jsonb)', 'EXECUTE')", role
    )
    return bool(may)


@pytest.fixture
def application(copies: Copies) -> Iterator[str]:
    """A role of an application, without any right."""
    role = f"application_{uuid4().hex}"
    copies.execute(f"CREATE ROLE {role} LOGIN")
    yield role
    copies.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def receive_as(copies: Copies, role: str, event: Event) -> int:
    with psycopg.connect(copies.url, autocommit=True) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        row = connection.execute("SELECT notion_sync.receive_webhook(%s)", (Jsonb(event),)).fetchone()
        assert row is not None
        return int(row[0])


def test_nobody_may_call_it_who_was_not_granted_that(copies: Copies, application: str) -> None:
    copies.execute(f"GRANT USAGE ON SCHEMA notion_sync TO {application}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="receive_webhook"):
        receive_as(copies, application, page_event(NOBODYS))


def test_a_role_that_was_granted_it_needs_no_other_right_and_sees_nothing(copies: Copies, application: str) -> None:
    copies.execute(
        f"GRANT USAGE ON SCHEMA notion_sync TO {application};"
        f" GRANT EXECUTE ON FUNCTION notion_sync.receive_webhook(jsonb) TO {application}"
    )
    page = copies.page("Worlds")
    assert receive_as(copies, application, copies.event("page.created", page)) == 2
    assert copies.waiting() == {("anna", "Worlds", page), ("ben", "Worlds", page)}
    with psycopg.connect(copies.url, autocommit=True) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(application)))
        for table in ("sync_requests", "webhook_days", "pages"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT FROM notion_sync.{table}".encode())


def test_it_may_be_called_by_sqlalchemy(copies: Copies, application: str) -> None:
    copies.execute(
        f"GRANT USAGE ON SCHEMA notion_sync TO {application};"
        f" GRANT EXECUTE ON FUNCTION notion_sync.receive_webhook(jsonb) TO {application}"
    )
    event = json.dumps(copies.event("page.created", copies.page("Worlds")))
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(copies.url, user=application),
        poolclass=sqlalchemy.NullPool,
    )
    with engine.begin() as connection:
        asked = connection.scalar(sqlalchemy.text("SELECT notion_sync.receive_webhook(:event)"), {"event": event})
    assert asked == 2


@pytest.mark.slow
def test_it_may_be_called_through_a_pooler_by_transactions(copies: Copies, application: str) -> None:
    copies.execute(
        f"GRANT USAGE ON SCHEMA notion_sync TO {application};"
        f" GRANT EXECUTE ON FUNCTION notion_sync.receive_webhook(jsonb) TO {application}"
    )
    events = [Jsonb(copies.event("page.created", page)) for page in copies.small.workspace.page_ids("Worlds")]
    with (
        PgBouncer(copies.url, [application]) as pooler,
        psycopg.connect(make_conninfo(pooler.url, user=application), autocommit=True) as connection,
    ):
        for event in events:
            assert connection.execute("SELECT notion_sync.receive_webhook(%s)", (event,)).fetchone() == (2,)
    assert len(copies.waiting()) == 2 * len(events)


def test_a_tenant_who_may_call_it_still_asks_for_everybody(copies: Copies, application: str) -> None:
    """Row level security is the session's, and the function is its owner's."""
    copies.execute(
        f"GRANT USAGE ON SCHEMA notion_sync TO {application};"
        f" GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA notion_sync TO {application};"
        f" GRANT EXECUTE ON FUNCTION notion_sync.receive_webhook(jsonb) TO {application};"
        f" ALTER ROLE {application} SET app.user_id = 'anna'"
    )
    assert receive_as(copies, application, copies.event("page.created", copies.page("Tasks"))) == 1
    assert copies.waiting() == {("ben", "Tasks", copies.page("Tasks"))}


async def test_rights_that_are_given_on_every_new_function_are_not_given_on_it(
    copies: Copies, application: str
) -> None:
    copies.execute("DROP FUNCTION notion_sync.receive_webhook(jsonb)")
    copies.execute(f"ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {application}")
    await Installation(Settings(database_url=copies.url), copies.small.workspace).init()
    assert not may_execute(copies, application)


async def test_init_keeps_what_was_granted(copies: Copies, application: str) -> None:
    copies.execute(f"GRANT EXECUTE ON FUNCTION notion_sync.receive_webhook(jsonb) TO {application}")
    # Something that init mends, so that it applies everything again.
    copies.execute("DROP FUNCTION notion_sync.count_event(boolean)")
    await Installation(Settings(database_url=copies.url), copies.small.workspace).init()
    assert may_execute(copies, application)
    assert copies.receive(copies.event("page.created", copies.page("Worlds"))) == 2


async def test_counts_go_after_90_days(copies: Copies) -> None:
    copies.execute(
        "INSERT INTO notion_sync.webhook_days"
        " SELECT current_date - age, 5, 1, now() - make_interval(days => age) FROM unnest(ARRAY[1, 89, 92]) AS age"
    )
    async with open_pool(copies.url) as pool, transaction(pool) as connection:
        await retention.delete_old_records(connection)
    assert copies.counted() == (10, 2)
