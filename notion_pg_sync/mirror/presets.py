"""Presets: for an application's databases, known by their names, the tables that it wants them in. Data alone.

A table of a preset is made when a database of that name is first configured or synced, so that whoever has no such
database never sees it.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class ExtraColumn(Struct, frozen=True):
    """A column beside those that every sync table has.

    It holds whole numbers: the first that the `properties` of these names have, null where none has one.
    """

    name: str
    properties: tuple[str, ...]


class PresetTable(Struct, frozen=True):
    """The table for databases whose name has this slug.

    `title` and `text` are its columns for a page's title and text; of the properties named in `text_sources` the first
    that has text fills the latter.
    """

    slug: str
    title: str
    text: str
    text_sources: tuple[str, ...]
    extra: tuple[ExtraColumn, ...] = ()


PRESETS: Mapping[str, tuple[PresetTable, ...]] = {
    "story-app": (
        PresetTable("characters", "name", "description", ("Description", "Bio", "Backstory")),
        PresetTable("worlds", "name", "description", ("Concept/Premise", "Description", "Overview")),
        PresetTable("stories", "title", "description", ("Premise", "Description", "Synopsis")),
        PresetTable(
            "chat_sessions",
            "title",
            "transcript",
            ("Raw Transcript", "Transcript"),
            (ExtraColumn("message_count", ("Message Count",)),),
        ),
    ),
}
