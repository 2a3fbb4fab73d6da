"""Rows that a constraint or a trigger of the application refuses: it is named, and so are the table and the page."""

from __future__ import annotations

import pytest
from notion_workspace import Request, SmallWorkspace
from notion_workspace.literals import title

from tests.installation import Installation

pytestmark = pytest.mark.slow

CONSTRAINT = "ALTER TABLE notion_chat_sessions_sync ADD CONSTRAINT odd "
ROW = "NEW.title = 'Session 77'"


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    await installation.connect("anna", small.tokens["anna"], {"Chat Sessions": small.databases["Chat Sessions"]})
    return installation


def trigger(body: str, *, timing: str = "TRIGGER shout BEFORE INSERT OR UPDATE", language: str = "plpgsql") -> str:
    return (
        f"CREATE FUNCTION spoil() RETURNS trigger LANGUAGE {language} AS $$ {body} $$;"
        f"CREATE {timing} ON notion_chat_sessions_sync FOR EACH ROW EXECUTE FUNCTION spoil()"
    )


REFUSING = {
    "check": (CONSTRAINT + "CHECK (title <> 'Session 77')", "it violates the constraint odd of"),
    "unique": (
        "ALTER TABLE notion_chat_sessions_sync ADD kind text GENERATED ALWAYS AS"
        " (CASE WHEN title IN ('Session 77', 'Session 3') THEN 'x' ELSE title END) STORED;"
        "ALTER TABLE notion_chat_sessions_sync ADD CONSTRAINT odd UNIQUE (kind)",
        "it violates the constraint odd of",
    ),
    "not null": (
        "ALTER TABLE notion_chat_sessions_sync ADD kind text NOT NULL GENERATED ALWAYS AS"
        " (nullif(title, 'Session 77')) STORED",
        'null value in column "kind"',
    ),
    "foreign key": (
        "CREATE TABLE titles (title text PRIMARY KEY);"
        "INSERT INTO titles SELECT 'Session ' || n FROM generate_series(0, 400) AS n WHERE n <> 77;"
        + CONSTRAINT
        + "FOREIGN KEY (title) REFERENCES titles",
        "it violates the constraint odd of",
    ),
    "deferred foreign key": (
        "CREATE TABLE titles (title text PRIMARY KEY);"
        "INSERT INTO titles SELECT 'Session ' || n FROM generate_series(0, 400) AS n WHERE n <> 77;"
        + CONSTRAINT
        + "FOREIGN KEY (title) REFERENCES titles DEFERRABLE INITIALLY DEFERRED",
        "it violates the constraint odd of",
    ),
    "trigger that raises": (
        trigger(f"BEGIN IF {ROW} THEN RAISE 'no sevens'; END IF; RETURN NEW; END"),
        "the trigger shout raises 'no sevens'",
    ),
    "trigger that fails": (
        trigger(f"BEGIN IF {ROW} THEN PERFORM 1 FROM no_such_table; END IF; RETURN NEW; END"),
        "the trigger shout raises 'relation \"no_such_table\" does not exist'",
    ),
    "trigger that divides by zero": (
        trigger(f"BEGIN IF {ROW} THEN PERFORM 1 / 0; END IF; RETURN NEW; END"),
        "the trigger shout raises 'division by zero'",
    ),
    "deferred trigger": (
        trigger(
            f"BEGIN IF {ROW} THEN RAISE 'no sevens'; END IF; RETURN NULL; END",
            timing="CONSTRAINT TRIGGER shout AFTER INSERT OR UPDATE",
        ).replace("FOR EACH ROW", "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"),
        "the trigger shout raises 'no sevens'",
    ),
    "trigger that writes elsewhere": (
        "CREATE TABLE audit (title text CONSTRAINT no_sevens CHECK (title <> 'Session 77'));"
        + trigger("BEGIN INSERT INTO audit VALUES (NEW.title); RETURN NEW; END"),
        "it violates the constraint no_sevens of public.audit, by the trigger shout",
    ),
}


@pytest.mark.parametrize("kind", list(REFUSING))
async def test_what_refuses_a_row_is_named_with_the_table_and_the_page(
    anna: Installation, small: SmallWorkspace, kind: str
) -> None:
    statement, cause = REFUSING[kind]
    anna.execute_at_once(statement)
    page = small.workspace.page_ids("Chat Sessions")[76]
    for _ in range(2):
        (failure,) = (await anna.sync_all()).failures
        assert f"PostgreSQL refuses the page {page} in public.notion_chat_sessions_sync: " in failure
        assert cause in failure
        assert failure.endswith(" All other rows are written.")
        assert "Session 77" not in failure
        rows = await anna.mirrored("anna", small.data_sources["Chat Sessions"])
        assert rows.keys() == set(small.workspace.page_ids("Chat Sessions")) - {page}
        left_out = await anna.execute("SELECT page_id::text, property FROM notion_sync.left_out")
        assert left_out == [{"page_id": page, "property": ""}]


async def test_a_row_that_fits_again_is_written(anna: Installation, small: SmallWorkspace) -> None:
    await anna.execute(CONSTRAINT + "CHECK (title <> 'Session 77')")
    assert (await anna.sync_all()).failures != []
    await anna.execute("ALTER TABLE notion_chat_sessions_sync DROP CONSTRAINT odd")
    anna.workspace.clock.advance(3600)
    outcome = await anna.sync_all()
    assert (outcome.failures, outcome.accounts[0].databases["Chat Sessions"].mode) == ([], "incremental")
    assert await anna.execute("SELECT 1 FROM notion_sync.left_out") == []
    assert await anna.differences("anna", "anna", {"Chat Sessions": small.databases["Chat Sessions"]}) == []


async def test_of_two_pages_that_a_key_tells_apart_only_one_is_left_out(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    names = [f"Row {number}" for number in range(20)] + ["Twin", "Twin"]
    twins = workspace.add_database("Twins", {"Name": title()}, [{"Name": name} for name in names])
    workspace.share("anna", twins.id)
    await installation.connect("anna", small.tokens["anna"], {"Twins": twins.id})
    await installation.execute("ALTER TABLE notion_pages_sync ADD CONSTRAINT own UNIQUE (user_id, title)")
    for _ in range(2):
        (failure,) = (await installation.sync_all(full=True)).failures
        assert "it violates the constraint own of public.notion_pages_sync" in failure
        assert len(await installation.mirrored("anna", twins.data_source_id)) == 21
    last = workspace.page_ids("Twins")[-1]
    workspace.edit_page(last, {"Name": "Other twin"})
    assert (await installation.sync_all()).failures == []
    assert await installation.differences("anna", "anna", {"Twins": twins.id}) == []


async def test_a_page_that_is_accepted_when_it_is_read_once_more_is_no_failure(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    many = workspace.add_database("Many", {"Name": title()}, [{"Name": f"Row {number}"} for number in range(600)])
    workspace.share("anna", many.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": many.id})
    await installation.sync_all()
    await installation.execute("ALTER TABLE notion_pages_sync ADD CONSTRAINT own UNIQUE (user_id, title)")
    workspace.add_page("Many", {"Name": "Row 599"})
    twin = workspace.page_ids("Many")[-1]
    # More than are asked for one by one, so that everything is listed twice.
    for page in workspace.page_ids("Many")[:250]:
        workspace.trash_page(page)
    queries = 0

    def rename(request: Request) -> None:
        nonlocal queries
        queries += request.path.endswith("/query")
        if queries == 5:
            workspace.edit_page(twin, {"Name": "Row 600"})

    workspace.on_request(rename)
    outcome = await installation.sync_all(full=True, concurrency=1)
    assert queries >= 8
    assert outcome.failures == []
    assert await installation.differences("anna", "anna", {"Many": many.id}) == []


async def test_a_row_that_is_known_stays_as_it_was_while_its_page_is_refused(
    anna: Installation, small: SmallWorkspace
) -> None:
    await anna.sync_all()
    page = small.workspace.page_ids("Chat Sessions")[76]
    await anna.execute(CONSTRAINT + "CHECK (title <> 'refused')")
    small.workspace.edit_page(page, {"Name": "refused"})
    assert (await anna.sync_all(full=True)).failures != []
    assert (await anna.mirrored("anna", small.data_sources["Chat Sessions"]))[page]["title"] == "Session 77"


async def test_where_every_row_is_refused_it_is_no_odd_row(anna: Installation) -> None:
    await anna.execute(CONSTRAINT + "CHECK (title = '')")
    (failure,) = (await anna.sync_all()).failures
    assert "it violates the constraint odd of" in failure
    assert await anna.execute("SELECT 1 FROM notion_sync.left_out") == []
