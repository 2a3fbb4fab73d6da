"""What the words of a shell command show of how it starts notion-pg-sync. What it comes to, its runs record. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from msgspec import Struct, field
from msgspec.structs import replace

TOOL = "notion-pg-sync"
_MODULE = "notion_pg_sync"

# Programs that start the command after them on this host, with what they were given. Others may start it elsewhere.
_TRANSPARENT = re.compile(
    "chronic|cronic|env|exec|flock|ionice|nice|nohup|setsid|stdbuf|systemd-cat|time|timeout|(ba|da|k|z)?sh"
)
_BUILT_IN = ("exec", "time")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Invocation(Struct, frozen=True):
    """A way in which a command starts the tool, as it is written.

    `programs` are the first that the shell looks up, and the tool's own; `arguments` are the tool's; `variables` are
    set somewhere before it; `files` are read into the shell before (`. FILE`); `folder` is where it changed to;
    `targets` are the files that take its output; `seconds` is what `timeout` or `--timeout` gives it; `hidden` names
    what may start it where nobody can look, such as a container.
    """

    programs: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    folder: str | None = None
    targets: tuple[str, ...] = ()
    seconds: float | None = None
    hidden: str | None = None

    def option(self, name: str) -> str | None:
        """What the tool is given by this option; None where it is not given."""
        words = [part for word in self.arguments for part in (word.split("=", 1) if word.startswith("--") else [word])]
        return next((value for option, value in pairwise(words) if option == name), None)

    @property
    def syncs_all(self) -> bool:
        """Whether it is the command that a schedule is to start."""
        return "sync-all" in self.arguments and not self.serves_requests

    @property
    def serves_requests(self) -> bool:
        """Whether it syncs what applications ask for, and nothing else."""
        return "sync-all" in self.arguments and "--requested" in self.arguments

    @property
    def tool(self) -> list[str]:
        """The words that start the tool itself, without its arguments."""
        program = self.programs[-1]
        return [program] if _name(program) == TOOL else [program, "-m", _MODULE]


def names_the_tool(text: str) -> bool:
    """Whether notion-pg-sync is named anywhere in `text`."""
    return TOOL in text or _MODULE in text


def variables_in(words: Iterable[str]) -> dict[str, str]:
    """The variables that words of the form `NAME=value` set."""
    return {found[1]: found[2] for found in map(_ASSIGNMENT.fullmatch, words) if found}


def invocation_in(command: str, seen: Invocation | None = None) -> Invocation | None:
    """How `command`, as the shell gets it, starts the tool, after what was `seen`; None where that cannot be seen."""
    seen = seen or Invocation()
    try:
        commands = list(_simple_commands(command))
    except ValueError:  # a quote that nobody closes
        return None
    for words, targets in commands:
        place = next((number for number in range(len(words)) if _is_tool(words, number)), None)
        before = words[:place]
        seen = replace(seen, variables={**seen.variables, **variables_in(before)})
        programs = [word for word in before if not _ASSIGNMENT.fullmatch(word)]
        if place is not None:
            return _found(replace(seen, targets=(*seen.targets, *targets)), programs, words, place)
        nested = next((word for word in words if " " in word and names_the_tool(word)), None)
        if nested and (found := invocation_in(nested, replace(seen, programs=_looked_up(programs[:1])))):
            return found
        match programs:
            case ["cd", folder]:
                seen = replace(seen, folder=folder)
            case [("." | "source"), file, *_]:
                seen = replace(seen, files=(*seen.files, file))
    return None


def _simple_commands(command: str) -> Iterator[tuple[list[str], list[str]]]:
    """The words of each command, and the files that take its output; raises `ValueError` for a quote left open."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\f\v", True, ""
    words: list[str] = []
    targets: list[str] = []
    for token in lexer:
        if "<" in token or ">" in token:
            if words and words[-1].isdigit():
                words.pop()
            target = next(lexer, "")
            targets += [target] if ">" in token and not token.endswith("&") else []
        elif token and set(token) <= set("();|&\n"):
            yield words, targets
            words, targets = [], []
        else:
            words.append(token)
    yield words, targets


def _is_tool(words: list[str], place: int) -> bool:
    return _name(words[place]) == TOOL or words[max(place - 1, 0) : place + 1] == ["-m", _MODULE]


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _looked_up(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if _name(word) not in _BUILT_IN))


def _found(seen: Invocation, programs: list[str], words: list[str], place: int) -> Invocation:
    """The invocation by the word at `place`, through the `programs` before it."""
    if words[place] == _MODULE:
        program, programs = words[place - 2], programs[:-2]
    else:
        program = words[place]
    strange = (_name(word) for word in programs[:1] if not _TRANSPARENT.fullmatch(_name(word)))
    given = replace(seen, arguments=tuple(words[place + 1 :]))
    timed = [*(programs if "timeout" in programs else ()), given.option("--timeout") or ""]
    limits = (re.fullmatch(r"([\d.]+)([smhd]?)", word) for word in timed)
    return replace(
        given,
        programs=_looked_up([*seen.programs, *programs[:1], program]),
        seconds=min((float(one[1]) * _SECONDS[one[2]] for one in limits if one), default=None),
        hidden=seen.hidden or next(strange, None),
    )
