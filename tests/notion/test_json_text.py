"""JSON is read and written as Python's own library would do it, only quicker."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notion_pg_sync.notion.json_text import canonical_text, read_json, read_object

storable_text = st.text(st.characters(exclude_categories=["Cs"]))
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | storable_text,
    lambda inner: st.lists(inner) | st.dictionaries(storable_text, inner),
)


@settings(deadline=None)
@given(values)
def test_what_is_written_is_read_by_others_as_it_was(value: object) -> None:
    assert json.loads(canonical_text(value)) == value


@settings(deadline=None)
@given(values, st.booleans(), st.sampled_from([None, 2]))
def test_what_others_write_is_read_as_it_was(value: object, ascii_only: bool, indent: int | None) -> None:
    # Whole numbers beyond 64 bits come as floats, which is what Notion's numbers are.
    assert read_json(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()) == json.loads(
        json.dumps(value), parse_int=lambda digits: int(digits) if -(2**63) <= int(digits) < 2**64 else float(digits)
    )


def test_halves_of_surrogate_pairs_are_read_and_written() -> None:
    assert read_json(b'["\\ud83d", 18446744073709551616]') == ["\ud83d", 2**64]
    assert canonical_text(["\ud83d", 2**64]) == '["\ud83d",18446744073709551616]'


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e99999999999999999999"])
def test_no_number_that_is_not_finite_is_a_float(number: str) -> None:
    read = read_json(f'{{"number": {number}}}'.encode())["number"]
    assert isinstance(read, Decimal)
    assert not read.is_finite()
    with pytest.raises(TypeError):
        canonical_text([read])


@pytest.mark.parametrize("text", [b"", b"{", b"<html>", b'{"a": 1} {}', b"\xff", b"[" * 2_000])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_json(text)


@pytest.mark.slow
@settings(deadline=None)
@given(st.dictionaries(storable_text, values))
def test_an_object_that_somebody_stored_is_read_as_any(value: dict[str, object]) -> None:
    text = json.dumps(value)
    assert read_object(text) == read_json(text.encode())


@pytest.mark.parametrize("text", ["[]", "5", "null", '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"])
def test_of_what_is_no_object_or_too_deep_nothing_is_read(text: str) -> None:
    assert read_object(text) == {}


@pytest.mark.parametrize("number", ["1e400", "1" + "0" * 5000, "1" + "0" * 400 + ".5"])
def test_a_stored_number_beyond_all_floats_becomes_null(number: str) -> None:
    assert read_object(f'{{"a": {number}, "b": 1}}') == {"a": None, "b": 1}
