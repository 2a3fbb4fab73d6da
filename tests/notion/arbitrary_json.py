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


def _typed(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """`{"id", "type": TYPE, TYPE: …}` round anything."""
    return st.builds(
        lambda kind, content, more: {"id": "a%5Cb", **more, "type": kind, kind: content},
        st.sampled_from(TYPES),
        inner,
        st.dictionaries(st.sampled_from(_KEYS), inner, max_size=2),
    )


json_values: st.SearchStrategy[object] = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_KEYS) | wild_text, inner, max_size=4)
        | _typed(inner)
    ),
    max_leaves=20,
)

property_values = _typed(json_values) | json_values
page_properties = st.dictionaries(wild_text | st.sampled_from(["Description", "Due"]), property_values, max_size=5)
