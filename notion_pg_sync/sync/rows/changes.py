"""Pure: what changed of a page between two reads, and why, as `notion_sync.page_changes` keeps it.

What Notion computes is left out: it changes by itself. So is what did not change. What is no change of a person has a
reason (docs/history.md#reasons), and is distinguished from what is, value by value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from notion_pg_sync.core.columns import COMPUTED_TYPES, Column
from notion_pg_sync.mirror.page_changes import Change, Kind, StoredPage
from notion_pg_sync.mirror.sent_rows import Row
from notion_pg_sync.notion.json_access import as_list, get_path
from notion_pg_sync.notion.json_text import canonical_text, read_object
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.notion.properties import columns_by_property, fields_of
from notion_pg_sync.notion.property_ids import decoded

# The page's address, among the values of columns: no column is called so.
URL = "url"

_OPTION_TYPES = ("select", "status", "multi_select")


class Reason(StrEnum):
    """Why a value changed though no person changed it, or why a page came or went."""

    RESTORED = "restored"
    CONVERSION = "conversion"
    OPTION_RENAMED = "option_renamed"
    PROPERTY_ADDED = "property_added"
    PROPERTY_REMOVED = "property_removed"
    PROPERTY_RETYPED = "property_retyped"
    INCOMPLETE = "incomplete"
    COMPLETED = "completed"
    ADDRESS = "address"
    MOVED = "moved"


class GivenValue(Struct, frozen=True):
    """What Notion gave for a property, by its name and type."""

    name: str
    type: str
    content: object


class PageState(Struct, frozen=True, dict=True):
    """What a page holds, as it is known; `given`: the JSON text of its properties, `incomplete`: those not whole.

    `given_instead`: properties, by name, that Notion gave in the place of those.
    """

    fields: Mapping[str, object]
    given: str
    url: str | None
    incomplete: frozenset[str] = frozenset()
    given_instead: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def given_properties(self) -> dict[str, object]:
        """The properties by name, as Notion gave them; none of what is no object."""
        return {**read_object(self.given), **self.given_instead}

    def given_for(self, column: Column) -> GivenValue | None:
        """What Notion gave for a column, None where it gave nothing."""
        id_ = decoded(column.property_id)
        # As a rule the property has its name still.
        found = _given(column.property_name, self.given_properties.get(column.property_name))
        return found[1] if found and found[0] == id_ else self._given.get(id_)

    @cached_property
    def _given(self) -> Mapping[str, GivenValue]:
        """The same, by decoded property id."""
        return dict(found for one in self.given_properties.items() if (found := _given(*one)))

    def has(self, column: Column) -> bool:
        """Whether the history keeps a value of the column: not what Notion computes."""
        return column.name in self.fields and not _is_computed(column, self.given_for(column))

    def kept(self, columns: Iterable[Column]) -> dict[str, object]:
        """The values that the history keeps, by column."""
        return {column.name: self.fields[column.name] for column in columns if self.has(column)}


class ValueChange(Struct, frozen=True):
    """Values that changed for one reason, by column; a column that one of the sides lacks was not there then."""

    reason: Reason | None
    old: Mapping[str, object]
    new: Mapping[str, object]


def value_changes(before: PageState, after: PageState, columns: Collection[Column]) -> list[ValueChange]:
    """What changed of a page that both states know, by reason; first what persons changed."""
    reasons: dict[str, Reason | None] = {}
    old: dict[str, object] = {}
    new: dict[str, object] = {}
    had, has = before.given_properties, after.given_properties
    for column in columns:
        name, property_name = column.name, column.property_name
        was_there, is_there = name in before.fields, name in after.fields
        if not (was_there or is_there):
            continue
        is_unchanged = was_there and is_there and is_same(before.fields[name], after.fields[name])
        if is_unchanged and _is_one_property(had.get(property_name), has.get(property_name), column.property_id):
            continue
        former, present = before.given_for(column), after.given_for(column)
        is_old = was_there and not _is_computed(column, former)
        is_new = is_there and not _is_computed(column, present)
        if is_old != is_new or (is_old and not is_unchanged):
            reasons[name] = _reason(former, present, before, after, is_on_both_sides=is_old and is_new)
            old |= {name: before.fields[name]} if is_old else {}
            new |= {name: after.fields[name]} if is_new else {}
    if before.url != after.url:
        # It has the title in it, and follows that.
        reasons[URL] = None if None in reasons.values() else Reason.ADDRESS
        old[URL], new[URL] = before.url, after.url
    found = sorted({reason or "" for reason in reasons.values()})
    return [
        ValueChange(
            Reason(reason) if reason else None,
            {name: old[name] for name, why in reasons.items() if (why or "") == reason and name in old},
            {name: new[name] for name, why in reasons.items() if (why or "") == reason and name in new},
        )
        for reason in found
    ]


def _given(name: str, value: object) -> tuple[str, GivenValue] | None:
    """A property's decoded id, and what Notion gave for it; None where that is nothing of Notion's."""
    if (
        isinstance(value, dict)
        and isinstance(id_ := value.get("id"), str)
        and isinstance(kind := value.get("type"), str)
    ):
        return decoded(id_), GivenValue(name, kind, value.get(kind))
    return None


def _is_computed(column: Column, given: GivenValue | None) -> bool:
    """Whether Notion computes what it gave for a column."""
    return (given.type if given else column.property_type) in COMPUTED_TYPES


def _is_one_property(former: object, present: object, property_id: str) -> bool:
    """Whether what Notion gave twice under one name is of that property, and of one type; of most it is."""
    return (
        isinstance(former, dict)
        and isinstance(present, dict)
        and isinstance(id_ := present.get("id"), str)
        and former.get("id") == id_
        and former.get("type") == present.get("type")
        and (id_ == property_id or decoded(id_) == decoded(property_id))
    )


def is_same(one: object, other: object) -> bool:
    """Whether two JSON values are the same; to Python, true is 1, and 1e300 is another number than PostgreSQL's."""
    if isinstance(one, str):
        return one == other
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) or isinstance(other, float):
        return _as_float(one) == _as_float(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(value, other[key]) for key, value in one.items())
    return one == other


def _as_float(value: object) -> object:
    try:
        return float(value) if isinstance(value, int) else value
    except OverflowError:
        return value


def _reason(
    former: GivenValue | None,
    present: GivenValue | None,
    before: PageState,
    after: PageState,
    *,
    is_on_both_sides: bool,
) -> Reason | None:
    """Why the value of a column differs, or is there on one side alone."""
    if present is None or former is None:
        return Reason.PROPERTY_REMOVED if present is None else Reason.PROPERTY_ADDED
    if former.type != present.type:
        return Reason.PROPERTY_RETYPED
    if present.name in after.incomplete:
        return Reason.INCOMPLETE
    if former.name in before.incomplete:
        return Reason.COMPLETED
    if not is_on_both_sides or is_same(former.content, present.content):
        return Reason.CONVERSION
    if present.type in _OPTION_TYPES and _option_ids(former) == _option_ids(present):
        return Reason.OPTION_RENAMED
    return None


def _option_ids(value: GivenValue) -> list[object]:
    options = as_list(value.content) if value.type == "multi_select" else [value.content]
    return [get_path(option, "id") for option in options]


def as_notion_had(stored: PageState, columns: Collection[Column]) -> PageState:
    """What Notion had for a page whose row somebody may have changed: what its properties say comes first.

    They say all that `fields` does, and nobody who writes SQL changes both alike.
    """
    whole = [one for one in columns if (value := stored.given_for(one)) and value.name not in stored.incomplete]
    told = fields_of(read_properties(stored.given_properties), columns_by_property(whole))
    return replace(stored, fields={**stored.fields, **told.values})


class PageHistorian(Struct, frozen=True):
    """Says what changed of the pages of a data source, which has these `columns`. See `Historian`."""

    data_source_id: str
    columns: Collection[Column]
    is_recording: bool = True

    def stored_otherwise(self, row: Row, stored: StoredPage) -> dict[str, object]:
        """See `Historian`."""
        sent, found = _sent(row), _stored(stored)
        kept, there = sent.kept(self.columns), found.kept(self.columns)
        given: dict[str, object] = {}
        for column in self.columns:
            name, value, other = column.name, sent.given_for(column), found.given_for(column)
            is_there, is_given = name in there, name in kept
            is_kept = is_there == is_given and (not is_given or is_same(kept[name], there[name]))
            if not is_kept or value != other:
                # Null is what is not there.
                properties: dict[str, object] = {other.name: None} if other else {}
                properties |= {value.name: sent.given_properties[value.name]} if value else {}
                given[name] = {"properties": properties, **({"value": kept[name]} if is_given else {})}
        if row.url != stored.url:
            given[URL] = {"properties": {}, "value": row.url}
        return given

    def changes(self, row: Row, before: StoredPage, *, is_stored: bool) -> list[Change]:
        """See `Historian`."""
        if not is_stored:
            return []
        now = _sent(row)
        if before.noted_source is None and not (before.has_row and _state(before).fields):
            return [self._change(row, "inserted", None, new=self._whole(now))]
        if before.noted_source not in (None, self.data_source_id):
            comes = self._change(row, "inserted", Reason.MOVED, new=self._whole(now))
            source = before.noted_source
            if not before.has_row and not (before.had_row and before.is_of_this_table):
                # Its row is in another table; that it left is told where that is removed.
                return [comes]
            # Of a row that somebody deleted nothing is known.
            whole = self.left_with(before) if before.has_row else {}
            return [self._change(row, "removed", Reason.MOVED, old=whole, data_source_id=source), comes]
        if not before.has_row:
            if not before.had_row:
                return [self._change(row, "inserted", Reason.RESTORED, new=self._whole(now))]
            # What it held is gone with the row.
            return [self._change(row, "updated", Reason.RESTORED, old={}, new={})]
        if before.is_as_written:
            changes = value_changes(_state(before), now, self.columns)
            if before.is_given_unknown:
                changes = [replace(one, reason=one.reason or Reason.CONVERSION) for one in changes]
            return self._updates(row, changes)
        return self._updates(row, self._restored(row, before, now))

    def left_with(self, stored: StoredPage) -> dict[str, object]:
        """See `Historian`."""
        state = _state(stored)
        if stored.is_as_written or not stored.noted_columns:
            return {**state.fields, URL: state.url}
        had = as_notion_had(state, stored.noted_columns)
        return {**had.kept(stored.noted_columns), URL: had.url if _is_address_of(stored.page_id, had.url) else None}

    def _restored(self, row: Row, before: StoredPage, now: PageState) -> list[ValueChange]:
        """The changes of a page whose row somebody may have changed in PostgreSQL."""
        stored = _state(before)
        is_as_in_notion = before.noted_hash == row.content_hash
        had = now if is_as_in_notion else as_notion_had(stored, self.columns)
        if not _is_address_of(row.page_id, had.url):
            # No address of Notion's. What that was is not known; a stranger's is no part of the past.
            had = replace(had, url=now.url)
        kept, spoiled = had.kept(self.columns), stored.kept(self.columns)
        names = [name for name in kept if name not in spoiled or not is_same(kept[name], spoiled[name])]
        values = {name: kept[name] for name in names}
        if is_as_in_notion and stored.url != now.url:
            values[URL] = now.url
        changed = [] if is_as_in_notion else value_changes(had, now, self.columns)
        if not values and not is_as_in_notion:
            return changed
        return [ValueChange(Reason.RESTORED, values, values), *changed]

    def _whole(self, state: PageState) -> dict[str, object]:
        return {**state.kept(self.columns), URL: state.url}

    def _updates(self, row: Row, changes: Iterable[ValueChange]) -> list[Change]:
        return [self._change(row, "updated", one.reason, old=one.old, new=one.new) for one in changes]

    def _change(
        self,
        row: Row,
        kind: Kind,
        reason: Reason | None,
        *,
        old: Mapping[str, object] | None = None,
        new: Mapping[str, object] | None = None,
        data_source_id: str | None = None,
    ) -> Change:
        source = data_source_id or self.data_source_id
        was, became = (None if values is None else canonical_text(values) for values in (old, new))
        return Change(row.page_id, source, kind, reason, was, became, row.edited_at, row.about.last_edited_by)


def _is_address_of(page_id: str, url: str | None) -> bool:
    """Whether an address is one that Notion gives the page."""
    return page_id.replace("-", "") in (url or "")


def _sent(row: Row) -> PageState:
    return PageState(read_object(row.fields), row.properties, row.url, frozenset(row.about.incomplete))


def _stored(page: StoredPage) -> PageState:
    incomplete = frozenset(page.noted_incomplete)
    return PageState(read_object(page.fields or "{}"), page.properties or "{}", page.url, incomplete)


def _state(page: StoredPage) -> PageState:
    """What Notion gave last of a page, as far as it is known: the row, where no trigger stored it otherwise."""
    stored, given = _stored(page), read_object(page.noted_given or "{}")
    if not given:
        return stored
    fields, url = {**stored.fields}, stored.url
    instead: dict[str, object] = {}
    for name, one in given.items():
        for property_name, value in one["properties"].items():
            if value is None:
                instead.setdefault(property_name, None)
            else:
                instead[property_name] = value
        if name == URL:
            url = one["value"]
        elif "value" in one:
            fields[name] = one["value"]
        else:
            fields.pop(name, None)
    return replace(stored, fields=fields, given_instead=instead, url=url)
