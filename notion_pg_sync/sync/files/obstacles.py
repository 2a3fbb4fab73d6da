"""What keeps a file from being fetched."""

from __future__ import annotations

from enum import Enum


class Obstacle(Enum):
    """The kinds of it."""

    WAY = "way"  # the network, or the storage for now: the next run may have it
    REFUSED = "refused"  # its address is not valid, any more or at all
    GONE = "gone"  # there is no such file, or no page that names it
    TOO_LARGE = "too large"
    ODD = "odd"  # what comes is no file, or nowhere it could come from


class DownloadError(Exception):
    """A file could not be fetched; the message is a sentence without its address. `size`: its bytes, if too large."""

    def __init__(self, obstacle: Obstacle, sentence: str, size: int | None = None) -> None:
        super().__init__(sentence)
        self.obstacle = obstacle
        self.size = size
