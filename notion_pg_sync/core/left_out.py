"""Pure: what a sync had to leave out, to whoever meets it and whoever keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LeftOut:
    """A value of a page, by its `property`'s name; the page itself, where that is empty.

    `page_id` is None for pages of which nothing is known but the minute in which they were created (`created_at`, UTC),
    which a page has too where no listing gives it. `reason` is an error code, `message` a sentence for people.
    """

    page_id: str | None
    property: str
    reason: str
    message: str
    created_at: datetime | None = None
