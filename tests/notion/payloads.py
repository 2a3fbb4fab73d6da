"""Recorded answers of Notion, and the pages and schemas in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "workspace" / "tests" / "payloads"
FILES = sorted(file.name for file in FOLDER.glob("*.json"))


def payload(start_of_name: str) -> Any:
    """The recorded answer whose file's name begins so."""
    (file,) = FOLDER.glob(f"{start_of_name}*.json")
    return json.loads(file.read_text())


def recorded(kind: str) -> Iterator[dict[str, Any]]:
    """Every object of this kind (`page`, `data_source`) anywhere in the recordings."""
    for name in FILES:
        yield from _objects(json.loads((FOLDER / name).read_text()), kind)


def _objects(value: object, kind: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("object") == kind and isinstance(value.get("properties"), dict):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _objects(item, kind)
