"""Blocks become the Markdown that Notion itself writes for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.notion.blocks import Rendered, home_of_children, render_block, rich_text, together, unreadable
from tests.notion.arbitrary_json import json_values

PLAIN = {"bold": False, "italic": False, "strikethrough": False, "underline": False, "code": False, "color": "default"}
ID = "11111111-2222-4333-8444-555555555555"
LINK = "https://www.notion.so/11111111222243338444555555555555"


def text(content: str, href: str | None = None, **annotations: object) -> dict[str, Any]:
    shown = {"content": content, "link": {"url": href} if href else None}
    return {
        "type": "text",
        "text": shown,
        "annotations": {**PLAIN, **annotations},
        "plain_text": content,
        "href": href,
    }


def mention(kind: str, plain: str, **target: object) -> dict[str, Any]:
    inner = {"type": kind, kind: target}
    return {"type": "mention", "mention": inner, "annotations": PLAIN, "plain_text": plain, "href": None}


def block(kind: str, children: bool = False, **content: Any) -> dict[str, Any]:
    if isinstance(content.get("rich_text"), str):
        content["rich_text"] = [text(content["rich_text"])]
    return {"object": "block", "id": ID, "type": kind, "has_children": children, kind: content}


def markdown(kind: str, inside: str = "", **content: Any) -> str:
    return render_block(block(kind, **content), Rendered(inside.split("\n") if inside else [])).markdown


def external(url: str) -> dict[str, Any]:
    return {"type": "external", "external": {"url": url}, "caption": [text("Cap")]}


def hosted(url: str) -> dict[str, Any]:
    return {"type": "file", "file": {"url": url, "expiry_time": "2026-11-02T10:00:00.000Z"}, "caption": []}


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("paragraph", {"rich_text": "Text"}, "Text"),
        ("paragraph", {"rich_text": []}, "<empty-block/>"),
        ("paragraph", {"rich_text": "Pink", "color": "pink"}, 'Pink {color="pink"}'),
        ("heading_1", {"rich_text": "H"}, "# H"),
        ("heading_2", {"rich_text": "H", "is_toggleable": True, "color": "red_background"}, "## H"),
        ("heading_3", {"rich_text": "H"}, "### H"),
        ("heading_4", {"rich_text": "H"}, "#### H"),
        ("bulleted_list_item", {"rich_text": "Item"}, "- Item"),
        ("numbered_list_item", {"rich_text": "Item"}, "1. Item"),
        ("to_do", {"rich_text": "Do", "checked": True}, "- [x] Do"),
        ("to_do", {"rich_text": "Do", "checked": False}, "- [ ] Do"),
        ("quote", {"rich_text": "One\nTwo"}, "> One<br>Two"),
        ("code", {"rich_text": "a < b\nc", "language": "sql", "caption": []}, "```sql\na < b\nc\n```"),
        ("code", {"rich_text": "```", "language": "markdown"}, "````markdown\n```\n````"),
        ("equation", {"expression": "x^2"}, "$$\nx^2\n$$"),
        ("divider", {}, "---"),
        ("table_row", {"cells": [[text("a|b")], []]}, "<tr>\n\t<td>a\\|b</td>\n\t<td></td>\n</tr>"),
        ("image", external("https://x.y/a b.png"), "![Cap](https://x.y/a%20b.png)"),
        ("video", external("https://x.y/v?a=1&b"), '<video src="https://x.y/v?a=1&amp;b">Cap</video>'),
        ("file", {**hosted("https://x.y/f.txt?X-Amz-Signature=1"), "name": "f.txt"}, '<file src="https://x.y/f.txt">'),
        ("bookmark", {"url": "https://x.y", "caption": []}, "[https://x.y](https://x.y)"),
        ("embed", {"url": "https://x.y", "caption": [text("Cap")]}, "[Cap](https://x.y)"),
        ("link_preview", {"url": "https://x.y"}, "[https://x.y](https://x.y)"),
        ("child_page", {"title": "A*"}, f'<page url="{LINK}">A\\*</page>'),
        ("child_database", {"title": "D"}, f'<database url="{LINK}">D</database>'),
        ("link_to_page", {"type": "database_id", "database_id": ID}, f'<database url="{LINK}"/>'),
        ("table_of_contents", {"color": "default"}, "<table_of_contents/>"),
        ("breadcrumb", {}, ""),
    ],
)
def test_blocks_in_which_nothing_lies(kind: str, content: dict[str, Any], expected: str) -> None:
    shown = markdown(kind, **content)
    if kind == "heading_2":
        expected += ' {toggle="true" color="red_bg"}'
    if kind == "file":
        expected += "f.txt</file>"
    assert shown == expected


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("paragraph", {"rich_text": "P"}, "P\n\tone\n\t\ttwo"),
        ("bulleted_list_item", {"rich_text": "I"}, "- I\n\tone\n\t\ttwo"),
        (
            "toggle",
            {"rich_text": "T", "color": "blue"},
            '<details color="blue">\n<summary>T</summary>\n\tone\n\t\ttwo\n</details>',
        ),
        (
            "callout",
            {"rich_text": "C", "icon": {"type": "emoji", "emoji": "💡"}},
            '<callout icon="💡">\n\tC\n\tone\n\t\ttwo\n</callout>',
        ),
        (
            "table",
            {"has_column_header": True, "has_row_header": False},
            '<table header-row="true" header-column="false">\n\tone\n\t\ttwo\n</table>',
        ),
        ("column_list", {}, "<columns>\n\tone\n\t\ttwo\n</columns>"),
        ("column", {}, "<column>\n\tone\n\t\ttwo\n</column>"),
        ("synced_block", {"synced_from": None}, f'<synced_block url="{LINK}">\n\tone\n\t\ttwo\n</synced_block>'),
    ],
)
def test_what_lies_in_a_block_is_indented_by_a_tab(kind: str, content: dict[str, Any], expected: str) -> None:
    assert markdown(kind, "one\n\ttwo", **content) == expected


def test_a_copy_of_a_synced_block_holds_what_lies_in_its_original() -> None:
    copy = block("synced_block", True, synced_from={"type": "block_id", "block_id": "original"})
    assert home_of_children(copy) == "original"
    assert render_block(copy, Rendered(["x"])).lines[0].startswith("<synced_block_reference")


@pytest.mark.parametrize("kind", ["child_page", "child_database"])
def test_pages_and_databases_in_a_page_are_links_and_are_not_entered(kind: str) -> None:
    assert home_of_children(block(kind, True, title="T")) is None


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([text("*~`$[]<>{}|^\\")], r"\*\~\`\$\[\]\<\>\{\}\|\^\\"),
        ([text("a ", bold=True), text("b")], "**a** b"),
        ([text("a", bold=True), text("b", bold=True)], "**ab**"),
        ([text("x", bold=True, italic=True, strikethrough=True)], "***~~x~~***"),
        ([text("x", underline=True, color="red")], '<span color="red"><span underline="true">x</span></span>'),
        ([text("a<b", code=True)], "`a<b`"),
        ([text("`", code=True)], "`` ` ``"),
        ([text("x", "https://x.y/(1)")], "[x](https://x.y/%281%29)"),
        ([text(" ", bold=True)], " "),
        ([{"type": "equation", "equation": {"expression": "x"}, "annotations": PLAIN, "plain_text": "x"}], "$x$"),
        ([mention("user", "@Ada", object="user", id="u1")], '<mention-user url="user://u1">Ada</mention-user>'),
        ([mention("page", "A|B", id=ID)], f'<mention-page url="{LINK}">A\\|B</mention-page>'),
        ([mention("database", "D", id=ID)], f'<mention-database url="{LINK}">D</mention-database>'),
        (
            [mention("date", "…", start="2026-11-02T09:30:00.000+01:00", end="2026-11-03", time_zone="Europe/Berlin")],
            '<mention-date start="2026-11-02" startTime="09:30" end="2026-11-03" timeZone="Europe/Berlin"/>',
        ),
        ([mention("link_preview", "x", url="https://x.y")], "[x](https://x.y)"),
        ([mention("custom_emoji", ":cat:", id="e", name="cat")], ":cat:"),
        ([mention("template_mention", "@Today", type="template_mention_date")], "@Today"),
    ],
)
def test_rich_text(items: list[dict[str, Any]], expected: str) -> None:
    assert rich_text(items) == expected


def test_an_unsupported_block_is_told_as_missing_by_what_it_is() -> None:
    shown = unreadable(block("unsupported", block_type="holodeck"))
    assert shown == render_block(block("unsupported", block_type="holodeck"), Rendered())
    assert shown.markdown == f'<unknown url="{LINK}" alt="holodeck"/>'
    assert shown.missing == {"holodeck"}


def test_of_a_type_that_is_new_its_text_and_what_lies_in_it_are_kept() -> None:
    shown = render_block(block("hologram", True, rich_text="Text"), Rendered(["Inside"], frozenset({"video"})))
    assert shown.lines == [f'<unknown url="{LINK}" alt="hologram"/>', "Text", "Inside"]
    assert shown.missing == {"hologram", "video"}


def test_what_is_missing_within_is_missing_in_the_whole() -> None:
    inside = together([Rendered(["a"], frozenset({"x"})), Rendered(["b"], frozenset({"y"}))])
    assert render_block(block("toggle", rich_text="T"), inside).missing == {"x", "y"}


@given(json_values, st.lists(st.text()))
def test_no_json_makes_it_fail(given: object, lines: list[str]) -> None:
    assert isinstance(render_block(given, Rendered(lines)).markdown, str)
    home_of_children(given)


KINDS = ["paragraph", "callout", "code", "table_row", "image", "link_to_page", "child_page", "synced_block", "embed"]


@given(st.sampled_from(KINDS), json_values)
def test_no_content_of_a_known_type_makes_it_fail(kind: str, content: object) -> None:
    assert isinstance(render_block({"type": kind, kind: content}, Rendered()).markdown, str)
