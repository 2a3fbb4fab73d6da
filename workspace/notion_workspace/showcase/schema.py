"""The columns of the showcase's databases; rows are in the .toml files."""

from notion_workspace.building import Properties
from notion_workspace.literals import (
    checkbox,
    created_by,
    date,
    files,
    formula,
    multi_select,
    number,
    people,
    relation,
    rich_text,
    rollup,
    select,
    status,
    title,
    unique_id,
    url,
)
from notion_workspace.plain import Row

WORLDS: Properties = {
    "Name": title(),
    "Concept/Premise": rich_text(),
    "Climate": select("Maritime", "Subterranean", "Temperate", "Smouldering", "Tropical", "Artificial", "Arid"),
    "Magic": checkbox(),
    "Founded": date(),
    "Population": number("number_with_commas"),
}
# What needs the far side of the characters' relation `World`.
WORLDS_ROLLUPS: Properties = {
    "Head count": rollup("Characters", "Name", "count"),
    "Average age": rollup("Characters", "Age", "average"),
}

# What needs the far side of the stories' relation `Characters`.
CHARACTERS_ROLLUPS: Properties = {"Appearances": rollup("Stories", "Title", "count")}

READING_LIST: Properties = {
    "Title": title(),
    "Author": rich_text(),
    "Notes": rich_text(),
    "Shelf": select("To read", "Reading", "Read", "Given up"),
    "Genre": multi_select("Fantasy", "Science fiction", "Craft", "History", "Poetry", "Mystery"),
    "Pages": number(),
    "Stars": select("★★★★★", "★★★★", "★★★", "★★"),
    "Read": date(),
    "Lent out": checkbox(),
    "Recommended by": people(),
    "Link": url(),
    "No.": unique_id("BOOK"),
    "Added by": created_by(),
}


def characters(worlds: str) -> Properties:
    """`worlds` is the data source that `World` points at."""
    return {
        "Name": title(),
        "Description": rich_text(),
        "Age": number(),
        "Role": select("Protagonist", "Antagonist", "Mentor", "Companion", "Bystander"),
        "Traits": multi_select("Stubborn", "Curious", "Patient", "Charming", "Secretive", "Funny", "Loyal", "Tired"),
        "Born": date(),
        "World": relation(worlds, dual="Characters"),
        "Allies": relation("self"),
        "Alive": checkbox(),
        "Voice": files(),
        "Theme song": url(),
        "Introduction": formula('prop("Name") + ", " + lower(prop("Role")) + " of few words"', "string", _introduction),
    }


def stories(characters: str, worlds: str) -> Properties:
    """`characters` and `worlds` are the data sources that the relations point at."""
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


def chat_sessions(characters: str) -> Properties:
    """`characters` is the data source that `Characters` points at."""
    return {
        "Title": title(),
        "Raw Transcript": rich_text(),
        "Message Count": number(),
        "When": date(),
        "Characters": relation(characters),
    }


def _introduction(row: Row) -> str:
    return f"{row['Name']}, {(row['Role'] or '').lower()} of few words"


def _progress(row: Row) -> int | None:
    words, goal = row["Words"], row["Goal"]
    return round(100 * words / goal) if goal and words is not None else None
