"""doctor, the server and the way to it: version, pooler, encryption, clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo

from notion_pg_sync.commands.doctor.checks.check import Verdict
from notion_pg_sync.commands.doctor.checks.postgres import clock, clock_difference, encryption
from notion_pg_sync.mirror.diagnosis.server import Server
from tests.commands.conftest import Patient, findings_of
from tests.pgbouncer import PgBouncer

NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)


async def test_the_version_is_said(patient: Patient) -> None:
    ((version,),) = patient.execute("SELECT current_setting('server_version')")
    assert [finding.message for finding in await patient.found("reachable")] == [f"PostgreSQL {version} answers"]


async def test_a_unix_socket_needs_no_encryption(patient: Patient) -> None:
    assert [finding.verdict for finding in await patient.found("encryption")] == [Verdict.OK]


def server(host: str, address: str = "", *, encrypted: bool = False, sslmode: str = "prefer") -> Server:
    return Server("18.1", False, host, address, encrypted, sslmode)


@pytest.mark.parametrize(
    ("reached", "verdict", "words"),
    [
        (server("/run/postgresql"), Verdict.OK, "does not leave this machine"),
        (server(""), Verdict.OK, "does not leave this machine"),
        (server("localhost", "::1"), Verdict.OK, "does not leave this machine"),
        (server("db", "127.0.0.1"), Verdict.OK, "does not leave this machine"),
        (server("127.0.0.2"), Verdict.OK, "does not leave this machine"),
        (server("db.example.com", "203.0.113.5"), Verdict.WARNING, "is not encrypted"),
        (server("localhost", "203.0.113.5"), Verdict.WARNING, "is not encrypted"),
        (server("db", "203.0.113.5", encrypted=True), Verdict.WARNING, "not verified (sslmode=prefer)"),
        (server("db", "203.0.113.5", encrypted=True, sslmode="require"), Verdict.WARNING, "(sslmode=require)"),
        (server("db", "203.0.113.5", encrypted=True, sslmode="verify-ca"), Verdict.OK, "else use verify-full"),
        (server("db", "203.0.113.5", encrypted=True, sslmode="verify-full"), Verdict.OK, "encrypted and verified"),
    ],
)
def test_what_leaves_the_machine_is_to_be_encrypted_and_verified(reached: Server, verdict: Verdict, words: str) -> None:
    finding = encryption(reached)
    assert finding.verdict is verdict
    assert words in finding.message
    assert ("sslmode=verify-full" in finding.needs) == (verdict is Verdict.WARNING)


async def test_the_clocks_of_one_machine_agree(patient: Patient) -> None:
    assert [finding.message for finding in await patient.found("clock")] == [
        "this machine's clock and the server's agree"
    ]


@given(
    st.timedeltas(timedelta(hours=-2), timedelta(hours=2)),
    st.timedeltas(timedelta(), timedelta(seconds=30)),
    st.floats(0, 1),
)
def test_a_slow_answer_is_no_difference(difference: timedelta, took: timedelta, when: float) -> None:
    found = clock_difference(NOON, NOON + took * when + difference, NOON + took)
    assert abs(found) <= abs(difference)
    assert abs(difference - found) <= took
    assert found * (difference / timedelta(seconds=1)) >= timedelta()


@pytest.mark.parametrize(
    ("seconds", "verdict", "words"),
    [
        (0, Verdict.OK, "agree"),
        (-4.9, Verdict.OK, "agree"),
        (5, Verdict.WARNING, "5 seconds ahead of this machine's"),
        (-60, Verdict.WARNING, "1 minute behind this machine's"),
        (3661, Verdict.BROKEN, "1 hour, 1 minute and 1 second ahead of"),
    ],
)
def test_clocks_that_differ_are_told(seconds: float, verdict: Verdict, words: str) -> None:
    finding = clock(timedelta(seconds=seconds))
    assert finding.verdict is verdict
    assert words in finding.message


@pytest.fixture
def pooled(patient: Patient) -> Iterator[str]:
    """The patient's database behind a PgBouncer that gives every transaction any connection."""
    with PgBouncer(patient.url) as pgbouncer:
        yield pgbouncer.url


async def test_a_pooler_is_told_and_everything_else_works_through_it(pooled: str) -> None:
    (finding,) = await findings_of(pooled, "reachable")
    assert finding.message.endswith(", behind a connection pooler")
    assert {finding.verdict for finding in await findings_of(pooled)} == {Verdict.OK}


async def test_a_pooler_without_that_database_is_told(pooled: str) -> None:
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect(make_conninfo(pooled, dbname="nowhere"))
    assert "nowhere" in str(raised.value)
    (finding,) = await findings_of(make_conninfo(pooled, dbname="nowhere"), "reachable")
    assert "has no database nowhere" in finding.message
