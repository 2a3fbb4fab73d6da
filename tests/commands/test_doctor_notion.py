"""doctor and Notion: the way there, the tokens, and the databases that are to be mirrored."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from notion_workspace.literals import title

from notion_pg_sync.commands.doctor.checks.check import Verdict
from tests.commands.conftest import Mirrored, Patient, only, told
from tests.wanting import lacks

pytestmark = pytest.mark.slow

# --- the way there -----------------------------------------------------------------------------------------------


async def test_a_workspace_that_answers_is_well_and_is_asked_with_nobodys_token(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    finding = only(await mirrored.found("Notion answers"))
    assert (finding.verdict, finding.message) == (Verdict.OK, f"Notion answers at {mirrored.url}")
    assert [request.status for request in mirrored.workspace.requests.all()] == [401]


async def test_where_nothing_listens(patient: Patient) -> None:
    finding = only(await patient.found("Notion answers", NOTION_BASE_URL="http://127.0.0.1:9"))
    assert finding.verdict is Verdict.BROKEN
    assert "nothing takes connections at 127.0.0.1:9" in finding.message
    assert finding.look == "curl -sv http://127.0.0.1:9/v1/users/me"


async def test_a_name_that_is_not_known(patient: Patient) -> None:
    finding = only(await patient.found("Notion answers", NOTION_BASE_URL="https://notion.invalid"))
    assert finding.verdict is Verdict.BROKEN
    assert "the name of host notion.invalid is not known" in finding.message
    assert finding.look == "getent hosts notion.invalid"


@pytest.mark.parametrize("kind", ["portal_json", "portal_html", "portal_redirect"])
async def test_where_somebody_else_answers(mirrored: Mirrored, kind: str) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    mirrored.workspace.faults.add(kind)
    finding = only(await mirrored.found("Notion answers"))
    assert finding.verdict is Verdict.BROKEN
    assert "what answers at 127.0.0.1 is not Notion" in finding.message
    assert finding.look == f"curl -sv {mirrored.url}/v1/users/me"


def test_without_a_network() -> None:
    if os.geteuid() != 0:
        lacks("this test makes a network of its own: run it as root on Linux.")
    ended = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "notion_pg_sync", "doctor", "--no-cron-check", "--json"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "NOTION_BASE_URL": "https://203.0.113.7"},
        capture_output=True,
        text=True,
        check=False,
    )
    (seen,) = [one["message"] for one in json.loads(ended.stdout)["findings"] if one["check"] == "Notion answers"]
    assert "there is no route from this machine to 203.0.113.7" in seen


async def test_a_proxy_that_takes_no_connections_is_told_without_its_password(patient: Patient) -> None:
    finding = only(
        await patient.found(
            "Notion answers", NOTION_BASE_URL="https://127.0.0.1:9", HTTPS_PROXY="http://user:canary@127.0.0.1:9"
        )
    )
    assert "the proxy 127.0.0.1:9 of HTTPS_PROXY takes no connections" in finding.message
    assert "canary" not in f"{finding}"


@asynccontextmanager
async def answering(said: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that says one thing, whatever it is asked; yields its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """The folder of a certificate that nobody vouches for, and of its key."""
    names = f"-keyout {tmp_path}/key.pem -out {tmp_path}/certificate.pem -subj /CN=localhost"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 {names}".split(), check=True, capture_output=True
    )
    return tmp_path


async def test_a_certificate_that_nobody_vouches_for(patient: Patient, certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    async with answering(b"", tls) as port:
        finding = only(await patient.found("Notion answers", NOTION_BASE_URL=f"https://127.0.0.1:{port}"))
    assert finding.verdict is Verdict.BROKEN
    assert "the certificate of 127.0.0.1 cannot be verified (self-signed certificate)" in finding.message
    assert "SSL_CERT_FILE" in finding.needs
    assert finding.look.startswith(f"openssl s_client -connect 127.0.0.1:{port} ")


async def test_what_speaks_no_tls(patient: Patient) -> None:
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n") as port:
        finding = only(await patient.found("Notion answers", NOTION_BASE_URL=f"https://127.0.0.1:{port}"))
    assert finding.verdict is Verdict.BROKEN
    assert "does not speak TLS as it should" in finding.message
    assert finding.look == f"curl -sv https://127.0.0.1:{port}/v1/users/me"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "a proxy before Notion requires a login",
        ),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "a network rule before Notion refused"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "is not Notion (it answered 200)"),
        (b"", "broke off"),
    ],
)
async def test_what_is_not_notion_says_so(patient: Patient, said: bytes, words: str) -> None:
    async with answering(said) as port:
        finding = only(await patient.found("Notion answers", NOTION_BASE_URL=f"http://127.0.0.1:{port}"))
    assert finding.verdict is Verdict.BROKEN
    assert words in finding.message
    assert finding.look.startswith("curl -sv http://127.0.0.1")


async def test_trouble_at_notion_is_told_after_one_more_try(mirrored: Mirrored) -> None:
    mirrored.workspace.faults.add("503")
    finding = only(await mirrored.found("Notion answers"))
    assert finding.verdict is Verdict.BROKEN
    assert "Notion answered 503" in finding.message
    assert len(mirrored.workspace.requests.all()) == 2


# --- tokens --------------------------------------------------------------------------------------------------------


async def test_whose_token_it_is_and_of_which_workspace(mirrored: Mirrored) -> None:
    for label in ("anna", "ben", "cora"):
        mirrored.connect(label, label)
    assert [finding.message for finding in await mirrored.found("tokens accepted")] == [
        "Notion accepts the token of anna: anna integration in the workspace Sample workspace",
        "Notion accepts the token of ben: ben integration in the workspace Sample workspace",
        "Notion accepts the token of cora: Cora",
    ]


async def test_a_revoked_token_is_broken_and_stops_nobody_else(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    mirrored.connect("ben", "ben", "Tasks")
    mirrored.connect("zoe", "anna", "Worlds")
    mirrored.workspace.revoke_token("anna")
    findings = await mirrored.found("tokens accepted")
    refused = told(findings, "does not accept the token")
    assert refused.verdict is Verdict.BROKEN
    assert refused.message.startswith("anna, zoe: ")
    assert not refused.fix
    assert refused.needs.startswith("2 new Notion tokens, for anna, zoe, in notion_token of user_settings ")
    assert told(findings, "ben integration").verdict is Verdict.OK
    assert [finding.message for finding in await mirrored.found("databases shared")] == [
        "ben/Tasks is there and shared"
    ]


async def test_when_every_token_is_refused_no_database_is_asked_for(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "ntn_nonsense", "Worlds")
    finding = only(await mirrored.found("databases shared"))
    assert finding.verdict is Verdict.SKIPPED
    assert {request.status for request in mirrored.workspace.requests.all()} == {401}


async def test_a_rate_limit_is_told_and_not_waited_for(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    mirrored.workspace.faults.add("429", token="anna", seconds=300)
    finding = only(await mirrored.found("tokens accepted"))
    assert finding.verdict is Verdict.WARNING
    assert "rate limit" in finding.message


async def test_a_token_that_cannot_be_sent_is_told_without_a_request(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "ntn_with\nline", "Worlds")
    assert [one.verdict for one in await mirrored.found("tokens")] == [Verdict.BROKEN]
    assert [one.verdict for one in await mirrored.found("tokens accepted")] == [Verdict.OK]
    assert len(mirrored.workspace.requests.all()) == 1


async def test_each_of_many_users_is_told(mirrored: Mirrored) -> None:
    for number in range(30):
        mirrored.connect(f"user{number:02}", mirrored.workspace.add_token(f"user{number}").secret, "Worlds")
    assert [finding.verdict for finding in await mirrored.found("tokens accepted")] == [Verdict.OK] * 30
    assert len(mirrored.workspace.requests.all()) == 31


async def test_eight_tokens_are_used_at_once(mirrored: Mirrored) -> None:
    """The server holds the answers back until eight requests have come, and a moment longer."""
    for number in range(20):
        mirrored.connect(f"user{number:02}", f"ntn_{number}", "Worlds")
    open_now, most = 0, 0
    eight = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        request = await reader.readuntil(b"\r\n\r\n")
        if b"Bearer ntn_" in request:
            open_now += 1
            most = max(most, open_now)
            if most == 8:
                eight.set()
            await eight.wait()
            await asyncio.sleep(0.05)
            open_now -= 1
        body = b'{"object": "error", "status": 401, "code": "unauthorized", "message": "no", "request_id": "x"}'
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finding = only(await mirrored.found("tokens accepted", NOTION_BASE_URL=url))
    assert finding.message.startswith("user00, user01, user02, user03, user04 and 15 more: Notion does not accept")
    assert most == 8


async def test_the_token_that_counts_is_the_one_to_renew(mirrored: Mirrored) -> None:
    mirrored.connect("ben", "ben", "Tasks")
    mirrored.patient.execute("UPDATE user_settings SET notion_access_token = 'ntn_revoked'")
    assert "in notion_access_token of user_settings" in only(await mirrored.found("tokens accepted")).needs


async def test_one_user_alone_is_asked_for(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    mirrored.connect("ben", "ben", "Tasks")
    finding = only(await mirrored.found("databases shared", user_id="ben"))
    assert finding.message == "ben/Tasks is there and shared"
    assert {request.token for request in mirrored.workspace.requests.all()} <= {"ben", None, ""}


# --- databases -----------------------------------------------------------------------------------------------------


async def test_databases_that_are_shared_are_well(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Characters")
    mirrored.connect("ben", "ben", "Library")
    assert [(finding.verdict, finding.message) for finding in await mirrored.found("databases shared")] == [
        (Verdict.OK, "anna/Characters is there and shared"),
        (Verdict.OK, "anna/Worlds is there and shared"),
        (Verdict.OK, "ben/Library is there and shared; it has 2 data sources: Authors, Books"),
    ]


async def test_a_database_that_was_never_read_and_one_that_was_taken_away(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", Tasks=mirrored.small.databases["Tasks"])
    await mirrored.sync()
    mirrored.workspace.unshare("anna", "Worlds")
    findings = await mirrored.found("databases shared")
    assert [finding.verdict for finding in findings] == [Verdict.BROKEN] * 2
    assert "was never read" in told(findings, "anna/Tasks").message
    assert ", so access was removed or it was deleted" in told(findings, "anna/Worlds").message
    mirrored.workspace.delete_database(mirrored.small.databases["Worlds"])
    told(await mirrored.found("databases shared"), "so access was removed or it was deleted")


async def test_a_database_in_the_trash(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    mirrored.workspace.trash_database("Worlds")
    findings = await mirrored.found("databases shared")
    assert told(findings, "anna/Three").verdict is Verdict.OK
    trashed = told(findings, "anna/Worlds is in Notion's trash")
    assert trashed.verdict is Verdict.BROKEN
    assert trashed.needs.startswith("restore it there, or take it out of notion_databases")
    mirrored.workspace.restore_database("Worlds")
    assert {finding.verdict for finding in await mirrored.found("databases shared")} == {Verdict.OK}


async def test_a_page_is_no_database_and_a_data_source_stands_for_its_own(mirrored: Mirrored) -> None:
    page = mirrored.workspace.page_ids("Worlds")[0]
    mirrored.connect("anna", "anna", Page=page, Source=mirrored.small.data_sources["Worlds"])
    findings = await mirrored.found("databases shared")
    assert [finding.verdict for finding in findings] == [Verdict.BROKEN, Verdict.OK]
    found = told(findings, f"anna/Page: {page} is a page, not a database")
    assert found.needs.startswith("copy the link of the database itself")


async def test_a_database_without_a_data_source_that_may_be_read(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Three")
    mirrored.workspace.remove_data_source("Three")
    finding = only(await mirrored.found("databases shared"))
    assert finding.verdict is Verdict.BROKEN
    assert "names no data source" in finding.message


async def test_a_connection_that_may_read_no_content(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Three")
    mirrored.workspace.set_capabilities("anna", read_content=False)
    finding = only(await mirrored.found("databases shared"))
    assert finding.verdict is Verdict.BROKEN
    assert "'Read content'" in finding.needs


async def test_trouble_with_one_database_does_not_hide_the_others(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Three", "Worlds")
    mirrored.workspace.faults.add("500", path=f"databases/{mirrored.small.databases['Three']}")
    findings = await mirrored.found("databases shared")
    assert told(findings, "anna/Three: Notion answered 500").verdict is Verdict.BROKEN
    assert told(findings, "anna/Worlds").verdict is Verdict.OK


async def test_who_wants_everything_is_told_what_there_is(mirrored: Mirrored) -> None:
    mirrored.connect("ben", "ben")
    mirrored.connect("dora", mirrored.workspace.add_token("dora").secret)
    findings = await mirrored.found("databases shared")
    assert told(findings, "search finds 4").verdict is Verdict.OK
    nothing = told(findings, "dora wants every database, and none is shared")
    assert nothing.verdict is Verdict.WARNING


async def test_of_many_databases_those_that_fail_are_asked_for_first(mirrored: Mirrored) -> None:
    handles = [mirrored.workspace.add_database(f"List {number}", {"Name": title()}) for number in range(15)]
    for handle in handles:
        mirrored.workspace.share("anna", handle.id)
    mirrored.connect("anna", "anna", **{handle.name: handle.id for handle in handles})
    mirrored.connect("ben", "ben", "Library")
    mirrored.workspace.trash_database("List 7")
    before = len(mirrored.workspace.requests.all())
    findings = await mirrored.found("databases shared")
    assert len(mirrored.workspace.requests.all()) - before == 1 + 2 + 5 + 1
    assert [finding.message for finding in findings[-2:]] == [
        "ben/Library is there and shared; it has 2 data sources: Authors, Books",
        "6 of the 16 databases configured were asked for",
    ]
    assert {finding.verdict for finding in findings} == {Verdict.OK}
    await mirrored.sync()
    failing, *others = await mirrored.found("databases shared")
    assert failing.message == "anna/List 7 is in Notion's trash"
    assert {finding.verdict for finding in others} == {Verdict.OK}


async def test_of_two_thousand_databases_of_one_token_a_few_are_asked_for(mirrored: Mirrored) -> None:
    ids = {f"List {number}": f"{number:032x}" for number in range(1, 1001)}
    mirrored.connect("anna", "anna", **ids)
    mirrored.connect("ben", "anna", **ids)
    began = time.monotonic()
    findings = await mirrored.found("databases shared")
    assert time.monotonic() - began < 10
    assert len(mirrored.workspace.requests.all()) < 20
    assert findings[-1].message == "5 of the 2,000 databases configured were asked for"
