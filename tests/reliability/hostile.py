"""A workspace whose answers somebody spoils on their way, and ways to spoil them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import orjson
from hypothesis import strategies as st
from notion_workspace import Answer, Request, SampleWorkspace
from notion_workspace.literals import (
    checkbox,
    date,
    formula,
    multi_select,
    number,
    relation,
    rich_text,
    rollup,
    title,
)

Spoil = Callable[[Request, Answer], Answer]
Path = tuple[str | int, ...]

# The endpoints that a sync reads, by a part of their paths.
ENDPOINTS = ("/databases/", "/data_sources/", "/query", "/properties/", "/search", "/pages/")
GONE = "(gone)"


class SpoiledWorkspace(SampleWorkspace):
    """As a sample workspace; but `spoil` may change an answer, and `before` a request."""

    spoil: Spoil | None = None
    before: Callable[[Request], Request] | None = None

    def answer(self, request: Request) -> Answer:
        asked = self.before(request) if self.before else request
        answer = super().answer(asked)
        return self.spoil(request, answer) if self.spoil else answer

    def populate(self) -> dict[str, str]:
        """Two databases for the token `anna`: one read whole each time, one where it was edited; returns their ids."""
        self.add_token("anna")
        properties = {
            "Name": title(),
            "Text": rich_text(),
            "Number": number(),
            "Tags": multi_select("red", "green"),
            "Due": date(),
            "Done": checkbox(),
            "Next": relation("self"),
            "Numbers": rollup("Next", "Number", "sum"),
            "Twice": formula('prop("Number") * 2', "number", lambda row: 2 * (row["Number"] or 0)),
        }
        rows = [
            {"Name": f"row {row}", "Text": "text", "Number": row, "Tags": ["red"], "Due": "2026-06-27", "Done": True}
            for row in range(30)
        ]
        few = self.add_database("Few", properties, rows, pace=40.0)
        pages = self.page_ids("Few")
        # More than an answer holds.
        self.edit_page(pages[0], {"Next": pages})
        many = self.add_database("Many", {"Name": title(), "Number": number()}, rows_of(120), pace=40.0)
        for handle in (few, many):
            self.share("anna", handle.id)
        return {handle.name: handle.id for handle in (few, many)}


def rows_of(count: int) -> list[dict[str, object]]:
    return [{"Name": f"row {row}", "Number": row} for row in range(count)]


def endpoint_of(request: Request) -> str:
    """Which of `ENDPOINTS` a request is for."""
    for endpoint in ("/query", "/properties/", "/search"):
        if endpoint in request.path:
            return endpoint
    return next((endpoint for endpoint in ENDPOINTS if endpoint in request.path), "")


def with_body(answer: Answer, body: object) -> Answer:
    return replace(answer, payload=orjson.dumps(body))


# What stands where nobody expects it. No id that could be one: to say that a page moved would be a lie, not nonsense.
NONSENSE = st.recursive(
    st.sampled_from([
        None, True, False, 0, -1, 1.5, 2**62, 1e308, "", "x", "\x00", "null", "../..", "a/b?c#d", "%00", "9" * 500,
        "2026-13-45", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999-12:00", "2026-06-27", "page", "list",
        "title", "number", "relation", "unsupported", "ä" * 3000,
    ]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "type", "object", "x", "title", "properties", ""]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """Nonsense at one place of an endpoint's answers, at most `times` of them; `place` (0 to 1) says where."""

    endpoint: str
    place: float
    nonsense: object
    times: int

    def applied(self, body: object) -> object:
        """`body` with it; where there was true or false, and there would be now, it stays as it is."""
        paths = list(_paths(body))
        path = paths[min(int(self.place * len(paths)), len(paths) - 1)]
        return _replaced(body, path, self.nonsense)


def mutations(*endpoints: str) -> st.SearchStrategy[Mutation]:
    return st.builds(
        Mutation,
        st.sampled_from(endpoints or ENDPOINTS),
        st.floats(0, 1, exclude_max=True),
        NONSENSE | st.just(GONE),
        st.sampled_from([1, 3, 1000]),
    )


def spoiling(mutations: list[Mutation]) -> Spoil:
    """Applies each to the answers of its endpoint."""
    left = [mutation.times for mutation in mutations]

    def spoil(request: Request, answer: Answer) -> Answer:
        for number_, mutation in enumerate(mutations):
            if left[number_] and endpoint_of(request) == mutation.endpoint and answer.status == 200:
                left[number_] -= 1
                answer = with_body(answer, mutation.applied(orjson.loads(answer.payload)))
        return answer

    return spoil


def _paths(value: object, path: Path = ()) -> Iterator[Path]:
    yield path
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _paths(member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*path, index))


def _replaced(value: object, path: Path, nonsense: object) -> object:
    if not path:
        lies = isinstance(value, bool) and isinstance(nonsense, bool)
        return value if lies else nonsense
    head, rest = path[0], path[1:]
    if isinstance(value, dict):
        changed = dict(value)
        if not rest and nonsense == GONE:
            del changed[head]
        else:
            changed[head] = _replaced(value[head], rest, nonsense)
        return changed
    assert isinstance(value, list)
    assert isinstance(head, int)
    if not rest and nonsense == GONE:
        return value[:head] + value[head + 1 :]
    return [*value[:head], _replaced(value[head], rest, nonsense), *value[head + 1 :]]
