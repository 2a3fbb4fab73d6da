"""What owners exclude from their copies, and what may show it all the same: rollups and formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from notion_pg_sync.commands.doctor.checks.accounts import CONNECTED_USERS
from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, ok, warning
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.diagnosis.excluded import SourceSchema, schemas_beside_exclusions
from notion_pg_sync.notion.exclusion import Exclusion
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.property_ids import decoded
from notion_pg_sync.notion.schema import by_id

# As Notion writes a property in a formula's expression: its id and the data source's, or, in older ones, its name.
_BY_ID = re.compile(r"\{\{notion:block_property:([^:}]+):([^:}]+)")
_BY_NAME = re.compile(r'prop\("((?:[^"\\]|\\.)*)"\)')


async def _excluded_properties(examination: Examination) -> list[Finding]:
    user_ids = [account.user_id for account in examination.accounts]
    sources = await examination.ask(lambda connection: schemas_beside_exclusions(connection, user_ids))
    return excluded_properties(sources)


def excluded_properties(sources: Sequence[SourceSchema]) -> list[Finding]:
    """What is excluded, and each property that is computed from it and may show it; `sources` are all of some users."""
    exclusions = {(one.user_id, one.data_source_id): Exclusion(one.entries) for one in sources}
    findings = [
        warning(
            f"{one.user_id}/{one.database_name}: {name} is computed from {shown}, which is excluded, and may show it",
            "",
            (one.user_id, one.database_name),
            needs=f"decide whether {name} may be copied; else exclude it too, in notion_databases",
        )
        for one in sources
        for name, shown in _computed(one, exclusions)
    ]
    without = {f"{one.user_id}/{one.database_name}": Exclusion(one.entries).names for one in sources if one.entries}
    told = [f"{whose} without {', '.join(names)}" for whose, names in without.items()]
    return findings or [ok(f"copied are {some(told)}" if told else "nothing is excluded")]


def _computed(source: SourceSchema, exclusions: Mapping[tuple[str, str], Exclusion]) -> Iterator[tuple[str, str]]:
    """The rollups and formulas of a data source over what is excluded, each with the name of that."""
    properties = by_id(source.schema)
    own = exclusions[source.user_id, source.data_source_id]
    for value in properties.values():
        name = str(get_path(value, "name"))
        for source_id, property_id, written in _read_by(value, properties):
            exclusion = exclusions.get((source.user_id, source_id or source.data_source_id), own)
            if exclusion.covers(property_id, written):
                yield name, exclusion.met_name(property_id) or written or property_id


def _read_by(value: object, properties: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """What a property is computed from: of which data source (empty: of its own), by decoded id and by name."""
    rollup = get_path(value, "rollup")
    relation = decoded(str(get_path(rollup, "relation_property_id") or ""))
    if relation:
        yield "", relation, str(get_path(rollup, "relation_property_name") or "")
        target = get_path(properties.get(relation), "relation", "data_source_id")
        rolled_up = decoded(str(get_path(rollup, "rollup_property_id") or ""))
        if isinstance(target, str):
            yield target, rolled_up, str(get_path(rollup, "rollup_property_name") or "")
    expression = str(get_path(value, "formula", "expression") or "")
    yield from ((source_id, decoded(property_id), "") for property_id, source_id in _BY_ID.findall(expression))
    yield from (("", "", name) for name in _BY_NAME.findall(expression))


EXCLUSION_CHECKS = (
    Check("excluded properties", "Sync tables", _excluded_properties, needs=(CONNECTED_USERS,), depth=1),
)
