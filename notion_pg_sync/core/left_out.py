"""Pure: what a sync had to leave out, to whoever meets it and whoever keeps it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class LeftOut(Struct, frozen=True):
    """A value of a page, by its `property`'s name; the page itself, where that is empty.

    `reason` is an error code, `message` a sentence for people. `created_at` is the minute in which a page was created
    that no listing gives (UTC).
    """

    page_id: str
    property: str
    reason: str
    message: str
    created_at: datetime | None = None


class UnreadMinute(Struct, frozen=True):
    """A minute (UTC) of which pages are left out that are not known at all; `reason` and `message` as of `LeftOut`."""

    created_at: datetime
    reason: str
    message: str
