"""Pure: a file that Notion hosts, as a page names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

# Where a page names a file.
FilePlace = Literal["property", "cover", "icon", "body"]

# What the properties of a page name, and what stands around them: all that a page's own answer tells of files.
PLACES_OF_PAGES: tuple[FilePlace, ...] = ("property", "cover", "icon")


@dataclass(frozen=True, slots=True)
class HostedFile:
    """A file that Notion hosts, in one place of a page.

    `property` is the name of the column, empty in every other place than a property. `position` counts from 1, in a
    property as in the column's array, external files too. `path` is that of its URL, as it is written there; it names
    the file for good. `url` has a signature, which is a secret until `expires_at` (None: not told).
    """

    place: FilePlace
    property: str
    position: int
    name: str
    path: str
    url: str = field(repr=False, compare=False)
    expires_at: datetime | None = field(default=None, compare=False)
