"""What stands inside a few pages, below their properties. By title."""

from typing import Any

Bodies = dict[str, list[Any]]

CHARACTERS: Bodies = {
    "Wren Tallow": [
        {"type": "heading_2", "text": "What she wants"},
        "To be asked. Nobody has ever asked an apprentice anything but the time.",
        {"type": "heading_2", "text": "What she keeps in her pockets"},
        {"type": "bulleted_list_item", "text": "A wick, trimmed"},
        {"type": "bulleted_list_item", "text": "A wick, untrimmed, for comparison"},
        {
            "type": "bulleted_list_item",
            "text": "A list of streets, in order",
            "children": [
                {"type": "to_do", "text": "Candlemaker Row", "checked": True},
                {"type": "to_do", "text": "Ours"},
            ],
        },
        {"type": "quote", "text": "“I counted it. It was as long as one breath, if you were not frightened.”"},
    ],
    "Bridie Farrow": [
        "Rules of the boat, painted on the inside where only the passengers can see them:",
        {"type": "numbered_list_item", "text": "No standing."},
        {"type": "numbered_list_item", "text": "No oaths below the waterline. This boat is all below the waterline."},
        {"type": "numbered_list_item", "text": "The fare is due before the dark part."},
        {"type": "callout", "text": "Find out in which chapter she learns to swim. She cannot, so far."},
    ],
    "Gorse": ["Good dog.", {"type": "divider"}, "Probably a dog."],
}

STORIES: Bodies = {
    "The Breath Between": [
        {"type": "heading_1", "text": "Chapter one"},
        "The lamp went out, and Wren, who was not asleep, said “one”.",
        "She had meant to say “one, two, three”, and see how far she got. But at “two” there was light again, yellow "
        "and innocent, and across the square a door stood open that had been a wall.",
        {
            "type": "toggle",
            "text": "Cut for now",
            "children": ["The cat. There are too many cats in books about lamps."],
        },
    ],
    "An Oath at Low Water": [
        {"type": "heading_1", "text": "Opening"},
        "There are eleven words for mud in the Saltmarches, and Oda Marrish had been called nine of them.",
    ],
}

BEN_STORIES: Bodies = {
    "The Last Stop": [
        {"type": "heading_1", "text": "0:00"},
        "The bell rang once, politely, as bells do that have waited a long time.",
        "“Who pressed that?” said Juno, and six hundred and eleven people looked at their hands.",
    ],
}
