"""Under which key a file's bytes are kept: safe on any system, one a file, and readable."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.sync.files.keys import key_of, user_folder

WORKSPACE = "3a0dbd1c-2f51-4d8c-a9a0-2bd8b2a3c001"
FILE = "7c1f6a52-90f6-4a1e-8a46-0c4f9f1b0002"

ODD = [
    *(
        "..",
        ".",
        "",
        "/",
        "\\",
        "\0",
        "\x1b[2J",
        "\u202egpj.exe",
        "\u200f",
        "CON",
        "nul.txt",
        "com1.tar.gz",
        "LPT¹",
        "-rf",
    ),
    *(".htaccess", "~root", "a#1", "a.", "a ", " a", "x" * 300, "é" * 300, "a" * 250 + ".pdf", "a." + "b" * 200),
    *("e\u0301", "A", "a-0123456789abcdef", "a-0123456789abcdef.pdf", "C:", "a:b", "a*?", "100%", "%2e%2e", "ss", "ß"),
    *("\ud800", "\U0010fffe"),
]
PARTS = st.one_of(st.text(max_size=40), st.sampled_from(ODD), st.text("aA-.%2eE(é", max_size=6))
WRITTEN = st.one_of(
    PARTS.map(lambda part: quote(part, safe="", errors="surrogatepass")),
    PARTS.map(lambda part: part.replace("/", "")),
    st.sampled_from(["%2F", "%2f", "%00", "%ff", "%", "%2", "%61", "a", "(", "%28"]),
)
PATHS = st.lists(WRITTEN, max_size=5).map(lambda parts: "/" + "/".join(parts))


def test_an_ordinary_file_is_found_by_its_ids_and_its_name() -> None:
    path = f"/{WORKSPACE}/{FILE}/Offer%20of%20May.pdf"
    assert key_of("user-1", path) == f"user-1/{WORKSPACE}/{FILE}/Offer of May.pdf"
    assert key_of("user-1", f"/old.storage/{FILE}/a.png") == f"user-1/old.storage/{FILE}/a.png"


@pytest.mark.parametrize("name", ["日本語.txt", "Prices (2) & more, 100%!.xlsx", "no ending", "Ünïcode.PDF", "📎.png"])
def test_a_harmless_name_stays_as_it_is(name: str) -> None:
    assert key_of("u", f"/{WORKSPACE}/{FILE}/{quote(name, safe='')}").endswith(f"/{name}")


@pytest.mark.parametrize("name", ["\u202egpj.exe", "a/b.png", "nul.png", "x" * 300 + ".png", "a\0.png", ".png.png"])
def test_what_is_altered_keeps_its_ending(name: str) -> None:
    ending = key_of("u", f"/{WORKSPACE}/{FILE}/{quote(name, safe='')}").rpartition(".")[2]
    assert ending == name.rpartition(".")[2]


@given(st.text(min_size=1, max_size=80) | st.sampled_from(ODD), PATHS)
def test_a_key_is_safe_on_any_system(user_id: str, path: str) -> None:
    key = key_of(user_id, path)
    assert len(key) <= 300
    assert 3 <= len(key.split("/")) <= 4
    assert key.startswith(f"{user_folder(user_id)}/")
    for part in key.split("/"):
        assert 0 < len(part.encode()) <= 240
        assert not part.startswith((".", "-", "~", " "))
        assert not part.endswith((".", " "))
        assert not set(part) & set('<>:"/\\|?*#')
        assert not {unicodedata.category(one) for one in part} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        assert not PureWindowsPath(part).is_reserved()
        assert part == unicodedata.normalize("NFC", part)
    assert PurePosixPath(key).as_posix() == key


@given(st.tuples(PARTS, PATHS), st.tuples(PARTS, PATHS))
def test_two_files_never_have_one_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    if one != other:
        assert key_of(*one) != key_of(*other)


@given(PARTS, PARTS)
def test_two_users_never_share_a_folder_whatever_a_system_makes_of_capitals(one: str, other: str) -> None:
    if one != other:
        assert user_folder(one).casefold() != user_folder(other).casefold()
