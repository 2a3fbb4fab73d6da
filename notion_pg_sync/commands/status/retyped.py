"""Pure: what is said of a column of a typed view whose property was given another type in Notion."""

from __future__ import annotations

from notion_pg_sync.mirror.retyped_columns import RetypedColumn


def shown_as_text(column: RetypedColumn) -> str:
    """How the view shows it, in a sentence without its full stop."""
    return (
        f"{column.user_id}/{column.database_name}: notion.{column.view_name}.{column.name} was {column.type} and is "
        f"shown as text, since its property is of type {column.property_type} in Notion now"
    )
