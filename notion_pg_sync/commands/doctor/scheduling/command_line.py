"""What a shell command comes to: whether and how it starts notion-pg-sync. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile

TOOL = "notion-pg-sync"
_MODULE = "notion_pg_sync"

# Programs that start the command after them: which of their options take a value, and how many words of their own
# come before the command.
_WRAPPERS: dict[str, tuple[frozenset[str], int]] = {
    "chronic": (frozenset(), 0),
    "cronic": (frozenset(), 0),
    "env": (frozenset({"-u", "--unset", "-C", "--chdir"}), 0),
    "exec": (frozenset({"-a"}), 0),
    "flock": (frozenset({"-w", "--wait", "--timeout", "-E", "--conflict-exit-code"}), 1),
    "ionice": (frozenset({"-c", "--class", "-n", "--classdata"}), 0),
    "nice": (frozenset({"-n", "--adjustment"}), 0),
    "nohup": (frozenset(), 0),
    "setsid": (frozenset(), 0),
    "stdbuf": (frozenset({"-i", "-o", "-e"}), 0),
    "sudo": (frozenset({"-u", "--user", "-g", "--group"}), 0),
    "systemd-cat": (frozenset({"-t", "--identifier", "-p", "--priority"}), 0),
    "time": (frozenset({"-f", "-o"}), 0),
    "timeout": (frozenset({"-k", "--kill-after", "-s", "--signal"}), 1),
}
_BUILT_IN = frozenset({"exec", "time"})
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
# A piece of a word: quoted, escaped, a command whose output is put in, or as it is.
_PIECE = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)|\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`"""
    r"""|[^\s'"\\;|&<>()`]""",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\f\v]+|#[^\n]*)|(?P<redirection>(?:[0-9]+(?=[<>])|&)?[<>]+[&|]?)|(?P<end>[;|&()\n]+)"
    rf"|(?P<word>(?:{re.sub('[?]P<[a-z]+>', '?:', _PIECE.pattern)})+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Invocation:
    """A way in which a command starts the tool.

    `programs` are the names that the shell looks up on the way, the tool's own last; `arguments` are the tool's;
    `variables` are set by the command itself; `files` are read into the shell before (`. FILE`), and hand all their
    variables on if `exports_all`; `folder` is where it changed to; `hidden` names what the environment passes through
    that nobody can look into, such as a container.
    """

    programs: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    exports_all: bool = False
    folder: str | None = None
    hidden: str | None = None

    @property
    def syncs_all(self) -> bool:
        """Whether it is the command that a schedule is to start."""
        return "sync-all" in self.arguments


def names_the_tool(text: str) -> bool:
    """Whether notion-pg-sync is named anywhere in `text`."""
    return TOOL in text or _MODULE in text


def invocation_in(command: str) -> Invocation | None:
    """How `command`, as the shell gets it, starts the tool; None where it does not, as far as can be seen."""
    try:
        commands = list(_simple_commands(command))
    except ValueError:  # a quote that nobody closes
        return None
    seen = Invocation()
    for words in commands:
        before, rest = _take_assignments(seen, words)
        found = _followed(before, rest)
        if found is not None:
            return found
        seen = _after(seen, before, rest)
    return None


def read_environment_file(text: str, *, exports_all: bool) -> dict[str, str]:
    """The variables that a file of `NAME=value` lines hands on to programs.

    A shell hands on only those after `export`, unless it was told to hand on all (`set -a`); systemd and PAM do so by
    themselves. Lines that are none are left out.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        is_exported = words[:1] == ["export"]
        for word in words[is_exported:]:
            if (assignment := _ASSIGNMENT.fullmatch(word)) and (is_exported or exports_all):
                found[assignment[1]] = assignment[2]
    return found


def _simple_commands(command: str) -> Iterable[list[str]]:
    """The command's words, cut where the shell begins another command, without redirections.

    Raises `ValueError` where a quote is not closed.
    """
    words: list[str] = []
    is_target = False
    for token in _tokens(command):
        if token["redirection"]:
            is_target = True
        elif token["word"] and is_target:
            is_target = False
        elif token["word"]:
            words.append(_unquoted(token["word"]))
        elif token["end"]:
            yield words
            words = []
    yield words


def _tokens(command: str) -> Iterable[re.Match[str]]:
    place = 0
    while place < len(command):
        token = _TOKEN.match(command, place)
        if token is None:
            raise ValueError("a quote is not closed")
        yield token
        place = token.end()


def _unquoted(word: str) -> str:
    return "".join(
        found["single"]
        if found["single"] is not None
        else re.sub(r"\\([\\\"$`])", r"\1", found["double"])
        if found["double"] is not None
        else found["escaped"]
        if found["escaped"] is not None
        else found[0]
        for found in _PIECE.finditer(word)
    )


def _take_assignments(seen: Invocation, words: list[str]) -> tuple[Invocation, list[str]]:
    assignments = [found for found in takewhile(bool, map(_ASSIGNMENT.fullmatch, words)) if found]
    given = {assignment[1]: assignment[2] for assignment in assignments}
    return replace(seen, variables={**seen.variables, **given}), words[len(assignments) :]


def _followed(seen: Invocation, words: list[str]) -> Invocation | None:
    """The invocation that `words` are, through wrappers and shells."""
    if not words:
        return None
    program, *rest = words
    name = program.rsplit("/", 1)[-1]
    if name == TOOL:
        return replace(seen, programs=(*seen.programs, program), arguments=tuple(rest))
    on_the_way = seen if name in _BUILT_IN else replace(seen, programs=(*seen.programs, program))
    if name in _WRAPPERS:
        return _through_wrapper(on_the_way, name, rest)
    if name in _SHELLS and (code := _code_of_shell(rest)) is not None:
        inner = invocation_in(code)
        return None if inner is None else _inside(on_the_way, inner)
    if re.fullmatch(r"python[\d.]*", name) and rest[:2] == ["-m", _MODULE]:
        return replace(on_the_way, arguments=tuple(rest[2:]))
    for place, word in enumerate(rest):
        # Another program, such as docker or ssh, that is given the tool's name: it starts it somewhere else.
        if word.rsplit("/", 1)[-1] == TOOL:
            return replace(on_the_way, arguments=tuple(rest[place + 1 :]), hidden=name)
    return None


def _through_wrapper(seen: Invocation, name: str, words: list[str]) -> Invocation | None:
    with_value, own_words = _WRAPPERS[name]
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in ("-c", "--command") and name == "flock" and rest:
            inner = invocation_in(rest[0])
            return None if inner is None else _inside(seen, inner)
        if option in ("-i", "--ignore-environment", "-") and name == "env":
            seen = replace(seen, variables={}, files=())
        if option in with_value and rest:
            rest.pop(0)
    rest = rest[own_words:]
    if name == "flock" and rest[:1] == ["-c"] and len(rest) > 1:
        inner = invocation_in(rest[1])
        return None if inner is None else _inside(seen, inner)
    before, rest = _take_assignments(seen, rest) if name in ("env", "sudo") else (seen, rest)
    return _followed(replace(before, hidden="sudo") if name == "sudo" else before, rest)


def _code_of_shell(words: list[str]) -> str | None:
    """The command that a shell is given with `-c`."""
    for place, word in enumerate(words[:-1]):
        if re.fullmatch(r"-\w*c", word):
            return words[place + 1]
    return None


def _inside(outer: Invocation, inner: Invocation) -> Invocation:
    return Invocation(
        programs=(*outer.programs, *inner.programs),
        arguments=inner.arguments,
        variables={**outer.variables, **inner.variables},
        files=(*outer.files, *inner.files),
        exports_all=outer.exports_all or inner.exports_all,
        folder=inner.folder or outer.folder,
        hidden=outer.hidden or inner.hidden,
    )


def _after(seen: Invocation, before: Invocation, words: list[str]) -> Invocation:
    """What later commands find, after a command that does not start the tool itself."""
    if not words:  # NAME=value alone: a variable of the shell's own, unless it hands on all
        return before if seen.exports_all else seen
    match words:
        case ["export", *given]:
            return _take_assignments(seen, [word for word in given if "=" in word])[0]
        case ["set", *options] if "-a" in options or "allexport" in options:
            return replace(seen, exports_all=True)
        case ["cd", folder]:
            return replace(seen, folder=folder)
        case [("." | "source"), file, *_]:
            return replace(seen, files=(*seen.files, file))
        case _:
            return seen
