"""The worlds of the demo's two writers."""

from typing import Any

from notion_pg_sync.demo.workspace.literals import checkbox, date, multi_select, number, rich_text, select, title

PROPERTIES = {
    "Name": title(),
    "Concept/Premise": rich_text(),
    "Climate": select("Tidal", "Frost", "Dust", "Rain", "None"),
    "Magic": checkbox(),
    "Founded": date(),
    "Population": number(),
    "Exports": multi_select(),
}

ADA: list[dict[str, Any]] = [
    {
        "Name": "The Drowned Archive",
        "Concept/Premise": "A library that floods twice a day; only the books that float are believed.",
        "Climate": "Tidal",
        "Magic": True,
        "Founded": "1204-03-01",
        "Population": 9120,
        "Exports": ["Salted ink", "Rumours"],
    },
    {
        "Name": "Hollow Meridian",
        "Concept/Premise": "A city built along a line where no clock agrees. Meetings are arranged by smell.",
        "Climate": "Rain",
        "Magic": True,
        "Founded": "0987-11-30",
        "Population": 212450,
        "Exports": ["Clocks (wrong)", "Umbrellas"],
    },
    {
        "Name": "Kesh-under-Ice",
        "Concept/Premise": "Nine streets beneath a glacier, lit by fish. The tenth street is a rumour and a crime.",
        "Climate": "Frost",
        "Magic": False,
        "Founded": "1530-01-12",
        "Population": 1811,
        "Exports": ["Lamp fish"],
    },
    {
        "Name": "The Orchard of Small Doors",
        "Concept/Premise": "Every tree has a door; every door opens into the same kitchen, at another hour.",
        "Climate": "Rain",
        "Magic": True,
        "Population": 44,
        "Exports": ["Plum jam", "Second chances"],
    },
    {
        "Name": "Vantry",
        "Concept/Premise": "A country that lost its name in a card game and has been borrowing others since.",
        "Climate": "Dust",
        "Magic": False,
        "Founded": "1611-06-21",
        "Population": 1_400_300,
        "Exports": ["Playing cards"],
    },
]

BEN: list[dict[str, Any]] = [
    {
        "Name": "Station Perpetua",
        "Concept/Premise": "A lighthouse for ships that travel in time; the keeper ages in both directions.",
        "Climate": "None",
        "Magic": False,
        "Founded": "2391-09-09",
        "Population": 7,
        "Exports": ["Warnings"],
    },
    {
        "Name": "Ceres Low Town",
        "Concept/Premise": "Miners who sold the rights to their dreams, and the clerk who reads them all.",
        "Climate": "Dust",
        "Magic": False,
        "Founded": "2244-02-29",
        "Population": 61_200,
        "Exports": ["Nickel", "Dreams"],
    },
]
