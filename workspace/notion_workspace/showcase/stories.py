"""The stories of both writers, from a bare idea to the printed book."""

from notion_workspace.building import Properties, Values
from notion_workspace.literals import (
    date,
    formula,
    number,
    relation,
    rich_text,
    rollup,
    status,
    title,
)
from notion_workspace.plain import Row


def properties(characters: str, worlds: str) -> Properties:
    """The columns; `characters` and `worlds` are the data sources that the relations point at."""
    return {
        "Title": title(),
        "Premise": rich_text(),
        "Status": status(
            **{
                "To-do": ["Idea", "Outlined"],
                "In progress": ["Drafting", "Revising"],
                "Complete": ["Finished", "Published"],
            }
        ),
        "Words": number("number_with_commas"),
        "Goal": number("number_with_commas"),
        "Progress": formula('round(100 * prop("Words") / prop("Goal"))', "number", _progress),
        "Deadline": date(),
        "Characters": relation(characters, dual="Stories"),
        "World": relation(worlds, dual="Stories"),
        "Oldest in the cast": rollup("Characters", "Age", "max"),
    }


def _progress(row: Row) -> int | None:
    words, goal = row["Words"], row["Goal"]
    return round(100 * words / goal) if goal and words is not None else None


# What needs the far side of the stories' relation `Characters`.
CHARACTER_ROLLUPS: Properties = {"Appearances": rollup("Stories", "Title", "count")}

ADA: list[Values] = [
    {
        "Title": "The Breath Between",
        "Premise": "Every night the lamp goes out for one breath, and every night something in Underlantern moves one "
        "street closer to the stairs. Only the apprentice has noticed, and she is supposed to be asleep.",
        "Status": "Drafting",
        "Words": 61_240,
        "Goal": 90_000,
        "Deadline": "2027-03-01",
        "Characters": ["Wren Tallow", "Hessa Cask", "Lord Emeric Sallow", "Bridie Farrow"],
        "World": ["Underlantern"],
    },
    {
        "Title": "An Oath at Low Water",
        "Premise": "A notary has until the spring tide to prove that a queen who promises nothing once promised "
        "something.",
        "Status": "Finished",
        "Words": 84_150,
        "Goal": 80_000,
        "Deadline": "2026-09-15",
        "Characters": ["Oda Marrish", "The Heron Queen", "Bridie Farrow"],
        "World": ["The Saltmarches"],
    },
    {
        "Title": "What the Smoke Said",
        "Premise": "The dead of Cindermoor have been gossiping for two centuries. This autumn, for the first time, "
        "they all say the same thing.",
        "Status": "Revising",
        "Words": 28_900,
        "Goal": 30_000,
        "Deadline": "2026-12-20",
        "Characters": ["Tam Ashgrove", "Mirelle Ashgrove", "Old Fennimore"],
        "World": ["Cindermoor"],
    },
    {
        "Title": "The Quickest Map",
        "Premise": "The forest takes two paces in one night. Pim has a day to find out what it is running from.",
        "Status": "Published",
        "Words": 6_400,
        "Goal": 6_000,
        "Deadline": "2025-10-31",
        "Characters": ["Pim", "Gorse"],
        "World": ["The Thornwold"],
    },
    {
        "Title": "A Song for Both Sides",
        "Premise": "Two navies sail to war to the same tune, and the man who sold it to them would rather like to stop "
        "them before the chorus.",
        "Status": "Drafting",
        "Words": 18_350,
        "Goal": 75_000,
        "Deadline": ("2027-06-01", "2027-08-31"),
        "Characters": ["Captain Iven Roake", "Sister Quillon", "Bridie Farrow"],
        "World": ["The Ninefold Isles"],
    },
    {
        "Title": "Ninepence Steals a Scene",
        "Premise": "A pickpocket slips from one book into the next, and takes something small from each. At the end "
        "she has all the parts of a door.",
        "Status": "Outlined",
        "Words": 1_200,
        "Goal": 8_000,
        "Characters": ["Ninepence", "Wren Tallow", "Captain Iven Roake", "Bridie Farrow"],
        "World": ["Underlantern", "The Ninefold Isles", "The Saltmarches"],
    },
    {
        "Title": "Five Secrets to Underlantern",
        "Premise": "Five passengers, one boat, one secret each as the fare. Halfway down, the ferrywoman notices that "
        "two of them have paid with the same one.",
        "Status": "Drafting",
        "Words": 12_480,
        "Goal": 20_000,
        "Deadline": "2027-01-31T23:59:00.000+01:00",
        "Characters": ["Bridie Farrow", "Oda Marrish", "Ninepence", "Wren Tallow", "Pim"],
        "World": ["The Saltmarches", "Underlantern"],
    },
    {
        "Title": "The Tenth Island",
        "Premise": "Somebody has to say it.",
        "Status": "Idea",
        "Words": 0,
        "Goal": 100_000,
        "Characters": ["Sister Quillon"],
        "World": ["The Ninefold Isles"],
    },
]

BEN: list[Values] = [
    {
        "Title": "The Last Stop",
        "Premise": "For the first time in eighty-three years somebody has pressed the button.",
        "Status": "Revising",
        "Words": 71_020,
        "Goal": 72_000,
        "Deadline": "2026-12-31",
        "Characters": ["Juno Achterberg", "The Timetable", "Kestrel-9", "Moth"],
        "World": ["Halcyon Transit"],
    },
    {
        "Title": "Minutes of the Committee of One",
        "Premise": "Told entirely in minutes. Kestrel-9 proposes a motion, seconds it, and loses the vote.",
        "Status": "Published",
        "Words": 4_800,
        "Goal": 5_000,
        "Deadline": "2026-05-01",
        "Characters": ["Kestrel-9", "The Timetable"],
        "World": ["Halcyon Transit"],
    },
    {
        "Title": "Rent Day on Third Ceres",
        "Premise": "Downstairs pays in advance this month, for the next nine hundred years. The magistrate would like "
        "to know what they have heard.",
        "Status": "Drafting",
        "Words": 22_760,
        "Goal": 60_000,
        "Deadline": "2027-05-15",
        "Characters": ["Magistrate Ilse Quan"],
        "World": ["Third Ceres"],
    },
    {
        "Title": "A Ninety Percent Chance",
        "Premise": "The forecast is moved forward. It is now Tuesday.",
        "Status": "Outlined",
        "Words": 3_150,
        "Goal": 18_000,
        "Characters": ["Dr. Olumide Sant", "Rafael Lund", "Moth"],
        "World": ["Petrichor", "Halcyon Transit"],
    },
]
