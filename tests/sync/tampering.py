"""What somebody may do to the copy by SQL, and all that is stored of it, so that before and after can be compared."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from notion_workspace import SmallWorkspace, WorkspaceServer, small_workspace

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.mirror.connection import open_pool, transaction
from notion_pg_sync.mirror.initialise import plan_init
from notion_pg_sync.mirror.tables import PAGE_COLUMNS, find_tables
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.listener import SilentListener
from notion_pg_sync.sync.run.opening import open_client
from notion_pg_sync.sync.verify.verification import Verification
from notion_pg_sync.sync.verify.verify import verify_database
from tests.bodies import every_kind
from tests.installation import TABLES, Installation

DATABASES = {
    "anna": ("Characters", "Worlds", "Stories", "Chat Sessions", "Everything", "Three"),
    "ben": ("Worlds", "Library", "Tasks"),
}
WITH_BODIES = ("Characters", "Everything")
STRANGER = "99999999-9999-4999-8999-999999999999"

# Of each table, what tells nothing of the content: when something was written, and by which transaction.
_TABLES = {
    **dict.fromkeys(TABLES, ("last_synced_at", "created_at", "updated_at")),
    "notion_sync.search_documents": ("written_in",),
    "notion_sync.page_bodies": ("written_in", "fetched_at", "read_at", "stored_digest"),
    "notion_sync.users": ("written_in", "asked_at"),
    "notion_sync.pages": ("written_in", "row_xmin", "row_id", "stored_digest"),
}
_COLUMNS = """
    SELECT table_name, column_name, data_type, character_maximum_length FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name LIKE 'notion\\_%%\\_sync' AND NOT starts_with(column_name, 'own_')
    ORDER BY 1, 2
"""


def workspace() -> SmallWorkspace:
    """The standard workspace with something in the bodies of some pages, an hour after the last edit."""
    small = small_workspace()
    pages = small.workspace.page_ids("Characters")
    for number, page in enumerate(pages[:3]):
        small.workspace.set_body(page, [f"The story of {number}.", *every_kind(pages[3], "Ben")])
    small.workspace.clock.advance(3600)
    return small


def fill(database_url: str) -> None:
    """Mirrors everything, with views and bodies."""
    small = workspace()

    async def mirror(installation: Installation) -> None:
        await installation.init()
        for user_id, names in DATABASES.items():
            wanted = {name: small.databases[name] for name in names}
            await installation.connect(user_id, small.tokens[user_id], wanted)
            await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", user_id)
        assert (await installation.sync_all()).failures == []
        await installation.execute(
            "UPDATE notion_sync.data_sources SET bodies = true WHERE user_id = 'anna' AND database_name = ANY (%s)",
            list(WITH_BODIES),
        )
        assert (await installation.sync_all()).failures == []

    with WorkspaceServer(small.workspace) as server:
        asyncio.run(
            mirror(Installation(Settings(database_url=database_url, notion_base_url=server.url), small.workspace))
        )


async def stored(installation: Installation, *, ids: bool = True) -> dict[str, Any]:
    """All that is stored of the copy, save times of writing; `ids`: with the ids of rows.

    A column of ours that somebody gave another type is theirs from then on, under another name (`own_notion_icon`).
    """
    found: dict[str, Any] = {}
    for table, left_out in _TABLES.items():
        without = [*left_out, *([] if ids else ["id"])]
        columns = await installation.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND starts_with(attname, 'own_')", table
        )
        without += [column["attname"] for column in columns]
        rows = await installation.execute(
            f"SELECT to_jsonb(stored) - %s::text[] AS row FROM {table} AS stored ORDER BY 1", without
        )
        found |= {f"{table} {number}": row["row"] for number, row in enumerate(rows)}
    for view in await installation.execute("SELECT viewname, definition FROM pg_views WHERE schemaname = 'notion'"):
        name = view["viewname"]
        # In any order: a column that comes back is the last one.
        found[f"notion.{name}"] = sorted(line.strip(" ,") for line in view["definition"].splitlines())
        rows = await installation.execute(
            f"SELECT to_jsonb(shown) - 'last_synced_at' - 'read_at' AS row FROM notion.\"{name}\" AS shown ORDER BY 1"
        )
        found |= {f"notion.{name} {number}": row["row"] for number, row in enumerate(rows)}
    found["columns"] = await installation.execute(_COLUMNS)
    return found


def differing(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """What is not the same, a line each."""
    return [
        f"{name}:\n  {json.dumps(before.get(name), default=str)}\n  {json.dumps(after.get(name), default=str)}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]


async def verified(
    installation: Installation, small: SmallWorkspace, user_id: str, names: tuple[str, ...] = ()
) -> dict[str, Verification]:
    """What `--verify` says of a user's databases, by name."""
    settings = replace(installation.settings, page_size=100, requests_per_minute=100_000)
    async with open_pool(settings.database_url or "") as pool, open_client(settings, small.tokens[user_id]) as client:
        async with transaction(pool) as connection:
            tables = await find_tables(connection, "public")
        work = RunContext(settings, 0, pool, "public", tables, SilentListener())
        return {
            name: await verify_database(work, client, user_id, ConfiguredDatabase(name, small.databases[name]))
            for name in names or DATABASES[user_id]
        }


async def kinds_of_differences(
    installation: Installation, small: SmallWorkspace, user_id: str, *names: str
) -> set[str]:
    """The kinds of all that `--verify` finds in a user's databases."""
    verifications = (await verified(installation, small, user_id, names)).values()
    return {difference.kind for one in verifications for difference in one.differences}


async def do_what_init_says(installation: Installation) -> None:
    """Types the SQL that `init` prints of what it cannot change, and then runs it, as a person does."""
    async with open_pool(installation.settings.database_url or "") as pool, pool.connection() as connection:
        problems = (await plan_init(connection)).problems
    for problem in problems:
        await installation.execute(re.findall(r"run (ALTER TABLE .*;)", problem)[0].replace("%", "%%"))
    await installation.init()


async def run(installation: Installation, statements: str) -> list[dict[str, object]]:
    """Runs statements in one transaction, as somebody at psql; what the last of them returns."""
    async with await psycopg.AsyncConnection.connect(installation.settings.database_url or "") as connection:
        cursor = await connection.execute(statements.encode())
        while cursor.nextset():
            pass
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()] if names else []


# What is done at random ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where something is done: at random, about a table, and a page of anna's that is in it."""

    installation: Installation
    random: Random
    table: str
    page: str

    @property
    def title(self) -> str:
        return "name" if self.table in ("notion_characters_sync", "notion_worlds_sync") else "title"

    @property
    def text(self) -> str:
        return {"notion_chat_sessions_sync": "transcript", "notion_pages_sync": "content"}.get(
            self.table, "description"
        )

    async def one_of(self, *statements: str) -> None:
        await run(self.installation, self.random.choice(statements))


async def change_a_row(at: Place) -> None:
    values = {
        at.title: "'Somebody else'",
        at.text: "'Other words'",
        "properties": at.random.choice(["'{}'", "'[]'", "NULL", """properties || '{"More": {"type": "url"}}'"""]),
        "fields": at.random.choice(["'{}'", "NULL", """fields || '{"more": 1}'"""]),
        "url": "'https://example.com'",
        "notion_created_at": at.random.choice(["NULL", "notion_created_at - interval '1 day'"]),
        "notion_edited_at": at.random.choice(["NULL", "notion_edited_at + interval '1 minute'"]),
        "notion_database_id": f"'{STRANGER}'",
        "notion_data_source_id": at.random.choice(["NULL", f"'{STRANGER}'"]),
        "page_id": at.random.choice(["NULL", f"'{STRANGER}'"]),
        "notion_icon": at.random.choice(["NULL", "'🐙'"]),
        "notion_cover": "'https://example.com/cover.png'",
        "notion_public_url": "'https://example.com'",
        "notion_created_by": f"'{STRANGER}'",
        "notion_edited_by": at.random.choice(["NULL", f"'{STRANGER}'"]),
        "notion_is_locked": at.random.choice(["NULL", "true"]),
        "user_id": "'zoe'",
        "notion_page_id": at.random.choice(["NULL", f"'{STRANGER}'"]),
        **({"message_count": "4711"} if at.table == "notion_chat_sessions_sync" else {}),
        **({"database_name": "'Elsewhere'"} if at.table == "notion_pages_sync" else {}),
    }
    chosen = at.random.sample(sorted(values), at.random.randint(1, 3))
    assignments = ", ".join(f"{name} = {values[name]}" for name in chosen)
    await at.one_of(f"UPDATE {at.table} SET {assignments} WHERE user_id = 'anna' AND notion_page_id = '{at.page}'")


async def change_a_hash(at: Place) -> None:
    await at.one_of(f"UPDATE {at.table} SET content_hash = 'x' WHERE notion_page_id = '{at.page}'")


async def delete_rows(at: Place) -> None:
    await at.one_of(
        f"DELETE FROM {at.table} WHERE notion_page_id = '{at.page}'",
        f"DELETE FROM {at.table} WHERE notion_page_id >= '{at.page}'",
        f"DELETE FROM {at.table} WHERE user_id = 'anna'",
        f"TRUNCATE {at.table}",
    )


async def copy_a_row(at: Place) -> None:
    stranger = UUID(int=at.random.getrandbits(128), version=4)
    await at.one_of(
        f"CREATE TEMPORARY TABLE copied AS SELECT * FROM {at.table}"
        f" WHERE user_id = 'anna' AND notion_page_id = '{at.page}';"
        f"UPDATE copied SET id = gen_random_uuid(), notion_page_id = '{stranger}';"
        f"INSERT INTO {at.table} SELECT * FROM copied"
    )


async def mix_up_rows(at: Place) -> None:
    """As by a wrong join."""
    columns = f"{at.title}, properties, fields, content_hash, url"
    await at.one_of(
        f"UPDATE {at.table} AS one SET ({columns}) = (SELECT {columns} FROM {at.table} AS other"
        " WHERE other.user_id = one.user_id AND other.notion_data_source_id = one.notion_data_source_id"
        " AND other.notion_page_id <> one.notion_page_id ORDER BY notion_page_id LIMIT 1)"
        f" WHERE user_id = 'anna' AND notion_page_id = '{at.page}'"
    )


async def drop_a_column(at: Place) -> None:
    ours = ("properties", "fields", "url", "notion_created_at", "notion_edited_at")
    names = (*ours, at.title, at.text, "notion_data_source_id", *(column.name for column in PAGE_COLUMNS))
    await at.one_of(*(f"ALTER TABLE {at.table} DROP COLUMN {name} CASCADE" for name in names))


async def retype_a_column(at: Place) -> None:
    for view in await at.installation.execute("SELECT viewname FROM pg_views WHERE schemaname = 'notion'"):
        await at.one_of(f'DROP VIEW notion."{view["viewname"]}"')
    changes = (
        f"{at.title} TYPE varchar(3) USING left({at.title}, 3)",
        "properties DROP DEFAULT, ALTER COLUMN properties TYPE text USING '{}'",
        "fields TYPE json",
        "notion_edited_at TYPE text",
        "notion_created_at TYPE date",
        "url TYPE varchar(20) USING left(url, 20)",
        "notion_icon TYPE varchar(20) USING left(notion_icon, 20)",
        "page_id TYPE text",
        "notion_is_locked TYPE text",
    )
    await at.one_of(*(f"ALTER TABLE {at.table} ALTER COLUMN {change}" for change in changes))


async def exchange_columns(at: Place) -> None:
    names = ((at.title, "between"), (at.text, at.title), ("between", at.text))
    await at.one_of("".join(f"ALTER TABLE {at.table} RENAME COLUMN {old} TO {new};" for old, new in names))


async def change_what_search_reads(at: Place) -> None:
    other = (
        "SELECT min(known.data_source_id::text)::uuid FROM notion_sync.data_sources AS known"
        " WHERE known.user_id = search_documents.user_id"
    )
    changes = ("title = 'x'", "text = text || ' x'", "tsv = ''", "people_names = 'x'", f"data_source_id = ({other})")
    await at.one_of(
        *(f"UPDATE notion_sync.search_documents SET {one} WHERE page_id = '{at.page}'" for one in changes),
        f"DELETE FROM notion_sync.search_documents WHERE page_id >= '{at.page}'",
        "TRUNCATE notion_sync.search_documents CASCADE",
    )


async def change_bodies(at: Place) -> None:
    changes = ("markdown = 'x'", "plain_text = 'nothing of it'", "markdown = 'x', content_hash = md5('x')")
    await at.one_of(
        *(f"UPDATE notion_sync.page_bodies SET {one} WHERE markdown LIKE 'The story%'" for one in changes),
        "DELETE FROM notion_sync.page_bodies WHERE markdown LIKE 'The story%'",
        "TRUNCATE notion_sync.page_bodies",
    )


async def change_people(at: Place) -> None:
    changes = ("name = 'Somebody else'", "email = 'x'", "kind = 'bot'", "avatar_url = 'x'")
    await at.one_of(
        *(f"UPDATE notion_sync.users SET {one} WHERE name LIKE 'Person 0%'" for one in changes),
        "DELETE FROM notion_sync.users WHERE name = 'Helper Bot'",
        "TRUNCATE notion_sync.users",
    )


async def replace_a_view(at: Place) -> None:
    name, shown, instead = at.random.choice(
        [("characters", "'age'", "'role'"), ("characters__world", "'world'", "'traits'")]
    )
    found = await run(at.installation, f"SELECT pg_get_viewdef(to_regclass('notion.{name}')) AS definition")
    definition = found[0]["definition"]
    if definition is None:
        return
    replaced = str(definition).replace(shown, instead)
    await at.one_of(f"CREATE OR REPLACE VIEW notion.{name} WITH (security_invoker = true) AS {replaced}")


async def drop_or_change_a_view(at: Place) -> None:
    await at.one_of(
        "DROP VIEW IF EXISTS notion.stories",
        "DROP VIEW IF EXISTS notion.everything__friends",
        "ALTER VIEW IF EXISTS notion.characters RESET (security_invoker)",
    )


async def forget_notes(at: Place) -> None:
    await at.one_of(f"DELETE FROM notion_sync.pages WHERE page_id >= '{at.page}'", "TRUNCATE notion_sync.pages")


WAYS = (
    *(change_a_row, change_a_row, change_a_row, change_a_hash, delete_rows, delete_rows, copy_a_row, mix_up_rows),
    *(drop_a_column, retype_a_column, exchange_columns, change_what_search_reads, change_bodies, change_people),
    *(replace_a_view, drop_or_change_a_view, forget_notes),
)
# What `--verify` cannot see, since nobody queries it.
UNSEEN = (change_a_hash, forget_notes)
# What the tool does not put right before somebody has run `init`.
FOR_INIT = (drop_a_column, retype_a_column)
