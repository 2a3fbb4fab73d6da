"""Who asks for syncs, and how they reach PostgreSQL: what the tests of programs and of drivers have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.security.conftest import statements_shown


@contextmanager
def role_shown(database_url: str, kind: str) -> Iterator[str]:
    """A role that may log in, with the rights that docs/asking-from-sql.md gives one of a kind (`sql KIND`)."""
    role = f"asking_{uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        for block in statements_shown("asking-from-sql.md", kind):
            owner.execute(block.replace("authenticated", role).replace("application", role).encode())
    yield role
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)))


def url_for_drivers(conninfo: str, user: str | None = None) -> str:
    """The URL of a connection string in the one form that libpq, SQLAlchemy and node-postgres understand."""
    target = conninfo_to_dict(conninfo)
    place = f"?host={quote(str(target['host']), safe='')}&port={target['port']}"
    return f"postgresql://{user or target['user']}@/{target['dbname']}{place}"
