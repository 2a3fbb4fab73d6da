"""Hypothesis strategies for JSON that nobody promised, and for JSON that looks like Notion's."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

TYPES = [
    *("title", "rich_text", "number", "select", "status", "multi_select", "date", "people", "files", "checkbox"),
    *("url", "email", "phone_number", "formula", "rollup", "relation", "created_time", "last_edited_time"),
    *("created_by", "last_edited_by", "unique_id", "verification", "button", "place"),
    *("string", "boolean", "array", "unsupported", "incomplete", "file", "external", "location"),
]
_KEYS = [*TYPES, "type", "id", "name", "has_more", "start", "end", "time_zone", "plain_text", "text", "content"]
_KEYS += ["equation", "expression", "prefix", "number", "state", "lat", "lon", "address", "expiry_time", "function"]

# Characters of all kinds, NUL and lone surrogates among them.
wild_text = st.text(st.characters(), max_size=12)
_likely_text = st.sampled_from(
    [
        *("2026-06-27", "2026-06-27T10:00:00.000+01:00", "2026-06-27T10:00:00", "12026-01-01", "Europe/London"),
        *("https://files.example/a.png?X-Amz-Signature=1#x", "../etc", "America", "\x00", "\ud800"),
        *("v_%5D%3C", "title", "38c9ce7b-60a4-817b-84ae-e63702a6c78e"),
    ]
)
# Those that are not finite as `read_json` gives them.
_numbers = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([Decimal("Infinity"), Decimal("-Infinity"), Decimal("NaN")])
)
_scalars = st.none() | st.booleans() | _numbers | wild_text | _likely_text | st.sampled_from(TYPES)


# Names with what marks a file in the text of a page, and how it goes on.
_names = wild_text | st.sampled_from(
    ['"type":"file"', '"},"type":"file"}', '{"file":{"url":"a?b"},"type":"file"}', "\\", "\\u0000", '\\"', "[{", "ä"]
)
_urls = st.sampled_from(
    [
        "https://files.example/a%20b.png?X-Amz-Signature=1&x-id=GetObject",
        *("https://files.example/a.png", "https://files.example/a#b?c", "?", "", 'a"b?c', "a\\b?c", "ä?ö"),
    ]
)


def _signed(kind: str, url: object, name: object, more: dict[str, object], beside: dict[str, object]) -> object:
    return {"type": kind, kind: {"url": url, **more}, **({} if name is None else {"name": name}), **beside}


# Files and custom emoji as Notion gives them, and with more or less than that.
signed_objects: st.SearchStrategy[object] = st.builds(
    _signed,
    st.sampled_from(["file", "custom_emoji", "external"]),
    _urls | wild_text | st.none(),
    _names | st.none(),
    st.fixed_dictionaries({}, optional={"expiry_time": _urls | _names, "id": _names, "name": _names}),
    st.just({}) | st.dictionaries(st.sampled_from(["caption", "id", "file", "custom_emoji"]) | wild_text, _names),
)


def _typed(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """`{"id", "type": TYPE, TYPE: …}` round anything."""
    return st.builds(
        lambda kind, content, more: {"id": "a%5Cb", **more, "type": kind, kind: content},
        st.sampled_from(TYPES),
        inner,
        st.dictionaries(st.sampled_from(_KEYS), inner, max_size=2),
    )


def _json_of(scalars: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(_KEYS) | wild_text, inner, max_size=4)
            | _typed(inner)
        ),
        max_leaves=20,
    )


def _properties_of(values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(wild_text | st.sampled_from(["Description", "Due"]), _typed(values) | values, max_size=5)


_without_files = _json_of(_scalars)
json_values = _json_of(_scalars | signed_objects)

property_values = _typed(json_values) | json_values
page_properties = _properties_of(json_values)
# Nearly all of them, at least: a file may come of anything.
page_properties_without_files = _properties_of(_without_files)
