"""What the steering methods stand on: the workspace's state, its lock, and the decorator that takes it."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from notion_workspace.building import Builder
from notion_workspace.model import Value
from notion_workspace.state import State
from notion_workspace.steering import steering

Method = TypeVar("Method", bound=Callable[..., Any])


class Steered:
    """A part of the workspace that is steered by methods."""

    def __init__(self, state: State) -> None:
        self.lock = threading.RLock()
        self.state = state
        self.clock = state.clock
        self.owner_id = ""
        self._build = Builder(state)

    def _author(self, author: str | None) -> str:
        """Who acts: a user by name or id, else the workspace's owner."""
        return self._build.user_id(author) if author else self.owner_id


def steered(method: Method) -> Method:
    """A steering method: under the workspace's lock, and every listing kept so far is built again."""

    @wraps(method)
    def under_lock(self: Steered, *args: Value, **kwargs: Value) -> Value:
        with self.lock:
            self.state.version += 1
            return method(self, *args, **kwargs)

    return cast(Method, steering(under_lock))
