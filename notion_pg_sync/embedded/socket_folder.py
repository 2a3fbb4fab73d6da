"""How clients reach the embedded PostgreSQL: a unix socket in a private folder, and the connection string for it."""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlencode

from notion_pg_sync.embedded.programs import EmbeddedPostgresError, ServerUser

SOCKET = ".s.PGSQL.5432"
# The shortest limit for a unix socket's path among the platforms (macOS: 104 bytes with the closing zero byte).
LONGEST_SOCKET_PATH = 103
# What libpq takes from these variables would turn a client away from our server, or change what it gets.
HARMFUL_VARIABLES = {
    "PGHOSTADDR": ("hostaddr", ""),
    "PGOPTIONS": ("options", ""),
    "PGREQUIREAUTH": ("require_auth", ""),
    "PGREQUIREPEER": ("requirepeer", ""),
    "PGCHANNELBINDING": ("channel_binding", "disable"),
    "PGCLIENTENCODING": ("client_encoding", "UTF8"),
    "PGGSSENCMODE": ("gssencmode", "disable"),
    "PGSSLMODE": ("sslmode", "disable"),
    "PGSSLNEGOTIATION": ("sslnegotiation", "postgres"),
    "PGTARGETSESSIONATTRS": ("target_session_attrs", "any"),
}


def connection_string(socket_folder: Path, database: str) -> str:
    """The URL of `database`; overrides what `PG*` variables of this process would spoil.

    `PGSERVICE` alone cannot be overridden: libpq refuses every connection when it does not find that service.
    """
    neutral = dict(value for name, value in HARMFUL_VARIABLES.items() if name in os.environ)
    parameters = {"user": "postgres", "host": os.fsencode(socket_folder), "port": "5432", **neutral}
    return f"postgresql:///{database}?{urlencode(parameters, safe='/', quote_via=quote)}"


def socket_folder_for(data: Path) -> Path:
    """The data folder; a short one where its path is too long for a socket, or holds a comma (a list to libpq).

    Every process finds the same one: it depends on nothing but the data folder's path.
    """
    if len(os.fsencode(data / SOCKET)) <= LONGEST_SOCKET_PATH and "," not in str(data):
        return data
    return Path("/tmp") / f"notion-pg-sync-{sha256(os.fsencode(data)).hexdigest()[:16]}"


def make_private(socket_folder: Path, account: ServerUser) -> None:
    """Makes the folder where it is missing, and makes sure that only `account` can have put a socket there.

    Raises `EmbeddedPostgresError` when somebody else made it: a server there could be anybody's.
    """
    if not os.path.lexists(socket_folder):
        socket_folder.mkdir(mode=0o700)
        os.chown(socket_folder, account.uid, account.gid)
    found = socket_folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
        raise EmbeddedPostgresError(
            f"{socket_folder} is not a private folder of the account that runs the server: remove it, "
            "or set NOTION_PG_SYNC_DATA_DIR to a folder with a shorter path."
        )
