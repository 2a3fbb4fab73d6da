"""Certificates are verified on both sides, Notion's and PostgreSQL's: whoever shows no good one learns nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import trustme
from notion_workspace import SmallWorkspace, WorkspaceServer

from notion_pg_sync.settings import Settings
from tests.cli.conftest import Command, Ended
from tests.installation import TABLES, Installation
from tests.security import elsewhere
from tests.security.certificates import Authority, serving
from tests.security.connect_proxy import ConnectProxy
from tests.security.tls_postgres import ANY_WAY, PORT, TlsPostgres

LONG_AGO = datetime(2020, 1, 1)
HOST = "db.example.com"
FINISHED = Ended(0, "", "")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the certificates of the servers."""
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs nothing here."""
    return Authority(tmp_path_factory.mktemp("authority"), "another")


def found_by_doctor(ended: Ended, check: str) -> dict[str, Any]:
    """The one finding of a check in what `doctor --json` said."""
    (finding,) = [one for one in json.loads(ended.out)["findings"] if one["check"] == check]
    return dict(finding)


# --- Notion's side -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tenant:
    """Anna's installation, and her command, against a workspace over HTTPS."""

    installation: Installation
    small: SmallWorkspace
    command: Command

    @property
    def databases(self) -> dict[str, str]:
        return {name: self.small.databases[name] for name in ("Characters", "Worlds")}

    async def connect(self) -> None:
        await self.installation.init()
        await self.installation.connect("anna", self.small.tokens["anna"], self.databases)

    async def differences(self) -> list[str]:
        return await self.installation.differences("anna", self.small.tokens["anna"], self.databases)

    async def assert_nothing_went_either_way(self) -> None:
        """No request reached the workspace, so no token did; no row was written; no request was tried again."""
        assert self.small.workspace.requests.all() == []
        for table in TABLES:
            assert await self.installation.execute(f"SELECT FROM {table}") == []
        tries = await self.installation.execute("SELECT requests, retries FROM notion_sync.database_runs")
        assert tries == [{"requests": 1, "retries": 0}] * len(self.databases)


@contextmanager
def serving_notion(small: SmallWorkspace, certificate: trustme.LeafCert, database_url: str) -> Iterator[Tenant]:
    with WorkspaceServer(small.workspace, tls=serving(certificate)) as server:
        installation = Installation(Settings(database_url=database_url), small.workspace)
        command = Command({"DATABASE_URL": database_url, "NOTION_BASE_URL": server.url})
        yield Tenant(installation, small, command)


@pytest.fixture
def tenant(database_url: str, small: SmallWorkspace, authority: Authority) -> Iterator[Tenant]:
    with serving_notion(small, authority.certificate("127.0.0.1"), database_url) as made:
        yield made


async def test_what_a_trusted_authority_has_signed_for_notion_is_taken(tenant: Tenant, authority: Authority) -> None:
    await tenant.connect()
    ended = tenant.command("sync-all", SSL_CERT_FILE=authority.file)
    assert ended == FINISHED
    assert tenant.small.workspace.requests.all()
    assert await tenant.differences() == []


@pytest.mark.parametrize("credentials", [None, "user:pass word"])
async def test_notion_is_reached_by_a_proxy(tenant: Tenant, authority: Authority, credentials: str | None) -> None:
    await tenant.connect()
    with ConnectProxy(credentials) as proxy:
        shown = f"{quote(credentials, safe=':')}@" if credentials else ""
        environment = {"SSL_CERT_FILE": authority.file, "HTTPS_PROXY": f"http://{shown}{proxy.address}"}
        assert tenant.command("sync-all", **environment) == FINISHED
        assert set(proxy.asked) == {tenant.command.environment["NOTION_BASE_URL"].removeprefix("https://")}
        assert await tenant.differences() == []
        finding = found_by_doctor(
            tenant.command("doctor", "--json", "--no-cron-check", **environment), "Notion answers"
        )
        assert finding["verdict"] == "ok"
        proxy.asked.clear()
        assert tenant.command("sync-all", **environment, NO_PROXY="example.com,127.0.0.1") == FINISHED
        assert proxy.asked == []


async def test_a_proxy_that_wants_a_password_is_told_once_and_without_it(tenant: Tenant, authority: Authority) -> None:
    await tenant.connect()
    with ConnectProxy("user:right") as proxy:
        environment = {"SSL_CERT_FILE": authority.file, "HTTPS_PROXY": f"user:canary@{proxy.address}"}
        ended = tenant.command("sync-all", "-vv", **environment)
        assert ended.code == 1
        assert "the proxy 127.0.0.1 does not let this host through (407 Proxy Authentication Required)" in ended.err
        assert "put the user and password that it requires into HTTPS_PROXY" in ended.err
        assert "canary" not in ended.err + ended.out
        assert len(proxy.asked) == len(tenant.databases)
    await tenant.assert_nothing_went_either_way()


async def test_what_is_no_proxy_is_wrong_usage(tenant: Tenant) -> None:
    for address in ("socks5://127.0.0.1:1080", "http://", "ftp://127.0.0.1"):
        ended = tenant.command("sync-all", HTTPS_PROXY=address)
        assert (ended.code, ended.out) == (2, "")
        assert "HTTPS_PROXY is not the address of a proxy that the tool can use: write http://host:port." in ended.err


async def assert_refused(tenant: Tenant, why: str, what_to_do: str, **environment: str) -> None:
    """A sync and doctor say `why` and `what_to_do`; no token goes out."""
    await tenant.connect()
    ended = tenant.command("sync-all", **environment)
    assert ended.code == 1
    refusal = f"Notion cannot be reached: the certificate of 127.0.0.1 cannot be verified ({why}"
    # Told once, for all databases that it keeps from Notion.
    (line,) = ended.err.splitlines()
    assert all(name in line for name in (*tenant.databases, refusal, what_to_do))
    await tenant.assert_nothing_went_either_way()

    finding = found_by_doctor(tenant.command("doctor", "--json", "--no-cron-check", **environment), "Notion answers")
    assert finding["verdict"] == "broken"
    assert refusal.removeprefix("Notion") in finding["message"]
    assert what_to_do in finding["needs"]
    assert finding["look"].startswith("openssl s_client -connect 127.0.0.1:")
    assert tenant.small.workspace.requests.all() == []


async def test_a_notion_whose_authority_nobody_knows_is_refused(tenant: Tenant) -> None:
    fix = "name the file with the certificate of the proxy's authority in SSL_CERT_FILE"
    await assert_refused(tenant, "unable to get local issuer certificate", fix)


async def test_a_notion_of_another_authority_is_refused(tenant: Tenant, another: Authority) -> None:
    await assert_refused(
        tenant, "unable to get local issuer certificate", "in SSL_CERT_FILE", SSL_CERT_FILE=another.file
    )


async def test_a_notion_with_another_hosts_certificate_is_refused(
    small: SmallWorkspace, authority: Authority, database_url: str
) -> None:
    with serving_notion(small, authority.certificate("api.example.com"), database_url) as tenant:
        await assert_refused(
            tenant, "IP address mismatch", "correct NOTION_BASE_URL, or check what", SSL_CERT_FILE=authority.file
        )


async def test_a_notion_whose_certificate_has_expired_is_refused(
    small: SmallWorkspace, authority: Authority, database_url: str
) -> None:
    with serving_notion(small, authority.certificate("127.0.0.1", until=LONG_AGO), database_url) as tenant:
        await assert_refused(
            tenant, "certificate has expired", "correct this machine's clock", SSL_CERT_FILE=authority.file
        )


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_is_none_is_told_before_anything_is_tried(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "authorities.pem"
    if content:
        file.write_text(content)
    ended = Command({"DATABASE_URL": "host=127.0.0.1 port=1"})("sync-all", SSL_CERT_FILE=str(file))
    assert ended.code == 2
    assert ended.sentence.startswith(f"SSL_CERT_FILE {str(file)!r} cannot be read, or holds no certificate: ")


# --- PostgreSQL's side -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres(authority: Authority) -> Iterator[TlsPostgres]:
    with TlsPostgres(authority.certificate(HOST)) as server:
        yield server


@pytest.mark.parametrize(
    ("parameters", "environment"),
    [
        ({"sslmode": "verify-full", "sslrootcert": "{authority}"}, {}),
        ({"sslmode": "verify-full"}, {"PGSSLROOTCERT": "{authority}"}),
        ({"sslmode": "verify-full", "sslrootcert": "system"}, {"SSL_CERT_FILE": "{authority}"}),
        ({"sslmode": "require"}, {}),
    ],
)
async def test_everything_works_over_tls(
    postgres: TlsPostgres,
    authority: Authority,
    small: SmallWorkspace,
    parameters: dict[str, str],
    environment: dict[str, str],
) -> None:
    database = postgres.new_database()
    given = {name: value.format(authority=authority.file) for name, value in parameters.items()}
    around = {name: value.format(authority=authority.file) for name, value in environment.items()}
    with WorkspaceServer(small.workspace) as notion:
        url = postgres.url(database, host=HOST, **given)
        command = Command({"DATABASE_URL": url, "NOTION_BASE_URL": notion.url, **around})
        assert command("init", "--yes").code == 0
        installation = Installation(Settings(database_url=postgres.socket_url(database)), small.workspace)
        databases = {"Characters": small.databases["Characters"]}
        await installation.connect("anna", small.tokens["anna"], databases)
        assert command("sync-all") == FINISHED
        assert await installation.differences("anna", small.tokens["anna"], databases) == []
        logged = await installation.execute("SELECT DISTINCT status FROM notion_sync.job_run_details")
        assert logged == [{"status": "succeeded"}]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        (
            {"sslmode": "verify-full", "sslrootcert": "{another}"},
            "the certificate of PostgreSQL at {host}:5432 cannot be verified: name the file with the certificate of "
            "the authority that signed it in sslrootcert (for a public one /etc/ssl/certs/ca-certificates.crt; "
            "sslrootcert=system finds no list by itself), or renew the certificate where it has expired.",
        ),
        (
            {"sslmode": "verify-ca", "sslrootcert": "{another}"},
            "the certificate of PostgreSQL at {host}:5432 cannot be verified: name the file",
        ),
        (
            {"sslmode": "verify-full", "sslrootcert": "{authority}", "host": "other.example.com"},
            "the certificate of PostgreSQL at other.example.com:5432 is another host's: write the name that the "
            "certificate has into DATABASE_URL.",
        ),
        (
            {"sslmode": "verify-full", "sslrootcert": "system"},
            "the certificate of PostgreSQL at {host}:5432 cannot be verified: name the file",
        ),
        (
            {"sslmode": "verify-full"},
            "the certificate of PostgreSQL at {host}:5432 cannot be verified without a file of trusted authorities: "
            "name the file with the certificate of the authority that signed it in sslrootcert",
        ),
        (
            {"sslmode": "require", "sslrootcert": "system"},
            "the connection to PostgreSQL at {host}:5432 trusts every public authority (sslrootcert=system), but does "
            "not look at the certificate's name: write sslmode=verify-full into DATABASE_URL.",
        ),
        (
            {"sslmode": "disable"},
            "PostgreSQL at {host}:5432 lets user only_tls into database postgres only over TLS, or not at all from "
            "this host: add sslmode=require to DATABASE_URL",
        ),
    ],
)
def test_a_way_to_postgresql_that_is_not_good_enough_is_refused_in_one_sentence(
    postgres: TlsPostgres, authority: Authority, another: Authority, parameters: dict[str, str], sentence: str
) -> None:
    given = {name: value.format(authority=authority.file, another=another.file) for name, value in parameters.items()}
    ended = Command({"DATABASE_URL": postgres.url(**{"host": HOST, **given})})("sync-all")
    assert ended.code == 3
    assert ended.sentence.startswith(sentence.format(host=HOST))
    assert "canary" not in ended.out + ended.err


def test_a_postgresql_whose_certificate_has_expired_is_refused(authority: Authority) -> None:
    with TlsPostgres(authority.certificate(HOST, until=LONG_AGO)) as server:
        url = server.url(host=HOST, sslmode="verify-full", sslrootcert=authority.file)
        ended = Command({"DATABASE_URL": url})("sync-all")
        with psycopg.connect(server.url(host=HOST, sslmode="require")) as connection:
            assert connection.pgconn.ssl_in_use
    assert ended.code == 3
    assert ended.sentence.startswith(f"the certificate of PostgreSQL at {HOST}:5432 cannot be verified: ")
    assert "or renew the certificate where it has expired" in ended.sentence


@pytest.mark.parametrize(
    ("parameters", "verdict", "message"),
    [
        (
            {"sslmode": "disable", "user": ANY_WAY},
            "warning",
            "the connection to {host} is not encrypted: tokens and rows can be read on the way",
        ),
        (
            {"sslmode": "require"},
            "warning",
            "the connection to {host} is encrypted, but the server's identity was not verified (sslmode=require)",
        ),
        (
            {"sslmode": "verify-full", "sslrootcert": "{authority}"},
            "ok",
            "the connection to {host} is encrypted and verified (sslmode=verify-full)",
        ),
    ],
)
async def test_doctor_says_how_safe_the_way_to_another_machine_is(
    postgres: TlsPostgres, authority: Authority, parameters: dict[str, str], verdict: str, message: str
) -> None:
    given = {name: value.format(authority=authority.file) for name, value in parameters.items()}
    url = postgres.url(host=HOST, **{"hostaddr": elsewhere.ADDRESS, **given})
    ended = await elsewhere.command_elsewhere(
        ["doctor", "--json", "--no-cron-check"], {"DATABASE_URL": url}, (postgres.address, PORT)
    )
    finding = found_by_doctor(ended, "encryption")
    assert (finding["verdict"], finding["message"]) == (verdict, message.format(host=HOST))
    assert ("sslmode=verify-full&sslrootcert=/etc/ssl" in str(finding["needs"])) == (verdict == "warning")
