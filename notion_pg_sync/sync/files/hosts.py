"""Pure: whether a file is fetched from an address: from Notion's storage alone, and encrypted.

Whoever edits a page could otherwise let the tool call into the operator's network. An address that two readers could
read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from notion_pg_sync.core.loopback import is_loopback

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)(?:\?[^#]*)?",
    re.IGNORECASE,
)
PORTS = {"http": 80, "https": 443}
# Neither blanks nor control characters, nor what browsers take for a slash.
_ODD = re.compile(r"[^!-~]|\\")


class FileHosts(Struct, frozen=True):
    """Where files may be fetched from: `hosts`, each a name, or a name and how its paths begin, `name/beginning`.

    `loopback_port`: from this machine too, at this port and unencrypted or not, as where Notion is this machine itself.
    """

    hosts: Sequence[str]
    loopback_port: int | None = None

    def allow(self, url: str) -> bool:
        """Whether a file may be fetched from this address."""
        parts = None if _ODD.search(url) else _ADDRESS.fullmatch(url)
        if parts is None or int(parts["port"] or 0) > 65535:
            return False
        host, path = parts["host"].lower(), parts["path"]
        scheme = parts["scheme"].lower()
        port = int(parts["port"] or PORTS[scheme])
        if port == self.loopback_port and is_loopback(host.strip("[]")):
            return True
        if (scheme, port) != ("https", 443):
            return False
        return any(_is_within(host, path, allowed) for allowed in self.hosts)


def _is_within(host: str, path: str, allowed: str) -> bool:
    name, slash, beginning = allowed.partition("/")
    if host != name:
        return False
    # A server may take `..`, written in any way, for a step upwards.
    return not slash or (path.startswith(f"/{beginning.rstrip('/')}/") and ".." not in path.lower().replace("%2e", "."))
