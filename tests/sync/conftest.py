"""Fixtures that more than one file of tests of the sync uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.notion import answered_pages
from notion_pg_sync.notion.answered_pages import Unread
from tests.installation import Installation
from tests.sync.boards import Board


@pytest.fixture
async def board(installation: Installation, small: SmallWorkspace) -> Board:
    made = Board(installation, small)
    await installation.connect("anna", made.token, {"Board": made.id})
    await made.sync()
    return made


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The pages of listings that are parsed, by id."""
    found: list[str] = []
    real = answered_pages._parsed

    def spied(given: Unread | dict[str, object]) -> dict[str, object]:
        answered = real(given)
        found.append(str(answered["id"]))
        return answered

    monkeypatch.setattr(answered_pages, "_parsed", spied)
    yield found
