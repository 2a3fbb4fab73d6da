"""Notion's Markdown: what it leaves out, parts put in later, signatures taken off, and its plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.notion.markdown import left_out, plain_text, with_part, without_signatures

ID = "11111111-2222-4333-8444-555555555555"
UNKNOWN = '<unknown url="https://www.notion.so/11111111222243338444555555555555" alt="toggle"/>'

TEXTS = [
    ('# Head *it* {toggle="true" color="blue"}\n\tInside', "Head it\nInside"),
    ("- One\n\t- Two\n\t\t- [x] Three\n\t\t\tBelow", "One\nTwo\nThree\nBelow"),
    ("Text\n\t- A child\n\t\t1. Another", "Text\nA child\nAnother"),
    ("1. One\n1. Two\n", "One\nTwo"),
    ("<details>\n<summary>Fold</summary>\n\tFolded **b**\n</details>", "Fold\nFolded b"),
    ('<callout icon="💡" color="gray_bg">\n\tMind\n</callout>', "Mind"),
    ('<table header-row="true">\n\t<tr>\n\t\t<td>A</td>\n\t\t<td>**B**<br>C</td>\n\t</tr>\n</table>', "A\nB\nC"),
    ("| a | b |\n|---|---|\n| c | ~~d~~ |", "a\nb\nc\nd"),
    ("```python\ndef f():\n    return '<b>'\n```", "def f():\n    return '<b>'"),
    ("$$\nx^2\n$$", "x^2"),
    ("> one<br>two", "one\ntwo"),
    ("Text\n---\nText", "Text\nText"),
    ("![A picture](https://x.y/p.png)", "A picture"),
    ('By <mention-user url="user://1">Ada</mention-user>', "By Ada"),
    ('<mention-date start="2026-11-02" startTime="09:30" end="2026-11-03"/>', "2026-11-02 09:30 → 2026-11-03"),
    ('[linked](https://x.y) <span color="red">red</span>', "linked red"),
    (r"\*not\* \[x\] marks \{a=\"b\"\} 5 \$", '*not* [x] marks {a="b"} 5 $'),
    (r"Text \{color=\"red\"\}", 'Text {color="red"}'),
    ("[x]: no reference\n===", "[x]: no reference\n==="),
    ("<empty-block/>\n<table_of_contents/>\n" + UNKNOWN, ""),
    ("", ""),
]


@pytest.mark.parametrize(("markdown", "expected"), TEXTS)
def test_plain_text(markdown: str, expected: str) -> None:
    assert plain_text(markdown) == expected


@given(st.text() | st.text('`#*-[]<>{}|$\\\t\n 1.a"='))
def test_no_text_makes_it_fail(markdown: str) -> None:
    plain_text(markdown)
    left_out(markdown)
    without_signatures(markdown)
    with_part(markdown, ID, "part")


def test_signatures_go_and_other_queries_stay() -> None:
    signed = "https://prod-files-secure.s3.amazonaws.com/a%20b.png?X-Amz-Date=1&X-Amz-Signature=abc&x-id=GetObject"
    given_ = f'![p]({signed}) <pdf src="{signed.replace("&", "&amp;")}">c</pdf> [l](https://x.y/?q=1)'
    bare = "https://prod-files-secure.s3.amazonaws.com/a%20b.png"
    assert without_signatures(given_) == f'![p]({bare}) <pdf src="{bare}">c</pdf> [l](https://x.y/?q=1)'


def test_what_is_left_out_is_told_by_type_and_not_where_it_is_only_written_about() -> None:
    assert left_out(f'Text\n\t{UNKNOWN}\n<unknown url="https://x.y" alt="bookmark"/>') == ["toggle", "bookmark"]
    assert left_out(f'```html\n{UNKNOWN}\n```\n\\<unknown alt="x"/\\>\n$$\n{UNKNOWN}\n$$') == []


def test_a_part_takes_the_place_of_the_block_it_is_of() -> None:
    whole = with_part(f"One\n\t\t{UNKNOWN}\nTwo", ID, "- a\n\t- b")
    assert whole == "One\n\t\t- a\n\t\t\t- b\nTwo"


def test_a_part_without_a_place_stands_at_the_end() -> None:
    assert with_part("One", ID, "Two") == "One\nTwo"
    assert with_part("", ID, "Two") == "Two"
