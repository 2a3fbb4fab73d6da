"""`status`: asks, judges, and shows it to a person, to a program or to Prometheus."""

from __future__ import annotations

import json
import os
from typing import Literal

from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.commands.status.as_json import status_as_json
from notion_pg_sync.commands.status.as_prometheus import status_as_prometheus
from notion_pg_sync.commands.status.asking import Question, ask
from notion_pg_sync.commands.status.judgement import assess, filter_health
from notion_pg_sync.commands.status.screen import show_everything, show_status
from notion_pg_sync.settings import Settings

Form = Literal["screen", "json", "prometheus"]

# Where no terminal says how wide it is: a database a line, for grep and less.
_WIDTH_WITHOUT_TERMINAL = 160


async def run_status(settings: Settings, question: Question, *, form: Form, in_full: bool) -> int:
    """Shows the status, on one screen or `in_full`, and returns the exit code, 0 or 1.

    `settings.strict` counts what is degraded, `settings.max_age` is how old the copy of a database may be.

    Raises `PostgresError`, `NothingAttemptedError`, and `UsageError` where what was asked about is not there.
    """
    facts = await ask(settings.database_url or "", question)
    judgement = filter_health(
        assess(facts, max_age=settings.max_age, strict=settings.strict), question.user_id, question.database
    )
    if form == "json":
        print(json.dumps(status_as_json(facts, judgement, max_age=settings.max_age, runs=question.runs), indent=2))
    elif form == "prometheus":
        print(status_as_prometheus(judgement), end="")
    elif in_full or question.is_about_some:
        show_everything(_console(), facts, judgement, runs=question.runs, about_some=question.is_about_some)
    else:
        show_status(_console(), facts, judgement)
    return judgement.exit_code


def _console() -> Screen:
    console = Screen()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console
