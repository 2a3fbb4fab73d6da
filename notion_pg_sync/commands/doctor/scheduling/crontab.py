"""A crontab's text as cron reads it (crontab(5), and what Debian's cron does where that page is silent), and when it
is due. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from cronsim import CronSim, CronSimError
from msgspec import Struct

# What cron gives every job beside the variables of the crontab.
DEFAULT_PATH = "/usr/bin:/bin"

AT_START = "@reboot"
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = ("minute", "hour", "day of month", "month", "day of week")
# What cron and cronsim both understand.
_ITEM = re.compile(r"(?:\*|{0}-{0})(?:/\d+)?|{0}".format(r"(?:\d+|[A-Za-z]{3})"))


class Entry(Struct, frozen=True):
    """A line that starts a command.

    `schedule` is five fields, or a nickname such as `@hourly`; `user` is None in a user's own crontab; `written` is the
    command as it stands; `variables` are those set above the line, since cron reads from the top.
    """

    line: int
    schedule: str
    user: str | None
    written: str
    variables: Mapping[str, str]

    @property
    def command(self) -> str:
        r"""What the shell gets: all before the first `%` that has no backslash before it, with `\%` as `%`."""
        return _split_at_percent(self.written)[0]

    @property
    def standard_input(self) -> str | None:
        """What the command is given to read: all after the first bare `%`; None where there is none."""
        return _split_at_percent(self.written)[1]


class Problem(Struct, frozen=True):
    """What is wrong with a line, in a sentence; `content` is the line."""

    line: int
    content: str
    sentence: str


class Crontab(Struct, frozen=True):
    """A crontab: `errors` make cron leave the whole of it out."""

    text: str
    entries: tuple[Entry, ...]
    errors: tuple[Problem, ...]

    @property
    def ends_within_a_line(self) -> bool:
        """Whether the newline after the last line is missing, for which cron leaves the whole of it out."""
        last_line = self.text.rpartition("\n")[2].lstrip(" \t")
        return bool(last_line) and not last_line.startswith("#")


def read_crontab(text: str, *, with_user: bool) -> Crontab:
    """Reads a crontab; `with_user`: each line names the user after the times, as in /etc/crontab and /etc/cron.d."""
    variables: dict[str, str] = {}
    entries: list[Entry] = []
    errors: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.lstrip(" \t")
        if not content or content.startswith("#"):
            continue
        if (setting := _setting(content)) is not None:
            name, value = setting
            variables[name] = value
            continue
        read = _entry(content, number, variables, with_user=with_user)
        if isinstance(read, str):
            errors.append(Problem(number, content, read))
            continue
        entries.append(read)
    return Crontab(text, tuple(entries), tuple(errors))


def next_due(schedule: str, after: datetime) -> datetime | None:
    """The first time after `after` at which a crontab's schedule is due, in the time zone of `after`, cron's.

    None where there is no such time: at `@reboot`, or on a day that no month has.
    """
    return _due(schedule, after, reverse=False)


def last_due(schedule: str, before: datetime) -> datetime | None:
    """The last time before `before` at which it was due."""
    return _due(schedule, before, reverse=True)


def _due(schedule: str, start: datetime, *, reverse: bool) -> datetime | None:
    if schedule == AT_START:
        return None
    # cronsim takes a step after a range of one number for a step to the end.
    without_empty_steps = re.sub(r"\b(\w+)-\1(?:/\d+)?", r"\1", NICKNAMES.get(schedule, schedule))
    try:
        return next(CronSim(without_empty_steps, start, reverse=reverse))
    except (CronSimError, StopIteration):
        return None


def setting_line(name: str, value: str) -> str:
    """The line that sets a variable, with quotes where the value would be read otherwise without them."""
    if value[:1] not in ("'", '"', " "):
        return f"{name}={value}"
    quote = "'" if '"' in value else '"'
    return f"{name}={quote}{value}{quote}"


def harmless(word: str) -> str:
    """A word as it may be shown: where a line was mistyped, any word of it may be a URL with a password."""
    return f"'{word}'" if re.fullmatch(r"[\w@./*,#?~+-]{1,64}", word) else "what stands there"


def _setting(content: str) -> tuple[str, str] | None:
    """Name and value where the line sets a variable: quotes that match are taken off.

    Blanks at the end are cut even within quotes, which crontab(5) says otherwise.
    """
    found = re.fullmatch(r"""(?:"([^"]*)"|'([^']*)'|((?!["'])[^\s=]*))[ \t]*=[ \t]*(.+?)\s*""", content)
    if not found:
        return None
    name = next(part for part in found.groups()[:3] if part is not None)
    value = found[4]
    if value[0] in ("'", '"'):
        return (name, value[1:-1].rstrip()) if len(value) > 1 and value.find(value[0], 1) == len(value) - 1 else None
    return name, value


def _entry(content: str, number: int, variables: Mapping[str, str], *, with_user: bool) -> Entry | str:
    """The entry that a line holds, or what is wrong with it."""
    if found := re.match(r"(\w+)\s*=\s*$", content):
        return f'an empty value is written with quotes: {found[1]}=""'
    times = 1 if content.startswith("@") else len(_FIELDS)
    *fixed, written = [*re.split(r"[ \t]+", content, maxsplit=times + with_user), ""][: times + with_user + 1]
    if len(fixed) < times + with_user:
        return f"a line is five time fields{', a user' if with_user else ''} and a command"
    schedule = " ".join(fixed[:times])
    if (fault := _fault(schedule)) is not None:
        return fault
    if written.startswith("*"):
        return "there are six time fields, but cron has five: it has no seconds"
    return Entry(number, schedule, fixed[times] if with_user else None, written, dict(variables))


def _fault(schedule: str) -> str | None:
    if schedule.startswith("@"):
        known = (AT_START, *NICKNAMES)
        return None if schedule in known else f"cron does not know {harmless(schedule)}, only {', '.join(known)}"
    for place, (name, written) in enumerate(zip(_FIELDS, schedule.split(" "), strict=True)):
        if not _is_valid(written, place):
            return f"{harmless(written)} is not a valid {name}"
    return None


def _is_valid(written: str, place: int) -> bool:
    """Whether it means something as the field at this place, all of it."""
    fields = ["*"] * len(_FIELDS)
    fields[place] = written
    try:
        CronSim(" ".join(fields), datetime(2000, 1, 1))
    except CronSimError:
        return False
    return all(map(_ITEM.fullmatch, written.split(",")))


def _split_at_percent(written: str) -> tuple[str, str | None]:
    command, *given = re.split(r"(?<!\\)%", written, maxsplit=1)
    unescaped = command.replace(r"\%", "%")
    if not given:
        return unescaped, None
    return unescaped, re.sub(r"(?<!\\)%", "\n", given[0]).replace(r"\%", "%")
