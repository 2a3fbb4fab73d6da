"""The people of both writers. Ages are those of the summer of 1312 (Ada's worlds) and of 2391 (Ben's)."""

from collections.abc import Sequence

from notion_workspace.building import Properties, Values
from notion_workspace.literals import (
    checkbox,
    date,
    files,
    formula,
    multi_select,
    number,
    relation,
    rich_text,
    select,
    title,
    url,
)
from notion_workspace.model import Equation, File, Text
from notion_workspace.plain import Row

Allies = Sequence[tuple[str, str]]

_ITALIC = frozenset({"italic"})


def properties(worlds: str) -> Properties:
    """The columns; `worlds` is the data source that `World` points at."""
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


def _introduction(row: Row) -> str:
    return f"{row['Name']}, {(row['Role'] or '').lower()} of few words"


ADA: list[Values] = [
    {
        "Name": "Wren Tallow",
        "Description": "Apprentice lamp-keeper who has found out that the great lamp goes out every night, for the "
        "length of one breath, and that nobody else is awake to see it. She has begun to make use of that breath.",
        "Age": 19,
        "Role": "Protagonist",
        "Traits": ["Curious", "Stubborn", "Secretive"],
        "Born": "1292-11-05T03:59:00.000+00:00",
        "World": ["Underlantern"],
        "Alive": True,
        "Voice": [File("Wren reads chapter one.m4a", "wren-chapter-one.m4a")],
    },
    {
        "Name": "Lord Emeric Sallow",
        "Description": "Minister of Oil. Polite, punctual, kind to dogs, and quietly selling the dark by the barrel.",
        "Age": 58,
        "Role": "Antagonist",
        "Traits": ["Charming", "Patient", "Secretive"],
        "Born": "1254-02-17",
        "World": ["Underlantern"],
        "Alive": True,
    },
    {
        "Name": "Hessa Cask",
        "Description": "Bakes the black bread that Underlantern tells its time by. Has raised four apprentices, none "
        "of them hers, all of them burnt about the fingers and devoted to her.",
        "Age": 52,
        "Role": "Mentor",
        "Traits": ["Patient", "Funny"],
        "Born": "1259-09-30",
        "World": ["Underlantern"],
        "Alive": True,
    },
    {
        "Name": "Oda Marrish",
        "Description": [
            "Tide-notary: she writes down what people swear below the high-water mark, and is paid in silences. She "
            "has broken ",
            Text("one", style=_ITALIC),
            " oath in her life, and limps whenever the sea is in.",
        ],
        "Age": 61,
        "Role": "Mentor",
        "Traits": ["Stubborn", "Tired"],
        "Born": "1251-01-13",
        "World": ["The Saltmarches"],
        "Alive": True,
    },
    {
        "Name": "The Heron Queen",
        "Description": "Sovereign of the reed beds, crowned in the year 1000 and not inclined to make a fuss about it. "
        "She signs nothing, promises nothing, and has therefore never lost a war.",
        "Age": 312,
        "Role": "Antagonist",
        "Traits": ["Patient", "Secretive"],
        "Born": "1000-01-01",
        "World": ["The Saltmarches"],
        "Alive": True,
        "Theme song": "https://example.com/songs/one-leg-in-the-water",
    },
    {
        "Name": "Bridie Farrow",
        "Description": "Rows the only boat that goes from the Saltmarches to Underlantern: in at low tide, out by the "
        "coal-hole. Charges one secret a head, children half.",
        "Age": 34,
        "Role": "Companion",
        "Traits": ["Funny", "Loyal", "Secretive"],
        "Born": "1277-10-08",
        "World": ["The Saltmarches", "Underlantern"],
        "Alive": True,
        "Voice": [
            File("Bridie, first try.m4a", "bridie-1.m4a"),
            File("Bridie, less piratical.m4a", "https://example.com/voices/bridie-2.m4a", external=True),
        ],
    },
    {
        "Name": "Pim",
        "Description": "Official cartographer of the Thornwold, by right of being the quickest. Draws with both hands "
        "at once, and will be retired at thirteen, as the law demands.",
        "Age": 11,
        "Role": "Protagonist",
        "Traits": ["Curious", "Stubborn", "Funny"],
        "Born": "1301-03-21",
        "World": ["The Thornwold"],
        "Alive": True,
    },
    {
        "Name": "Gorse",
        "Description": "A hound, or something that decided to be one. Has followed the forest north for ninety-eight "
        "winters and still looks back at every clearing.",
        "Age": 97,
        "Role": "Companion",
        "Traits": ["Loyal", "Tired"],
        "Born": ("1214-12-01", "1215-02-28"),
        "World": ["The Thornwold"],
        "Alive": True,
    },
    {
        "Name": "Tam Ashgrove",
        "Description": "Charcoal burner's son. He hears one voice in the smoke, never two, and it keeps asking whether "
        "he has eaten.",
        "Age": 23,
        "Role": "Protagonist",
        "Traits": ["Loyal", "Stubborn"],
        "Born": "1288-12-19",
        "World": ["Cindermoor"],
        "Alive": True,
    },
    {
        "Name": "Mirelle Ashgrove",
        "Description": "Tam's sister. Went into the fire after a lamb and came out as a voice; the lamb is fine.",
        "Age": 17,
        "Role": "Companion",
        "Traits": ["Funny", "Loyal"],
        "Born": "1290-06-02",
        "World": ["Cindermoor"],
        "Alive": False,
    },
    {
        "Name": "Old Fennimore",
        "Description": "Peat Warden of Cindermoor for forty years and, on still evenings, for a good while after.",
        "Age": 78,
        "Role": "Mentor",
        "Traits": ["Patient", "Tired"],
        "Born": ("1229-01-01", "1229-12-31"),
        "World": ["Cindermoor"],
        "Alive": False,
    },
    {
        "Name": "Captain Iven Roake",
        "Description": "Smuggler of songs. Sells lullabies to the rich and marching tunes to both sides, and has not "
        "dared to hum since he was nine.",
        "Age": 44,
        "Role": "Antagonist",
        "Traits": ["Charming", "Funny"],
        "Born": "1268-04-28",
        "World": ["The Ninefold Isles"],
        "Alive": True,
        "Theme song": "https://example.com/songs/nothing-to-declare",
    },
    {
        "Name": "Sister Quillon",
        "Description": "Keeper of the Library of Things Unsaid. She has read the word that sank the tenth island, and "
        "is the only person ever to have found it a little disappointing.",
        "Age": 37,
        "Role": "Mentor",
        "Traits": ["Curious", "Funny", "Secretive"],
        "Born": "1275-05-05",
        "World": ["The Ninefold Isles"],
        "Alive": True,
    },
    {
        "Name": "Ninepence",
        "Description": "A pickpocket without a world. Has been written into three drafts so far and has stolen a scene "
        "from each.",
        "Age": None,
        "Role": "Bystander",
        "Traits": ["Charming", "Curious"],
        "World": [],
        "Alive": True,
    },
]

ADA_ALLIES: Allies = [
    ("Wren Tallow", "Hessa Cask"),
    ("Wren Tallow", "Bridie Farrow"),
    ("Bridie Farrow", "Oda Marrish"),
    ("Bridie Farrow", "Captain Iven Roake"),
    ("Pim", "Gorse"),
    ("Tam Ashgrove", "Mirelle Ashgrove"),
    ("Mirelle Ashgrove", "Old Fennimore"),
    ("Lord Emeric Sallow", "The Heron Queen"),
]

BEN: list[Values] = [
    {
        "Name": "Juno Achterberg",
        "Description": "Driver of the Halcyon tram, elected four times, twice against her will. She knows every stop "
        "of the line by heart, and has never made one.",
        "Age": 36,
        "Role": "Protagonist",
        "Traits": ["Stubborn", "Funny", "Tired"],
        "Born": "2354-10-10T06:12:00.000+00:00",
        "World": ["Halcyon Transit"],
        "Alive": True,
        "Voice": [File("Mind the gap.ogg", "juno-mind-the-gap.ogg")],
    },
    {
        "Name": "The Timetable",
        "Description": "Not a person, strictly speaking. It has been right for eighty-three years and has lately "
        "started to enjoy it.",
        "Age": 83,
        "Role": "Antagonist",
        "Traits": ["Patient"],
        "Born": "2308-02-11",
        "World": ["Halcyon Transit"],
        "Alive": True,
    },
    {
        "Name": "Kestrel-9",
        "Description": "Maintenance intelligence. It read all eighty years of the suggestion box in one night, and is "
        "now legally a committee.",
        "Age": 4,
        "Role": "Companion",
        "Traits": ["Curious", "Loyal"],
        "Born": "2387-03-03T00:00:00.000+00:00",
        "World": ["Halcyon Transit"],
        "Alive": True,
    },
    {
        "Name": "Moth",
        "Description": "Stowaway of no fixed compartment. Pays her fare in rumours, nearly all of them true by "
        "Thursday.",
        "Age": 12,
        "Role": "Bystander",
        "Traits": ["Curious", "Charming"],
        "Born": ("2378-06-01", "2379-05-31"),
        "World": ["Halcyon Transit"],
        "Alive": True,
    },
    {
        "Name": "Magistrate Ilse Quan",
        "Description": "Collects the rent of two cities that officially do not exist. Leaves a receipt, and sometimes "
        "soup.",
        "Age": 54,
        "Role": "Protagonist",
        "Traits": ["Patient", "Secretive"],
        "Born": "2337-04-18",
        "World": ["Third Ceres"],
        "Alive": True,
    },
    {
        "Name": "Dr. Olumide Sant",
        "Description": [
            "Hydrologist with a forecast to keep: ",
            Equation("P(rain) = 0.9"),
            ", in four hundred years. Practises the speech in front of a mirror.",
        ],
        "Age": 67,
        "Role": "Mentor",
        "Traits": ["Patient", "Funny"],
        "Born": "2323-08-25",
        "World": ["Petrichor"],
        "Alive": True,
    },
    {
        "Name": "Rafael Lund",
        "Description": "Insurance adjuster, struck by the only lightning in the history of Petrichor. The claim is "
        "still open.",
        "Age": 41,
        "Role": "Bystander",
        "Traits": ["Stubborn"],
        "Born": "2342-11-30",
        "World": ["Petrichor"],
        "Alive": False,
    },
]

BEN_ALLIES: Allies = [
    ("Juno Achterberg", "Kestrel-9"),
    ("Juno Achterberg", "Moth"),
    ("Kestrel-9", "Moth"),
    ("Dr. Olumide Sant", "Rafael Lund"),
]
