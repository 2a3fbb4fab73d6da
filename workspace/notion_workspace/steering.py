"""Marks the methods by which a test or the demo steers the workspace, and calls them by name.

The same methods are called from Python and, as `POST /_workspace/<name>`, from another process: there is one set.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])

_MARK = "__steering__"


def steering(method: Method) -> Method:
    """Marks a method as one that may be called by name."""
    setattr(method, _MARK, True)
    return method


def call(target: object, name: str, arguments: dict[str, Any]) -> object:
    """Calls a marked method, whose name may be dotted (`clock.advance`), with keyword arguments.

    Returns what the method returns. Raises LookupError when no such method is marked.
    """
    *owners, last = name.split(".")
    for owner in owners:
        target = getattr(target, owner, None)
    method = getattr(target, last, None)
    if not getattr(method, _MARK, False) or not callable(method):
        raise LookupError(f"no steering method {name!r}")
    return method(**arguments)
