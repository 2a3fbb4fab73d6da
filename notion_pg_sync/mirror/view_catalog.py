"""What PostgreSQL's catalog and the bookkeeping say of typed views, and what a view has to be given back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.side_views import SideView
from notion_pg_sync.mirror.view_columns import COMMENT_MARK, READ_COLUMNS, SharedColumn, Typed
from notion_pg_sync.mirror.view_definition import KEPT_BY_THE_TOOL, SCHEMA, View, ViewSource

# The fingerprint of a view that is nobody's any more, and that something depends on.
LEFT_EMPTY = "left empty"


class Existing(Struct, frozen=True):
    """What there is under a view's name, or what the bookkeeping has of it: `oid` is None where nothing is there.

    `is_as_made`: nobody has replaced it since, nor renamed what it reads, which it goes on to read. `fingerprint` is
    None where no view of ours was ever made. `dependents` are described for people. `is_like_ours`: its columns are
    those of a view of ours, in the order of any version. `reorder`: somebody wants them in the order of a new view.
    """

    oid: int | None
    is_view: bool
    is_invoker: bool
    is_as_made: bool
    columns: tuple[Typed, ...]
    dependents: tuple[str, ...]
    fingerprint: str | None
    says_so: bool
    is_like_ours: bool
    reorder: bool

    @property
    def is_ours(self) -> bool:
        """Whether it is a view of ours: somebody may have put another in its place.

        Its comment tells too (`says_so`), where what was known of views is lost.
        """
        return self.is_view and (self.fingerprint is not None or self.says_so) and self.is_like_ours

    @property
    def can_be_reordered(self) -> bool:
        """Whether it is to be made again in the order of a new view, and nothing keeps it from that."""
        return self.reorder and not self.dependents

    @property
    def waits_for_order(self) -> bool:
        """Whether it is to be made again once nothing depends on it."""
        return self.reorder and bool(self.dependents)


async def is_any_concerned(connection: Connection, user_id: str) -> bool:
    """Whether a sync of a user's databases may concern a view or a reader: theirs, a shared one, or nobody's."""
    query = """
        SELECT EXISTS (SELECT FROM notion_sync.accounts WHERE user_id = %(user)s AND views)
            OR EXISTS (SELECT FROM notion_sync.databases WHERE user_id = %(user)s AND views)
            OR EXISTS (SELECT FROM notion_sync.views JOIN notion_sync.data_sources USING (view_name)
                       WHERE user_id = %(user)s)
            OR EXISTS (SELECT FROM notion_sync.readers)
            OR EXISTS (SELECT FROM notion_sync.views_of_nobody())
    """
    return cast(bool, await fetch_value(connection, query, user=user_id))


async def question_to_a_view(connection: Connection, user_id: str) -> str | None:
    """What shows the rows of a typed view that is there and has a database of the user; None where there is none."""
    query = """
        SELECT format('SELECT * FROM %%I.%%I', nspname, relname)
        FROM notion_sync.accounts
        JOIN notion_sync.data_sources AS known USING (user_id)
        LEFT JOIN notion_sync.databases USING (user_id, database_id)
        JOIN notion_sync.views AS made ON made.view_name = known.view_name
        JOIN pg_class ON relname = made.view_name AND relkind = 'v'
        JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname = %(schema)s
        WHERE user_id = %(user)s AND coalesce(databases.views, accounts.views)
        ORDER BY known.database_name LIMIT 1
    """
    return cast(str | None, await fetch_value(connection, query, user=user_id, schema=SCHEMA))


async def find_sources(connection: Connection, names: Collection[str] | None) -> dict[str, list[ViewSource]]:
    """The data sources of all users who want views, by view; of `names`, those that share a view with one of them."""
    found = await connection.execute(
        """
        SELECT view_name, nspname, relname, format('%%I.%%I', nspname, relname), database_name, user_id, data_source_id,
               notion_sync.bridges_of(user_id, data_source_id), notion_sync.has_bodies(user_id, data_source_id),
               coalesce((SELECT title FROM notion_sync.databases
                         WHERE (databases.user_id, databases.database_id) = (known.user_id, known.database_id)), '')
        FROM notion_sync.accounts
        JOIN notion_sync.data_sources AS known USING (user_id)
        LEFT JOIN notion_sync.databases USING (user_id, database_id)
        JOIN pg_class ON relkind IN ('r', 'p')
        JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname || '.' || relname = sync_table
        WHERE coalesce(databases.views, accounts.views) AND (
            %(names)s::text[] IS NULL
            OR view_name IN (SELECT view_name FROM notion_sync.data_sources WHERE database_name = ANY (%(names)s))
        )
        ORDER BY 1, 2, 3, 5, 6, 7
        """,
        {"names": None if names is None else list(names)},
    )
    sources: dict[str, list[ViewSource]] = {}
    async for view_name, *source in found:
        sources.setdefault(view_name, []).append(ViewSource(*source))
    return sources


async def find_columns(connection: Connection, view_names: Sequence[str]) -> dict[str, list[SharedColumn]]:
    """The columns that the data sources of each view bring into it."""
    found = await connection.execute(
        """
        SELECT DISTINCT view_name, columns.name, columns.type, columns.property_name, columns.property_type,
               columns.unfit_values > 0, columns.new_type, columns.part, whole.name
        FROM notion_sync.accounts
        JOIN notion_sync.data_sources USING (user_id)
        LEFT JOIN notion_sync.databases USING (user_id, database_id)
        JOIN notion_sync.columns USING (user_id, data_source_id)
        LEFT JOIN notion_sync.columns AS whole
            ON (whole.user_id, whole.data_source_id, whole.property_id, whole.part)
                = (columns.user_id, columns.data_source_id, columns.property_id, 'value')
        WHERE coalesce(databases.views, accounts.views) AND view_name = ANY (%s)
        """,
        (list(view_names),),
    )
    columns: dict[str, list[SharedColumn]] = {name: [] for name in view_names}
    async for view_name, *column in found:
        columns[view_name].append(SharedColumn(*column))
    return columns


async def find_existing(connection: Connection, view_names: Sequence[str]) -> dict[str, Existing]:
    """What there is of each of these views, and of those of ours that no user is behind any more."""
    found = await connection.execute(
        """
        SELECT coalesce(view_name, relname), pg_class.oid, relkind IS NOT DISTINCT FROM 'v',
               coalesce('security_invoker=true' = ANY (reloptions), false),
               coalesce(rule_xmin = (SELECT pg_rewrite.xmin FROM pg_rewrite
                                     WHERE ev_class = pg_class.oid AND rulename = '_RETURN'), false)
               AND NOT EXISTS (
                   SELECT FROM pg_rewrite
                   JOIN pg_depend ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
                        AND refclassid = 'pg_class'::regclass AND refobjsubid > 0
                   JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
                   JOIN pg_class AS read ON read.oid = refobjid
                   JOIN pg_namespace ON pg_namespace.oid = read.relnamespace
                   WHERE ev_class = pg_class.oid AND rulename = '_RETURN' AND refobjid <> pg_class.oid
                     AND nspname <> 'notion_sync'
                     AND (attname <> ALL (%(read)s) OR NOT EXISTS (
                              SELECT FROM notion_sync.data_sources WHERE sync_table = nspname || '.' || read.relname))
               ),
               ARRAY(SELECT ARRAY[attname::text, format_type(atttypid, atttypmod)] FROM pg_attribute
                     WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum),
               ARRAY(SELECT DISTINCT CASE WHEN ev_class <> pg_class.oid
                                          THEN pg_describe_object('pg_class'::regclass, ev_class, 0)
                                          ELSE pg_describe_object(classid, objid, objsubid) END
                     FROM pg_depend LEFT JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND pg_rewrite.oid = objid
                     WHERE deptype <> 'i' AND (ev_class, rulename) IS DISTINCT FROM (pg_class.oid, '_RETURN')
                       AND (refclassid = 'pg_class'::regclass AND refobjid = pg_class.oid
                            OR refclassid = 'pg_type'::regclass AND refobjid IN
                               (SELECT unnest(ARRAY[pg_type.oid, typarray]) FROM pg_type WHERE pg_type.oid = reltype))
                     ORDER BY 1),
               fingerprint, coalesce(obj_description(pg_class.oid, 'pg_class') ~ %(kept)s, false),
               notion_sync.is_view_of_ours(ARRAY(SELECT attname::text FROM pg_attribute
                                                 WHERE attrelid = pg_class.oid AND attnum > 0 ORDER BY attnum)),
               coalesce(reorder, false)
        FROM (SELECT * FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s)) AS pg_class
        FULL JOIN notion_sync.views ON view_name = relname::text
        WHERE coalesce(view_name, relname) = ANY (%(names)s)
           OR view_name IN (SELECT notion_sync.views_of_nobody())
        """,
        {"schema": SCHEMA, "names": list(view_names), "read": list(READ_COLUMNS), "kept": KEPT_BY_THE_TOOL},
    )
    return {
        name: Existing(
            *(oid, is_view, is_invoker, as_made),
            tuple((column, type_) for column, type_ in columns),
            tuple(on),
            *known,
        )
        async for name, oid, is_view, is_invoker, as_made, columns, on, *known in found
    }


async def in_the_way(connection: Connection, names: Collection[str]) -> dict[str, str]:
    """What of somebody else's has one of these names: the SQL that gives it another, by name.

    A type counts too. Whatever depends on it follows.
    """
    found = await connection.execute(
        """
        SELECT taken.name, taken.kind,
               (SELECT other FROM generate_series(2, 99) AS number,
                       LATERAL (SELECT left(taken.name, 55) || '_' || number) AS free (other)
                WHERE NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = schema.oid AND relname = other)
                  AND NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = schema.oid AND typname = other)
                ORDER BY number LIMIT 1)
        FROM pg_namespace AS schema
        CROSS JOIN LATERAL (
            SELECT relname::text AS name, CASE relkind WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind
            FROM pg_class WHERE relnamespace = schema.oid
            UNION ALL
            SELECT typname::text, CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END
            FROM pg_type WHERE typnamespace = schema.oid AND typrelid = 0
        ) AS taken
        WHERE schema.nspname = %s AND taken.name = ANY (%s)
        """,
        (SCHEMA, list(names)),
    )
    return {
        name: sql.SQL("ALTER {} {} RENAME TO {};")
        .format(sql.SQL(kind), sql.Identifier(SCHEMA, name), sql.Identifier(other))
        .as_string()
        async for name, kind, other in found
    }


async def renamed_views(connection: Connection) -> list[tuple[str, str]]:
    """The views of ours that no user needs under their names, each with the name that it is to have."""
    found = await connection.execute(
        """
        SELECT view_name, renamed_to FROM notion_sync.views
        WHERE typed_view IS NULL
          AND renamed_to IN (SELECT known.view_name FROM notion_sync.accounts
                             JOIN notion_sync.data_sources AS known USING (user_id)
                             LEFT JOIN notion_sync.databases USING (user_id, database_id)
                             WHERE coalesce(databases.views, accounts.views))
          AND view_name IN (SELECT notion_sync.views_of_nobody())
        ORDER BY view_name
        """
    )
    return await found.fetchall()


async def side_views_of(connection: Connection, view_name: str) -> list[tuple[str, str]]:
    """The views beside a typed view, each with the end of its name."""
    found = await connection.execute(
        "SELECT view_name, relation FROM notion_sync.views WHERE typed_view = %s ORDER BY 1", (view_name,)
    )
    return await found.fetchall()


async def rename(connection: Connection, view_name: str, new_name: str, typed_view: str | None) -> None:
    """Gives a view of ours another name, and with it all that depends on it; `typed_view`: the one it is beside."""
    statement = sql.SQL("ALTER VIEW {} RENAME TO {}")
    await connection.execute(statement.format(sql.Identifier(SCHEMA, view_name), sql.Identifier(new_name)))
    await connection.execute(
        "UPDATE notion_sync.views SET view_name = %s, typed_view = %s, renamed_to = NULL WHERE view_name = %s",
        (new_name, typed_view, view_name),
    )


async def record(connection: Connection, view: View, fingerprint: str, *, reorder: bool) -> None:
    """Records that a view is ours, as it was made in this transaction; `reorder`: it still waits for its new order."""
    of = (view.typed_view, view.column, view.kind) if isinstance(view, SideView) else (None, None, None)
    await connection.execute(
        """
        INSERT INTO notion_sync.views (view_name, fingerprint, typed_view, relation, kind, reorder, rule_xmin)
        SELECT %s, %s, %s, %s, %s, %s, pg_rewrite.xmin FROM pg_rewrite
        WHERE ev_class = %s::regclass AND rulename = '_RETURN'
        ON CONFLICT (view_name) DO UPDATE
        SET fingerprint = EXCLUDED.fingerprint, typed_view = EXCLUDED.typed_view, relation = EXCLUDED.relation,
            kind = EXCLUDED.kind, rule_xmin = EXCLUDED.rule_xmin, renamed_to = NULL, reorder = EXCLUDED.reorder
        """,
        (view.name, fingerprint, *of, reorder, view.identifier.as_string(connection)),
    )


async def record_left_empty(connection: Connection, view_name: str) -> None:
    """Records that a view of ours is nobody's any more, and stays, empty, since something depends on it."""
    await connection.execute(
        "UPDATE notion_sync.views SET fingerprint = %s WHERE view_name = %s", (LEFT_EMPTY, view_name)
    )


async def forget(connection: Connection, view_name: str) -> None:
    """Forgets a view of ours."""
    await connection.execute("DELETE FROM notion_sync.views WHERE view_name = %s", (view_name,))


async def comments_of(connection: Connection, oid: int) -> dict[str, str]:
    """What is said of a view's columns and, under the empty name, of itself."""
    found = await connection.execute(
        """
        SELECT coalesce(attname::text, ''), description
        FROM pg_description LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND attnum > 0
        WHERE classoid = 'pg_class'::regclass AND objoid = %s
        """,
        (oid,),
    )
    return {name: said async for name, said in found}


def comment_statements(view: View, said: dict[str, str], is_new: bool) -> list[sql.Composed]:
    """What makes the comments those of `view`, save a person's own: `said` is what there was, gone if it `is_new`."""
    known = {"", *(column.name for column in view.columns)}
    theirs = {name: text for name, text in said.items() if name in known and not text.startswith(COMMENT_MARK)}
    there = {} if is_new else said
    return [
        sql.SQL("COMMENT ON {} IS {}").format(
            sql.SQL("COLUMN {}").format(sql.Identifier(SCHEMA, view.name, name))
            if name
            else sql.SQL("VIEW {}").format(view.identifier),
            sql.Literal(text),
        )
        for name, text in {**view.comments, **theirs}.items()
        if there.get(name) != text
    ]


class Grant(Struct, frozen=True):
    """A right on a view, or on a column of it. `grantee` is None for everybody."""

    privilege: str
    grantee: str | None
    with_option: bool
    column: str | None

    def given_on(self, view: View) -> sql.Composed:
        """The statement that grants it."""
        option = sql.SQL(" WITH GRANT OPTION" if self.with_option else "")
        return sql.SQL("GRANT {}{} ON {} TO {}{}").format(
            sql.SQL(self.privilege), self._column, view.identifier, self._grantee, option
        )

    def taken_from(self, view: View) -> sql.Composed:
        """The statement that revokes it."""
        return sql.SQL("REVOKE {}{} ON {} FROM {}").format(
            sql.SQL(self.privilege), self._column, view.identifier, self._grantee
        )

    @property
    def _column(self) -> sql.Composable:
        return sql.SQL("") if self.column is None else sql.SQL(" ({})").format(sql.Identifier(self.column))

    @property
    def _grantee(self) -> sql.Composable:
        return sql.SQL("PUBLIC") if self.grantee is None else sql.Identifier(self.grantee)


async def owner_of(connection: Connection, oid: int) -> str:
    """Who owns a relation."""
    owner = await fetch_value(connection, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = %s", oid)
    return str(owner or "")


async def options_of(connection: Connection, oid: int) -> list[tuple[str, str]]:
    """The options (name, value) that a person set on a view; `security_invoker` is ours."""
    found = await connection.execute(
        "SELECT option_name, option_value FROM pg_class, pg_options_to_table(reloptions)"
        " WHERE oid = %s AND option_name <> 'security_invoker'",
        (oid,),
    )
    return await found.fetchall()


async def grants_of(connection: Connection, oid: int) -> list[Grant]:
    """The rights that others than its owner have on a relation and on its columns."""
    found = await connection.execute(
        """
        SELECT privilege_type, pg_roles.rolname, is_grantable, attname
        FROM (SELECT relowner, NULL::name AS attname, relacl AS acl FROM pg_class WHERE oid = %(oid)s
              UNION ALL
              SELECT relowner, attname, attacl FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
              WHERE pg_class.oid = %(oid)s AND NOT attisdropped) AS granted,
             aclexplode(acl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
        WHERE grantee <> relowner
        ORDER BY attname NULLS FIRST, rolname NULLS FIRST, privilege_type
        """,
        {"oid": oid},
    )
    return [Grant(*row) async for row in found]
