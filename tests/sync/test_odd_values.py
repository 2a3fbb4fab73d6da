"""What is odd in a database is kept, told in the run's message, and never fatal."""

from __future__ import annotations

from notion_workspace import SmallWorkspace
from notion_workspace.literals import formula, holographic, number, relation, rich_text, title
from notion_workspace.model import Mention

from tests.installation import Installation


async def message(installation: Installation, database: str) -> str:
    outcome = await installation.sync_all()
    assert outcome.failures == []
    return outcome.accounts[0].databases[database].message or ""


async def test_what_notion_does_not_compute_never_overwrites_a_known_value(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    properties = {"Name": title(), "N": number(), "Twice": formula('prop("N") * 2', "number", lambda row: row["N"] * 2)}
    handle = workspace.add_database("Sums", properties, [{"Name": "one", "N": 21}])
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Sums": handle.id})
    await installation.sync_all()
    workspace.set_unsupported("Sums", "Twice")
    workspace.edit_page(workspace.page_ids("Sums")[0], {"N": 22})
    assert "Notion did not compute twice in 1 row; what was known of it is kept." in await message(installation, "Sums")
    (row,) = await installation.execute("SELECT fields FROM notion_pages_sync")
    assert (row["fields"]["n"], row["fields"]["twice"]) == (22, 42)
    workspace.set_unsupported("Sums", "Twice", unsupported=False)
    await installation.sync_all()
    (row,) = await installation.execute("SELECT fields FROM notion_pages_sync")
    assert row["fields"]["twice"] == 44


async def test_a_type_that_notion_invents_tomorrow_is_kept_as_json_and_reported(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    properties = {"Name": title(), "Aura": holographic()}
    handle = workspace.add_database("Future", properties, [{"Name": "one", "Aura": {"depth": 3}}])
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Future": handle.id})
    said = await message(installation, "Future")
    assert "properties of the type holographic, new to this version, are kept as JSON." in said
    assert await installation.differences("anna", "anna", {"Future": handle.id}) == []
    (row,) = await installation.execute("SELECT fields FROM notion_pages_sync")
    assert row["fields"]["aura"] == {"depth": 3}


async def test_a_property_that_vanishes_is_told_once_with_what_it_may_mean(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    other = workspace.add_database("Other", {"Name": title()}, [{"Name": "there"}])
    handle = workspace.add_database(
        "Near", {"Name": title(), "Far": relation("Other")}, [{"Name": "here", "Far": ["there"]}]
    )
    for database_id in (other.id, handle.id):
        workspace.share("anna", database_id)
    await installation.connect("anna", small.tokens["anna"], {"Near": handle.id})
    await installation.sync_all()
    workspace.unshare("anna", other.id)
    assert "Far disappeared from the schema, which may only mean" in await message(installation, "Near")
    assert "vanished" not in await message(installation, "Near")
    workspace.share("anna", other.id)
    await installation.sync_all()
    assert await installation.differences("anna", "anna", {"Near": handle.id}) == []


async def test_a_custom_emoji_in_texts_changes_no_row_though_its_address_is_another_at_each_read(
    installation: Installation, small: SmallWorkspace
) -> None:
    fox = ("Here is a ", Mention("custom_emoji", "45ce454c-d427-4f53-9489-e5d0f3d1db6b", ":fox:"))
    den = installation.workspace.add_database(
        "Den", {"Name": title(), "Notes": rich_text()}, [{"Name": fox, "Notes": fox} for _ in range(3)]
    )
    installation.workspace.share("anna", den.id)
    await installation.connect("anna", small.tokens["anna"], {"Den": den.id})
    assert (await installation.sync_all()).totals.inserted == 3
    installation.workspace.clock.advance(3600)
    again = await installation.sync_all(full=True, verify=True)
    assert (again.failures, again.totals.updated) == ([], 0)
    assert [row["title"] for row in (await installation.mirrored("anna", den.data_source_id)).values()] == [
        "Here is a :fox:"
    ] * 3


async def test_wiki_pages_of_other_kinds_are_not_taken_for_rows(
    installation: Installation, small: SmallWorkspace
) -> None:
    def with_a_data_source(body: dict[str, object]) -> dict[str, object]:
        results = body["results"]
        assert isinstance(results, list)
        return {**body, "results": [{"object": "data_source", "id": small.databases["Worlds"]}, *results]}

    installation.workspace.faults.add("rewrite", path="/query$", rewrite=with_a_data_source)
    await installation.connect("anna", small.tokens["anna"], {"Three": small.databases["Three"]})
    assert (await installation.sync_all()).totals.inserted == 3


async def test_a_page_without_properties_fails_its_database_and_is_told(
    installation: Installation, small: SmallWorkspace
) -> None:
    databases = {"Three": small.databases["Three"], "Worlds": small.databases["Worlds"]}
    await installation.connect("anna", small.tokens["anna"], databases)
    installation.workspace.faults.add("without_properties", path=f"{small.data_sources['Three']}/query$")
    outcome = await installation.sync_all()
    assert [failure for failure in outcome.failures if "without properties" in failure] == outcome.failures
    assert len(await installation.execute("SELECT 1 FROM notion_worlds_sync")) == 12


async def test_two_databases_of_one_title_and_an_untitled_one_are_each_mirrored(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    workspace.add_token("dora")
    handles = [workspace.add_database(name, {"Name": title()}, [{"Name": "a"}]) for name in ("Same", "Same", "")]
    for handle in handles:
        workspace.share("dora", handle.id)
    token = next(token.secret for token in workspace.state.tokens.values() if token.label == "dora")
    await installation.connect("dora", token, {"*": "*"})
    outcome = await installation.sync_all()
    assert outcome.failures == []
    assert len(outcome.accounts[0].databases) == 3
    named = await installation.execute("SELECT database_name FROM notion_pages_sync ORDER BY database_name = 'Same'")
    assert [row["database_name"] for row in named] == [handles[2].id, "Same", "Same"]
