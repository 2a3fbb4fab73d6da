"""The tests' own eye for what a stranger could capture in a statement, and for which path it ran under."""

from __future__ import annotations

import pytest

from tests.security.sent import Sent, capturable, statements_in


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SELECT a FROM public.t WHERE a = 'x'", ["="]),
        ("SELECT a FROM t", ["t"]),
        ("SELECT count(*) FROM public.t", ["count()"]),
        ("SELECT a::text FROM public.t", ["::text"]),
        ("SELECT a::boolean, b::pg_catalog.text FROM public.t", []),
        ("UPDATE public.t SET a = 1, b = pg_catalog.now() WHERE c OPERATOR(pg_catalog.=) 1", []),
        ("UPDATE public.t SET a = 1 WHERE c = 1", ["="]),
        ("SELECT 1 FROM public.t WHERE a IN ('x')", ["IN ("]),
        ("SELECT nullif(a, b) FROM public.t", ["nullif()", "nullif"]),
        ("SELECT 1 FROM public.t JOIN public.u USING (a)", ["JOIN public.u USING ("]),
        ("SELECT CASE a WHEN 1 THEN 2 END FROM public.t", ["CASE"]),
        ("SELECT CASE WHEN a THEN 2 END FROM public.t", []),
        ("SELECT 1 FROM public.t WHERE a IS DISTINCT FROM b", ["DISTINCT FROM", "b"]),
        ("SELECT 1 FROM public.t WHERE a OPERATOR(pg_catalog.=) 'a\\_b'", ["'a\\_b'"]),
        ("WITH gone AS (DELETE FROM public.t RETURNING *) SELECT pg_catalog.count(*) FROM gone", []),
        ("INSERT INTO public.t (a) SELECT a FROM ROWS FROM (pg_catalog.unnest($1)) AS one (a)", []),
        ("INSERT INTO public.t AS known (a) VALUES ('=')", []),
        ("SELECT a || b FROM public.t", ["||"]),
    ],
)
def test_what_could_be_captured(statement: str, found: list[str]) -> None:
    assert sorted(capturable(statement)) == sorted(found)


def test_the_path_of_a_transaction_is_followed() -> None:
    def line(pid: int, said: str) -> str:
        return f"2026-01-01 00:00:00.000 UTC [{pid}] LOG:  {said}\n"

    log = "".join(
        [
            line(1, "statement: SELECT outside"),
            line(1, "statement: BEGIN ISOLATION LEVEL READ COMMITTED"),
            line(2, "statement: BEGIN"),
            line(1, "statement: SET LOCAL \"search_path\" = 'pg_catalog', 'pg_temp'; SET LOCAL \"array_nulls\" = 'on'"),
            line(1, "execute <unnamed>: SELECT one\n\tFROM two"),
            line(2, "execute <unnamed>: SELECT bare"),
            line(1, 'statement: SAVEPOINT "a"'),
            line(1, "statement: SET LOCAL \"search_path\" = 'app', 'pg_temp'"),
            line(1, "execute <unnamed>: SELECT three"),
            line(1, 'statement: ROLLBACK TO "a"'),
            line(1, 'statement: RELEASE "a"'),
            line(1, "execute <unnamed>: SELECT four"),
            line(1, "statement: COMMIT"),
        ]
    )
    assert statements_in(log) == [
        Sent("SELECT outside", None),
        Sent("SELECT one\n\tFROM two", "pg_catalog"),
        Sent("SELECT bare", None),
        Sent("SELECT three", "app"),
        Sent("SELECT four", "pg_catalog"),
    ]
