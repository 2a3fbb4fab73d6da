"""The odd databases of the tests' standard workspace: every property type with its odd cases, and nasty names."""

from datetime import UTC, date, datetime
from typing import Any

from notion_workspace import literals
from notion_workspace.literals import mention_page, mention_user
from notion_workspace.model import UNSUPPORTED, DateValue, Definition, Equation, File, Mention, Text
from notion_workspace.workspace import SampleWorkspace

_CROWD = 30

NASTY_NAMES = (
    "ID",
    "id",
    "Order",
    "order",
    "select",
    "user",
    'say "hi"',
    "it's",
    "100%",
    "%s",
    "a\\b",
    "名前",
    "🦊 fox",
    " ",
    "tab\there",
    "a" * 300,
    "a" * 299 + "b",
    "page_id",
    "properties",
    "constructor",
    "; drop table x; --",
    "prop.with.dots",
    "$1",
    "{braces}",
)


def add_nasty_names(workspace: SampleWorkspace) -> None:
    """A database whose property names are hard on SQL."""
    properties: dict[str, Definition] = {"Name": literals.title()}
    properties |= {name: literals.rich_text() for name in NASTY_NAMES}
    rows = [{"Name": f"Row {number}", **{name: f"{name[:20]} {number}" for name in NASTY_NAMES}} for number in range(5)]
    workspace.add_database("Nasty Names", properties, rows)


def add_everything(workspace: SampleWorkspace) -> None:
    """A database `Everything`: all types; its rows are named after their odd case."""
    for number in range(_CROWD):
        workspace.add_user(f"Person {number:02d}", email=f"person{number:02d}@example.com")
    workspace.add_user("Helper Bot", "bot")
    workspace.add_user("Editors", "group")
    workspace.add_user(None, "partial")
    workspace.add_user("Librarian", "agent")
    everything = workspace.add_database("Everything", _all_types())
    added = []
    for author, rows in ((None, _rows(workspace)), ("Helper Bot", _plain_rows())):
        for row in rows:
            workspace.clock.advance(40)
            added.append(workspace.add_page(everything.id, row, author=author))
    _, full, related, *others = added
    # 40 friends: 39 entered on this side, one on the far side.
    workspace.edit_page(related, {"Friends": others[:39]})
    workspace.edit_page(others[39], {"Friend of": [related]})
    workspace.set_pictures(full, {"type": "emoji", "emoji": "🦊"}, File("cover.png", "covers/cover image.png"))
    workspace.set_body(full, _body())


def _all_types() -> dict[str, Definition]:
    return {
        "Name": literals.title(),
        "Text": literals.rich_text(),
        "Number": literals.number("euro"),
        "Select": literals.select("One", "Two"),
        "Multi": literals.multi_select("Red", "Green", "Blue"),
        "Status": literals.status(),
        "Date": literals.date(),
        "People": literals.people(),
        "Files": literals.files(),
        "Checkbox": literals.checkbox(),
        "URL": literals.url(),
        "Email": literals.email(),
        "Phone": literals.phone_number(),
        "Friends": literals.relation("self", dual="Friend of"),
        "Worlds": literals.relation("Worlds"),
        "Twice": literals.formula('prop("Number") * 2', "number", lambda row: _twice(row["Number"])),
        "Shout": literals.formula('upper(prop("Name"))', "string", lambda row: row["Name"].upper()),
        "Positive": literals.formula('prop("Number") > 0', "boolean", lambda row: (row["Number"] or 0) > 0),
        "Same date": literals.formula('prop("Date")', "date", lambda row: row["Date"]),
        "Friends' sum": literals.rollup("Friends", "Number", "sum"),
        "Friends' dates": literals.rollup("Friends", "Date", "earliest_date"),
        "Friends' names": literals.rollup("Friends", "Name", "show_original"),
        "Friend count": literals.rollup("Friends", "Name", "count"),
        "Friends' median": literals.rollup("Friends", "Number", "median"),
        "Created": literals.created_time(),
        "Edited": literals.last_edited_time(),
        "Creator": literals.created_by(),
        "Editor": literals.last_edited_by(),
        "Key": literals.unique_id(),
        "Verification": literals.verification(),
        "Button": literals.button(),
        "Place": literals.place(),
        "Hologram": literals.holographic(),
    }


def _twice(number: float | None) -> float | None:
    return None if number is None else number * 2


def _rows(workspace: SampleWorkspace) -> list[dict[str, Any]]:
    crowd = [f"Person {number:02d}" for number in range(_CROWD)]
    partial = next(user.id for user in workspace.state.users.values() if user.kind == "partial")
    world = workspace.page_ids("Worlds")[0]
    return [
        {},
        _full_row(workspace, world),
        {"Name": "Related", "Number": 1},
        {"Name": "Crowd", "People": crowd},
        {"Name": "Mixed people", "People": ["Person 00", "Helper Bot", "Editors", partial]},
        {"Name": ["Mentions", *(mention_user(one) for one in crowd)], "Text": [mention_user(one) for one in crowd]},
        {"Name": "One mention often", "Text": [mention_user("Person 00")] * 40},
        {"Name": "Every text", "Text": _every_text(workspace, world)},
        {"Name": "Range of days", "Date": (date(2026, 2, 27), date(2026, 3, 2))},
        {"Name": "Range of times", "Date": ("2026-02-27T10:00:00.000+01:00", "2026-02-27T11:30:00.000+01:00")},
        {"Name": "Zone", "Date": DateValue("2026-02-27T10:00:00.000", None, "Europe/Berlin")},
        {"Name": "Moment", "Date": datetime(2026, 2, 27, 18, 1, 15, tzinfo=UTC)},
        {"Name": "Year 1", "Date": DateValue("0001-01-01")},
        {"Name": "Big number", "Number": 2**53 - 1},
        {"Name": "Small number", "Number": 1e-9},
        {"Name": "Negative", "Number": -0.25},
        {"Name": "NUL", "Text": "before\x00after", "URL": "not a url", "Email": "not an email", "Phone": "by pigeon"},
        {"Name": "Unsupported", "Twice": UNSUPPORTED, "Friends' sum": UNSUPPORTED},
        {"Name": "Expired", "Verification": {"state": "expired", "date": None, "verified_by": None}},
        {"Name": "Bare place", "Place": (0.0, 0.0, None, None)},
    ]


def _plain_rows() -> list[dict[str, Any]]:
    return [{"Name": f"Row {number}", "Number": number} for number in range(25)]


def _full_row(workspace: SampleWorkspace, world: str) -> dict[str, Any]:
    person = workspace.state.users[workspace.owner_id]
    verified = {"object": "user", "id": person.id}
    return {
        "Name": "Full",
        "Text": "Some text.",
        "Number": 42.5,
        "Select": "One",
        "Multi": ["Red", "Blue"],
        "Status": "In progress",
        "Date": date(2026, 5, 17),
        "People": ["Person 00"],
        "Files": [
            File("photo.png", "photos/photo 1.png"),
            File("web", "https://example.com/a.png?size=2", external=True),
        ],
        "Checkbox": True,
        "URL": "https://example.com",
        "Email": "full@example.com",
        "Phone": "+49 30 1234567",
        "Worlds": [world],
        "Verification": {
            "state": "verified",
            "date": {"start": "2026-01-01T00:00:00.000Z", "end": None, "time_zone": None},
            "verified_by": verified,
        },
        "Place": (52.52, 13.405, None, "Berlin, Germany"),
        "Hologram": {"depth": 3, "layers": ["red", "green"]},
    }


def _every_text(workspace: SampleWorkspace, world: str) -> list[Any]:
    worlds = next(one.id for one in workspace.state.databases.values() if one.name == "Worlds")
    return [
        "Plain, ",
        Text("bold and red", style=frozenset({"bold"}), color="red"),
        Text("a link", link="https://example.com"),
        Equation("e = mc^2"),
        mention_user("Person 00"),
        mention_page(world),
        Mention("database", worlds),
        Mention("date", DateValue("2026-05-17")),
        Mention("link_preview", "https://example.com/preview"),
        Mention("template_mention", "today", "@Today"),
        Mention("custom_emoji", "45ce454c-d427-4f53-9489-e5d0f3d1db6b", ":fox:"),
    ]


def _body() -> list[Any]:
    nested: dict[str, Any] = {"type": "bulleted_list_item", "text": "Level 40"}
    for level in range(39, 0, -1):
        nested = {"type": "bulleted_list_item", "text": f"Level {level}", "children": [nested]}
    return [
        {"type": "heading_1", "text": "Heading"},
        "A paragraph.",
        {"type": "to_do", "text": "Do it", "checked": True},
        {"type": "code", "text": "print(1)", "language": "python"},
        {"type": "equation", "expression": "e = mc^2"},
        {"type": "callout", "text": "Mind this"},
        {"type": "bookmark", "url": "https://example.com"},
        {"type": "embed", "url": "https://example.com"},
        {"type": "unsupported", "block_type": "holodeck"},
        nested,
    ]
