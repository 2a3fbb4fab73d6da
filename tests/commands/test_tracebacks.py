"""A traceback for people: no token, no control character, and what the errors say only where that was asked for."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from notion_pg_sync.commands.output.logs import traceback_of
from notion_pg_sync.notion.schema import by_id
from notion_pg_sync.sync.run.failures import failure_of
from tests.test_printable import steers

SAID = "ntn_canary9 secret_canary8 \x1b[31m \u202e of a row"


def fail_first() -> None:
    raise ValueError(SAID)


def fail_for_it(*, group: bool) -> None:
    try:
        fail_first()
    except ValueError as error:
        raise (ExceptionGroup(SAID, [error]) if group else LookupError(SAID)) from error


def raised(*, group: bool = False) -> Exception:
    with pytest.raises((LookupError, ExceptionGroup)) as caught:
        fail_for_it(group=group)
    return caught.value


@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("with_messages", [False, True])
def test_a_token_or_a_control_character_is_in_none(group: bool, with_messages: bool) -> None:
    shown = traceback_of(raised(group=group), with_messages=with_messages)
    assert "canary" not in shown
    assert not any(map(steers, shown.replace("\n", "")))
    assert all(line.startswith("    ") for line in shown.splitlines())
    assert ("of a row" in shown) is with_messages


def test_without_messages_it_has_every_frame_and_the_kinds_of_all_errors_in_order() -> None:
    shown = traceback_of(raised(), with_messages=False)
    told = re.findall(r"in (\w+)$|^ +(\w+Error)$", shown, re.MULTILINE)
    assert ["".join(one) for one in told] == [
        *("fail_for_it", "fail_first", "ValueError"),
        *("raised", "fail_for_it", "LookupError"),
    ]


def test_the_place_is_the_innermost_line_of_the_tools_own_code() -> None:
    assert failure_of(raised()).sentence.startswith("internal error (LookupError): ")
    with pytest.raises(AttributeError) as caught:
        by_id(cast(Any, []))
    assert " at notion_pg_sync/notion/schema.py:" in failure_of(caught.value).sentence
    grouped = failure_of(ExceptionGroup("some", [caught.value])).sentence
    assert grouped == failure_of(caught.value).sentence
