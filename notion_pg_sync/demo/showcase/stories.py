"""The stories of the demo's two writers."""

from typing import Any

from notion_pg_sync.demo.workspace.literals import date, formula, number, relation, rich_text, rollup, status, title

PROPERTIES = {
    "Title": title(),
    "Premise": rich_text(),
    "Status": status(**{"To-do": ["Idea"], "In progress": ["Drafting", "Revising"], "Complete": ["Finished"]}),
    "Words": number(),
    "Deadline": date(),
    "Characters": relation("Characters"),
    "World": relation("Worlds"),
    "Cast": rollup("Characters", "Name", "count"),
    "Oldest": rollup("Characters", "Age", "max"),
    "Progress": formula('prop("Words") / 800', "number", lambda row: round((row["Words"] or 0) / 800, 1)),
}

ADA: list[dict[str, Any]] = [
    {
        "Title": "Low Water",
        "Premise": "Something in the archive has learned to read, and is returning the books corrected.",
        "Status": "Drafting",
        "Words": 41_300,
        "Deadline": "2027-01-15",
        "Characters": ["Maren Tolliver", "Brother Anselm Quill", "Little Brine", "Captain Dorothea Reck"],
        "World": ["The Drowned Archive"],
    },
    {
        "Title": "An Address in the Cold",
        "Premise": "A girl from a street that does not exist is summoned as a witness to its demolition.",
        "Status": "Revising",
        "Words": 78_900,
        "Deadline": "2026-12-01",
        "Characters": ["Ilse of the Tenth Street", "Magistrate Hoon", "Little Brine"],
        "World": ["Kesh-under-Ice"],
    },
    {
        "Title": "The Right Clock",
        "Premise": "Osric dies at noon. The question is: at which noon?",
        "Status": "Drafting",
        "Words": 12_050,
        "Deadline": ("2027-03-01", "2027-03-31"),
        "Characters": ["Osric Vane", "Wick", "Maren Tolliver"],
        "World": ["Hollow Meridian"],
    },
    {
        "Title": "Jam Tomorrow",
        "Premise": "Four evenings, one husband, and a kitchen that has begun to keep accounts.",
        "Status": "Finished",
        "Words": 23_400,
        "Characters": ["The Plum Widow", "The Night Cook"],
        "World": ["The Orchard of Small Doors"],
    },
    {
        "Title": "A Country in Good Faith",
        "Premise": "Corvin tries to give Vantry back, and finds that it has grown attached to being lost.",
        "Status": "Idea",
        "Words": 900,
        "Characters": ["Corvin Ash", "Sefa Lorne"],
        "World": ["Vantry"],
    },
]

BEN: list[dict[str, Any]] = [
    {
        "Title": "The Lamp Before the Storm",
        "Premise": "A wreck arrives at the station eleven years before it is launched, with a letter for its keeper.",
        "Status": "Drafting",
        "Words": 55_000,
        "Deadline": "2027-02-28",
        "Characters": ["Keeper Amadi"],
        "World": ["Station Perpetua"],
    },
    {
        "Title": "Read and Return",
        "Premise": "The dreams of Low Town agree on a date. Only the clerk has noticed.",
        "Status": "Idea",
        "Words": 3_100,
        "Characters": ["Clerk 40", "Old Ferrous"],
        "World": ["Ceres Low Town"],
    },
]
