"""Signed addresses of files: in memory for as long as they live, and nowhere to be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.notion.hosted_files import path_of
from notion_pg_sync.sync.files.addresses import LIFETIME, MARGIN, Addresses

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)

hex_signatures = st.text("0123456789abcdef", min_size=64, max_size=64)
queries = st.one_of(
    st.just(""),
    st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=20).map("?{}".format),
    st.builds(
        "?X-Amz-Date={}&X-Amz-Signature={}{}".format,
        st.integers(0, 3),
        hex_signatures | st.text("0123456789abcdefABCDEF", max_size=70),
        st.sampled_from(["", "&x-id=GetObject", "#page", "&amp;x", "&X-Amz-Signature=" + "b" * 64]),
    ),
)
hosts = st.sampled_from(["https://a.example", "http://127.0.0.1:8000", "https://a"])
names = st.text(min_size=1, max_size=8).map(lambda name: "/a/" + quote(name, safe="", errors="replace"))


@given(st.lists(st.tuples(st.sampled_from(["anna", "ben"]), hosts, names, queries), max_size=20))
def test_each_file_has_the_address_that_was_learned_last(learned: list[tuple[str, str, str, str]]) -> None:
    addresses = Addresses()
    expected = {}
    for user_id, host, path, query in learned:
        url = host + path + query
        assert path_of(url) == path
        addresses.learn(user_id, path, url, LATER)
        expected[user_id, path] = url
    assert {known: addresses.address(*known, NOW) for known in expected} == expected
    for known in expected:
        addresses.forget(*known)
    assert {addresses.address(*known, NOW) for known in expected} <= {None}


def test_an_address_that_is_about_to_expire_is_none() -> None:
    addresses = Addresses()
    now = datetime.now(UTC)
    later = now + LIFETIME / 2
    addresses.learn("anna", "/a", "https://h/a?s", later)
    assert addresses.address("anna", "/a", later - MARGIN - timedelta(seconds=1)) == "https://h/a?s"
    assert addresses.address("anna", "/a", later - MARGIN) is None
    # And stays so, even where a clock is set back.
    assert addresses.address("anna", "/a", now) is None


def test_an_address_that_does_not_say_when_it_expires_lives_an_hour() -> None:
    addresses = Addresses()
    addresses.learn("anna", "/a", "https://h/a?s", None)
    now = datetime.now(UTC)
    assert addresses.address("anna", "/a", now) is not None
    assert addresses.address("anna", "/a", now + LIFETIME) is None


def test_the_oldest_are_forgotten_where_there_are_too_many() -> None:
    addresses = Addresses(most=3)
    for number in (0, 1, 2, 0, 3, 4):
        addresses.learn("anna", f"/{number}", f"https://h/{number}?a{number}", LATER)
    assert [addresses.address("anna", f"/{number}", NOW) is not None for number in range(5)] == [
        *(True, False, False, True, True)
    ]


def test_no_address_is_shown() -> None:
    addresses = Addresses()
    addresses.learn("anna", "/a", "https://h/a?X-Amz-Signature=" + "c" * 64, LATER)
    assert "h/a" not in f"{addresses!r}"
    assert "cccc" not in f"{addresses!r}"
