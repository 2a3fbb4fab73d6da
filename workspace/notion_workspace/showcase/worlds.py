"""The worlds of both writers."""

from notion_workspace.building import Properties, Values
from notion_workspace.literals import checkbox, date, number, rich_text, rollup, select, title

PROPERTIES: Properties = {
    "Name": title(),
    "Concept/Premise": rich_text(),
    "Climate": select("Maritime", "Subterranean", "Temperate", "Smouldering", "Tropical", "Artificial", "Arid"),
    "Magic": checkbox(),
    "Founded": date(),
    "Population": number("number_with_commas"),
}

# What needs the far side of the characters' relation `World`.
ROLLUPS: Properties = {
    "Head count": rollup("Characters", "Name", "count"),
    "Average age": rollup("Characters", "Age", "average"),
}

ADA: list[Values] = [
    {
        "Name": "The Saltmarches",
        "Concept/Premise": "A half-drowned kingdom where the tide keeps the law: whatever is sworn below the "
        "high-water mark, the sea will collect. Honest people here live on hills.",
        "Climate": "Maritime",
        "Magic": True,
        "Founded": "0871-04-09",
        "Population": 41_200,
    },
    {
        "Name": "Underlantern",
        "Concept/Premise": "A city in a cavern, lit by one great lamp. Every citizen owes the lamp an hour of tending, "
        "and the dark keeps a careful list of who has skipped a turn.",
        "Climate": "Subterranean",
        "Magic": True,
        "Founded": "1004-12-21",
        "Population": 18_730,
    },
    {
        "Name": "The Thornwold",
        "Concept/Premise": "A forest that walks one pace north each day. Its villages are packed on carts, its graves "
        "are left behind, and its maps are drawn by children, because nobody else is quick enough.",
        "Climate": "Temperate",
        "Magic": True,
        "Founded": ("1120-03-01", "1120-09-30"),
        "Population": 2_650,
    },
    {
        "Name": "Cindermoor",
        "Concept/Premise": "A heath whose peat has been burning for two hundred years. On still evenings the dead can "
        "be heard in the smoke; the Peat Wardens insist that this is only drainage.",
        "Climate": "Smouldering",
        "Magic": False,
        "Founded": "1109-08-02",
        "Population": 940,
    },
    {
        "Name": "The Ninefold Isles",
        "Concept/Premise": "Nine islands that gave up speech after a single word sank the tenth. People sign, whistle "
        "and write very long letters, and smugglers grow rich on songs.",
        "Climate": "Tropical",
        "Magic": True,
        "Population": 76_400,
    },
]

BEN: list[Values] = [
    {
        "Name": "Halcyon Transit",
        "Concept/Premise": "A commuter tram between two moons that has not stopped in eighty-three years. The "
        "passengers elect their driver, and have begun to have doubts about the terminus.",
        "Climate": "Artificial",
        "Founded": "2308-02-11",
        "Population": 612,
    },
    {
        "Name": "Third Ceres",
        "Concept/Premise": "The third attempt at a city inside the asteroid. The first two are still there, "
        "downstairs, and pay their rent on time.",
        "Climate": "Artificial",
        "Founded": "2355-07-30",
        "Population": 204_118,
    },
    {
        "Name": "Petrichor",
        "Concept/Premise": "A desert planet with one rainfall on the calendar, four hundred years from now. Everything "
        "anybody builds has gutters.",
        "Climate": "Arid",
        "Founded": "2340-01-01",
        "Population": 9_870,
    },
]
