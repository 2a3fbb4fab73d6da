"""Pure: the hash of a page's JSON as it came, which tells that a page is as it was without parsing it.

Equal hashes mean an equal page. Unequal ones mean nothing: keys in another order, white space and other ways to write
the same text make them so. Such a page is parsed, and then compared by `cleaning.page_hash`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from operator import attrgetter

from notion_pg_sync.core.columns import Column
from notion_pg_sync.notion.cleaning import page_hash
from notion_pg_sync.notion.json_text import canonical_text

# Notion's own file objects, as it writes them (docs/notion-api.md#files): within a text each quotation mark has a
# backslash before it, so nothing that people write can look like one.
_FILE = re.compile(rb'("file":\{"url":"[^"\\?#]*)[?#][^"\\]*","expiry_time":"[^"\\]*"\}')
_CUSTOM_EMOJI = re.compile(
    rb'("custom_emoji":\{"id":"[^"\\]*","name":"(?:[^"\\]|\\.)*","url":"[^"\\?#]*)[?#][^"\\]*"\}'
)
_EMAIL = re.compile(rb'("person":\s*\{\s*)"email":\s*"(?:[^"\\]|\\.)*"(?=\s*\})')
# What may be one that is written otherwise, or a property that is called "person".
_OTHER_EMAIL = re.compile(rb'"person"\s*:\s*\{[^{}]*"email"')
_MADE_BY = (b'"created_by":', b'"last_edited_by":')
_PROPERTY_OF_MADE_BY = (b'"type":"created_by","created_by":', b'"type":"last_edited_by","last_edited_by":')
_LONGEST_NAMING = max(map(len, _PROPERTY_OF_MADE_BY))
_ALL_OF_COLUMN = attrgetter(*Column.__struct_fields__)
_USER = re.compile(rb'\{"object":"(?:user|group)","id":"([0-9a-f-]{36})"')


def conversion_key(schema: Mapping[str, object], columns: Iterable[Column], *others: str) -> bytes:
    """The hash of all that a row follows from beside its page: the version of the conversion, the schema, the columns.

    `others`: what else there is, such as the table's shape and what is excluded.
    """
    listed = canonical_text(sorted(list(map(str, _ALL_OF_COLUMN(column))) for column in columns))
    return page_hash(canonical_text(schema), listed, *others).encode()


def answer_hash(key: bytes, page: bytes, *, keeps_emails: bool) -> str | None:
    """The SHA-256 (hex) of a page's JSON without the signatures of Notion's own files, and of a `conversion_key`.

    Where people's addresses are not kept, they are no part of it either: a hash would prove a guess. None where it is
    not known for sure which text is such an address.
    """
    # Most pages have none of it, which is quickly seen.
    if b'"expiry_time":' in page:
        page = _FILE.sub(rb'\1"}', page)
    if b'"custom_emoji":' in page:
        page = _CUSTOM_EMOJI.sub(rb'\1"}', page)
    if not keeps_emails:
        page = _EMAIL.sub(rb"\1", page)
        if _OTHER_EMAIL.search(page):
            return None
    return hashlib.sha256(key + page).hexdigest()


def users_named(page: bytes) -> set[str]:
    """The ids of people, bots and groups that a page's properties name, as far as it is written as Notion writes it."""
    return {found[1].decode() for found in _USER.finditer(page) if not _is_about_page(page, found.start())}


def _is_about_page(page: bytes, place: int) -> bool:
    """Whether who is named at this place made or edited the page, and is no value of a property."""
    before = page[max(0, place - _LONGEST_NAMING) : place]
    return before.endswith(_MADE_BY) and not before.endswith(_PROPERTY_OF_MADE_BY)
