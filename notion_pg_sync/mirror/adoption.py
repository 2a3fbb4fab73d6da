"""Making sync tables fit, whether an application made them before or they are not there yet.

What a table is like is read from the catalog into a `TableState`; what has to change follows from that alone
(`changes_to`), so that `init` can show it before anything is touched.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct, field
from psycopg import sql

from notion_pg_sync.core.columns import MAX_NAME_BYTES
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.page_ids import IdSpelling, PageIds, inspect_page_ids, removal_of_duplicates, trigger_on
from notion_pg_sync.mirror.page_uuids import filling, filling_in_batches, uuid_trigger_on
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.tables import (
    ColumnDefinition,
    Misfit,
    SyncTable,
    columns_of,
    fits,
    lost_column,
    others_column,
    wrong_type,
)
from notion_pg_sync.mirror.trust import OwnedRelation, roles_of

# Types that SQL itself has words for; others are named by their schema.
_OF_THE_GRAMMAR = frozenset({"boolean", "integer", "timestamp with time zone"})


# The policy by which every role sees the rows of its user.
TENANT_POLICY = "notion-pg-sync tenant"
_KEY = ("user_id", "notion_page_id")
# The indexes beside the key, by what they find rows by.
_INDEXES = {
    "data_source": ("user_id", "notion_data_source_id"),
    "page": ("page_id",),
    "edit": ("notion_edited_at",),
}


class UniqueIndex(Struct, frozen=True):
    """A unique index; `constraint` names the constraint that it serves, if it does."""

    name: str
    columns: tuple[str, ...]
    is_partial: bool
    constraint: str | None
    referencing_keys: tuple[str, ...] = ()


class ExistingColumn(Struct, frozen=True):
    """A column as the catalog has it."""

    type: str
    must_be_given: bool


class TableState(Struct, frozen=True):
    """A relation as it is in the database before `init`; `owner_is_trusted`: it may count (trust.py).

    `indexes`: the columns of those that are whole; `unfinished_indexes`: the names of those whose building was cut off.
    `stores_fields_plain`: somebody said how values are stored that are long, or it has no values of its own.
    """

    owned: bool
    owner: str
    columns: dict[str, ExistingColumn]
    owner_is_trusted: bool = True
    unique_indexes: tuple[UniqueIndex, ...] = ()
    row_security: bool = False
    policies: frozenset[str] = frozenset()
    indexes: frozenset[tuple[str, ...]] = frozenset()
    unfinished_indexes: frozenset[str] = frozenset()
    is_partitioned: bool = False
    foreign_keys_to_it: tuple[str, ...] = ()
    page_ids: PageIds = field(default_factory=PageIds)
    stores_fields_plain: bool = False


class Change(Struct, frozen=True):
    """One statement of `init` and, for people, what it does."""

    says: str
    statement: sql.Composed


class Index(Struct, frozen=True):
    """An index that a table is to have; `is_unfinished`: there is one of its name, whose building was cut off.

    On a partitioned table PostgreSQL builds none `CONCURRENTLY`.
    """

    says: str
    name: str
    table: SyncTable
    columns: tuple[str, ...]
    is_unique: bool = False
    is_unfinished: bool = False
    on_partitions: bool = False

    def changes(self, *, concurrently: bool) -> list[Change]:
        """Statements that make it, one by one: what is left of one that was cut off goes first.

        `concurrently`: outside of any transaction, and nobody waits; else writers do.
        """
        before = [self.dropping(concurrently=concurrently)] if self.is_unfinished else []
        return [*before, self.building(concurrently=concurrently)]

    def building(self, *, concurrently: bool) -> Change:
        """The last of these statements."""
        statement = sql.SQL("CREATE {}{} IF NOT EXISTS {} ON {} ({})").format(
            sql.SQL("UNIQUE INDEX" if self.is_unique else "INDEX"),
            self._how(concurrently),
            sql.Identifier(self.name),
            self.table.identifier,
            sql.SQL(", ").join(map(sql.Identifier, self.columns)),
        )
        return Change(self.says, statement)

    def dropping(self, *, concurrently: bool) -> Change:
        """The statement that takes away what a building left that was cut off."""
        name = sql.Identifier(self.table.schema, self.name)
        return Change(
            f"drop the index {self.name}, whose building was cut off",
            sql.SQL("DROP INDEX{} IF EXISTS {}").format(self._how(concurrently), name),
        )

    def _how(self, concurrently: bool) -> sql.SQL:
        return sql.SQL(" CONCURRENTLY" if concurrently and not self.on_partitions else "")


class RowChanges(Struct, frozen=True):
    """What is to change in the rows of a table: `page_id` where it is not the page's, the spelling of `notion_page_id`.

    `spelling` is how the table writes page ids. `rows`: how many there are in all. `may_remove`: no foreign key points
    at rows, which would go with them or hold them.
    """

    table: SyncTable
    spelling: IdSpelling
    rows: int = 0
    duplicates: int = 0
    misspelled: int = 0
    unlike: int = 0
    may_remove: bool = True

    @property
    def removes(self) -> Change:
        """What leaves one row of each page."""
        many = plural(self.duplicates, "duplicate row")
        return Change(
            f"move {many} to notion_sync.removed_pages (of each page the newest row stays)",
            removal_of_duplicates(self.table.identifier, self.table.qualified_name),
        )

    @property
    def fills_in_batches(self) -> Change:
        """The rest as one statement, which commits by itself."""
        statement = filling_in_batches(self.table.identifier, self.spells)
        return Change(f"{self._fills}, some thousand at a time", statement)

    @property
    def fills_at_once(self) -> Change:
        """The rest as one statement, for a transaction, and for whatever rows there are."""
        return Change(self._fills, filling(self.table.identifier, self.spelling))

    @property
    def spells(self) -> IdSpelling | None:
        """How ids are to be written, where any is written otherwise."""
        return self.spelling if self.misspelled else None

    @property
    def to_fill(self) -> bool:
        """Whether any row is to be filled or spelled."""
        return bool(self.misspelled or self.unlike)

    @property
    def _fills(self) -> str:
        parts = []
        if self.misspelled:
            parts.append(f"write {plural(self.misspelled, 'page id')} {self.spelling.words}, as the others are")
        if self.unlike or not parts:
            parts.append(f"fill page_id in {plural(self.unlike, 'row')}")
        return ", and ".join(parts)


class Changes(Struct):
    """What `init` has to do to one relation.

    `creates`: it is not there yet. `adopts`: it is somebody's already, namely of the role `belongs_to`, so `init` asks
    first. `problems` stand in the way (`remedies` has the SQL to type, by problem, where there is some); `warnings` and
    `keys_of_its_own`, which rows of Notion may not meet, do not. `owner` is the role that has to run the changes where
    the current one may not. `distrusted`: nobody has said that its owner is trusted.

    `changes` take a moment each, and come first, in one transaction. From then on new rows are as they are to be, and
    what takes long where there are many rows needs no lock that stops readers or writers for long: the rows that are
    there (`in_rows`; those of a page that has several, before the `key`), the `key`, then `narrow_keys`, which it makes
    needless, and `indexes`. Each is done or not, wherever it is cut off.
    """

    relation: str
    creates: bool = False
    adopts: bool = False
    belongs_to: str | None = None
    owner: str | None = None
    distrusted: OwnedRelation | None = None
    changes: list[Change] = field(default_factory=list)
    in_rows: RowChanges | None = None
    key: Index | None = None
    narrow_keys: list[Change] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    keys_of_its_own: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remedies: dict[str, str] = field(default_factory=dict)

    @property
    def every(self) -> list[Change]:
        """All changes, in order; each statement can be run by itself, and not all of them in one transaction."""
        rows = self.in_rows
        return [
            *self.changes,
            *([rows.removes] if rows and rows.duplicates else []),
            *(self.key.changes(concurrently=False) if self.key else []),
            *self.narrow_keys,
            *([rows.fills_in_batches] if rows and rows.to_fill else []),
            *(change for index in self.indexes for change in index.changes(concurrently=False)),
        ]

    def misfits(self, column: Misfit) -> None:
        """Adds a problem with a column, for which there is SQL to type."""
        self.problems.append(column.sentence)
        self.remedies[column.sentence] = column.remedy

    def add(self, says: str, statement: sql.Composed) -> None:
        """Adds a change."""
        self.changes.append(Change(says, statement))


def changes_to(
    table: SyncTable,
    found: TableState | None,
    role: str,
    *,
    row_security: bool,
    favoured: Sequence[str | None] = (),
    taken: Collection[str] = (),
) -> Changes:
    """What makes `table` fit for the tool.

    `found` is None where there is no such table. `role` is the tool's own. `row_security` switches row level security
    on for a table that an application made. `favoured`: as `favoured_by_default` says; `taken`: as `taken_names` does.
    """
    if found is None:
        return _creation(table, role, favoured, taken)
    plan = Changes(
        table.qualified_name,
        adopts=True,
        belongs_to=found.owner,
        owner=None if found.owned else found.owner,
    )
    _add_missing_columns(plan, table, found)
    if not plan.problems:
        _replace_narrow_keys(plan, table, found)
        _spell_alike(plan, table, found)
        _follow_page_ids(plan, table, found)
        plan.key = _missing_key(table, found, taken)
        if not found.stores_fields_plain:
            plan.changes.append(storing_fields_plain(table.identifier))
        plan.indexes += _missing_indexes(table, found, taken)
        _tell_other_keys(plan, table, found)
    _secure(plan, table, found, role, row_security=row_security)
    return plan


def securing(table: SyncTable, found: TableState, role: str) -> list[Change]:
    """What guards `table` by row level security, where something is missing: policies, and the switch."""
    plan = Changes(table.qualified_name)
    _secure(plan, table, found, role, row_security=True)
    return plan.changes


def own_policy(role: str) -> str:
    """The name of the policy that lets the tool, which works as `role`, see every row of a table."""
    return f"notion-pg-sync as {role}"[:MAX_NAME_BYTES]


def letting_write(table: sql.Identifier, role: str) -> sql.Composed:
    """The statement that makes the policy by which the tool sees and writes every row of a table."""
    return sql.SQL("CREATE POLICY {} ON {} TO {} USING (true) WITH CHECK (true)").format(
        sql.Identifier(own_policy(role)), table, sql.Identifier(role)
    )


def _creation(table: SyncTable, role: str, favoured: Sequence[str | None], taken: Collection[str]) -> Changes:
    plan = Changes(table.qualified_name, creates=True)
    definitions = sql.SQL(",\n    ").join(_definition(column) for column in columns_of(table))
    plan.add("create the table", sql.SQL("CREATE TABLE {} (\n    {}\n)").format(table.identifier, definitions))
    plan.changes.append(storing_fields_plain(table.identifier))
    plan.changes += revocations(table.identifier, favoured)
    nothing = TableState(owned=True, owner=role, columns={})
    _spell_alike(plan, table, nothing)
    _follow_page_ids(plan, table, nothing)
    plan.add(
        "add the unique key (user_id, notion_page_id)",
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE (user_id, notion_page_id)").format(
            table.identifier, sql.Identifier(_free(f"{table.name[:50]}_page_key", taken))
        ),
    )
    for index in _missing_indexes(table, nothing, taken):
        plan.changes += index.changes(concurrently=False)
    _secure(plan, table, nothing, role, row_security=True)
    return plan


def storing_fields_plain(table: sql.Identifier) -> Change:
    """What keeps `fields` as it is within a row of up to half a page, and puts `properties` elsewhere.

    A typed view has an expression over `fields` for each column, and PostgreSQL would decompress it once for each.
    """
    return Change(
        "store fields uncompressed, which makes typed views several times as fast",
        sql.SQL("ALTER TABLE {} ALTER COLUMN fields SET STORAGE MAIN, SET (toast_tuple_target = 4080)").format(table),
    )


def revocations(table: sql.Identifier, roles: Sequence[str | None]) -> list[Change]:
    """What takes from `roles` (None: everybody) the rights on a table of ours that are as good as its owner's.

    A trigger runs with the rights of whoever writes to the table, and no policy keeps anybody from TRUNCATE.
    """
    if not roles:
        return []
    return [
        Change(
            f"take TRIGGER and TRUNCATE from {', '.join(role or 'everybody' for role in roles)}",
            sql.SQL("REVOKE TRIGGER, TRUNCATE ON {} FROM {} CASCADE").format(table, grantees(roles)),
        )
    ]


def grantees(roles: Sequence[str | None]) -> sql.Composed:
    """Roles (None: everybody) as GRANT and REVOKE name them."""
    return sql.SQL(", ").join(sql.SQL("PUBLIC") if role is None else sql.Identifier(role) for role in roles)


async def favoured_by_default(connection: Connection, schema: str) -> list[str | None]:
    """The roles (None: everybody) that get TRIGGER or TRUNCATE on any table that the current role makes in `schema`."""
    found = await connection.execute(
        """
        SELECT DISTINCT rolname
        FROM pg_default_acl CROSS JOIN aclexplode(defaclacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
        WHERE defaclobjtype = 'r' AND defaclrole = current_user::regrole AND grantee <> defaclrole
          AND (defaclnamespace = 0 OR defaclnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s))
          AND privilege_type IN ('TRIGGER', 'TRUNCATE')
        ORDER BY rolname NULLS FIRST
        """,
        (schema,),
    )
    return [role async for (role,) in found]


def _definition(column: ColumnDefinition) -> sql.Composed:
    declared = sql.SQL(column.type) if column.type in _OF_THE_GRAMMAR else sql.Identifier("pg_catalog", column.type)
    parts = [sql.Identifier(column.name), declared]
    if column.constraint:
        parts.append(sql.SQL(column.constraint))
    return sql.SQL(" ").join(parts)


def _add_missing_columns(plan: Changes, table: SyncTable, found: TableState) -> None:
    wanted = {column.name: column for column in columns_of(table)}
    missing = [column for column in wanted.values() if column.name not in found.columns]
    there = {name: existing.type for name, existing in found.columns.items()}
    if lost := [column for column in missing if column.is_needed]:
        for column in lost:
            plan.misfits(lost_column(table, column, there))
        return
    if found.page_ids.are_others:
        plan.misfits(others_column(table, "page_id", "holds other ids than those of the rows' pages", there))
    for name, existing in found.columns.items():
        if name in wanted and not fits(wanted[name], existing.type):
            plan.misfits(wrong_type(table, wanted[name], there))
        if name not in wanted and existing.must_be_given:
            plan.problems.append(
                f"{table.qualified_name}.{name} is NOT NULL without a default, and the tool does not set it: "
                "give it a default first."
            )
    if missing and not plan.problems:
        additions = sql.SQL(", ").join(sql.SQL("ADD COLUMN ") + _definition(column) for column in missing)
        plan.add(
            f"add the columns {', '.join(column.name for column in missing)}",
            sql.SQL("ALTER TABLE {} {}").format(table.identifier, additions),
        )


def _replace_narrow_keys(plan: Changes, table: SyncTable, found: TableState) -> None:
    """Drops keys on the page id alone, under which two users cannot share a page."""
    for index in found.unique_indexes:
        if index.columns != ("notion_page_id",):
            continue
        if index.referencing_keys:
            plan.problems.append(
                f"the key {index.name} of {table.qualified_name} lets a page belong to one user only, and foreign "
                f"keys need it ({', '.join(index.referencing_keys)}): let them refer to another key first."
            )
            continue
        if index.constraint:
            statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(
                table.identifier, sql.Identifier(index.constraint)
            )
        else:
            statement = sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(table.schema, index.name))
        plan.narrow_keys.append(
            Change(f"drop the unique key {index.name} on the page id alone (two users may share a page)", statement)
        )
        plan.warnings.append(
            f"an ON CONFLICT (notion_page_id) of the application on {table.qualified_name} stops working: "
            "let it say ON CONFLICT (user_id, notion_page_id)."
        )


def _spell_alike(plan: Changes, table: SyncTable, found: TableState) -> None:
    """Sees to it that all rows write page ids in one way, so that the key holds each page once."""
    ids = found.page_ids
    if ids.duplicates and found.foreign_keys_to_it:
        plan.problems.append(
            f"{table.qualified_name} holds {plural(ids.duplicates, 'page')} twice, and foreign keys point at it "
            f"({', '.join(found.foreign_keys_to_it)}): remove the duplicate rows first."
        )
        return
    if not ids.are_kept_alike:
        plan.add(
            f"add a trigger that writes every page id {ids.spelling.words}, so that a page has one row however its id "
            "is written",
            trigger_on(table.identifier, ids.spelling),
        )


def _follow_page_ids(plan: Changes, table: SyncTable, found: TableState) -> None:
    """Sees to it that `page_id` is the id of each row's page."""
    ids = found.page_ids
    if not ids.are_followed:
        plan.add("add a trigger that keeps page_id, whoever writes a row", uuid_trigger_on(table.identifier))
    plan.in_rows = RowChanges(
        table,
        ids.spelling,
        ids.rows,
        ids.duplicates,
        ids.misspelled,
        ids.unlike,
        may_remove=not found.foreign_keys_to_it,
    )


def _missing_key(table: SyncTable, found: TableState, taken: Collection[str]) -> Index | None:
    if _has_key(found.unique_indexes):
        return None
    key = _free(f"{table.name[:50]}_page_key", {*taken} - found.unfinished_indexes)
    return _index("add the unique key (user_id, notion_page_id)", key, table, found, _KEY)


def _missing_indexes(table: SyncTable, found: TableState, taken: Collection[str]) -> list[Index]:
    return [
        _index(
            f"add an index by {name.replace('_', ' ')}",
            _free(f"{table.name[:45]}_by_{name}", {*taken} - found.unfinished_indexes),
            table,
            found,
            columns,
        )
        for name, columns in _INDEXES.items()
        if not any(there[: len(columns)] == columns for there in found.indexes)
    ]


def _index(says: str, name: str, table: SyncTable, found: TableState, columns: tuple[str, ...]) -> Index:
    return Index(
        says,
        name,
        table,
        columns,
        is_unique=columns == _KEY,
        is_unfinished=name in found.unfinished_indexes,
        on_partitions=found.is_partitioned,
    )


def _tell_other_keys(plan: Changes, table: SyncTable, found: TableState) -> None:
    """Takes note of keys that Notion does not know: two pages may have the same there, and the second is refused."""
    for index in found.unique_indexes:
        columns = set(index.columns)
        if "id" in columns or "notion_page_id" in columns:
            continue
        over = f" ({', '.join(index.columns)})" if index.columns and not index.is_partial else ""
        plan.keys_of_its_own.append(
            f"the unique key {index.name}{over} of {table.qualified_name} is unknown to Notion: of pages that are the "
            "same there only one can be stored, and each run names the others"
        )


def _free(name: str, taken: Collection[str]) -> str:
    """The name or, where an index has it already, for example of a table that was renamed, one that is like it."""
    names = (name, *(f"{name}_{number}" for number in range(2, len(taken) + 3)))
    return next(one for one in names if one not in taken)


def _has_key(unique_indexes: Sequence[UniqueIndex]) -> bool:
    full_keys = (index for index in unique_indexes if not index.is_partial)
    return any({*index.columns} == {*_KEY} for index in full_keys)


def _secure(plan: Changes, table: SyncTable, found: TableState, role: str, *, row_security: bool) -> None:
    if own_policy(role) not in found.policies:
        plan.add(f"let {role} write every row", letting_write(table.identifier, role))
    if not row_security:
        if not found.row_security:
            plan.warnings.append(
                f"row level security is off on {table.qualified_name}: every role that may read it reads every user's "
                "rows. 'init --row-security' enables it; give the application's roles their policies first ('init "
                "--role' makes those of tenants)."
            )
        return
    if TENANT_POLICY not in found.policies:
        plan.add(
            "let a tenant read their own rows (notion_sync.current_user_id())",
            qualified(
                "CREATE POLICY {name} ON {table} FOR SELECT USING (user_id {=} notion_sync.current_user_id())",
                name=sql.Identifier(TENANT_POLICY),
                table=table.identifier,
            ),
        )
    if not found.row_security:
        plan.add(
            "enable row level security", sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table.identifier)
        )


async def inspect(connection: Connection, table: SyncTable, trusted: Collection[str] = ()) -> TableState | None:
    """What the catalog and the rows say of `table`; None where there is none.

    Rows are looked at only where the owner counts or is one of `trusted`: policies of anybody else's table, and views,
    would run their functions with the rights of this role.
    """
    row = await (
        await connection.execute(
            """
            SELECT oid, pg_has_role(relowner, 'USAGE'), relowner, relrowsecurity,
                   relkind = 'p' OR (
                       EXISTS (SELECT FROM pg_options_to_table(reloptions) WHERE option_name = 'toast_tuple_target')
                       AND EXISTS (SELECT FROM pg_attribute
                                   WHERE attrelid = pg_class.oid AND attname = 'fields' AND attstorage <> 'x')),
                   relkind = 'p',
                   ARRAY(SELECT of_index.relname::text
                         FROM pg_index JOIN pg_class AS of_index ON of_index.oid = indexrelid
                         WHERE indrelid = pg_class.oid AND NOT indisvalid)
            FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relname = %s
            """,
            (table.schema, table.name),
        )
    ).fetchone()
    if row is None:
        return None
    oid, owned, owner, row_security, stores_fields_plain, is_partitioned, unfinished_indexes = row
    role = (await roles_of(connection, [owner]))[owner]
    columns = await _columns(connection, oid)
    unique_indexes = await _unique_indexes(connection, oid)
    page_ids = PageIds()
    may_look = role.is_trusted or role.name in trusted
    if may_look and {"user_id", "notion_page_id"} <= columns.keys():
        page_ids = await inspect_page_ids(
            connection,
            table.identifier,
            oid,
            has_key=_has_key(unique_indexes),
            has_uuid="page_id" in columns and columns["page_id"].type == "uuid",
        )
    return TableState(
        owned=owned,
        owner=role.name,
        owner_is_trusted=role.is_trusted,
        columns=columns,
        unique_indexes=unique_indexes,
        row_security=row_security,
        policies=frozenset(await _names(connection, "SELECT polname FROM pg_policy WHERE polrelid = %s", oid)),
        indexes=await _indexes(connection, oid),
        unfinished_indexes=frozenset(unfinished_indexes),
        is_partitioned=is_partitioned,
        foreign_keys_to_it=tuple(
            await _names(
                connection,
                "SELECT conrelid::regclass || '.' || conname FROM pg_constraint WHERE contype = 'f' AND confrelid = %s",
                oid,
            )
        ),
        page_ids=page_ids,
        stores_fields_plain=stores_fields_plain,
    )


async def _columns(connection: Connection, oid: int) -> dict[str, ExistingColumn]:
    found = await connection.execute(
        """
        SELECT attname, format_type(atttypid, atttypmod), attnotnull AND NOT atthasdef AND attidentity = ''
        FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped
        """,
        (oid,),
    )
    return {name: ExistingColumn(type_, must_be_given) async for name, type_, must_be_given in found}


async def _unique_indexes(connection: Connection, oid: int) -> tuple[UniqueIndex, ...]:
    found = await connection.execute(
        """
        SELECT pg_class.relname, indpred IS NOT NULL OR indexprs IS NOT NULL,
               (SELECT array_agg(attname::text ORDER BY position)
                FROM unnest(indkey::smallint[]) WITH ORDINALITY AS key (attnum, position)
                JOIN pg_attribute ON attrelid = indrelid AND pg_attribute.attnum = key.attnum
                WHERE position <= indnkeyatts),
               (SELECT conname FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('u', 'p')),
               ARRAY(SELECT conrelid::regclass || '.' || conname
                     FROM pg_constraint WHERE conindid = indexrelid AND contype = 'f')
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE indrelid = %s AND indisunique AND indisvalid
        ORDER BY pg_class.relname
        """,
        (oid,),
    )
    return tuple(
        [
            UniqueIndex(name, tuple(columns or ()), is_partial, constraint, tuple(keys))
            async for name, is_partial, columns, constraint, keys in found
        ]
    )


async def _indexes(connection: Connection, oid: int) -> frozenset[tuple[str, ...]]:
    found = await connection.execute(
        """
        SELECT ARRAY(SELECT coalesce(attname::text, '')
                     FROM unnest(indkey::smallint[]) WITH ORDINALITY AS key (attnum, position)
                     LEFT JOIN pg_attribute ON attrelid = indrelid AND pg_attribute.attnum = key.attnum
                     ORDER BY position)
        FROM pg_index WHERE indrelid = %s AND indpred IS NULL AND indisvalid
        """,
        (oid,),
    )
    return frozenset([tuple(columns) async for (columns,) in found])


async def taken_names(connection: Connection, schema: str) -> set[str]:
    """The names of indexes that a new one of a sync table cannot have."""
    found = await connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relkind IN ('i', 'I')",
        (schema,),
    )
    return {name async for (name,) in found}


async def _names(connection: Connection, query: str, oid: int) -> list[str]:
    found = await connection.execute(query, (oid,))
    return [name async for (name,) in found]
