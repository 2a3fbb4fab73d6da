"""What people write for a database is understood in every form that Notion hands out."""

from __future__ import annotations

import pytest

from notion_pg_sync.core.ids import MalformedIdError, looks_like_id, parse_id

ID = "13c28ba9-d103-438a-b309-bf9309bb52e7"
BARE = ID.replace("-", "")


@pytest.mark.parametrize(
    "written",
    [
        ID,
        BARE,
        BARE.upper(),
        f"  {BARE}\n",
        f"https://www.notion.so/{BARE}",
        f"https://www.notion.so/acme/Characters-{BARE}?v=393abc1eedcd8116b42e000cc4f895a0",
        f"https://app.notion.com/p/{BARE}?v=393abc1eedcd8116b42e000cc4f895a0",
        f"https://app.notion.com/p/acme/Caf-deadbeef-{BARE}",
        f"https://acme.notion.site/{ID}",
        f"notion.so/Characters-{BARE}",
    ],
)
def test_every_form_of_an_id_is_read(written: str) -> None:
    assert parse_id(written) == ID
    assert looks_like_id(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "Characters",
        BARE[:-1],
        BARE + "0",
        "g" * 32,
        "[bold red]no link[/]",
        f"https://example.com/{BARE}",
        f"https://notion.so.example.com/{BARE}",
        "https://www.notion.so/acme/Characters",
        f"https://www.notion.so/?v={BARE}",
    ],
)
def test_what_holds_no_id_is_refused_with_a_way_out(written: str) -> None:
    with pytest.raises(MalformedIdError, match="copy the database's link"):
        parse_id(written)
    assert not looks_like_id(written)
