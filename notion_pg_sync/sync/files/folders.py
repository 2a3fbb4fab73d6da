"""Whether the name of a place means a folder of this machine."""

from __future__ import annotations

from pathlib import Path


def folder_of(where: str) -> Path | None:
    """The folder that a place's name means; None where it means a bucket."""
    return None if "://" in where else Path(where)


def can_be_made(where: str) -> bool:
    """Whether it is a folder that is not there, in one that is."""
    folder = folder_of(where)
    return folder is not None and not folder.exists() and folder.parent.is_dir()
