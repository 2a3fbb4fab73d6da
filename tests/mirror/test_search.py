"""Search and look-ups: what is written can be found, quickly, by those who may see it, and what is gone cannot."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from notion_workspace import SmallWorkspace
from notion_workspace.literals import rich_text, title

from notion_pg_sync.settings import Settings
from tests.installation import Installation

pytestmark = pytest.mark.slow

ROWS = 20_000
Session = psycopg.AsyncConnection[tuple[object, ...]]


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with a database of notes, whose texts the tests know."""
    rows: list[dict[str, object]] = [
        {"Title": "Aragorn", "Text": "A ranger of the north, heir of Isildur", "Other": "sword"},
        {"Title": "Häuser", "Text": "Viele alte Häuser stehen im Wald"},
        {"Title": "Ranger", "Text": "Somebody who roams"},
        {"Title": "Long", "Text": " ".join(f"{number:06x}" for number in range(250_000))},
        {"Title": "L" * 1900 + " one", "Text": None},
        {"Title": "L" * 1900 + " two", "Text": None},
    ]
    properties = {"Title": title(), "Text": rich_text(), "Other": rich_text()}
    handle = installation.workspace.add_database("Notes", properties, rows)
    installation.workspace.share("anna", handle.id)
    databases = {"Notes": handle.id, "Characters": small.databases["Characters"]}
    await installation.connect("anna", small.tokens["anna"], databases)
    assert (await installation.sync_all()).failures == []
    installation.workspace.clock.advance(3600)
    return installation


async def titles(installation: Installation, query: str, *arguments: object) -> list[str]:
    """The titles that anna's search finds, the best first."""
    more = ", %s" * len(arguments)
    rows = await installation.execute(f"SELECT title FROM notion_sync.search(%s, 'anna'{more})", query, *arguments)
    return [row["title"] for row in rows]


async def test_titles_and_texts_are_found_the_best_first_with_a_snippet(anna: Installation) -> None:
    found = await anna.execute("SELECT * FROM notion_sync.search('ranger', 'anna', ARRAY['notes'])")
    assert [row["title"] for row in found] == ["Ranger", "Aragorn"]
    assert "A **ranger** of the north, heir of Isildur" in found[1]["snippet"]
    assert found[1]["database_name"] == "Notes"
    assert found[0]["rank"] > found[1]["rank"] > 0
    assert await titles(anna, "sword") == ["Aragorn"]
    assert await titles(anna, '"heir of isildur"') == ["Aragorn"]
    assert await titles(anna, "ranger -isildur", ["Notes"]) == ["Ranger"]
    assert await titles(anna, "ranger", ["Characters"]) == []
    assert len(await titles(anna, "ranger or sword or wald", None, 2)) == 2


async def test_a_search_gives_no_notice(anna: Installation, tenant: Session) -> None:
    """psql would print it above the answer."""
    await allow_search(anna, tenant)
    told: list[str] = []
    tenant.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    await tenant.execute("SET app.user_id = 'anna'")
    assert await found_by(tenant, "SELECT title FROM notion_sync.search('\"alte häuser\" or isildur')") != []
    # The tenant's session also tells of plans.
    assert [one for one in told if not one.startswith("duration: ")] == []


async def test_an_asterisk_stands_for_the_rest_of_a_word(anna: Installation) -> None:
    assert await titles(anna, "rang*", ["Notes"]) == ["Ranger", "Aragorn"]
    assert await titles(anna, "rang", ["Notes"]) == []
    assert await titles(anna, "RANG* -isil*", ["Notes"]) == ["Ranger"]
    assert await titles(anna, '"heir of isil*"') == ["Aragorn"]
    assert await titles(anna, '"heir isil*"') == []
    assert await titles(anna, "roa* or (swo*)") == ["Aragorn", "Ranger"]
    assert await titles(anna, "* rang* *er", ["Notes"]) == []
    (found,) = await anna.execute("SELECT snippet FROM notion_sync.search('isil*', 'anna')")
    assert "heir of **Isildur**" in found["snippet"]
    await anna.execute("UPDATE notion_sync.search_settings SET language = 'english'")
    # As "the" alone it is left out.
    anna.workspace.edit_page(await page_id(anna, "Ranger"), {"Text": "Theories of houses"})
    await anna.sync_all()
    assert await titles(anna, "the* hous*", ["Notes"]) == ["Ranger"]


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["a", "b-c", "or", "OR", "the", '"d e"', '"the f"', "-g", '- "h i"', "! j", ""])))
async def test_without_an_asterisk_a_query_means_what_it_means_to_postgresql(
    anna: Installation, terms: list[str]
) -> None:
    query = " ".join(terms)
    for language in ("simple", "english"):
        (found,) = await anna.execute(
            "SELECT notion_sync.search_query(language, query)::text AS ours,"
            " websearch_to_tsquery(language, query)::text AS theirs"
            " FROM (SELECT %s::regconfig, %s) AS asked (language, query)",
            *(language, query),
        )
        assert found["ours"] == found["theirs"]


async def test_properties_do_not_run_together_in_a_snippet(anna: Installation) -> None:
    (found,) = await anna.execute("SELECT snippet FROM notion_sync.search('sword isildur', 'anna')")
    assert found["snippet"] == "**sword** · A ranger of the north, heir of **Isildur**"
    (found,) = await anna.execute("SELECT snippet FROM notion_sync.search('sword', 'anna')")
    assert found["snippet"] == "**sword**"
    (found,) = await anna.execute("SELECT snippet FROM notion_sync.search('aragorn', 'anna')")
    assert found["snippet"] == "sword · A ranger of the north, heir of Isildur"
    (found, *_) = await anna.execute("SELECT snippet FROM notion_sync.search('one', 'anna', ARRAY['Notes'])")
    assert found["snippet"].endswith("**one**")


async def test_a_page_that_has_nothing_but_a_title_shows_it(anna: Installation) -> None:
    anna.workspace.edit_page(await page_id(anna, "Häuser"), {"Text": None})
    await anna.sync_all()
    assert await anna.execute("SELECT snippet FROM notion_sync.search('häuser', 'anna')") == [{"snippet": "**Häuser**"}]


async def test_an_edit_is_found_and_what_it_replaced_is_not(anna: Installation) -> None:
    page = await page_id(anna, "Ranger")
    anna.workspace.edit_page(page, {"Text": "A wanderer"})
    await anna.sync_all()
    assert await titles(anna, "wanderer") == ["Ranger"]
    assert await titles(anna, "roams") == []


async def test_a_removed_page_leaves_search_and_look_ups(anna: Installation) -> None:
    anna.workspace.trash_page(await page_id(anna, "Ranger"))
    await anna.sync_all(full=True)
    assert await titles(anna, "roams") == []
    assert await anna.execute("SELECT * FROM notion_sync.get_notion_page('anna', 'Notes', 'Ranger')") == []
    assert await anna.execute("SELECT 1 FROM notion_sync.search_documents WHERE title = 'Ranger'") == []


async def test_a_text_that_no_index_holds_is_cut_for_it_and_marked(anna: Installation) -> None:
    (found,) = await anna.execute("SELECT title, is_cut FROM notion_sync.search('000007', 'anna')")
    assert found == {"title": "Long", "is_cut": True}
    assert await titles(anna, f"{249_999:06x}") == []
    (held,) = await anna.execute("SELECT length(text) AS length FROM notion_sync.search_documents WHERE is_cut")
    assert held["length"] == 250_000 * 7 - 1


async def test_the_language_is_a_setting_and_everything_follows_it_at_once(anna: Installation) -> None:
    assert await titles(anna, "Haus") == []
    await anna.execute("UPDATE notion_sync.search_settings SET language = 'german'")
    assert await titles(anna, "Haus") == ["Häuser"]
    anna.workspace.edit_page(await page_id(anna, "Ranger"), {"Text": "Die Wälder"})
    await anna.sync_all()
    assert "Ranger" in await titles(anna, "Wald")
    with pytest.raises(psycopg.errors.UndefinedObject, match="klingon"):
        await anna.execute("UPDATE notion_sync.search_settings SET language = 'klingon'")


async def test_rows_that_an_earlier_version_wrote_are_found_after_the_next_sync(anna: Installation) -> None:
    await anna.execute("DELETE FROM notion_sync.search_documents")
    await anna.execute("UPDATE notion_sync.data_sources SET is_searchable = false")
    await anna.sync_all()
    assert await titles(anna, "roams") == ["Ranger"]
    (counted,) = await anna.execute("SELECT count(*) FROM notion_sync.search_documents")
    assert counted["count"] == 46
    (left,) = await anna.execute("SELECT count(*) FROM notion_sync.data_sources WHERE NOT is_searchable")
    assert left["count"] == 0


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60)
    | st.text("-\"' or|&!():*<>\\a", max_size=600)
    | st.lists(st.sampled_from(["a*", "-b*", '"c', 'd*"', "or", "'*", "\\*", "é*", "*", "&*", "x-y*", "1.5*"])).map(
        " ".join
    )
)
async def test_no_query_is_an_error(anna: Installation, query: str) -> None:
    await titles(anna, query)


HOSTILE = [
    "",
    " ",
    "'",
    '"',
    "\\",
    "-",
    "- -" * 300,
    "a*" * 300,
    "x" * 499 + "*",
    "😀*",
    "-*",
    '"*',
    "a-" * 300,
    "a b* " * 300,
    "x" * 5000,
    "İ" * 5000,
    "😀" * 5000,
    "-foo",
    "a:*b",
    "or or",
    ":A",
]


async def test_nothing_is_said_beside_what_is_found(anna: Installation) -> None:
    notices: list[str | None] = []
    for query in ("harbour", "-harbour", "the"):
        async with await psycopg.AsyncConnection.connect(
            anna.settings.database_url or "", options="-c client_min_messages=notice"
        ) as connection:
            connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
            await connection.execute("SELECT snippet FROM notion_sync.search('anna', %s)", (query,))
    assert notices == []


async def test_hostile_queries_are_no_error(anna: Installation) -> None:
    for query in HOSTILE:
        assert isinstance(await titles(anna, query), list)
    assert await titles(anna, "ranger", ["Notes"], -1) == []


# Bodies


async def test_words_of_bodies_are_found_after_those_of_titles_and_texts(anna: Installation) -> None:
    anna.workspace.set_body(await page_id(anna, "Häuser"), ["Behind them", "- the ranger sleeps"])
    await anna.sync_all(bodies=True)
    assert await titles(anna, "ranger", ["Notes"]) == ["Ranger", "Aragorn", "Häuser"]
    assert await titles(anna, "wald sleeps") == ["Häuser"]
    (found,) = await anna.execute("SELECT snippet FROM notion_sync.search('sleeps', 'anna')")
    assert "the ranger **sleeps**" in found["snippet"]


async def test_an_edited_body_is_found_and_what_it_replaced_is_not(anna: Installation) -> None:
    page = await page_id(anna, "Ranger")
    for body in ("lantern", "candle"):
        anna.workspace.set_body(page, [body])
        anna.workspace.clock.advance(3600)
        await anna.sync_all(bodies=True)
    assert await titles(anna, "lantern") == []
    assert await titles(anna, "candle") == ["Ranger"]
    anna.workspace.edit_page(page, {"Text": "Another text"})
    await anna.sync_all()
    assert await titles(anna, "another candle") == ["Ranger"]
    anna.workspace.trash_page(page)
    await anna.sync_all(full=True)
    assert await titles(anna, "candle") == []


async def test_a_body_that_no_index_holds_is_cut_for_it_and_marked(anna: Installation) -> None:
    body = [" ".join(f"{number:06x}" for number in range(first, first + 250)) for first in range(0, 200_000, 250)]
    anna.workspace.set_body(await page_id(anna, "Ranger"), body)
    assert (await anna.sync_all(bodies=True)).failures == []
    assert await anna.execute("SELECT title, is_cut FROM notion_sync.search('000007 roams', 'anna')") == [
        {"title": "Ranger", "is_cut": True}
    ]


async def test_bodies_follow_the_language_too(anna: Installation) -> None:
    anna.workspace.set_body(await page_id(anna, "Ranger"), ["Zwei Bäume"])
    await anna.sync_all(bodies=True)
    assert await titles(anna, "Baum") == []
    await anna.execute("UPDATE notion_sync.search_settings SET language = 'german'")
    assert await titles(anna, "Baum") == ["Ranger"]


async def page_id(installation: Installation, page_title: str) -> str:
    (found,) = await installation.execute(
        "SELECT page_id FROM notion_sync.get_notion_page('anna', 'Notes', %s)", page_title
    )
    return str(found["page_id"])


# Look-ups


async def test_a_page_is_found_by_its_title_whatever_its_capital_letters(anna: Installation) -> None:
    for schema in ("notion_sync", "public"):
        (found,) = await anna.execute(f"SELECT * FROM {schema}.get_notion_page('anna', 'notes', 'aRAGORN')")
        assert (found["title"], found["database_name"], found["user_id"]) == ("Aragorn", "Notes", "anna")
        assert found["fields"]["text"].startswith("A ranger")
        assert found["properties"]["Title"]["type"] == "title"
        assert found["url"].startswith("https://")
    query = "SELECT count(*) FROM notion_sync.get_notion_page('anna', %s, %s)"
    assert await anna.execute(query, None, "aragorn") == [{"count": 1}]
    assert await anna.execute(query, "Characters", "aragorn") == [{"count": 0}]
    (name,) = await anna.execute("SELECT name FROM notion_characters_sync LIMIT 1")
    assert await anna.execute(query, "Characters", name["name"].upper()) == [{"count": 1}]


async def test_titles_that_begin_alike_and_are_longer_than_a_key_are_told_apart(anna: Installation) -> None:
    for end in (" one", " TWO"):
        found = await anna.execute(
            "SELECT title FROM notion_sync.get_notion_page('anna', 'Notes', %s)", "L" * 1900 + end
        )
        assert [row["title"][-4:] for row in found] == [end.lower()]


async def test_a_title_of_any_length_fails_no_row(anna: Installation) -> None:
    long = "".join(str(uuid4()) for _ in range(500))
    anna.workspace.edit_page(await page_id(anna, "Ranger"), {"Title": long})
    await anna.execute("DELETE FROM notion_sync.search_documents")
    await anna.execute("UPDATE notion_sync.data_sources SET is_searchable = false")
    assert (await anna.sync_all()).failures == []
    assert len(await anna.execute("SELECT * FROM notion_sync.get_notion_page('anna', 'Notes', %s)", long.upper())) == 1


async def test_a_table_of_a_databases_own_is_looked_up_too(installation: Installation, small: SmallWorkspace) -> None:
    await installation.execute("CREATE TABLE notion_books_sync (LIKE notion_pages_sync INCLUDING ALL)")
    handle = installation.workspace.add_database("Books", {"Name": title()}, [{"Name": "The Hobbit"}])
    installation.workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Books": handle.id})
    assert (await installation.sync_all()).failures == []
    assert len(await installation.execute("SELECT * FROM notion_books_sync")) == 1
    (found,) = await installation.execute("SELECT * FROM get_notion_page('anna', 'Books', 'the hobbit')")
    assert found["title"] == "The Hobbit"
    assert await titles(installation, "hobbit") == ["The Hobbit"]


async def test_a_function_of_the_applications_own_in_public_stays(database_url: str, small: SmallWorkspace) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("CREATE FUNCTION get_notion_page(text) RETURNS text LANGUAGE sql AS 'SELECT $1'")
        await Installation(Settings(database_url=database_url), small.workspace).init()
        found = await connection.execute(
            "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'get_notion_page'"
        )
        assert await found.fetchone() == (1,)


# Who sees what, and how quickly


@pytest.fixture
async def tenant(anna: Installation) -> AsyncIterator[Session]:
    """A session of a role that row level security applies to."""
    role = f"tenant_{uuid4().hex}"
    await anna.execute(f"CREATE ROLE {role}")
    await anna.execute(f"GRANT USAGE ON SCHEMA notion_sync TO {role}")
    await anna.execute(f"GRANT SELECT ON notion_pages_sync, notion_characters_sync TO {role}")
    await anna.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA notion_sync TO {role}")
    async with await psycopg.AsyncConnection.connect(anna.settings.database_url or "", autocommit=True) as session:
        await session.execute("LOAD 'auto_explain'")
        await session.execute(
            "SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;"
            "SET auto_explain.log_level = notice"
        )
        await session.execute(f"SET ROLE {role}".encode())
        yield session
    await anna.execute(f"DROP OWNED BY {role}")
    await anna.execute(f"DROP ROLE {role}")


async def allow_search(installation: Installation, session: Session) -> None:
    """Grants what lets the session's role search by the index."""
    (role,) = await (await session.execute("SELECT current_user")).fetchone() or ("",)
    function = "notion_sync.own_search_matches(tsquery, text[], integer)"
    await installation.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")


async def found_by(session: Session, query: str) -> list[object]:
    return [row[0] for row in await (await session.execute(query.encode())).fetchall()]


@pytest.mark.parametrize("may_use_the_index", [False, True])
async def test_a_tenant_finds_what_is_theirs_and_nothing_else(
    anna: Installation, tenant: Session, may_use_the_index: bool
) -> None:
    if may_use_the_index:
        await allow_search(anna, tenant)
    own, annas = (
        "SELECT title FROM notion_sync.search('ranger')",
        "SELECT title FROM notion_sync.search('ranger', 'anna')",
    )
    page = "SELECT title FROM notion_sync.get_notion_page('anna', 'Notes', 'Aragorn')"
    assert await found_by(tenant, own) == await found_by(tenant, annas) == await found_by(tenant, page) == []
    await tenant.execute("SET app.user_id = 'ben'")
    assert await found_by(tenant, own) == await found_by(tenant, annas) == await found_by(tenant, page) == []
    await tenant.execute(
        "SELECT set_config('app.user_id', '', false), set_config('request.jwt.claims', %s, false)",
        (json.dumps({"sub": "anna"}),),
    )
    assert "Aragorn" in await found_by(tenant, own)
    assert await found_by(tenant, own) == await found_by(tenant, annas)
    assert await found_by(tenant, page) == ["Aragorn"]


async def test_who_sees_all_rows_searches_all_users_and_a_tenant_without_a_user_none(
    anna: Installation, tenant: Session, small: SmallWorkspace
) -> None:
    await allow_search(anna, tenant)
    notes = (await anna.execute("SELECT database_id::text FROM notion_sync.databases WHERE name = 'Notes'"))[0]
    await anna.connect("ben", small.tokens["anna"], {"Mine": notes["database_id"]})
    assert (await anna.sync_all("ben")).failures == []
    every = "SELECT user_id, title FROM notion_sync.search('ranger')"
    found = await anna.execute(every)
    assert [(row["title"], row["user_id"]) for row in found] == [
        ("Ranger", "anna"),
        ("Ranger", "ben"),
        ("Aragorn", "anna"),
        ("Aragorn", "ben"),
    ]
    assert await anna.execute("SELECT user_id FROM notion_sync.search('roams', NULL, ARRAY['mine'])") == [
        {"user_id": "ben"}
    ]
    assert len(await anna.execute("SELECT * FROM notion_sync.search('ranger', most => 3)")) == 3
    titles_of_all = "SELECT title FROM notion_sync.search('ranger', NULL)"
    assert await found_by(tenant, titles_of_all) == []
    await tenant.execute("SET app.user_id = 'ben'")
    assert await found_by(tenant, titles_of_all) == ["Ranger", "Aragorn"]
    await tenant.execute("RESET app.user_id")
    for table in ("search_documents", "data_sources"):
        await anna.execute(f"CREATE POLICY reader ON notion_sync.{table} USING (starts_with(current_user, 'tenant'))")
    assert len(await found_by(tenant, titles_of_all)) == 4
    assert len(await found_by(tenant, "SELECT title FROM notion_sync.search('ranger', 'anna')")) == 2


async def test_the_owners_rights_are_for_those_alone_to_whom_they_are_granted(tenant: Session) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await tenant.execute("SELECT notion_sync.own_search_matches('ranger', NULL, 20)")


async def test_search_and_look_ups_of_a_tenant_use_their_indexes(anna: Installation, tenant: Session) -> None:
    await allow_search(anna, tenant)
    await anna.execute(
        """
        INSERT INTO notion_sync.search_documents (user_id, page_id, data_source_id, title, text, tsv, is_cut)
        SELECT user_id, gen_random_uuid(), data_source_id, 'Page ' || number, text, vector.tsv, false
        FROM (SELECT * FROM notion_sync.search_documents WHERE title = 'Aragorn') AS one,
             generate_series(1, %s) AS number,
             notion_sync.search_vector('simple', 'Page ' || number, md5(number::text), '') AS vector
        """,
        ROWS,
    )
    await anna.execute("VACUUM ANALYZE notion_sync.search_documents")
    (role,) = await (await tenant.execute("SELECT current_user")).fetchone() or ("",)
    plans: list[str] = []
    tenant.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))
    await tenant.execute("SET app.user_id = 'anna'")
    assert await found_by(tenant, "SELECT title FROM notion_sync.search('isildur')") == ["Aragorn"]
    searching = "\n".join(plans)
    assert "Bitmap Index Scan on search_documents_by_word" in searching
    assert "Seq Scan on search_documents" not in searching
    plans.clear()
    await tenant.execute("RESET app.user_id; RESET ROLE")
    assert await found_by(tenant, "SELECT title FROM notion_sync.search('isild*')") == ["Aragorn"]
    searching = "\n".join(plans)
    assert "Bitmap Index Scan on search_documents_by_word" in searching
    assert "Seq Scan on search_documents" not in searching
    plans.clear()
    await tenant.execute(f"SET app.user_id = 'anna'; SET ROLE {role}".encode())
    assert await found_by(tenant, "SELECT title FROM notion_sync.get_notion_page('anna', NULL, 'aragorn')") == [
        "Aragorn"
    ]
    looking = "\n".join(plans)
    assert (
        "Index Scan using search_documents_by_title" in looking or "Index Scan on search_documents_by_title" in looking
    )
    assert "Seq Scan on search_documents" not in looking
    assert "Seq Scan on notion_pages_sync" not in looking


async def test_a_page_that_moved_to_another_database_is_found_there(anna: Installation) -> None:
    """Also where that is synced first: the row of the one goes, the document of the other stays."""
    (row,) = await anna.execute("SELECT notion_page_id FROM notion_pages_sync WHERE title = 'Ranger'")
    anna.workspace.move_page(row["notion_page_id"], "Characters")
    anna.workspace.edit_page(row["notion_page_id"], {"Name": "Ranger", "Description": "Somebody who roams"})
    await anna.sync_one("anna", "Characters", full=True)
    assert await anna.execute("SELECT 1 FROM notion_pages_sync WHERE title = 'Ranger'") != []
    await anna.sync_all(full=True)
    assert await anna.execute("SELECT 1 FROM notion_pages_sync WHERE title = 'Ranger'") == []
    found = await anna.execute("SELECT database_name FROM notion_sync.search('roams', 'anna')")
    assert found == [{"database_name": "Characters"}]
