"""Conversations of the demo's two writers with their machine."""

from typing import Any

from notion_pg_sync.demo.workspace.literals import date, number, relation, rich_text, title

PROPERTIES = {
    "Title": title(),
    "Raw Transcript": rich_text(),
    "Message Count": number(),
    "When": date(),
    "About": relation("Characters"),
}

ADA: list[dict[str, Any]] = [
    {
        "Title": "Why does Maren lie?",
        "Raw Transcript": (
            "Ada: Why does she lie, when the truth would do?\n"
            "Muse: Because the truth is wet, and she has just got dry.\n"
            "Ada: That is a line, not a reason.\n"
            "Muse: In chapter three it can be both."
        ),
        "Message Count": 4,
        "When": "2026-10-29T21:14:00.000+01:00",
        "About": ["Maren Tolliver"],
    },
    {
        "Title": "Names for a street",
        "Raw Transcript": (
            "Ada: Ten names for a street that was abolished.\nMuse: It had one. That was the offence.\nAda: Keep that."
        ),
        "Message Count": 3,
        "When": "2026-10-30T08:02:00.000+01:00",
        "About": ["Ilse of the Tenth Street", "Magistrate Hoon"],
    },
    {
        "Title": "How much jam is too much",
        "Raw Transcript": "Ada: Is the jam a metaphor?\nMuse: Only until page forty. After that it is evidence.",
        "Message Count": 2,
        "When": "2026-11-01T17:45:00.000+01:00",
        "About": ["The Plum Widow"],
    },
]

BEN: list[dict[str, Any]] = [
    {
        "Title": "Ageing in both directions",
        "Raw Transcript": (
            "Ben: If Amadi grows younger on Tuesdays, who remembers his birthday?\n"
            "Muse: Everyone who has not met him yet."
        ),
        "Message Count": 2,
        "When": "2026-10-31T23:30:00.000-04:00",
        "About": ["Keeper Amadi"],
    },
]
