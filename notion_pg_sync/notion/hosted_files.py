"""Pure: the files that Notion hosts, as pages and bodies name them, before signatures are cut.

The form of their URLs: docs/notion-api.md#files. What has an odd shape gives nothing, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from urllib.parse import parse_qs, unquote, urlsplit

from notion_pg_sync.core.hosted_files import FilePlace, HostedFile
from notion_pg_sync.notion.answered_pages import page_time
from notion_pg_sync.notion.cleaning import SIGNED_TYPES, storable_text
from notion_pg_sync.notion.json_access import as_list, get_path, tagged
from notion_pg_sync.notion.markdown import signed_urls
from notion_pg_sync.notion.page_properties import PageProperties, read_properties
from notion_pg_sync.notion.properties import ColumnsByProperty

# PostgreSQL's indexes take no longer text that cannot be compressed. Notion's own paths are at most as long where a
# name has 900 bytes, each written in three characters, which compress well.
MAX_PATH_LENGTH = 3000

# As AWS writes times in signatures.
_SIGNED_AT = "%Y%m%dT%H%M%S%z"


def files_of_page(page: Mapping[str, object], columns: ColumnsByProperty | None = None) -> list[HostedFile]:
    """The files that a page, as Notion answers it, names in its properties, as its cover and as its icon.

    `columns` name the properties, and what has none is left out; None: properties have their own names.
    """
    properties = page.get("properties")
    return files_named(
        read_properties(properties if isinstance(properties, dict) else {}),
        page.get("cover"),
        page.get("icon"),
        columns,
    )


def files_named(
    properties: PageProperties, cover: object, icon: object, columns: ColumnsByProperty | None
) -> list[HostedFile]:
    """The same, of a page that is read."""
    files = [*_listed("cover", "", [cover]), *_listed("icon", "", [icon])]
    for value in properties:
        given = list(_given(value.type, value.content))
        if not given:
            continue
        own = columns.get(value.id) if columns is not None else None
        name = own[0].name if own else storable_text(value.name)
        if own or columns is None:
            files += _listed("property", name, given)
    return files


def files_of_markdown(markdown: str) -> tuple[HostedFile, ...]:
    """The files in Notion's Markdown of a page, as it came."""
    found = (_hosted("body", "", 1, url, "") for url in signed_urls(markdown))
    return numbered(replace(file, expires_at=expiry_of(file.url)) for file in found if file is not None)


def files_of_block(content: object) -> list[HostedFile]:
    """The file that stands under the type of a block, where that is one of a file."""
    return [*_listed("body", "", [content])]


def numbered(files: Iterable[HostedFile]) -> tuple[HostedFile, ...]:
    """Files of a body in order, each with its place in that."""
    return tuple(replace(file, position=position) for position, file in enumerate(files, 1))


def host_of(url: str) -> str | None:
    """The host in a URL, in small letters; None where there is none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def path_of(url: str) -> str | None:
    """The path in a URL, as it is written; None where it is no path of a file."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    is_usable = path.startswith("/") and len(path) <= MAX_PATH_LENGTH and storable_text(path) == path
    return path if is_usable and path.strip("/") else None


def expiry_of(url: str) -> datetime | None:
    """When the signature in a URL expires, as it says itself; None where it does not."""
    try:
        signed = parse_qs(urlsplit(url).query)
        signed_at = datetime.strptime(signed["X-Amz-Date"][0], _SIGNED_AT)
        return signed_at + timedelta(seconds=int(signed["X-Amz-Expires"][0]))
    except (ValueError, LookupError, OverflowError):
        return None


def _given(kind: str | None, content: object) -> Iterator[object]:
    """What a property's value has that may be a file, also what a rollup shows of other pages."""
    if kind != "rollup":
        return _plainly_given(kind, content)
    shown = as_list(get_path(content, "array"))
    return chain.from_iterable(_plainly_given(*tagged(one)) for one in shown)


def _plainly_given(kind: str | None, content: object) -> Iterator[object]:
    """The same of files, and of texts, which have custom emoji."""
    match kind:
        case "files":
            yield from as_list(content)
        case "title" | "rich_text":
            for part in as_list(content):
                mention = get_path(part, "mention")
                if tagged(mention)[0] == "custom_emoji":
                    yield mention


def _listed(place: FilePlace, property_name: str, given: Iterable[object]) -> Iterator[HostedFile]:
    for position, one in enumerate(given, 1):
        kind, content = tagged(one)
        url = get_path(content, "url")
        if kind not in SIGNED_TYPES or not isinstance(url, str):
            continue
        name = get_path(content if kind == "custom_emoji" else one, "name")
        expiry = get_path(content, "expiry_time")
        file = _hosted(place, property_name, position, url, name)
        if file is not None:
            yield replace(file, expires_at=(page_time(expiry) if expiry else None) or expiry_of(url))


def _hosted(place: FilePlace, property_name: str, position: int, url: str, name: object) -> HostedFile | None:
    path = path_of(url)
    if path is None:
        return None
    given = name if isinstance(name, str) and name.strip() else unquote(path.rstrip("/").rpartition("/")[2])
    return HostedFile(place, property_name, position, storable_text(given), path, url)
