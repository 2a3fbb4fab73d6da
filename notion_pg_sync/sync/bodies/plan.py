"""Pure: when a body that was read is done with, when the blocks may say what its Markdown does not, when to give up.

Which bodies are due follows (`mirror.bodies.Due`): those that are not there, stand for an earlier edit than the page's
latest, or are not settled; and those that are old.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from notion_pg_sync.core.errors import ErrorCode

# Notion tells edits to the minute, and may take a while until it shows one (docs/notion-api.md#time).
SETTLING = timedelta(minutes=5)

# How many bodies are read and written at once: what is lost at most when a run is killed, and what memory holds.
BATCH = 50

# How many parts of one body are asked for apart; Notion gives 20,000 blocks at once.
MOST_PARTS = 200

# So many failures and nothing else in one batch are no fault of single pages.
MAX_FAILED_READS = 5

_OF_THE_TOKEN = frozenset(
    {ErrorCode.UNAUTHORIZED, ErrorCode.RESTRICTED_RESOURCE, ErrorCode.RATE_LIMITED, ErrorCode.REQUEST_BLOCKED}
)


def is_settled(edited_at: datetime, asked_at: datetime) -> bool:
    """Whether a body that was asked for at `asked_at` holds all edits of the minute `edited_at`; both Notion's times.

    An edit that comes later moves the page's time, and so makes the body due again.
    """
    return asked_at >= edited_at + SETTLING


def blocks_may_help(code: str) -> bool:
    """Whether the blocks of a page are worth asking for, its Markdown having failed with `code`.

    Not where the token, the page or the way to Notion is at fault: these are so for blocks too.
    """
    return code not in _OF_THE_TOKEN | {ErrorCode.OBJECT_NOT_FOUND, ErrorCode.NETWORK}


def goes_on(read: int, failed: Sequence[str]) -> bool:
    """Whether to go on after a batch in which `read` bodies came and the others failed with these codes."""
    if any(code in _OF_THE_TOKEN for code in failed):
        return False
    return read > 0 or sum(code != ErrorCode.OBJECT_NOT_FOUND for code in failed) < MAX_FAILED_READS
