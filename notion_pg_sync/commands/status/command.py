"""`status`: asks, judges, and shows it to a person, to a program or to Prometheus."""

from __future__ import annotations

from typing import Literal

from notion_pg_sync.commands.output.sheet import PlainSheet
from notion_pg_sync.commands.output.streams import may_be_terminal, say
from notion_pg_sync.commands.status.asking import Question, ask
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.commands.status.judgement import Judgement, assess, filter_health
from notion_pg_sync.commands.status.screen import show_status
from notion_pg_sync.settings import Settings

Form = Literal["screen", "json", "prometheus"]


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
        _print_json(settings, facts, judgement, question)
    elif form == "prometheus":
        _print_metrics(facts, judgement)
    elif in_full or question.is_about_some or may_be_terminal():
        _draw(facts, judgement, question, in_full=in_full)
    else:
        show_status(PlainSheet(), facts, judgement)
    return judgement.exit_code


# Each imports what it alone needs: `status` is asked often, and importing takes longer than asking.


def _print_json(settings: Settings, facts: Facts, judgement: Judgement, question: Question) -> None:
    import json  # noqa: PLC0415

    from notion_pg_sync.commands.status.as_json import status_as_json  # noqa: PLC0415

    say(json.dumps(status_as_json(facts, judgement, max_age=settings.max_age, runs=question.runs), indent=2))


def _print_metrics(facts: Facts, judgement: Judgement) -> None:
    from notion_pg_sync.commands.status.as_prometheus import status_as_prometheus  # noqa: PLC0415

    say(status_as_prometheus(judgement, facts.files), end="")


def _draw(facts: Facts, judgement: Judgement, question: Question, *, in_full: bool) -> None:
    from notion_pg_sync.commands.output.layout import ConsoleSheet  # noqa: PLC0415
    from notion_pg_sync.commands.output.terminal import Screen  # noqa: PLC0415
    from notion_pg_sync.commands.status.everything import show_everything  # noqa: PLC0415

    console = Screen()
    if in_full or question.is_about_some:
        show_everything(console, facts, judgement, runs=question.runs, about_some=question.is_about_some)
    else:
        show_status(ConsoleSheet(console), facts, judgement)
