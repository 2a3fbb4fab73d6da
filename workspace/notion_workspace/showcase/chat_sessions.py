"""Ada's talks with the Muse of her writing application."""

from collections.abc import Sequence

from notion_workspace.building import Properties, Values
from notion_workspace.literals import date, number, relation, rich_text, title
from notion_workspace.model import Text

_BOLD = frozenset({"bold"})


def properties(characters: str) -> Properties:
    """The columns; `characters` is the data source that `Characters` points at."""
    return {
        "Title": title(),
        "Raw Transcript": rich_text(),
        "Message Count": number(),
        "When": date(),
        "Characters": relation(characters),
    }


def session(name: str, when: str, characters: Sequence[str], lines: Sequence[str]) -> Values:
    """The row of a talk: each line begins with who speaks, and is one message."""
    transcript: list[str | Text] = []
    for line in lines:
        speaker, _, said = line.partition(": ")
        transcript += [Text(f"{speaker}:", style=_BOLD), f" {said}\n\n"]
    transcript[-1:] = [str(transcript[-1]).rstrip()] if transcript else []
    return {
        "Title": name,
        "Raw Transcript": transcript,
        "Message Count": len(lines),
        "When": when,
        "Characters": list(characters),
    }


ADA: list[Values] = [
    session(
        "What does the dark want?",
        "2026-09-03T21:40:00.000+02:00",
        ["Wren Tallow", "Lord Emeric Sallow"],
        [
            "Ada: Something lives in the dark under the city. I do not want it to be hungry. Everything is always "
            "hungry.",
            "Muse: Then let it be tidy. It has kept a list for three hundred years of who skipped a turn at the lamp. "
            "It does not want to eat anybody. It wants to close the account.",
            "Ada: A bookkeeper made of darkness.",
            "Muse: With beautiful handwriting. And here is the trouble: Lord Sallow has been forging entries.",
            "Ada: Oh, that is horrible. Do go on.",
            "Muse: No, you go on. I only carry the lamp.",
        ],
    ),
    session(
        "Bridie's accent",
        "2026-09-11T08:15:00.000+02:00",
        ["Bridie Farrow"],
        [
            "Ada: Read me her first line again, without the pirate.",
            "Muse: “One secret a head. Children half. No, love, I have heard that one.”",
            "Ada: Better. What does she do with all those secrets?",
            "Muse: She drops them over the side at the deep place. That is why the tide in your Saltmarches knows "
            "everything.",
            "Ada: I have been writing this world for four years and did not know that.",
            "Muse: You did. It is in chapter two. You wrote that the sea was “well informed”.",
        ],
    ),
    session(
        "A name for the hound",
        "2026-09-26T16:05:00.000+02:00",
        ["Pim", "Gorse"],
        [
            "Ada: Pim needs a dog.",
            "Muse: How old is the dog?",
            "Ada: Why would you ask that first?",
            "Muse: Because the forest has been walking for a long time, and somebody must have been walking behind it.",
            "Ada: Gorse. It is called Gorse, and it is ninety-seven, and now I have to go and lie down.",
        ],
    ),
    session(
        "The sister in the smoke",
        "2026-10-14T22:30:00.000+02:00",
        ["Tam Ashgrove", "Mirelle Ashgrove", "Old Fennimore"],
        [
            "Ada: If Mirelle forgives him in chapter nine there is no book left.",
            "Muse: What if she forgave him at once, years ago, and he has never stayed to hear the end of the "
            "sentence?",
            "Ada: …",
            "Muse: The wind changes. It always does. He only ever gets the first half.",
            "Ada: And Fennimore knows the second half.",
            "Muse: Fennimore has been trying to tell him for eleven chapters. You keep writing that the old man "
            "coughs.",
            "Ada: I thought that was atmosphere.",
            "Muse: It was a ghost clearing its throat.",
        ],
    ),
    session(
        "The word that sank the island",
        "2026-10-29T10:00:00.000+01:00",
        ["Sister Quillon"],
        [
            "Ada: Sooner or later I have to tell them which word it was.",
            "Muse: Do you know it?",
            "Ada: I have known it since I was twelve. It is a very ordinary word.",
            "Muse: Then Quillon is right to be disappointed. May I guess?",
            "Ada: You may not. We are on an island.",
        ],
    ),
]

# The one that comes later: see `edits`.
NEXT_SESSION = (
    "How do you end a war with a chorus?",
    ["Captain Iven Roake", "Sister Quillon"],
    [
        "Ada: Both navies sing the same song. I need it to stop them, and I need it not to be sweet.",
        "Muse: Leave out the last line. Roake sold each side all of it but the end, and promised it on delivery.",
        "Ada: So two fleets row at each other and, at the very last moment, nobody knows how it goes.",
        "Muse: And everybody stops to listen for whether the others do.",
    ],
)
