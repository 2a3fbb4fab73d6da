"""The environment variables that a person sets, in the order in which they matter; `--help` names them."""

from __future__ import annotations

from msgspec import Struct


class Variable(Struct, frozen=True):
    """What is set under one of `names`, which belong together; `says`: what for, in a few words."""

    names: tuple[str, ...]
    says: str


VARIABLES = (
    Variable(("DATABASE_URL",), "where PostgreSQL is: postgresql://user@host/name"),
    Variable(("PGHOST", "PGSERVICE"), "or libpq's own variables"),
    Variable(("NOTION_TOKEN_KEY",), "opens tokens that an application encrypted"),
    Variable(("NOTION_PG_SYNC_DATA_DIR",), "where the embedded PostgreSQL lives"),
    Variable(("NOTION_PG_SYNC_FILES",), "where files are kept, as by --files"),
    Variable(("NOTION_PG_SYNC_FILE_HOSTS",), "the hosts they are fetched from"),
    Variable(("NOTION_PG_SYNC_PING_URL",), "is told how runs went, as by --ping-url"),
    Variable(("NOTION_BASE_URL",), "another address than Notion's, to try things"),
    Variable(("https_proxy", "no_proxy"), "the proxy by which Notion is reached"),
    Variable(("SSL_CERT_FILE",), "authorities to trust beside the public ones"),
)


def in_help() -> str:
    """The variables as lines of 80 columns at most."""
    names = [", ".join(one.names) for one in VARIABLES]
    width = max(map(len, names))
    return "\n".join(f"  {name:<{width}}  {one.says}" for name, one in zip(names, VARIABLES, strict=True))
