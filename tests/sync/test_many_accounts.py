"""Many accounts in one run: what a database of theirs asks of PostgreSQL, and what is open or kept while they run."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from notion_workspace import SampleWorkspace, WorkspaceServer
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.listener import ProgressKey, SilentListener
from notion_pg_sync.sync.run.run import sync_all
from tests.installation import Installation

pytestmark = pytest.mark.slow

LOG = "server.log"
# Of a database, with its share in what its account of four takes.
MOST_TRANSACTIONS = 6
MOST_MESSAGES = 34
_SENT = re.compile(r"LOG:  (?:statement|execute [^:]+):\s+(\w+)")


@dataclass
class Many:
    """The tool against four databases of 20 rows; `add` connects users, each with a token of their own, to all."""

    installation: Installation
    databases: dict[str, str]
    users: int = 0

    async def add(self, count: int) -> None:
        for number in range(self.users, self.users + count):
            token = self.installation.workspace.add_token(f"user {number}")
            for database_id in self.databases.values():
                self.installation.workspace.share(f"user {number}", database_id)
            await self.installation.connect(f"user {number}", token.secret, self.databases)
        self.users += count


@pytest.fixture
def many(initialised_url: str) -> Iterator[Many]:
    workspace = SampleWorkspace()
    made = [workspace.add_generated_database(f"Base {number}", 20, seed=number) for number in range(4)]
    with WorkspaceServer(workspace) as server:
        installation = Installation(Settings(database_url=initialised_url, notion_base_url=server.url), workspace)
        yield Many(installation, {one.name: one.id for one in made})


async def test_a_database_in_which_nothing_changed_takes_few_transactions_and_statements(many: Many) -> None:
    name = conninfo_to_dict(many.installation.settings.database_url or "")
    log = Path(str(name["host"])).parent / LOG
    statement = sql.SQL("ALTER DATABASE {} SET log_statement = 'all'").format(sql.Identifier(str(name["dbname"])))
    await many.installation.execute(statement.as_string())

    async def sent() -> tuple[int, int]:
        """How many transactions and how many messages with statements a run takes in which nothing changed."""
        for _ in range(2):
            many.installation.workspace.clock.advance(3600)
            begin = log.stat().st_size
            assert (await many.installation.sync_all()).failures == []
        with log.open(encoding="utf-8") as file:
            file.seek(begin)
            words = _SENT.findall(file.read())
        return words.count("BEGIN"), len(words)

    await many.add(2)
    transactions, messages = await sent()
    await many.add(5)
    more_transactions, more_messages = await sent()
    more = 5 * len(many.databases)
    assert (more_transactions - transactions) / more <= MOST_TRANSACTIONS
    assert (more_messages - messages) / more <= MOST_MESSAGES


@dataclass
class Watching(SilentListener):
    """Looks, at every fifth database that ends, how much of the process is in use at that moment."""

    port: int
    ends: int = 0
    clients: list[int] = field(default_factory=list)
    sockets: list[int] = field(default_factory=list)
    sessions: list[int] = field(default_factory=list)

    def ended(self, database: ProgressKey, run: DatabaseRun) -> None:
        self.ends += 1
        if self.ends % 5:
            return
        there = [one.raddr for one in psutil.Process().net_connections("tcp")]
        self.sockets.append(sum(bool(one) and one.port == self.port for one in there))
        objects = gc.get_objects()
        self.clients.append(sum(isinstance(one, httpx.AsyncClient) and not one.is_closed for one in objects))
        self.sessions.append(sum(isinstance(one, Connection) and not one.closed for one in objects))


async def test_no_more_is_open_with_many_accounts_than_with_some_and_nothing_is_kept_of_them(many: Many) -> None:
    settings = replace(many.installation.settings, jobs=6)

    async def watched(count: int) -> Watching:
        await many.add(count - many.users)
        many.installation.workspace.clock.advance(3600)
        watching = Watching(urlsplit(settings.notion_base_url).port or 0)
        outcome = await sync_all(settings, watching, "notion-pg-sync sync-all", None)
        assert outcome.failures == []
        assert watching.ends == count * len(many.databases)
        return watching

    for seen in (await watched(10), await watched(30)):
        # An account has a client from its first database to its last. A database asks two things at once, and what is
        # open when an account ends is left to the next.
        assert 0 < max(seen.clients) <= 2 * settings.jobs
        assert 0 < max(seen.sockets) <= 6 * settings.jobs
        assert 0 < max(seen.sessions) <= 8
    gc.collect()
    kinds = httpx.AsyncClient | httpx.AsyncHTTPTransport | Connection
    left = [one for one in gc.get_objects() if isinstance(one, kinds)]
    assert left == []
