"""A body in which every kind of block and of text occurs, as literals of the sample workspace."""

from __future__ import annotations

from typing import Any

from notion_workspace.literals import equation, mention_page, mention_user
from notion_workspace.model import DateValue, File, Mention, Text


def bold(text: str) -> Text:
    return Text(text, style=frozenset({"bold"}))


def deep(levels: int) -> dict[str, Any]:
    """A bulleted list of so many levels."""
    item: dict[str, Any] = {"type": "bulleted_list_item", "text": f"Level {levels}"}
    for level in range(levels - 1, 0, -1):
        item = {"type": "bulleted_list_item", "text": f"Level {level}", "children": [item]}
    return item


def every_kind(page_id: str, user: str) -> list[Any]:
    """`page_id` and `user` are mentioned."""
    styled = [
        bold("bold "),
        Text("plain, "),
        Text("both", style=frozenset({"bold", "italic"})),
        Text(" and "),
        Text("struck", style=frozenset({"strikethrough"})),
        Text(" under", style=frozenset({"underline"})),
        Text(" red", color="red_background"),
        Text(" code<1>", style=frozenset({"code"})),
        Text(" linked", link="https://example.com/a"),
        Text(" *not* [marks] {at} <all>"),
    ]
    mentioned = [
        "By ",
        mention_user(user),
        " of ",
        mention_page(page_id),
        " on ",
        Mention("date", DateValue("2026-11-02T09:30:00.000+00:00", "2026-11-03")),
        " with ",
        equation("x^2"),
        ".",
    ]
    table = [
        {"type": "table_row", "cells": ["Name", "Age"]},
        {"type": "table_row", "cells": [["Ada ", bold("L.")], "36|7"]},
    ]
    return [
        {"type": "heading_1", "text": "One"},
        {"type": "heading_2", "text": "Two", "color": "blue"},
        {"type": "heading_3", "text": "Three", "is_toggleable": True, "children": ["Within three"]},
        {"type": "paragraph", "text": styled},
        {"type": "paragraph", "text": mentioned, "color": "gray_background", "children": ["A child paragraph"]},
        "",
        deep(5),
        {"type": "numbered_list_item", "text": "First", "children": [{"type": "to_do", "text": "Do", "checked": True}]},
        {"type": "numbered_list_item", "text": "Second"},
        {"type": "to_do", "text": "Open"},
        {"type": "toggle", "text": "Fold", "children": ["Folded", {"type": "toggle", "text": "In", "children": ["x"]}]},
        {"type": "code", "text": "def f():\n\treturn '<b>'", "language": "python", "caption": "The caption"},
        {"type": "quote", "text": "Two\nlines", "children": [{"type": "code", "text": "a\n  b", "language": "sql"}]},
        {"type": "callout", "text": "Mind this", "children": ["And this"]},
        {"type": "table", "table_width": 2, "has_column_header": True, "has_row_header": False, "children": table},
        {"type": "equation", "expression": "E = mc^2\n+ 0"},
        {"type": "divider"},
        {
            "type": "column_list",
            "children": [
                {"type": "column", "children": ["Left"]},
                {"type": "column", "children": [{"type": "bulleted_list_item", "text": "Right"}]},
            ],
        },
        {"type": "image", "caption": "A picture", "stored_file": File("a b.png", "a b.png")},
        {"type": "pdf", "caption": [], "stored_file": File("c.pdf", "https://example.com/c.pdf?v=1", external=True)},
        {"type": "file", "caption": [], "name": "notes.txt", "stored_file": File("notes.txt", "notes.txt")},
        {"type": "child_page", "title": "A page within"},
        {"type": "child_database", "title": "A database within"},
        {"type": "link_to_page", "page_id": page_id},
        {"type": "synced_block", "synced_from": None, "children": ["Said in two places"]},
        {"type": "table_of_contents"},
    ]
