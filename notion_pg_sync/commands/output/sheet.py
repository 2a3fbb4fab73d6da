"""What a person is shown, line by line: plain without a terminal, which needs no library; on one, see layout.py."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, TypeVar

from notion_pg_sync.commands.output.streams import say
from notion_pg_sync.core.printable import printable

# A text, and how it is shown where there are colours, in rich's words.
Styled = tuple[str, str]
Line = TypeVar("Line")


class Sheet(ABC, Generic[Line]):
    """Makes lines of texts, and prints them."""

    @abstractmethod
    def lines(self, *texts: Styled, indent: int = 0) -> list[Line]:
        """The texts, harmless and one behind the other, in as many lines as they need, each after `indent` blanks."""

    @abstractmethod
    def print(self, lines: Iterable[Line]) -> None:
        """Prints lines as they are."""


class PlainSheet(Sheet[str]):
    """stdout that is no terminal: a line is as long as it is."""

    def lines(self, *texts: Styled, indent: int = 0) -> list[str]:
        """See `Sheet.lines`."""
        return [" " * indent + printable("".join(text for text, _ in texts)).rstrip()]

    def print(self, lines: Iterable[str]) -> None:
        """See `Sheet.print`."""
        for line in lines:
            say(line)
