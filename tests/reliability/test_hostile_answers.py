"""Answers that are not Notion's: each is a failure in one sentence, and no row is removed for it.

`pytest tests/reliability/test_hostile_answers.py --examples 1000 -n 0` is the long form (some minutes).
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import strategies as st
from notion_workspace import Answer, Request, SmallWorkspace, WorkspaceServer

from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.run import RunOutcome
from tests.installation import TABLES, Installation
from tests.reliability.conftest import WELL, Place
from tests.reliability.hostile import (
    GONE,
    Mutation,
    Spoil,
    SpoiledWorkspace,
    endpoint_of,
    mutations,
    spoiling,
    with_body,
)


@dataclass
class Victim:
    """A copy that is exact, of a workspace whose answers can be spoiled."""

    installation: Installation
    workspace: SpoiledWorkspace
    databases: dict[str, str]

    def sync(self, spoil: Spoil | None = None, **settings: Any) -> RunOutcome:
        """Syncs, with all databases to be found by search too, while somebody spoils the answers."""
        self.workspace.spoil = spoil
        try:
            return asyncio.run(self.installation.sync_all(**settings))
        finally:
            self.workspace.spoil = None

    def rows(self) -> set[object]:
        return {row["id"] for table in TABLES for row in self.installation.execute_at_once(f"SELECT id FROM {table}")}

    def removed(self) -> list[object]:
        return [row["reason"] for row in self.installation.execute_at_once("SELECT * FROM notion_sync.removed_pages")]

    def edit(self) -> None:
        """Something for an incremental sync to bring."""
        self.workspace.clock.advance(1200)
        for name in self.databases:
            for page in self.workspace.page_ids(name)[:5]:
                self.workspace.edit_page(page, {"Number": int(self.workspace.clock.now % 1000)})

    def assert_exact_again(self) -> None:
        self.workspace.clock.advance(1200)
        assert self.sync(full=True).failures == []
        assert asyncio.run(self.installation.differences("anna", "anna", self.databases)) == []


@pytest.fixture
def victim(initialised_url: str) -> Iterator[Victim]:
    workspace = SpoiledWorkspace(seed=7)
    databases = workspace.populate()
    with WorkspaceServer(workspace) as server:
        settings = Settings(
            database_url=initialised_url,
            notion_base_url=server.url,
            requests_per_minute=1_000_000,
            first_back_off=0.001,
            page_size=50,
        )
        installation = Installation(settings, workspace)
        secret = next(token.secret for token in workspace.state.tokens.values() if token.label == "anna")
        asyncio.run(installation.connect("anna", secret, {**databases, "*": "*"}))
        victim = Victim(installation, workspace, databases)
        victim.assert_exact_again()
        yield victim


def assert_told(outcome: RunOutcome) -> None:
    """Each failure is one sentence for people, and none a fault of the tool's own."""
    for failure in outcome.failures:
        assert "fault of its own" not in failure
        assert "\n" not in failure
        assert len(failure) < 1500
    for account in outcome.accounts:
        assert not any(run.error_code == "internal" for run in account.databases.values())


@pytest.mark.timeout(7200)
def test_nonsense_anywhere_in_real_answers(victim: Victim, examples: int) -> None:
    tried = failed = 0
    before = victim.rows()

    @hypothesis.settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(st.lists(mutations(), min_size=1, max_size=3), st.booleans())
    # Chance alone may spoil nothing that matters.
    @hypothesis.example([Mutation("/query", 0.0, {}, 1000)], False)
    def spoiled(chosen: list[Mutation], full: bool) -> None:
        nonlocal tried, failed
        victim.edit()
        outcome = victim.sync(spoiling(chosen), full=full)
        assert_told(outcome)
        assert victim.removed() == []
        assert before <= victim.rows()
        tried += 1
        failed += bool(outcome.failures)

    spoiled()
    victim.assert_exact_again()
    print(f"{tried} examples, {failed} of them failures that were told")
    assert failed > 0


@pytest.mark.timeout(7200)
def test_nonsense_about_a_page_that_a_listing_left_out_does_not_remove_it(victim: Victim, examples: int) -> None:
    before = victim.rows()
    asked = 0

    def left_out(request: Request, answer: Answer) -> Answer:
        nonlocal asked
        endpoint = endpoint_of(request)
        asked += endpoint == "/pages/"
        if endpoint != "/query":
            return answer
        body = orjson.loads(answer.payload)
        return with_body(answer, {**body, "results": body["results"][1:]})

    @hypothesis.settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(mutations("/pages/"))
    @hypothesis.example(Mutation("/pages/", 0.0, {}, 1000))
    def spoiled(mutation: Mutation) -> None:
        nonsense = spoiling([mutation])
        outcome = victim.sync(lambda request, answer: nonsense(request, left_out(request, answer)), full=True)
        assert_told(outcome)
        assert victim.removed() == []
        assert before <= victim.rows()

    spoiled()
    victim.assert_exact_again()
    assert asked > examples


@pytest.mark.parametrize(
    "moved",
    [
        {"parent": None}, {"parent": GONE}, {"parent": []}, {"parent": "x"}, {"parent": {}},
        {"parent": {"type": "data_source_id", "data_source_id": "x"}},
        {"parent": {"type": "data_source_id", "data_source_id": None}},
        {"in_trash": "yes"}, {"in_trash": 1}, {"in_trash": {"x": 0}}, {"is_archived": "no"}, {"is_archived": [False]},
        {"object": "error"}, {"object": None}, {"object": "list"}, {"id": "x"},
        {"id": "38c9ce7b-60a4-817b-84ae-e63702a6c78e", "in_trash": True},
    ],
)  # fmt: skip
def test_only_a_page_that_says_plainly_that_it_left_is_removed(victim: Victim, moved: dict[str, object]) -> None:
    def spoil(request: Request, answer: Answer) -> Answer:
        body = orjson.loads(answer.payload)
        match endpoint_of(request):
            case "/query":
                return with_body(answer, {**body, "results": body["results"][1:]})
            case "/pages/":
                changed = {key: value for key, value in {**body, **moved}.items() if value != GONE}
                return with_body(answer, changed)
        return answer

    before = victim.rows()
    outcome = victim.sync(spoil, full=True)
    assert_told(outcome)
    # One page in each answer: of too many it is no odd page any more.
    said = [*outcome.failures, *(run.message or "" for run in outcome.accounts[0].databases.values())]
    assert sum("Notion answered" in one for one in said) == 2
    assert victim.removed() == []
    assert before <= victim.rows()
    victim.assert_exact_again()


ENDLESS = ("fresh cursors, no rows", "fresh cursors, the same rows", "one cursor", "no cursor")


@pytest.mark.parametrize("endpoint", ["/query", "/search", "/properties/"])
@pytest.mark.parametrize("kind", ENDLESS)
def test_lists_without_an_end(victim: Victim, endpoint: str, kind: str) -> None:
    numbers = itertools.count()
    asked = 0

    def before(request: Request) -> Request:
        # Whatever cursor was given out, it is taken.
        body = orjson.loads(request.body) if request.body else {}
        body.pop("start_cursor", None)
        query = [(name, value) for name, value in request.query if name != "start_cursor"]
        return replace(request, body=orjson.dumps(body) if request.body else b"", query=query)

    def spoil(request: Request, answer: Answer) -> Answer:
        nonlocal asked
        if endpoint_of(request) != endpoint:
            return answer
        asked += 1
        body = orjson.loads(answer.payload)
        body["has_more"] = True
        body["next_cursor"] = {"one cursor": "same", "no cursor": None}.get(kind, f"cursor {next(numbers)}")
        if "no rows" in kind:
            body["results"] = []
        elif endpoint == "/query":
            # Of one minute, so that the order does not tell.
            body["results"] = [{**body["results"][0]}] * 3 if body["results"] else []
        return with_body(answer, body)

    victim.workspace.before = before
    outcome = victim.sync(spoil, full=True)
    victim.workspace.before = None
    assert_told(outcome)
    assert outcome.failures != []
    assert asked < 500
    assert victim.removed() == []
    victim.assert_exact_again()


RAW = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"page"',
    "deep": b"[" * 100_000,
    "deep and whole": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a long number": b'{"results":[' + b"9" * 5000 + b"]}",
    "not a number": b'{"object":"list","results":[],"has_more":NaN}',
    "infinity": b'{"results":[{"object":"page","id":Infinity}]}',
    "no UTF-8": b'{"object":"\xff\xfe"}',
    "half a pair": b'{"object":"list","results":[{"object":"page","id":"\\ud800"}]}',
    "half a gzip": gzip.compress(b'{"object":"list","results":[]}')[:-12],
    "no gzip": b"\x1f\x8bnonsense",
}


@pytest.mark.parametrize("raw", RAW)
def test_bodies_that_are_no_answer_at_all(victim: Victim, raw: str) -> None:
    for endpoint in ("/databases/", "/data_sources/", "/query", "/search"):

        def spoil(request: Request, answer: Answer, endpoint: str = endpoint) -> Answer:
            if endpoint_of(request) != endpoint:
                return answer
            headers = {**answer.headers, "Content-Encoding": "gzip"} if "gzip" in raw else answer.headers
            return replace(answer, payload=RAW[raw], headers=headers)

        assert_told(victim.sync(spoil, full=True))
        assert victim.removed() == []
    victim.assert_exact_again()


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_of_300_megabytes_is_refused_on_its_way(place: Place, packed: bool) -> None:
    small: SmallWorkspace = place.small
    place.connect("anna", small.tokens["anna"], json.dumps({"Worlds": small.databases["Worlds"]}))
    assert place.command("sync-all") == WELL
    small.workspace.faults.add("big_packed" if packed else "big", path="/query$", megabytes=300)
    ended, peak = place.run_measured("sync-all")
    assert ended.code == 1
    assert "too large (over 64 MB)" in ended.err
    assert len(ended.err.splitlines()) == 1
    print(f"{peak // 1024} MB of memory at the most")
    assert peak < 300 * 1024
    small.workspace.faults.clear()
    assert place.command("sync-all") == WELL
    assert place.differences("anna", "anna", {"Worlds": small.databases["Worlds"]}) == []
