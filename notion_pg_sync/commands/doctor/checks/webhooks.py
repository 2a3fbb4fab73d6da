"""Whether Notion's webhooks come, name what is copied, and are followed by a run."""

from __future__ import annotations

from datetime import timedelta

from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, ok, warning
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED, RIGHTS
from notion_pg_sync.commands.doctor.checks.runs import SECTION
from notion_pg_sync.commands.status.words import ago, since
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.diagnosis.webhooks import DAYS, WebhookFacts, look_at_webhooks

# Nobody edits at night, or at the weekend: silence alone says nothing.
STOPPED_AFTER = timedelta(days=1)
# A connection may see much that is not copied.
MOST_IN_VAIN = 0.95
FEW_EVENTS = 100
# `sync-all --requested` runs every minute, and a run before it may take some.
SERVED_WITHIN = timedelta(minutes=5)

_DAYS_SHOWN = "SELECT * FROM notion_sync.webhook_days ORDER BY day DESC;"


async def _webhooks(examination: Examination) -> list[Finding]:
    return webhooks(await examination.ask(look_at_webhooks))


def webhooks(facts: WebhookFacts) -> list[Finding]:
    """What is wrong with them, if they ever came: nobody needs them."""
    if facts.last_event_at is None:
        return [ok("no event of Notion's webhooks has come (nobody needs them)")]
    return [*_stopped(facts), *_in_vain(facts), *_not_served(facts)] or [
        ok(
            f"the last event of Notion's webhooks came {ago(facts.last_event_at, facts.now)}; of "
            f"{plural(facts.events, 'event')} in {DAYS} days, {facts.found_nothing:,} found nothing"
        )
    ]


def _stopped(facts: WebhookFacts) -> list[Finding]:
    if not (facts.last_event_at and facts.last_edit_at and facts.last_edit_at > facts.last_event_at + STOPPED_AFTER):
        return []
    return [
        warning(
            f"the last event of Notion's webhooks came {ago(facts.last_event_at, facts.now)}, but a sync found edits "
            f"{ago(facts.last_edit_at, facts.now)}",
            needs="see in Notion's developer portal whether the subscription is paused, as it is after failures; if "
            "you use none any more, empty notion_sync.webhook_days",
            look=_DAYS_SHOWN,
        )
    ]


def _in_vain(facts: WebhookFacts) -> list[Finding]:
    if facts.events < FEW_EVENTS or facts.found_nothing < MOST_IN_VAIN * facts.events:
        return []
    return [
        warning(
            f"of {plural(facts.events, 'event')} of Notion's webhooks in {DAYS} days, {facts.found_nothing:,} named "
            "nothing that is copied",
            needs="see in Notion's developer portal whether the subscription is of the connection whose token is used, "
            "and leave out the types of events that you do not need",
            look=_DAYS_SHOWN,
        )
    ]


def _not_served(facts: WebhookFacts) -> list[Finding]:
    if facts.waiting_since is None or facts.now - facts.waiting_since < SERVED_WITHIN:
        return []
    return [
        warning(
            f"{plural(facts.waiting, 'page')} of which events came, or which were asked for, have been waiting for a "
            f"run, the first for {since(facts.waiting_since, facts.now)}",
            needs="let 'notion-pg-sync sync-all --requested' run every minute",
        )
    ]


WEBHOOK_CHECKS = (Check("webhooks", SECTION, _webhooks, needs=(INITIALISED, RIGHTS), depth=1),)
