"""Who is held against whom: the tool, the tool at an earlier commit, and the peers, each with its pinned version."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from bench.environments import at_commit, cache, environment, of_this_tree
from bench.stand import Measured, Program, Stand

# No limit of Notion's: what is measured is the reader.
NO_LIMIT = ("--requests-per-minute", "1000000")
_HERE = Path(__file__).parent
_USER = "bench"

# Page's id and how many pages its relation names.
Relations = dict[str, int]
_OF_PAGES = "SELECT page ->> 'id', jsonb_array_length(page -> 'properties' -> 'Related' -> 'relation') FROM {table}"


@dataclass(frozen=True)
class Source:
    """A data source of the workspace, and a token that may read it."""

    token: str
    database_id: str
    data_source_id: str


@dataclass(frozen=True)
class Contender:
    """One who reads the data source into a database of its own; `read` is measured, `relations` is what it has then.

    `initialises` is the program that makes the database ready, None where nobody has to.
    """

    initialises: Program | None
    read: Callable[[Stand, Source], Measured]
    relations: Callable[[Stand], Relations]


def tool(program: Program) -> Contender:
    """The tool, however it is started."""

    def read(stand: Stand, source: Source) -> Measured:
        stand.connect(_USER, source.token, {"Rows": source.database_id})
        return stand.sync_all(*NO_LIMIT)

    query = "SELECT notion_page_id, jsonb_array_length(properties -> 'Related' -> 'relation') FROM notion_pages_sync"
    return Contender(program, read, lambda stand: _asked(stand, query))


def installed() -> Program:
    """The tool as it is in this tree, as a user installs it. Raises NotMadeError."""
    return (str(of_this_tree()), "-m", "notion_pg_sync")


def ours() -> Contender:
    """The tool as it is in this tree. Raises NotMadeError."""
    return tool(installed())


def baseline(commit: str) -> Contender:
    """The tool as it was at a commit. Raises NotMadeError."""
    return tool((str(at_commit(commit).with_name("notion-pg-sync")),))


def bare_loop() -> Contender:
    """The least that any copy must do, in the tool's own environment."""
    command = [sys.executable, "-m", "bench.bare_loop"]
    return Contender(None, _runs(command), lambda stand: _asked(stand, _OF_PAGES.format(table="bare_loop")))


def row_by_row() -> Contender:
    """A loop that writes row by row. Raises NotMadeError."""
    return _peer(
        "run_row_by_row.py",
        ("httpx==0.28.1", "psycopg[binary]==3.3.9"),
        _OF_PAGES.format(table="row_by_row"),
    )


def dlt() -> Contender:
    """dlt's REST API source into PostgreSQL. Raises NotMadeError."""
    return _peer(
        "run_dlt.py",
        ("dlt[postgres]==1.31.0",),
        "SELECT id, jsonb_array_length(properties -> 'Related' -> 'relation') FROM notion.pages",
    )


def notion2pg() -> Contender:
    """notion2pg. Raises NotMadeError."""
    return _peer(
        "run_notion2pg.py",
        ("notion2pg==0.1.0", "httpx==0.28.1", "psycopg[binary]==3.3.9"),
        "SELECT id, cardinality(related) FROM notion2pg",
    )


def airbyte() -> Contender:
    """Airbyte's source, which writes messages and has no database. Raises NotMadeError."""
    python = environment("airbyte", ("airbyte-source-notion==3.2.0", "airbyte-cdk==7.39.1"))
    messages = cache() / f"airbyte-{os.getpid()}.jsonl"

    def read(stand: Stand, source: Source) -> Measured:
        with messages.open("wb") as output:
            return _runs([str(python), str(_HERE / "run_airbyte.py")], output)(stand, source)

    def relations(_stand: Stand) -> Relations:
        with messages.open("rb") as lines:
            found = dict(_relation_in(json.loads(line)["record"]["data"]) for line in lines if b'"RECORD"' in line)
        messages.unlink()
        return found

    return Contender(None, read, relations)


def _relation_in(page: dict[str, list[dict[str, dict[str, list[object]]]]]) -> tuple[str, int]:
    values = {str(one["name"]): one["value"] for one in page["properties"]}
    return str(page["id"]), len(values["Related"]["relation"])


# Each makes its own environment, and says so where it cannot.
PEERS: dict[str, Callable[[], Contender]] = {
    "dlt 1.31.0": dlt,
    "airbyte-source-notion 3.2.0, without a database": airbyte,
    "notion2pg 0.1.0": notion2pg,
    "loop, row by row": row_by_row,
}


def _peer(runner: str, requirements: tuple[str, ...], relations: str) -> Contender:
    python = environment(runner.removeprefix("run_").removesuffix(".py"), requirements)
    return Contender(None, _runs([str(python), str(_HERE / runner)]), lambda stand: _asked(stand, relations))


def _runs(command: list[str], output: IO[bytes] | None = None) -> Callable[[Stand, Source], Measured]:
    def read(stand: Stand, source: Source) -> Measured:
        arguments = [*command, stand.url, source.token, source.data_source_id]
        return stand.measure(arguments) if output is None else stand.measure(arguments, output=output)

    return read


def _asked(stand: Stand, query: str) -> Relations:
    with psycopg.connect(stand.database_url) as connection:
        return {str(page_id): count for page_id, count in connection.execute(query.encode())}
