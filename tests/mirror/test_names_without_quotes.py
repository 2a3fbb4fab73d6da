"""Every name that a property or a database gets can be typed without quotes, as a column and as a view."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from notion_pg_sync.notion.column_names import column_name, free_name, view_name

pytestmark = pytest.mark.slow

Connection = psycopg.Connection[tuple[object, ...]]

_texts = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(categories=["L", "M", "N", "P", "S"]), max_size=30),
    st.text(st.characters(categories=["L"], min_codepoint=0x80, max_codepoint=0x24F), max_size=20),
    st.text('aA1_ "$.ßİ\u0301\u200d', max_size=12),
)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA typed; SET search_path = typed")
        yield connection


def typed(connection: Connection, name: str) -> None:
    """Types a name where one types those of columns and views; PostgreSQL must read the very name."""
    with connection.transaction(force_rollback=True):
        for statement in (
            f"CREATE VIEW {name} ({name}) AS SELECT 1",
            f"SELECT {name}, {name}.{name}, -{name} FROM {name} WHERE {name} = 1 GROUP BY {name} ORDER BY {name}",
            f"SELECT * FROM typed.{name} JOIN {name} AS other USING ({name})",
        ):
            found = connection.execute(statement.encode())
        assert found.description is not None
        assert [column.name for column in found.description] == [name]
        assert connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'typed'::regnamespace"
        ).fetchall() == [(name,)]


@examples(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_texts, st.sets(_texts, max_size=3))
def test_names_of_any_text(connection: Connection, text: str, others: set[str]) -> None:
    typed(connection, column_name(text))
    taken = {column_name(text), *map(column_name, others)}
    typed(connection, view_name(text, "0123456789abcdef", taken))
    typed(connection, free_name(column_name(text), "_end_at", taken))


def test_names_of_key_words(connection: Connection) -> None:
    words = [str(word) for (word,) in connection.execute("SELECT word FROM pg_get_keywords()").fetchall()]
    assert len(words) > 400
    for word in words:
        typed(connection, column_name(word))
