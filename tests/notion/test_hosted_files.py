"""The files that pages and bodies name, before their signatures are cut."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.columns import Column
from notion_pg_sync.notion.cleaning import sanitize, strip_signature
from notion_pg_sync.notion.hosted_files import (
    MAX_PATH_LENGTH,
    expiry_of,
    files_of_markdown,
    files_of_page,
    host_of,
    path_of,
)
from notion_pg_sync.notion.markdown import without_signatures
from notion_pg_sync.notion.properties import columns_by_property
from tests.notion.arbitrary_json import json_values, page_properties, signed_objects, wild_text

HOST = "https://prod-files-secure.s3.us-west-2.amazonaws.com"
FOLDER = "/15a8e6a4/0bd0a4d6"
EXPIRY = "2026-11-02T10:30:00.000Z"
SIGNATURE = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261102T093000Z&X-Amz-Expires=3600"
    f"&X-Amz-Signature={'cafe' * 16}&X-Amz-SignedHeaders=host&x-id=GetObject"
)

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40).filter(
    lambda name: name.strip() and name not in (".", "..")
)


def url(name: str) -> str:
    return f"{HOST}{FOLDER}/{quote(name, safe='')}?{SIGNATURE}"


def hosted(name: str, /, **more: object) -> dict[str, object]:
    return {"type": "file", "file": {"url": url(name), "expiry_time": EXPIRY}, **more}


def external(name: str, /) -> dict[str, object]:
    return {"name": name, "type": "external", "external": {"url": f"https://example.org/{name}"}}


def page(*files: object, **more: object) -> dict[str, object]:
    return {"properties": {"Plans": {"id": "p%3A", "type": "files", "files": list(files)}}, **more}


def columns(name: str = "plans") -> list[Column]:
    return [Column("p%3A", "Plans", "files", name, "text[]")]


def test_files_of_properties_have_their_places_in_the_column() -> None:
    found = files_of_page(
        page(hosted("a b.png", name="A b.png"), external("c"), hosted("d.pdf", name="")),
        columns_by_property(columns()),
    )
    assert [(one.place, one.property, one.position, one.name, one.path) for one in found] == [
        ("property", "plans", 1, "A b.png", f"{FOLDER}/a%20b.png"),
        # What has no name there has the one in its URL.
        ("property", "plans", 3, "d.pdf", f"{FOLDER}/d.pdf"),
    ]
    assert [one.url for one in found] == [url("a b.png"), url("d.pdf")]
    assert {one.expires_at for one in found} == {datetime(2026, 11, 2, 10, 30, tzinfo=UTC)}


def test_covers_and_icons_count_and_what_notion_does_not_host_does_not() -> None:
    emoji = {"type": "custom_emoji", "custom_emoji": {"id": "e", "name": "bufo", "url": url("bufo.gif")}}
    found = files_of_page(page(cover=hosted("cover.jpg"), icon=emoji))
    assert [(one.place, one.property, one.position, one.name) for one in found] == [
        ("cover", "", 1, "cover.jpg"),
        ("icon", "", 1, "bufo"),
    ]
    # An emoji's object says nothing of when it expires, its URL does.
    assert {one.expires_at for one in found} == {datetime(2026, 11, 2, 10, 30, tzinfo=UTC)}
    assert files_of_page(page(external("x"), cover=external("y"), icon={"type": "emoji", "emoji": "🐸"})) == []


def test_custom_emoji_in_texts_and_what_rollups_show_are_files_too() -> None:
    emoji = {"type": "custom_emoji", "custom_emoji": {"id": "e", "name": "bufo", "url": url("bufo.gif")}}
    text = [
        {"type": "mention", "mention": {"type": "user", "user": {"id": "u"}}},
        {"type": "mention", "mention": emoji},
    ]
    shown = [{"type": "files", "files": [external("x"), hosted("a.png")]}, {"type": "rich_text", "rich_text": text}]
    properties = {
        "Name": {"id": "title", "type": "title", "title": text},
        "Shown": {
            "id": "s",
            "type": "rollup",
            "rollup": {"type": "array", "array": shown, "function": "show_original"},
        },
    }
    assert [(one.property, one.position, one.name) for one in files_of_page({"properties": properties})] == [
        ("Name", 1, "bufo"),
        ("Shown", 2, "a.png"),
        ("Shown", 3, "bufo"),
    ]


def test_a_property_without_a_column_is_left_out_where_columns_are_given() -> None:
    assert files_of_page(page(hosted("a")), {}) == []
    assert [one.property for one in files_of_page(page(hosted("a")))] == ["Plans"]


def test_files_of_a_body_are_told_in_order_with_their_signatures() -> None:
    markdown = (
        f"# Title\n![A frog]({url('frog.png')})\n"
        f'<pdf src="{url("a b.pdf").replace("&", "&amp;")}">The plan</pdf>\n'
        "[link](https://example.org/a.png?x=1) ![elsewhere](https://example.org/b.png)\n"
    )
    found = files_of_markdown(markdown)
    assert [(one.place, one.position, one.name, one.path, one.url) for one in found] == [
        ("body", 1, "frog.png", f"{FOLDER}/frog.png", url("frog.png")),
        ("body", 2, "a b.pdf", f"{FOLDER}/a%20b.pdf", url("a b.pdf")),
    ]


def test_a_signature_is_no_part_of_what_is_shown_of_a_file() -> None:
    (file,) = files_of_page(page(hosted("a")))
    assert "X-Amz" not in f"{file!r}"


@given(page_properties, json_values | signed_objects, json_values | signed_objects)
def test_odd_shapes_give_nothing_and_raise_nothing(properties: object, cover: object, icon: object) -> None:
    for one in files_of_page({"properties": properties, "cover": cover, "icon": icon}):
        assert one.path.startswith("/")
    assert files_of_page({"properties": cover}) == []


@given(json_values)
def test_any_text_is_searched_for_files(value: object) -> None:
    assert all(one.place == "body" for one in files_of_markdown(str(value)))


@given(wild_text | st.builds("https://{}/{}?{}".format, wild_text, wild_text, wild_text))
def test_odd_urls_raise_nothing_and_paths_can_be_stored(text: str) -> None:
    host_of(text)
    expiry_of(text)
    path = path_of(text)
    if path is not None:
        assert path.startswith("/")
        assert path.strip("/")
        assert len(path) <= MAX_PATH_LENGTH
        assert sanitize(path) == (path, 0)


@given(st.lists(names, max_size=5))
def test_a_path_is_what_is_stored_of_the_url_without_its_host(every: list[str]) -> None:
    found = files_of_page(page(*(hosted(name, name=name) for name in every)), columns_by_property(columns()))
    assert [HOST + one.path for one in found] == [strip_signature(url(name)) for name in every]
    assert [one.name for one in found] == every
    assert [one.position for one in found] == [*range(1, len(every) + 1)]


@given(st.lists(names, max_size=5))
def test_what_a_body_names_is_just_what_is_cut_in_it(every: list[str]) -> None:
    markdown = "\n".join(f"![x]({url(name).replace('(', '%28')})" for name in every)
    found = files_of_markdown(markdown)
    assert [HOST + one.path for one in found] == [strip_signature(url(name)) for name in every]
    assert without_signatures(markdown) == "\n".join(f"![x]({HOST}{one.path})" for one in found)
