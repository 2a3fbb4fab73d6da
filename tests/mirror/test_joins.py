"""An application's own tables are joined with a sync table through an index, in the ways that docs/tables.md shows."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.fences import ROOT, blocks

pytestmark = pytest.mark.slow

# A tenth of the rows are the tenant's. The reviews are of the first page and of every thousandth after it.
FILLED = """
    INSERT INTO notion_pages_sync
        (user_id, notion_page_id, notion_database_id, database_name, title, content, notion_edited_at)
    SELECT 'u' || n % 10, md5(n::text)::uuid::text, 'd', 'n', 'page ' || n, repeat('x', 100),
        now() - n * interval '1 min'
    FROM generate_series(1, 40000) AS n;
    CREATE TABLE reviews (stars integer, user_id text, page_id uuid, page text, link text);
    INSERT INTO reviews
    SELECT n / 10, user_id, page_id, notion_page_id, upper(replace(notion_page_id, '-', ''))
    FROM generate_series(1, 40000, 1000) AS n JOIN notion_pages_sync ON title = 'page ' || n;
    INSERT INTO reviews VALUES (0, 'u1', gen_random_uuid(), 'elsewhere', 'https://example.com');
    ANALYZE notion_pages_sync, reviews
"""
UUID, TEXT, CONVERTED, COLUMN, LATEST = (statement for statement in blocks(ROOT / "docs" / "tables.md", "sql joins"))
INDEXES = {UUID: "by_page", TEXT: "page_key", CONVERTED: "by_page", LATEST: "by_edit"}


@pytest.fixture
def session(initialised_url: str) -> Iterator[psycopg.Connection]:
    """The owner's, of a database with pages of ten users, and reviews by an application."""
    with psycopg.connect(initialised_url, autocommit=True) as connection:
        connection.execute(FILLED)
        yield connection


@pytest.fixture
def tenant(session: psycopg.Connection) -> Iterator[sql.Identifier]:
    """A role that may read both tables, of which row level security shows it one user's pages."""
    role = sql.Identifier(f"tenant_{uuid4().hex}")
    session.execute(
        sql.SQL(
            "CREATE ROLE {0}; GRANT USAGE ON SCHEMA notion_sync TO {0};"
            " GRANT SELECT ON notion_pages_sync, reviews TO {0}"
        ).format(role)
    )
    yield role
    session.execute(sql.SQL("RESET ROLE; DROP OWNED BY {0}; DROP ROLE {0}").format(role))


def plan(session: psycopg.Connection, statement: str) -> str:
    return "\n".join(line for (line,) in session.execute(f"EXPLAIN {statement}".encode()))


@pytest.mark.parametrize("is_tenant", [False, True])
@pytest.mark.parametrize("statement", INDEXES, ids=INDEXES.values())
def test_an_index_finds_the_pages(
    session: psycopg.Connection, tenant: sql.Identifier, statement: str, is_tenant: bool
) -> None:
    if is_tenant:
        session.execute(sql.SQL("SET app.user_id = 'u1'; SET ROLE {}").format(tenant))
    chosen = plan(session, statement)
    assert f"notion_pages_sync_{INDEXES[statement]}" in chosen, chosen
    assert "Seq Scan on notion_pages_sync" not in chosen, chosen
    found = session.execute(statement.encode()).fetchall()
    if statement == LATEST:
        assert len(found) == 10
    else:
        assert {title for _, title in found} == {f"page {n}" for n in range(1, 40000, 1000)}


def test_a_column_of_ones_own_follows_a_text(session: psycopg.Connection) -> None:
    session.execute(COLUMN.encode())
    found = session.execute("SELECT page_id, linked_page_id, page FROM reviews").fetchall()
    assert {(own if page != "elsewhere" else None) for own, _, page in found} == {linked for _, linked, _ in found}
