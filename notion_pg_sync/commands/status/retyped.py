"""Pure: properties that were given another type in Notion, so that their columns of typed views are null."""

from __future__ import annotations

from psycopg import sql

from notion_pg_sync.core.columns import UNDETERMINED
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.typed_sql import typed
from notion_pg_sync.mirror.view_catalog import UnfitColumn
from notion_pg_sync.notion.schema import TYPES


def is_retyped(column: UnfitColumn) -> bool:
    """Whether its values do not fit since the property has another type, and not since they are odd."""
    return TYPES.get(column.property_type) != column.type


def hidden_values(column: UnfitColumn) -> str:
    """What people do not see in the view, in a sentence without its full stop."""
    return (
        f"{column.user_id}/{column.database_name}: {plural(column.values, 'value is', 'values are')} null in "
        f"notion.{column.view_name}.{column.name}, which is {column.type}, since the property ({column.property_type}) "
        "has values of another type; they are kept in fields"
    )


def retyping(column: UnfitColumn) -> str:
    """The statement that gives the column the property's type."""
    told = TYPES.get(column.property_type, "text")
    return typed(
        sql.SQL("SELECT notion_sync.retype_column({}, {}, {}, {})").format(
            column.user_id, column.data_source_id, column.name, "text" if told == UNDETERMINED else told
        )
    )
