"""Pure: what a sync had to leave out, to whoever meets it and whoever keeps it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LeftOut:
    """A value of a page, by its `property`'s name, or the page itself, where that is empty.

    `reason` is an error code, `message` a sentence for people.
    """

    page_id: str
    property: str
    reason: str
    message: str
