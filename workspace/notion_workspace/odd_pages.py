"""Pages that answers hold only in part, or not at all (docs/notion-api.md#queries)."""

from collections.abc import Callable, Mapping

from notion_workspace.errors import ApiError
from notion_workspace.model import Json


def _fails(_: Json) -> Json:
    raise ApiError(500, "internal_server_error", "Unexpected error occurred.")


def _without_properties(page: Json) -> Json:
    return {key: value for key, value in page.items() if key != "properties"}


def _id_only(page: Json) -> Json:
    return {key: page[key] for key in ("object", "id")}


def _in_trash(page: Json) -> Json:
    return {**page, "in_trash": True}


ODDITIES: Mapping[str, Callable[[Json], Json]] = {
    "fails": _fails,
    "without_properties": _without_properties,
    "id_only": _id_only,
    "in_trash": _in_trash,
}
