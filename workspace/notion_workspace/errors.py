"""The errors that the API answers with (docs/notion-api.md#errors; wording as recorded in payload 37)."""

import json
from typing import Any

from notion_workspace.model import Token


class ApiError(Exception):
    """An answer other than 200: HTTP status, stable code, message and optional further data."""

    def __init__(self, status: int, code: str, message: str, additional_data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.additional_data = status, code, message, additional_data

    def body(self) -> dict[str, Any]:
        """The JSON body, without its request id."""
        body: dict[str, Any] = {"object": "error", "status": self.status, "code": self.code, "message": self.message}
        return body if self.additional_data is None else {**body, "additional_data": self.additional_data}


def validation_error(message: str) -> ApiError:
    """400: the request is understood, its content is not acceptable."""
    return ApiError(400, "validation_error", message)


def invalid_request_url() -> ApiError:
    """400: no such endpoint."""
    return ApiError(400, "invalid_request_url", "Invalid request URL.")


def invalid_uuid(where: str, value: str) -> ApiError:
    """400: an id in the path that is no uuid; `where` is the parameter's name, such as `page_id`."""
    shown = json.dumps(value)
    return validation_error(f"path failed validation: path.{where} should be a valid uuid, instead was `{shown}`.")


def invalid_cursor(cursor: str) -> ApiError:
    """400: a cursor that is unknown, expired, of another query, or whose anchor is gone."""
    return validation_error(
        f"The start_cursor provided is invalid: {cursor}. Use the next_cursor of a recent answer to the same request."
    )


def unauthorized() -> ApiError:
    """401: an unknown or revoked token."""
    return ApiError(401, "unauthorized", "API token is invalid.")


def restricted_resource(message: str) -> ApiError:
    """403: the token lacks a capability."""
    return ApiError(403, "restricted_resource", message)


def object_not_found(kind: str, object_id: str, token: Token) -> ApiError:
    """404: absent, or not shared with this token; the two look the same."""
    message = (
        f"Could not find {kind} with ID: {object_id}. Make sure the relevant pages and databases are shared with "
        f'your integration "{token.integration_name}".'
    )
    return ApiError(404, "object_not_found", message, {"integration_id": token.integration_id})


def user_not_found(user_id: str, token: Token) -> ApiError:
    """404 for a user: another wording than for pages."""
    message = (
        f"Could not find user with ID: {user_id}. Make sure your integration has capabilities to read user "
        "information. With those capabilities, only members and guests in the integration's workspace are visible."
    )
    return ApiError(404, "object_not_found", message, {"integration_id": token.integration_id})
