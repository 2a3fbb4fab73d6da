"""What is asked for while a run is at work on an account is taken up by that run, and nothing is asked in vain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from notion_workspace import Request, SmallWorkspace

from notion_pg_sync.mirror.connection import open_pool, transaction
from notion_pg_sync.mirror.runs import clear_up
from notion_pg_sync.mirror.sync_requests import begin_requests
from tests.installation import Installation
from tests.sync.asking import Asking

pytestmark = pytest.mark.slow

NAMES = ("Characters", "Stories", "Three", "Worlds")
ONE_BY_ONE: dict[str, Any] = {"jobs": 1}


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Asking:
    """A user whose databases were synced an hour ago."""
    asking = Asking(installation, "anna", {name: small.databases[name] for name in NAMES})
    await installation.connect("anna", small.tokens["anna"], asking.databases)
    installation.workspace.clock.advance(3600)
    assert (await installation.sync_all()).failures == []
    installation.workspace.requests.clear()
    return asking


def when(anna: Asking, part: str, then: Callable[[], object], *, times: int = 1) -> None:
    """Does something as soon as the workspace is asked for a path with this part."""
    left = times

    def look(request: Request) -> None:
        nonlocal left
        if part in request.path and left > 0:
            left -= 1
            then()

    anna.workspace.on_request(look)


def asker(anna: Asking, request: tuple[str, ...]) -> Callable[[], object]:
    return lambda: anna.installation.execute_at_once(*request)


def order(anna: Asking) -> list[str]:
    """What was asked for rows or as a page, in order: names of databases, or the page's id."""
    names = {anna.source(name): name for name in NAMES}
    parts = [one.path.split("?")[0].split("/") for one in anna.workspace.requests.all()]
    asked = [one for one in parts if one[-1] == "query" or (one[2] == "pages" and len(one) == 4)]
    return [names[one[3]] if one[-1] == "query" else one[3] for one in asked]


async def test_a_database_that_is_asked_for_comes_next(anna: Asking) -> None:
    await anna.sync(**ONE_BY_ONE)
    before = order(anna)
    anna.workspace.requests.clear()
    when(anna, f"{anna.source(before[0])}/query", asker(anna, anna.database_request(before[-1])))
    assert (await anna.sync(**ONE_BY_ONE)).failures == []
    assert order(anna) == [before[0], before[-1], *before[1:-1]]
    ((status, _, message),) = (await anna.answers()).values()
    assert (status, "rows read" in message) == ("succeeded", True)


async def test_a_page_that_is_asked_for_is_read_before_the_next_database(anna: Asking) -> None:
    await anna.sync(**ONE_BY_ONE)
    before = order(anna)
    anna.workspace.requests.clear()
    page = anna.pages(before[-1])[0]
    when(anna, f"{anna.source(before[0])}/query", asker(anna, anna.page_request(before[-1], page)))
    await anna.sync(**ONE_BY_ONE)
    assert order(anna) == [before[0], page, *before[1:]]
    assert [status for status, _, _ in (await anna.answers()).values()] == ["succeeded"]


async def test_a_database_that_is_asked_for_while_it_is_synced_is_synced_again(anna: Asking) -> None:
    page = anna.pages("Three")[0]

    def edit_and_ask() -> None:
        anna.workspace.clock.advance(60)
        anna.installation.execute_at_once(*anna.database_request("Three"))

    when(anna, f"{anna.source('Three')}/query", edit_and_ask)
    # The first sync of it has its answer by then.
    when(anna, f"{anna.source('Worlds')}/query", lambda: anna.workspace.edit_page(page, {"Name": "Edited"}))
    assert (await anna.sync()).failures == []
    assert order(anna).count("Three") == 2
    found = await anna.execute(
        "SELECT run.status, run.start_time > requested_at AS is_new FROM notion_sync.sync_requests"
        " JOIN notion_sync.database_runs AS run USING (runid, user_id, database_id)"
    )
    assert found == [{"status": "succeeded", "is_new": True}]


async def test_who_asks_again_for_a_page_while_its_database_is_read_is_not_answered_by_that(anna: Asking) -> None:
    pages = anna.pages("Three")
    for page in pages:
        await anna.ask_page("Three", page)
    await anna.installation.sync_one("anna", "Three")
    # They were read a moment ago, so that this waits, and is given to whoever asks again.
    await anna.execute("UPDATE notion_sync.sync_requests SET started_at = clock_timestamp()")
    asked = [anna.page_request("Three", page) for page in pages]
    for request in asked:
        await anna.execute(*request)
    queries = 0

    def edit_and_ask(request: Request) -> None:
        nonlocal queries
        queries += f"{anna.source('Three')}/query" in request.path
        if queries == len(pages):
            queries += 1
            for page in pages:
                anna.workspace.edit_page(page, {"Name": "Edited"})
                given = anna.installation.execute_at_once(
                    "SELECT notion_sync.sync_notion_page('anna', %s) AS number", page
                )
                numbers[page] = given[0]["number"]

    numbers: dict[str, int] = {}
    anna.workspace.on_request(edit_and_ask)
    await anna.installation.sync_one("anna", "Three", full=True, page_size=1, concurrency=1)
    rows, answers = await anna.rows("Three"), await anna.answers()
    behind = [page for page in pages if rows[page]["title"] != "Edited"]
    assert behind
    assert {answers[numbers[page]][0] for page in behind} == {"waiting"}


@pytest.mark.parametrize("settings", [{}, ONE_BY_ONE])
async def test_who_asks_in_a_loop_is_left_to_the_next_run_in_the_end(anna: Asking, settings: dict[str, Any]) -> None:
    when(anna, f"{anna.source('Three')}/query", asker(anna, anna.database_request("Three")), times=50)
    assert (await anna.sync(**settings)).failures == []
    assert order(anna).count("Three") == 2
    assert [status for status, _, _ in (await anna.answers()).values()] == ["succeeded", "waiting"]
    (free,) = await anna.execute(
        "SELECT lease_runid, last_sync_ended_at IS NOT NULL AS ended FROM notion_sync.accounts"
    )
    assert free == {"lease_runid": None, "ended": True}
    await anna.sync(**settings)
    assert order(anna).count("Three") == 4


async def test_who_asks_for_ever_other_pages_is_left_to_the_next_run_in_the_end(anna: Asking) -> None:
    pages = anna.pages("Characters")

    def ask() -> None:
        anna.installation.execute_at_once(*anna.page_request("Characters", pages.pop()))

    await anna.execute("UPDATE user_settings SET auto_sync_enabled = false")
    await anna.ask_page("Three", anna.pages("Three")[0])
    when(anna, "/pages/", ask, times=30)
    assert (await anna.sync()).failures == []
    statuses = [status for status, _, _ in (await anna.answers()).values()]
    assert statuses[-1] == "waiting"
    assert 2 <= statuses.count("succeeded") <= 5


async def test_what_is_asked_when_all_databases_are_through_is_served_before_the_lease_is_given_back(
    anna: Asking,
) -> None:
    page = anna.pages("Three")[0]
    # Comparing with Notion is the last that a run does for an account.
    asked: list[int] = []

    def ask_once() -> None:
        ended = anna.installation.execute_at_once(
            "SELECT count(*) AS n FROM notion_sync.database_runs WHERE status = 'succeeded'"
            " AND runid = (SELECT max(runid) FROM notion_sync.job_run_details)"
        )
        if ended[0]["n"] == len(NAMES) and not asked:
            asked.append(1)
            anna.installation.execute_at_once(*anna.page_request("Three", page))

    when(anna, "/query", ask_once, times=1000)
    assert (await anna.sync(verify=True)).failures == []
    assert asked
    assert page in order(anna)
    ((status, _, message),) = (await anna.answers()).values()
    assert (status, message) == ("succeeded", "1 row read, nothing changed.")


async def test_everything_that_is_asked_for_meanwhile_waits_for_the_next_run(anna: Asking) -> None:
    everything = ("INSERT INTO notion_sync.sync_requests (user_id) VALUES ('anna')",)
    when(anna, f"{anna.source('Three')}/query", asker(anna, everything))
    await anna.sync()
    assert [status for status, _, _ in (await anna.answers()).values()] == ["waiting"]
    assert len(order(anna)) == len(NAMES)
    await anna.sync()
    ((status, _, message),) = (await anna.answers()).values()
    assert (status, message[:25]) == ("succeeded", "4 of 4 databases synced; ")


async def test_sync_of_one_database_answers_what_is_asked_of_it_and_of_its_pages(anna: Asking) -> None:
    mine = [
        await anna.ask_database("Three"),
        await anna.ask_page("Three", anna.pages("Three")[0]),
        await anna.ask_name("Three"),
    ]
    others = [await anna.ask_database("Worlds"), await anna.ask_everything(), await anna.ask_name("Worlds")]
    assert (await anna.installation.sync_one("anna", "Three")).failures == []
    answers = await anna.answers()
    assert {answers[one][:2] for one in mine} == {("succeeded", "ok")}
    assert {answers[one][0] for one in others} == {"waiting"}
    named = await anna.execute("SELECT database_id FROM notion_sync.sync_requests WHERE request_id = %s", mine[2])
    assert named == [{"database_id": anna.databases["Three"]}]


async def test_a_dry_run_takes_nothing_up(anna: Asking) -> None:
    await anna.ask_page("Three", anna.pages("Three")[0])
    await anna.ask_database("Three")
    await anna.ask_name("Three")
    await anna.installation.sync_one("anna", "Three", dry_run=True)
    await anna.sync(dry_run=True)
    assert {status for status, _, _ in (await anna.answers()).values()} == {"waiting"}


# --- a name ------------------------------------------------------------------------------------------------------


async def test_a_name_is_found_before_the_first_run_for_users_who_are_not_synced_by_themselves(
    installation: Installation, small: SmallWorkspace
) -> None:
    asking = Asking(installation, "anna", {name: small.databases[name] for name in NAMES})
    await installation.connect("anna", small.tokens["anna"], asking.databases, auto_sync_enabled=False)
    request = await asking.ask_name("three")
    assert (await asking.sync()).failures == []
    assert set(order(asking)) == {"Three"}
    assert (await asking.answers())[request][:2] == ("succeeded", "ok")
    noted = await asking.execute("SELECT database_id, database_name FROM notion_sync.sync_requests")
    assert noted == [{"database_id": asking.databases["Three"], "database_name": "three"}]


async def test_a_name_that_means_none_or_several_fails_with_what_sync_would_say(anna: Asking) -> None:
    await anna.configure({"three": anna.databases["Worlds"], "Worlds": None})
    await anna.execute(
        "UPDATE user_settings SET notion_databases = notion_databases - 'Worlds' - 'Three' || %s",
        f'{{"THREE": "{anna.databases["Three"]}"}}',
    )
    requests = {name: await anna.ask_name(name) for name in ("Caracters", "Three")}
    await anna.sync()
    answers = await anna.answers()
    for name, request in requests.items():
        with pytest.raises(Exception, match="databases") as said:
            await anna.installation.sync_one("anna", name)
        assert answers[request] == ("failed", "failing", str(said.value))
    assert "did you mean 'Characters'" in answers[requests["Caracters"]][2]
    assert "give the id of the one that is meant" in answers[requests["Three"]][2]


async def test_the_same_database_by_name_and_by_id_is_synced_once(anna: Asking) -> None:
    await anna.ask_name("Three")
    await anna.ask_database("Three")
    await anna.sync()
    assert order(anna).count("Three") == 1
    assert [status for status, _, _ in (await anna.answers()).values()] == ["succeeded"] * 2


# --- a run that dies ---------------------------------------------------------------------------------------------


async def test_what_a_run_that_died_had_taken_up_waits_again_whatever_was_asked_meanwhile(anna: Asking) -> None:
    page = anna.pages("Three")[0]

    async def ask() -> list[int]:
        return [
            await anna.ask_page("Three", page),
            await anna.ask_database("Three"),
            await anna.ask_name("Worlds"),
            await anna.ask_everything(),
        ]

    first = await ask()
    async with open_pool(anna.installation.settings.database_url or "") as pool:
        async with transaction(pool) as connection:
            taken = await begin_requests(connection, 4711, "anna")
        assert taken.count == 4
        second = await ask()
        assert not set(first) & set(second)
        async with transaction(pool) as connection:
            await clear_up(connection, 4711)
    waiting = await anna.execute("SELECT request_id, status, started_at FROM notion_sync.sync_requests")
    assert {row["request_id"] for row in waiting} == {*first, *second}
    assert {(row["status"], row["started_at"]) for row in waiting} == {("waiting", None)}
    # Who asks a third time is told the number of the request that waits.
    ((third,),) = [
        tuple(row.values())
        for row in await anna.execute("SELECT notion_sync.sync_notion_database('anna', %s)", anna.databases["Three"])
    ]
    assert third == second[1]
    await anna.sync()
    answers = await anna.answers()
    assert {answers[one][:2] for one in (*first, *second)} == {("succeeded", "ok")}
