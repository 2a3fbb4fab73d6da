"""doctor and a PostgreSQL that cannot be reached: each cause has its own sentence, and none shows a password."""

from __future__ import annotations

import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from psycopg.conninfo import make_conninfo

from notion_pg_sync.commands.doctor.checks.check import Finding, Verdict
from notion_pg_sync.embedded.server import EmbeddedPostgres
from notion_pg_sync.mirror.unreachable import Target, why_unreachable
from tests.cli.conftest import Command
from tests.commands.conftest import findings_of

PASSWORD = "canary:/@%"


async def cause_of(database_url: str) -> Finding:
    (finding,) = await findings_of(database_url, "reachable")
    assert finding.verdict is Verdict.BROKEN
    assert "canary" not in f"{finding}"
    assert finding.fix or finding.needs
    advice = f": {finding.needs}" if finding.needs else ""
    return replace(finding, message=f"{finding.message}{advice}", fix=finding.fix or finding.look)


async def test_a_closed_port() -> None:
    finding = await cause_of(f"postgresql://u:{quote(PASSWORD, safe='')}@127.0.0.1:1/d")
    assert finding.message.startswith("nothing takes connections at 127.0.0.1:1: start PostgreSQL")
    assert finding.fix == "pg_isready -p 1 -h 127.0.0.1"


async def test_a_name_that_is_not_known() -> None:
    finding = await cause_of("postgresql://u:canary@nowhere.invalid/d")
    assert finding.message.startswith("the name of host nowhere.invalid is not known")
    assert finding.fix == "getent hosts nowhere.invalid"


async def test_a_socket_folder_that_is_not_there(tmp_path: Path) -> None:
    finding = await cause_of(make_conninfo(host=str(tmp_path / "gone"), password=PASSWORD))
    assert finding.message.startswith(f"there is no PostgreSQL on the socket in {tmp_path}/gone (port 5432)")


async def test_a_server_that_never_answers() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        finding = await cause_of(f"host=127.0.0.1 port={port} password=canary connect_timeout=2")
    assert finding.message.startswith(f"something takes the connection at 127.0.0.1:{port} and then does not answer")


async def test_a_socket_on_which_nobody_answers_is_no_firewall(tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(tmp_path / ".s.PGSQL.5432"))
        silent.listen()
        finding = await cause_of(f"host={tmp_path} password=canary connect_timeout=2")
    assert finding.message.startswith(
        f"something takes the connection on the socket in {tmp_path} (port 5432) and then"
    )
    assert "firewall" not in finding.message


@pytest.mark.parametrize(
    ("database_url", "words"),
    [
        ("mysql//canary", "DATABASE_URL cannot be read"),
        ("postgresql://u:canary%zz@h/d", "percent-encode what is special"),
        ("postgresql+asyncpg://u:canary@h/d", "leave out +asyncpg"),
        ("postgresql://u:canary?more@h/d?schema=public", "schema is no parameter of PostgreSQL's"),
        ("postgresql://u:12/canary?more=x@h/d", "percent-encode what is special"),
        ("postgresql://u:canary@h/d?pgbouncer=true", "pgbouncer is no parameter of PostgreSQL's"),
        ("postgresql://u:canary@h/d?schema=app&sslmode=require", "write options=-csearch_path%3Dapp in its place"),
        ("postgresql://u:canary/secret@h/d", "percent-encode what is special"),
        ("postgresql://u:secret@canary@h/d", "percent-encode what is special"),
        ("postgresql://u:12/canary@h/d", "percent-encode what is special"),
        ("postgresql://u:secret@canary/more@h/d", "percent-encode what is special"),
        ("postgresql://u:canary#/more@h/d", "percent-encode what is special"),
        ("host=127.0.0.1 port=canary", "percent-encode what is special"),
    ],
)
async def test_a_connection_string_that_cannot_be_meant(database_url: str, words: str) -> None:
    assert words in (await cause_of(database_url)).message


async def test_a_service_that_is_not_defined() -> None:
    assert "the service that the connection names" in (await cause_of("service=notion-pg-sync-nowhere")).message


def test_libpqs_own_variables_say_where_it_was_sought() -> None:
    ended = Command({})("doctor", "--no-cron-check", PGHOST="127.0.0.1", PGPORT="1", PGPASSWORD="canary")
    assert "nothing takes connections at 127.0.0.1:1" in ended.out
    assert "canary" not in ended.out + ended.err


async def test_a_database_that_is_not_there_is_made_by_what_doctor_says(
    postgres_server: str, administrator: psycopg.Connection
) -> None:
    url = make_conninfo(postgres_server, dbname='odd "name"')
    finding = await cause_of(url)
    assert 'has no database odd "name"' in finding.message
    administrator.execute(finding.fix.encode())
    try:
        assert [found.verdict for found in await findings_of(url, "reachable")] == [Verdict.OK]
    finally:
        administrator.execute('DROP DATABASE "odd ""name""" WITH (FORCE)')


async def test_a_role_that_is_not_there_is_made_by_what_doctor_says(
    postgres_server: str, administrator: psycopg.Connection
) -> None:
    url = make_conninfo(postgres_server, user="odd role", dbname="postgres")
    finding = await cause_of(url)
    assert "has no role odd role" in finding.message
    administrator.execute(finding.fix.encode())
    try:
        assert [found.verdict for found in await findings_of(url, "reachable")] == [Verdict.OK]
        administrator.execute('ALTER ROLE "odd role" NOLOGIN')
        assert "may not log in" in (await cause_of(url)).message
        administrator.execute('ALTER ROLE "odd role" LOGIN CONNECTION LIMIT 0')
        finding = await cause_of(url)
        assert "lets user odd role have no more connections (CONNECTION LIMIT of the role)" in finding.message
        administrator.execute(finding.fix.encode())
        assert [found.verdict for found in await findings_of(url, "reachable")] == [Verdict.OK]
    finally:
        administrator.execute('DROP ROLE "odd role"')


class Fortress:
    """A PostgreSQL that lets in whom its pg_hba.conf names, on an address of this machine of its own."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.server = EmbeddedPostgres(folder, {"listen_addresses": address, "fsync": "off"})

    def allow(self, *lines: str) -> None:
        """Lets in the superuser by the socket, and whom `lines` say."""
        file = self.folder / "data" / "pg_hba.conf"
        file.write_text("\n".join(["local all postgres trust", *lines, ""]))
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            loaded = "SELECT pg_conf_load_time()"
            before = connection.execute(loaded).fetchone()
            connection.execute("SELECT pg_reload_conf()")
            while connection.execute(loaded).fetchone() == before:
                pass

    def url(self, password: str = PASSWORD, **parameters: str) -> str:
        return make_conninfo(host=self.address, user="guest", password=password, dbname="notion", **parameters)


@pytest.fixture(scope="module")
def fortress() -> Iterator[Fortress]:
    if sys.platform != "linux":
        pytest.skip("needs a loopback address of its own")
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-tests."))
    numbers = Random(str(folder))
    place = Fortress(folder, f"127.{numbers.randint(1, 254)}.{numbers.randint(1, 254)}.{numbers.randint(1, 254)}")
    with place.server:
        with psycopg.connect(place.server.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE guest LOGIN PASSWORD 'canary:/@%'")
        yield place
    shutil.rmtree(folder)


async def test_a_wrong_password(fortress: Fortress) -> None:
    fortress.allow("host all all samehost scram-sha-256")
    assert [found.verdict for found in await findings_of(fortress.url(), "reachable")] == [Verdict.OK]
    finding = await cause_of(fortress.url("canary"))
    assert finding.message.startswith(f"PostgreSQL at {fortress.address}:5432 refuses the password of user guest: ")


async def test_no_password(fortress: Fortress) -> None:
    fortress.allow("host all all samehost scram-sha-256")
    assert "requires a password for user guest, but none was given" in (await cause_of(fortress.url(""))).message


async def test_a_host_that_is_not_let_in_is_by_the_line_that_doctor_says(fortress: Fortress) -> None:
    fortress.allow()
    finding = await cause_of(fortress.url())
    assert "lets user guest into database notion only over TLS, or not at all from this host" in finding.message
    (line,) = re.findall(r"'(host \"notion\" \"guest\" 127\.\S+/32 scram-sha-256)' at the top", finding.message)
    fortress.allow(line)
    assert [found.verdict for found in await findings_of(fortress.url(), "reachable")] == [Verdict.OK]


async def test_a_line_that_rejects_is_outdone_by_one_above_it(fortress: Fortress) -> None:
    fortress.allow("host all all samehost reject")
    finding = await cause_of(fortress.url())
    (line,) = re.findall(r"'(host \"notion\" \"guest\" 127\.\S+/32 scram-sha-256)' at the top", finding.message)
    fortress.allow(line, "host all all samehost reject")
    assert [found.verdict for found in await findings_of(fortress.url(), "reachable")] == [Verdict.OK]


async def test_a_server_without_tls(fortress: Fortress) -> None:
    fortress.allow("host all all samehost scram-sha-256")
    finding = await cause_of(fortress.url(sslmode="require"))
    assert "does not support TLS, and the connection asks for it" in finding.message


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "u", database "d", SSL encryption',
            "does not let user",
        ),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "u", database "d", SSL encryption\n'
            'FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "u", database "d", no encryption',
            "does not let user u into database d from this host",
        ),
        ('FATAL:  Peer authentication failed for user "u"', "only the operating system's user of the same name"),
        ("FATAL:  sorry, too many clients already", "has no connection left"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "no connection left",
        ),
        ("FATAL:  the database system is starting up", "is starting or stopping"),
        ("FATAL:  server login has been failing, try again later (server_login_retry)", "a pooler answers"),
        ('FATAL:  permission denied for database "d"', "does not let user u connect"),
        ("SSL error: certificate verify failed", "cannot be verified"),
        ('server certificate for "a" does not match host name "b"', "is another host's"),
        ("server closed the connection unexpectedly", "closes the connection"),
        ("No route to host", "does not answer"),
        ('Connection refused\nFATAL:  database "d" does not exist', "has no database d"),
    ],
)
def test_what_is_said_elsewhere_is_told_apart(said: str, words: str) -> None:
    trouble = why_unreachable(Target("db.example.com", "5432", "u", "d"), f"connection failed: {said}")
    assert words in trouble.sentence
    assert trouble.fix or trouble.advice


@given(st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_whatever_is_said_there_is_a_sentence_without_the_password(said: str, password: str) -> None:
    canary = f"canary{password}"
    trouble = why_unreachable(Target("h{0}", "5432", "{u}", 'd"'), f"{said}{canary}", (canary,))
    assert trouble.sentence.endswith(".")
    assert canary not in trouble.sentence + trouble.fix
