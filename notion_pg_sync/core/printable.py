"""Pure: text that cannot steer a terminal. Names and messages come from Notion, from whoever writes there."""

from __future__ import annotations

import re
import shlex
import unicodedata

# Control characters, what reorders or hides text, halves of surrogate pairs, separators of lines and paragraphs.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Within words of Persian, and in emoji of several parts.
_JOINERS = "\u200c\u200d"
_SHORT = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}


def printable(line: str) -> str:
    r"""A line with every character written out that a terminal or a mail would act on, such as `\x1b` and `\u202e`.

    Line ends too: what is one line stays one, whatever stands in it.
    """
    if line.isprintable():
        return line
    return "".join(one if _is_harmless(one) else _written_out(one) for one in line)


def printable_lines(text: str) -> str:
    """The same of a text whose line ends and tabs are meant."""
    return text if text.isprintable() else re.sub(r"[^\n\t]+", lambda part: printable(part[0]), text)


def to_storable(text: str) -> str:
    """`text` with what PostgreSQL cannot hold written out: NUL, and halves of surrogate pairs."""
    return re.sub("[\0\ud800-\udfff]", lambda one: _written_out(one[0]), text)


def shell_command(*words: str) -> str:
    """What to type in a shell, in one line of harmless characters."""
    return " ".join(shlex.quote(word) if word == printable(word) else _quoted(word) for word in words)


def _quoted(word: str) -> str:
    return "$'" + printable(re.sub(r"(['\\])", r"\\\1", word)) + "'"


def _is_harmless(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _STEERING


def _written_out(character: str) -> str:
    number = ord(character)
    if number < 0x80:
        return _SHORT.get(character, f"\\x{number:02x}")
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
