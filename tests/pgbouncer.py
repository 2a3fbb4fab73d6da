"""A real PgBouncer in front of a test's database: it gives every transaction another connection."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType

from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from notion_pg_sync.embedded.programs import server_account
from tests.waiting import wait_until
from tests.wanting import lacks

# Fewer connections than the tool uses, each transaction on the one that rested longest: session state cannot survive.
_CONFIGURATION = """\
[databases]
{dbname} = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 3
server_round_robin = 1
"""


class PgBouncer:
    """Pools the connections of `users` (roles that log in without a password) to `database_url`, by transactions.

    `url` is the same database behind it, as the role of `database_url`.
    """

    def __init__(self, database_url: str, users: Sequence[str] = ()) -> None:
        target = conninfo_to_dict(database_url)
        self._program = _program()
        self._folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-tests."))
        self._folder.chmod(0o755)
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            own_port = probe.getsockname()[1]
        known = self._folder / "users.txt"
        known.write_text("".join(f'"{user}" ""\n' for user in (target["user"], *users)))
        (self._folder / "pgbouncer.ini").write_text(
            _CONFIGURATION.format(
                dbname=target["dbname"], host=target["host"], port=target["port"], own_port=own_port, users=known
            )
        )
        self.url = make_conninfo(
            host="127.0.0.1", port=own_port, user=str(target["user"]), dbname=str(target["dbname"])
        )

    def __enter__(self) -> PgBouncer:
        # It refuses to run as root, as PostgreSQL does.
        self._process = subprocess.Popen(
            [self._program, "-q", str(self._folder / "pgbouncer.ini")],
            stderr=subprocess.DEVNULL,
            **server_account().popen_options,
        )
        wait_until(self._answers, seconds=20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "PgBouncer did not start"
        return pq.PGconn.ping(self.url.encode()) == pq.Ping.OK


def _program() -> str:
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        lacks("this test starts a real PgBouncer: install it (apt-get install --no-install-recommends pgbouncer).")
    return program
