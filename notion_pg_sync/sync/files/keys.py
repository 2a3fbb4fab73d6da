"""Pure: under which key the bytes of a file are kept: the user, then Notion's own path, made safe for a folder.

A path's parts come from whoever uploads files to Notion, and a user's id from the application. A key leads nowhere but
below its user's folder on any system, two files never have one key, and a person who lists the folder can tell what is
what: ids and names stay as they are where they are harmless. What had to be altered ends with a digest of what it was.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import quote, unquote

# Together at most 300 characters, and room for what a store appends to a name while it writes.
_USER_BYTES = 60
_FOLDER_BYTES = 50
_NAME_BYTES = 130
# Longer endings are no kind of file.
_ENDING_BYTES = 16

_MOST_FOLDERS = 2
# Of no use in a name, or of use to shells, to Windows, in addresses, or to what writes the folder (`name#1`).
_RESERVED = frozenset('<>:"/\\|?*#')
# Control characters, what reorders or hides text, halves of pairs, private ones, separators of lines and paragraphs.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"}
)
_DIGEST = re.compile(r"-[0-9a-f]{16}(\.[^.]*)?\Z")


def key_of(user_id: str, path: str) -> str:
    """The key of a user's file below the place; `path`: as in its address on Notion's storage, percent-encoded."""
    *folders, name = path.removeprefix("/").split("/")
    if 0 < len(folders) <= _MOST_FOLDERS:
        middle = [_folder(_decoded(folder), folder) for folder in folders]
    else:
        middle = [f"path-{_digest(path)}"]
    return "/".join([user_folder(user_id), *middle, _safe(_decoded(name), name, most=_NAME_BYTES)])


def user_folder(user_id: str) -> str:
    """The first part of the keys of all of a user's files, and of nobody else's."""
    return _folder(user_id, user_id)


def _decoded(part: str) -> str | None:
    """A part of a path as people read it; None where others read the same."""
    text = unquote(part, errors="surrogateescape")
    try:
        return text if quote(text, safe="", errors="surrogateescape") == part else None
    except UnicodeEncodeError:
        return None


def _folder(text: str | None, written: str) -> str:
    """A folder's name; two are never one on systems that do not tell capital letters apart."""
    is_small = text is not None and text == text.casefold()
    return _safe(text if is_small else None, written, most=_FOLDER_BYTES, has_ending=False)


def _safe(text: str | None, written: str, *, most: int, has_ending: bool = True) -> str:
    """`text` as a name of at most `most` bytes, with a digest of how it is `written` where it cannot stay as it is.

    None: it cannot in any case.
    """
    read = unquote(written, errors="surrogateescape") if text is None else text
    name = "".join("_" if _is_unsafe(one) else one for one in unicodedata.normalize("NFC", read)).rstrip(". ")
    if not name or name[0] in ".-~ ":
        name = f"_{name[1:]}"
    if name.partition(".")[0].rstrip().upper() in _DEVICES:
        name = f"_{name}"
    if name == text and len(name.encode()) <= most and not _DIGEST.search(name):
        return name
    stem, dot, ending = name.rpartition(".") if has_ending else ("", "", name)
    if not stem or len(ending.encode()) > _ENDING_BYTES:
        stem, dot, ending = name, "", ""
    mark = f"-{_digest(written)}{dot}{ending}"
    return f"{_cut(stem, most - len(mark.encode()))}{mark}"


def _is_unsafe(character: str) -> bool:
    category = unicodedata.category(character)
    return category in _UNSAFE or character in _RESERVED or (category == "Zs" and character != " ")


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
