"""A reading list that both writers of the demo share."""

from typing import Any

from notion_pg_sync.demo.workspace.literals import checkbox, multi_select, number, rich_text, select, title, unique_id

PROPERTIES = {
    "Title": title(),
    "Author": rich_text(),
    "Notes": rich_text(),
    "Pages": number(),
    "Shelf": select("Borrowed", "Owned", "Overdue"),
    "For": multi_select("Ada", "Ben"),
    "Read": checkbox(),
    "No.": unique_id("BOOK"),
}

ROWS: list[dict[str, Any]] = [
    {
        "Title": "A Field Guide to Unreliable Rivers",
        "Author": "P. Okonkwo-Lind",
        "Notes": "Chapter 6 for the tides; the maps are wrong on purpose.",
        "Pages": 312,
        "Shelf": "Owned",
        "For": ["Ada"],
        "Read": True,
    },
    {
        "Title": "Lamps, and Who Lights Them",
        "Author": "Harriet Sowande",
        "Notes": "Everything about keepers, nothing about lamps.",
        "Pages": 188,
        "Shelf": "Borrowed",
        "For": ["Ben"],
        "Read": False,
    },
    {
        "Title": "The Grammar of Doors",
        "Author": "Ignace Vael",
        "Notes": "Hinges as verbs.",
        "Pages": 95,
        "Shelf": "Overdue",
        "For": ["Ada", "Ben"],
        "Read": True,
    },
    {
        "Title": "Small Ports of the Inner Belt",
        "Author": "T. Marchetti",
        "Notes": "Prices, gossip, oxygen.",
        "Pages": 441,
        "Shelf": "Owned",
        "For": ["Ben"],
        "Read": False,
    },
    {
        "Title": "How to Lose at Cards",
        "Author": "Anonymous (but see p. 12)",
        "Notes": "For Corvin.",
        "Pages": 60,
        "Shelf": "Borrowed",
        "For": ["Ada"],
        "Read": False,
    },
]
