"""What PostgreSQL holds beside the rows, as `sync --verify` reads it: what search reads, bodies, who people are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Pool, fetch_value, transaction


class HeldDocument(Struct, frozen=True):
    """What search reads of a page; `people` are the ids of those whom it names, in order.

    `is_indexed`: the index is of that text, of the people's names and of the body, in the language set. New names may
    be left to the next sync.
    """

    page_id: str
    data_source_id: str
    title: str
    text: str
    people: list[str]
    is_indexed: bool


class HeldAbout(Struct, frozen=True):
    """What is kept of what a page is, beside its properties."""

    page_id: str
    icon: object
    cover: object
    public_url: str | None
    created_by: str | None
    last_edited_by: str | None
    is_locked: bool | None


class HeldBody(Struct, frozen=True):
    """A body as it is kept; `edited_at` is the edit of the page that it stands for."""

    page_id: str
    markdown: str
    plain_text: str
    edited_at: datetime


class HeldPerson(Struct, frozen=True):
    """What is kept of a person by their id; `kind` is None where no more is known."""

    id: str
    kind: str | None
    name: str | None
    email: str | None
    avatar_url: str | None


class HeldTexts(Struct, frozen=True):
    """What is held for one user."""

    pool: Pool
    user_id: str

    async def documents(self, page_ids: Sequence[str]) -> dict[str, HeldDocument]:
        """What search reads of these pages, by page id. The index of a text that is too long for it counts as right."""
        async with (
            transaction(self.pool) as connection,
            connection.cursor(row_factory=class_row(HeldDocument)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT document.page_id, document.data_source_id, document.title, document.text,
                       document.people::text[] AS people,
                       (document.people_names = names.known OR NOT is_searchable) AND (
                           document.is_cut OR document.tsv =
                               setweight(to_tsvector(language::regconfig, document.title), 'A')
                               || setweight(to_tsvector(language::regconfig, concat_ws(' ', text, people_names)), 'B')
                               || setweight(to_tsvector(language::regconfig, coalesce(body.plain_text, '')), 'C'))
                       AS is_indexed
                FROM notion_sync.search_settings, notion_sync.search_documents AS document
                JOIN notion_sync.data_sources USING (user_id, data_source_id)
                CROSS JOIN LATERAL (
                    SELECT coalesce(string_agg(person.name, ', ' ORDER BY person.id), '') AS known
                    FROM notion_sync.users AS person
                    WHERE person.user_id = document.user_id AND person.id = ANY (document.people)
                ) AS names
                LEFT JOIN notion_sync.page_bodies AS body
                    ON body.user_id = document.user_id AND body.page_id = document.page_id
                WHERE document.user_id = %s
                  AND document.page_id = ANY (ARRAY(SELECT notion_sync.as_notion_id(unnest(%s::text[]))))
                """,
                (self.user_id, list(page_ids)),
            )
            return {document.page_id: document async for document in cursor}

    async def about(self, page_ids: Sequence[str]) -> dict[str, HeldAbout]:
        """What is kept of what these pages are, by page id."""
        async with transaction(self.pool) as connection, connection.cursor(row_factory=class_row(HeldAbout)) as cursor:
            await cursor.execute(
                """
                SELECT page_id, icon, cover, public_url, created_by, last_edited_by, is_locked
                FROM notion_sync.pages
                WHERE user_id = %s
                  AND page_id = ANY (ARRAY(SELECT notion_sync.as_notion_id(unnest(%s::text[]))))
                """,
                (self.user_id, list(page_ids)),
            )
            return {about.page_id: about async for about in cursor}

    async def bodies(self, page_ids: Sequence[str]) -> dict[str, HeldBody]:
        """The bodies of these pages that are kept, by page id."""
        async with transaction(self.pool) as connection, connection.cursor(row_factory=class_row(HeldBody)) as cursor:
            await cursor.execute(
                """
                SELECT page_id, markdown, plain_text, last_edited_time AS edited_at
                FROM notion_sync.page_bodies
                WHERE user_id = %s
                  AND page_id = ANY (ARRAY(SELECT notion_sync.as_notion_id(unnest(%s::text[]))))
                """,
                (self.user_id, list(page_ids)),
            )
            return {body.page_id: body async for body in cursor}

    async def wants_bodies(self, data_source_id: str) -> bool:
        """Whether the bodies of a data source are to be read by every run."""
        async with transaction(self.pool) as connection:
            wants = await fetch_value(
                connection,
                """
                SELECT coalesce(databases.bodies, data_sources.bodies) FROM notion_sync.data_sources
                LEFT JOIN notion_sync.databases USING (user_id, database_id)
                WHERE user_id = %s AND data_source_id = %s
                """,
                self.user_id,
                data_source_id,
            )
        return bool(wants)

    async def people(self, ids: Collection[str]) -> dict[str, HeldPerson]:
        """What is kept of these people, by id."""
        async with transaction(self.pool) as connection, connection.cursor(row_factory=class_row(HeldPerson)) as cursor:
            await cursor.execute(
                """
                SELECT id::text, kind, name, email, avatar_url FROM notion_sync.users
                WHERE user_id = %s AND id = ANY (%s::uuid[])
                """,
                (self.user_id, list(ids)),
            )
            return {person.id: person async for person in cursor}
