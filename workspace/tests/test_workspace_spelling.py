"""Answers that are written in other ways say the same."""

import json

import pytest

from notion_workspace.spelling import SPELLINGS, spelled

BODY = {"object": "list", "results": [{"id": "a", "n": 12, "text": 'It is "n":12, or 5/4 \n', "é": [1, None, True]}]}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_same_is_said_in_other_bytes(spelling: str) -> None:
    written = spelled(BODY, spelling)
    assert json.loads(written) == BODY
    assert spelling == "compact" or written != spelled(BODY, "compact")


def test_an_unknown_spelling_is_an_error() -> None:
    with pytest.raises(LookupError):
        spelled(BODY, "baroque")
