"""Whoever looks at the schema with psql is told what each thing of ours is."""

from __future__ import annotations

import psycopg
import pytest

RELATIONS = """
    SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
    WHERE relnamespace = 'notion_sync'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
"""
FUNCTIONS = """
    SELECT oid::regprocedure::text, obj_description(oid, 'pg_proc') FROM pg_proc
    WHERE pronamespace IN ('notion_sync'::regnamespace, 'public'::regnamespace)
"""
TYPES = """
    SELECT typname, obj_description(pg_type.oid, 'pg_type') FROM pg_type JOIN pg_class ON pg_class.oid = typrelid
    WHERE typnamespace = 'notion_sync'::regnamespace AND relkind = 'c'
"""


@pytest.mark.parametrize(("query", "least"), [(RELATIONS, 20), (FUNCTIONS, 50), (TYPES, 2)])
def test_each_has_a_comment_which_is_a_sentence(initialised_url: str, query: str, least: int) -> None:
    with psycopg.connect(initialised_url) as connection:
        found = connection.execute(query.encode()).fetchall()
    assert len(found) >= least
    assert [name for name, comment in found if comment is None] == []
    assert [comment for _, comment in found if not comment.endswith(".") or "\n" in comment] == []


def test_the_functions_in_public_say_of_which_they_are(initialised_url: str) -> None:
    with psycopg.connect(initialised_url) as connection:
        found = connection.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND obj_description(oid, 'pg_proc') LIKE '%function of this name in notion_sync%' ORDER BY 1"
        ).fetchall()
    assert found == [("get_notion_page",), ("sync_all_notion_databases",), ("sync_notion_database",)]
