"""Pure: a property's name as a column's name that can be typed without quotes in PostgreSQL."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from notion_pg_sync.core.columns import MAX_NAME_BYTES

# The columns that every typed view has besides its properties, and PostgreSQL's own of every table.
_RESERVED_NAMES = """
    page_id user_id database_id database_name data_source_id data_source_name url notion_public_url
    notion_icon notion_cover notion_is_locked notion_created_by notion_created_by_name notion_edited_by
    notion_edited_by_name notion_created_at notion_edited_at last_synced_at
    tableoid ctid xmin xmax cmin cmax
"""
RESERVED_NAMES = frozenset(_RESERVED_NAMES.split())

# The key words that cannot be a column's name without quotes, of PostgreSQL 15 to 18 (pg_get_keywords(), R and T).
_KEY_WORDS = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true
    union unique user using variadic verbose when where window with
"""
KEY_WORDS = frozenset(_KEY_WORDS.split())

# "LATIN SMALL LETTER O WITH STROKE" is an o, "LATIN SMALL LETTER AE" is ae, "LATIN SMALL LETTER OPEN E" is an e.
_LATIN_LETTER = re.compile(
    r"LATIN (?:CAPITAL |SMALL )?(?:LETTER|LIGATURE) (?:[A-Z]+ )*?(?P<letter>[A-Z]+)(?: WITH .*| PRECEDED BY .*)?$"
)
_LONGEST_LIGATURE = 2
# Letters of living alphabets that have names. What is left are signs of phoneticians and medievalists.
_BY_NAME = {
    **{"eth": "d", "thorn": "th", "eng": "n", "kra": "k", "schwa": "e", "ezh": "z", "esh": "s"},
    **{"gamma": "g", "iota": "i", "upsilon": "u"},
}


def column_name(property_name: str) -> str:
    """A name for a column: lower case, letters, digits and underscores, at most 63 bytes, no reserved word.

    Letters of the Latin script become plain ones (ä is a, ß is ss, ø is o), letters of other scripts stay (PostgreSQL
    needs no quotes for them), all else becomes an underscore. Where nothing is left the name is `column_`. A reserved
    word gets an underscore at its end.
    """
    written = "".join(map(_plain, unicodedata.normalize("NFC", property_name))).lower()
    name = "_".join("".join(_letters(written)).split()) or "column"
    if name[0].isascii() and name[0].isdigit():
        name = f"_{name}"
    if name in KEY_WORDS or name in RESERVED_NAMES:
        name += "_"
    return _cut(name, MAX_NAME_BYTES)


def view_name(database_name: str, database_id: str, taken: Collection[str] = ()) -> str:
    """A name for the view of a database, made as a column's is; where nothing is left of it, the id tells it.

    `taken`: the names of the same user's other views.
    """
    is_readable = any(map(str.isalnum, database_name))
    return free_name(column_name(database_name) if is_readable else f"database_{database_id[:8]}", "", taken)


def free_name(name: str, suffix: str, taken: Collection[str]) -> str:
    """`name` and `suffix` as a name that is not taken yet, numbered if it must be."""
    candidate, number = _joined(name, suffix), 1
    while candidate in taken or candidate in KEY_WORDS or candidate in RESERVED_NAMES:
        number += 1
        candidate = _joined(name, f"{suffix}_{number}")
    return candidate


def _plain(character: str) -> str:
    """The plain Latin letters that a character of the Latin script stands for; any other is itself."""
    parts = unicodedata.normalize("NFKD", character.casefold())
    plain = "".join(_plain_letter(part) for part in parts if not unicodedata.combining(part))
    return plain if plain.isascii() and plain else _plain_letter(character)


def _plain_letter(letter: str) -> str:
    """The same of a letter that Unicode does not take apart: its Unicode name says what letter it is."""
    found = _LATIN_LETTER.match(unicodedata.name(letter, ""))
    if letter.isascii() or found is None:
        return letter
    called = found["letter"].lower()
    return called if len(called) <= _LONGEST_LIGATURE else _BY_NAME.get(called, letter)


def _letters(text: str) -> list[str]:
    """`text` with a blank for every character that is no letter and no digit, and for no mark of a kept letter."""
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if category.startswith("M"):
            # A vowel sign or the like belongs to the letter before it; on a Latin letter it is one more accent.
            if kept and not kept[-1].isascii():
                kept.append(character)
        else:
            kept.append(character if category[0] == "L" or category == "Nd" else " ")
    return kept


def _joined(name: str, suffix: str) -> str:
    return _cut(name, MAX_NAME_BYTES - len(suffix)) + suffix


def _cut(name: str, most_bytes: int) -> str:
    return name.encode()[:most_bytes].decode(errors="ignore")
