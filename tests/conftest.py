"""Fixtures that more than one test file uses."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode
from uuid import uuid4

import hypothesis
import psycopg
import pytest
from notion_workspace import SampleWorkspace, SmallWorkspace, WorkspaceServer, small_workspace
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import TextLoader

from notion_pg_sync.embedded.server import EmbeddedPostgres
from notion_pg_sync.settings import Settings
from tests.installation import Installation
from tests.private_host import PrivateHost
from tests.s3_server import Bucket, S3Server

# A test's data need not survive a power cut.
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "max_prepared_transactions": "4",
}

# What the databases of the tests may take, in bytes, with plenty to spare.
ROOM = 4 * 1024**3

# They go the whole way against kills, spoiled answers and strangers.
SLOW_FOLDERS = {"reliability", "security"}
# Ids are texts, as the sample workspace has them.
psycopg.adapters.register_loader("uuid", TextLoader)

# How long an example takes says nothing of what it shows, and nor does how long it takes to make.
_ANY_TIME = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("ordinary", _ANY_TIME)
hypothesis.settings.register_profile("thorough", _ANY_TIME, max_examples=550)
# What decides about a change decides the same of the same code; every other run tries new examples.
hypothesis.settings.register_profile("decided", _ANY_TIME, derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ordinary"))


# A shell lets what it starts in the background ignore SIGINT, and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", type=int, default=2500, help="how many rows the tests with many rows have")
    parser.addoption("--rounds", type=int, default=6, help="how often the harnesses that repeat a thing do so")
    parser.addoption("--kills", type=int, default=12, help="how often the tests of reliability kill a run")
    parser.addoption("--examples", type=int, default=15, help="how many spoiled syncs the tests of reliability try")
    parser.addoption("--table", default=None, help="where the test of broken states writes its table")
    parser.addoption("--seed", type=int, default=None, help="repeats what a test of reliability left to chance")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """More workers than processors: tests wait for a clock, a lease or another process, the slow ones often."""
    return (os.cpu_count() or 1) + (3 if config.option.markexpr == "slow" else 1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is slow, unless `-m` says what to run, or a file is given by name: then all of it runs."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
    for item in items:
        if item.path.parent.name in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)
    if config.option.markexpr:
        return
    named = {Path(str(given).split("::")[0]).resolve() for given in config.invocation_params.args}
    left_out = [item for item in items if item.get_closest_marker("slow") and item.path not in named]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> int:
    """How many rows are many."""
    return int(request.config.getoption("--rows"))


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a harness repeats what it does."""
    return int(request.config.getoption("--rounds"))


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> int:
    """How many examples a test tries that syncs for each."""
    return int(request.config.getoption("--examples"))


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often a run is killed."""
    return int(request.config.getoption("--kills"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The connection string of a PostgreSQL for the whole test session, as a role that may create databases.

    `TEST_DATABASE_URL` names one that runs already, for example of another version.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    # tmp_path is closed to the account that root uses.
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-tests.", dir=_in_memory()))
    with EmbeddedPostgres(folder, FAST_SETTINGS) as server:
        yield server.url
    shutil.rmtree(folder)


def _in_memory() -> Path | None:
    """A folder in memory, where there is one with room: a database is made there twenty times as fast."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else None


@pytest.fixture(scope="session")
def administrator(postgres_server: str) -> Iterator[psycopg.Connection]:
    """A connection that creates and drops the databases of the tests."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        yield connection


@dataclass
class DatabaseMaker:
    """Makes the databases of the tests, those that begin alike as copies of one that is made once."""

    server: str
    administrator: psycopg.Connection
    templates: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The connection string of a database of one's own, gone after the block."""
        with self._copy_of("template0") as name:
            yield with_database(self.server, name)

    @contextmanager
    def filled(self, fill: Callable[[str], None]) -> Iterator[str]:
        """The same, as `fill` makes it of an empty one, which is given its connection string; once for all tests."""
        key = f"{fill.__module__}.{fill.__qualname__}"
        if key not in self.templates:
            self.templates[key] = self._create("template0")
            fill(with_database(self.server, self.templates[key]))
        with self._copy_of(self.templates[key]) as name:
            yield with_database(self.server, name)

    def drop(self, name: str) -> None:
        self.administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def _copy_of(self, template: str) -> Iterator[str]:
        name = self._create(template)
        yield name
        self.drop(name)

    def _create(self, template: str) -> str:
        name = f"test_{uuid4().hex}"
        self.administrator.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name


@pytest.fixture(scope="session")
def database_maker(postgres_server: str, administrator: psycopg.Connection) -> Iterator[DatabaseMaker]:
    """What makes the databases of the tests."""
    made = DatabaseMaker(postgres_server, administrator)
    yield made
    for template in made.templates.values():
        made.drop(template)


@pytest.fixture
def database_url(database_maker: DatabaseMaker) -> Iterator[str]:
    """The connection string of an empty database of this test's own."""
    with database_maker.empty() as url:
        yield url


@pytest.fixture
def login(database_url: str) -> Iterator[str]:
    """A role of this test's own that may log in, and no more."""
    name = f"login_{uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


def initialise(database_url: str) -> None:
    """Does what `init` does."""
    asyncio.run(Installation(Settings(database_url=database_url), SampleWorkspace()).init())


@pytest.fixture
def initialised_url(database_maker: DatabaseMaker) -> Iterator[str]:
    """The same of a database that is initialised."""
    with database_maker.filled(initialise) as url:
        yield url


def with_database(connection_string: str, name: str) -> str:
    """The same server as `connection_string` (in either of libpq's forms), another database."""
    parameters = conninfo_to_dict(connection_string, dbname=name)
    return f"postgresql:///?{urlencode(parameters, quote_via=quote)}"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server for the whole test session."""
    with S3Server() as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3Server) -> Bucket:
    """A bucket of this test's own."""
    return s3_server.bucket()


@pytest.fixture
def small() -> SmallWorkspace:
    """The standard workspace: three users, thirteen databases."""
    return small_workspace()


@pytest.fixture
def installation(initialised_url: str, small: SmallWorkspace) -> Iterator[Installation]:
    """The tool, set up against a database of its own and the standard workspace; nobody is connected yet."""
    with WorkspaceServer(small.workspace) as server:
        yield Installation(Settings(database_url=initialised_url, notion_base_url=server.url), small.workspace)


@pytest.fixture
def private_host() -> Iterator[PrivateHost]:
    """A host of this test's own, with Debian's cron."""
    with PrivateHost() as host:
        yield host


@pytest.fixture
def app_schema() -> str:
    """The SQL by which an application made its tables, with rows in them, before it met this tool."""
    return (Path(__file__).parent / "mirror" / "app_schema.sql").read_text(encoding="utf-8")
