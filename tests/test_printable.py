"""What is printed steers no terminal and forges no line, and stays as it was where it is harmless."""

from __future__ import annotations

import subprocess
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.printable import printable, printable_lines, shell_command, to_storable

STEERING = [
    *map(chr, (*range(0x20), 0x7F, *range(0x80, 0xA0))),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d",
]
STEERING += [*"\u202e\u2066\u2067\u2068\u2069", "\ud800", "\udfff", "\U000e0001", "\ufeff", "\u200b"]

# Any character, those that steer among them more often than by chance.
texts = st.text(st.one_of(st.characters(), st.sampled_from(STEERING)))


def steers(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in "\u200c\u200d"


@given(texts)
def test_nothing_of_a_line_steers(text: str) -> None:
    line = printable(text)
    assert not any(map(steers, line))
    assert line.splitlines() in ([line], [])
    assert printable(line) == line
    line.encode()


@given(texts)
def test_what_steers_nothing_stays(text: str) -> None:
    harmless = "".join(one for one in text if not steers(one))
    assert printable(harmless) == printable_lines(harmless) == to_storable(harmless) == harmless


@given(texts.filter(lambda text: "\\" not in text))
def test_it_can_be_told_which_character_it_was(text: str) -> None:
    told = "".join(one if one.isascii() else f"\\U{ord(one):08x}" for one in printable(text))
    assert told.encode().decode("unicode_escape") == text


def test_each_that_steers_is_written_out() -> None:
    assert all(map(steers, STEERING))
    written = [printable(one) for one in STEERING]
    assert len(set(written)) == len(written)
    assert all(one.isascii() and one.startswith("\\") for one in written)
    assert printable("a\x1b]0;x\x07\x9b2J\u202e\n\ud800\U000e0001") == (
        r"a\x1b]0;x\x07\u009b2J\u202e\n\ud800\U000e0001"
    )


@given(texts)
def test_lines_and_tabs_that_are_meant_stay(text: str) -> None:
    assert printable_lines(text) == "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


@given(texts)
def test_postgresql_can_hold_what_is_storable(text: str) -> None:
    assert "\0" not in to_storable(text)
    to_storable(text).encode()


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_a_command_is_one_harmless_line_and_means_what_was_said(words: list[str]) -> None:
    typed = shell_command("printf", "%s\\0", *words)
    assert printable(typed) == typed
    said = subprocess.run(["bash", "-c", typed], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert said.stdout.decode().split("\0")[:-1] == words
