"""Pure: the id in what people write for a database: bare, with dashes, or a link copied from Notion."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

# How the tokens of internal connections begin; others are opaque (docs/notion-api.md#tokens).
TOKEN_PREFIXES = ("secret_", "ntn_")

_NOTION_HOSTS = ("notion.so", "notion.com", "notion.site")
_HEX = re.compile(r"[0-9a-f]{32}")
_VIEW = re.compile(r"[?&]v=[0-9a-f]", re.IGNORECASE)
_TOKEN = re.compile(rf"({'|'.join(TOKEN_PREFIXES)})\w+")
_BARE = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
# A link's last segment is the title, a dash, and the id; without a title, the id alone.
_ID_OF_SEGMENT = re.compile(r"(?:.*-)?([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class MalformedIdError(ValueError):
    """What was written holds no Notion id; the message says what would."""


def without_tokens(text: str) -> str:
    """The text with the beginning alone of whatever looks like a token."""
    return _TOKEN.sub(r"\1…", text)


def parse_id(written: str) -> str:
    """The id in `written`, with dashes and in lower case, as Notion's API answers it.

    In a link, what stands before `?v=` is the database; `v` is a view (docs/notion-api.md#databases).
    Raises `MalformedIdError`.
    """
    text = written.strip().lower()
    found = _id_of_link(text) if "/" in text else re.split("[?#]", text)[0].replace("-", "")
    if not _HEX.fullmatch(found):
        raise MalformedIdError(
            f"{_shown(written)} is not a Notion database id: copy the database's link in Notion, or the 32 characters "
            "before '?v=' in it."
        )
    return str(UUID(found))


def looks_like_id(written: str) -> bool:
    """Whether `written` can be read by `parse_id`."""
    try:
        parse_id(written)
    except MalformedIdError:
        return False
    return True


def names_view(written: str) -> bool:
    """Whether a link names a view of the database; all rows are mirrored all the same."""
    return _VIEW.search(written) is not None


def is_bare_id(written: str) -> bool:
    """Whether `written` is an id and nothing else: with its dashes or without, in small letters or capitals."""
    return _BARE.fullmatch(written) is not None


def same_id(one: object, other: str) -> bool:
    """Whether both are the same id, with or without dashes."""
    return isinstance(one, str) and one.replace("-", "").lower() == other.replace("-", "").lower()


def _shown(written: str) -> str:
    """What was written, for an error; a token that somebody put in the wrong place is not repeated."""
    return "a token" if written.strip().startswith(TOKEN_PREFIXES) else repr(written)


def _id_of_link(link: str) -> str:
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
        host = parts.hostname or ""
    except ValueError:
        return ""
    if not any(host == known or host.endswith(f".{known}") for known in _NOTION_HOSTS):
        return ""
    segment = parts.path.rstrip("/").rsplit("/", 1)[-1]
    found = _ID_OF_SEGMENT.fullmatch(segment)
    return found.group(1).replace("-", "") if found else ""
