"""Pure: what a reader's role (`grant-reader`) is to have, and the statements that bring it there.

A reader of one user is kept to their rows by a restrictive policy on every table that has a user, since any session can
set `app.user_id`. The policies name nobody, for every role can read them: they ask `notion_sync.user_of_reader()`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.core.columns import MAX_NAME_BYTES
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.typed_sql import typed

# What typed views, search and the history read of notion_sync: whole tables, or these columns.
READ_OF_OURS: Mapping[str, tuple[str, ...]] = {
    "columns": ("user_id", "data_source_id", "name", "property_type"),
    "data_sources": (
        *("user_id", "data_source_id", "database_id", "database_name", "view_name", "sync_table"),
        "history_since",
    ),
    "databases": ("user_id", "database_id", "former_since", "former_titles"),
    "files": (),
    "options": (),
    "page_bodies": (),
    "page_changes": (),
    "page_files": (),
    "pages": ("user_id", "page_id", "data_source_id", "given"),
    "readers": (),
    "search_documents": (),
    "users": (),
    "view_sources": (),
}
OWNERS_SEARCH = "notion_sync.own_search_matches(tsquery, text[], integer)"
# Policies of others on our tables are told from these by how they begin (00_state.sql).
READS, LIMIT = "reader ", "limit of reader "
_ITS_USERS_ROWS = "user_id::pg_catalog.text OPERATOR(pg_catalog.=) (SELECT notion_sync.user_of_reader())"
# The same as pg_get_expr() writes it, of a column that is text and of one that is not.
_ITS_USERS_ROWS_AS_KEPT = frozenset(
    f"({column} = ( SELECT notion_sync.user_of_reader() AS user_of_reader))"
    for column in ("user_id", "(user_id)::text")
)


class Reader(Struct, frozen=True):
    """A role that reads, and whose rows: those of one user, or (`user_id` None) everybody's."""

    role: str
    user_id: str | None = None

    @property
    def identifier(self) -> sql.Identifier:
        """The role, to be composed into a statement."""
        return sql.Identifier(self.role)

    @property
    def policy_names(self) -> tuple[str, str]:
        """The policies of a table that are this reader's: the one that lets it read, the one that limits it."""
        return _policy_name(READS, self.role), _policy_name(LIMIT, self.role)


def _policy_name(beginning: str, role: str) -> str:
    name = beginning + role
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    return beginning + hashlib.sha256(role.encode()).hexdigest()[:32]


class KeptPolicy(Struct, frozen=True):
    """A policy of a table as it is. `is_as_made`: for SELECT, and for the reader's role alone."""

    permissive: bool
    is_as_made: bool
    using: str


def all_rows_as_kept(readers_oid: int) -> str:
    """Every row, in the database where the table `notion_sync.readers` has this oid, as pg_get_expr() writes it.

    The planner takes it for true, so that it costs nothing; where a dump was restored, it is false.
    """
    return f"(('notion_sync.readers'::regclass)::oid = '{readers_oid}'::oid)"


def _all_rows(readers_oid: int) -> str:
    here = "'notion_sync.readers'::pg_catalog.regclass::pg_catalog.oid"
    return f"{here} OPERATOR(pg_catalog.=) '{readers_oid}'::pg_catalog.oid"


class Policy(Struct, frozen=True):
    """A policy as it is to be; `as_kept`: how pg_get_expr() may write `using`."""

    permissive: bool
    using: str
    as_kept: frozenset[str]

    def is_kept_by(self, kept: KeptPolicy | None) -> bool:
        """Whether the policy that there is does the same."""
        if kept is None or not kept.is_as_made or kept.permissive != self.permissive:
            return False
        return kept.using in self.as_kept


@dataclass(frozen=True)
class Granted(ABC):
    """Something on which a reader needs rights; `owned`: the session has its owner's."""

    owner: str
    owned: bool

    @abstractmethod
    def in_words(self) -> str:
        """What it is, for people."""

    @abstractmethod
    def lacking(self, reader: Reader) -> list[sql.Composed]:
        """The statements that make of what the reader has there what it is to have."""

    @abstractmethod
    def withdrawal(self, reader: Reader) -> list[sql.Composed]:
        """The statements that take from the reader what it has of its own there."""


@dataclass(frozen=True)
class Place(Granted):
    """The database, or a schema of it: whoever reads there has to have the right to use it.

    `is_granted`: the reader has the right in its own name.
    """

    kind: str
    name: str
    privilege: str
    can_use: bool
    is_granted: bool

    def in_words(self) -> str:
        """See `Granted.in_words`."""
        return f"the {self.kind.lower()} {self.name}"

    def lacking(self, reader: Reader) -> list[sql.Composed]:
        """See `Granted.lacking`."""
        return [] if self.can_use else [self._statement("GRANT {} ON {} {} TO {}", reader)]

    def withdrawal(self, reader: Reader) -> list[sql.Composed]:
        """See `Granted.withdrawal`."""
        return [self._statement("REVOKE {} ON {} {} FROM {}", reader)] if self.is_granted else []

    def _statement(self, text: str, reader: Reader) -> sql.Composed:
        words = sql.SQL(self.privilege), sql.SQL(self.kind), sql.Identifier(self.name)
        return sql.SQL(text).format(*words, reader.identifier)


@dataclass(frozen=True)
class OwnersSearch(Granted):
    """The function that searches with its owner's rights, and goes by `app.user_id`: not for a reader of one user.

    `is_granted`: the reader has the right to call it in its own name.
    """

    is_granted: bool

    def in_words(self) -> str:
        """See `Granted.in_words`."""
        return OWNERS_SEARCH

    def lacking(self, reader: Reader) -> list[sql.Composed]:
        """See `Granted.lacking`."""
        return [] if reader.user_id is None else self.withdrawal(reader)

    def withdrawal(self, reader: Reader) -> list[sql.Composed]:
        """See `Granted.withdrawal`."""
        return [_taking_owners_search(reader.identifier)] if self.is_granted else []


def _taking_owners_search(grantee: sql.Composable) -> sql.Composed:
    return sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM {}").format(sql.SQL(OWNERS_SEARCH), grantee)


class Kind(StrEnum):
    """What a relation is to the tool. `LEFT`: nothing any more, but the reader still has of it what it was given."""

    VIEW = "view"
    SYNC_TABLE = "sync table"
    PARTITION = "partition of a sync table"
    BOOKKEEPING = "bookkeeping"
    LEFT = "left"


@dataclass(frozen=True)
class Relation(Granted):
    """Something of the tool that can be read, and what the reader has of it.

    `has_user`: it has a column that says whose a row is.
    `row_security`: it is on, or counts for whoever reads the view. `can_read`: the reader may read of it what it is to;
    `is_granted`: it has a right of its own on the whole or on columns. `policies`: those of ours that have the reader's
    name, or are for its role alone. `readers_oid`: see `all_rows_as_kept`.
    """

    schema: str
    name: str
    kind: Kind
    has_user: bool
    row_security: bool
    can_read: bool
    is_granted: bool
    policies: Mapping[str, KeptPolicy]
    readers_oid: int

    @property
    def is_view(self) -> bool:
        """Whether it is a typed view, or the view of changes."""
        return self.kind is Kind.VIEW

    @property
    def is_shown(self) -> bool:
        """Whether readers are to find it: a typed view or a sync table."""
        return self.kind in (Kind.VIEW, Kind.SYNC_TABLE)

    @property
    def is_guarded(self) -> bool:
        """Whether policies keep rows of it from a reader."""
        return self.row_security or not self.has_user

    @property
    def identifier(self) -> sql.Identifier:
        """Its name, to be composed into a statement."""
        return sql.Identifier(self.schema, self.name)

    def in_words(self) -> str:
        """See `Granted.in_words`."""
        return f"{self.schema}.{self.name}"

    def is_for(self, reader: Reader) -> bool:
        """Whether the reader is to read it: not what would show a reader of one user everybody's rows."""
        return self._is_read and (reader.user_id is None or self.is_guarded)

    @property
    def _is_read(self) -> bool:
        return self.is_shown or (self.kind is Kind.BOOKKEEPING and self.name in READ_OF_OURS)

    def lacking(self, reader: Reader) -> list[sql.Composed]:
        """See `Granted.lacking`."""
        if self.kind is Kind.LEFT:
            return []
        # Policies first: no moment in which it reads without.
        wanted = self._policies_for(reader)
        statements = []
        for name in sorted({*reader.policy_names, *self.policies}, reverse=True):
            kept, policy = self.policies.get(name), wanted.get(name)
            if kept and not (policy and policy.is_kept_by(kept)):
                statements.append(self._dropping(name))
            if policy and not policy.is_kept_by(kept):
                statements.append(self._making(name, policy, reader))
        if self.is_for(reader) and not self.can_read:
            columns = READ_OF_OURS.get(self.name, ()) if not self.is_shown else ()
            named = sql.SQL(", ").join(map(sql.Identifier, columns))
            right = sql.SQL("SELECT ({})").format(named) if columns else sql.SQL("SELECT")
            statements.append(sql.SQL("GRANT {} ON {} TO {}").format(right, self.identifier, reader.identifier))
        elif self.is_granted and self._would_show_too_much(reader):
            statements.append(self._revoking(reader))
        return statements

    def withdrawal(self, reader: Reader) -> list[sql.Composed]:
        """See `Granted.withdrawal`."""
        # What somebody granted beside goes too: without the limit it would show other users' rows.
        revocations = [self._revoking(reader)] if self.is_granted else []
        return revocations + [self._dropping(name) for name in self.policies]

    def _would_show_too_much(self, reader: Reader) -> bool:
        """Whether whoever grants the reader a right on it shows it every user's rows."""
        is_open = (self._is_read or self.kind is Kind.PARTITION) and not self.is_guarded
        return is_open and reader.user_id is not None

    def is_open_to(self, reader: Reader) -> bool:
        """Whether it is to be guarded first: what is shown, and a partition that the reader may read by itself."""
        return self._would_show_too_much(reader) and (self.is_shown or self.can_read)

    def _policies_for(self, reader: Reader) -> dict[str, Policy]:
        """By name. The limit is on what the reader is not to read too, whoever grants that."""
        if self.is_view or not self.has_user or self.name == "readers":
            return {}
        if self.kind is Kind.PARTITION and not self.row_security:
            return {}
        using, as_kept = _ITS_USERS_ROWS, _ITS_USERS_ROWS_AS_KEPT
        if reader.user_id is None:
            using, as_kept = _all_rows(self.readers_oid), frozenset({all_rows_as_kept(self.readers_oid)})
        reads, limit = reader.policy_names
        permission = {reads: Policy(True, using, as_kept)} if self._is_read else {}
        return {**permission, limit: Policy(False, using, as_kept)}

    def _making(self, name: str, policy: Policy, reader: Reader) -> sql.Composed:
        return sql.SQL("CREATE POLICY {} ON {} AS {} FOR SELECT TO {} USING ({})").format(
            sql.Identifier(name),
            self.identifier,
            sql.SQL("PERMISSIVE" if policy.permissive else "RESTRICTIVE"),
            reader.identifier,
            sql.SQL(policy.using),
        )

    def _dropping(self, name: str) -> sql.Composed:
        return sql.SQL("DROP POLICY {} ON {}").format(sql.Identifier(name), self.identifier)

    def _revoking(self, reader: Reader) -> sql.Composed:
        return sql.SQL("REVOKE SELECT ON {} FROM {}").format(self.identifier, reader.identifier)


class ReaderRole(Struct, frozen=True):
    """What the server knows of a role.

    `attributes`, as ALTER ROLE takes them away; `owns`: of what matters here; `member_of`: the roles as which it may
    work; `reads_tokens_as`: the roles by whose rights it may read tokens in `user_settings`, itself and PUBLIC among
    them; `everybody_searches`: PUBLIC may call `own_search_matches`.
    """

    attributes: tuple[str, ...]
    owns: tuple[str, ...]
    member_of: tuple[str, ...]
    reads_tokens_as: tuple[str, ...]
    everybody_searches: bool


def why_no_reader(reader: Reader, role: ReaderRole, settings: sql.Identifier) -> tuple[str, str]:
    """Why the role cannot be this reader, in words, and the statements that change it; two empty texts where it can.

    `settings`: the table `user_settings`.
    """
    named = reader.identifier
    if "SUPERUSER" in role.attributes:
        return "is a superuser, so nothing limits it", ""
    if role.owns:
        return f"owns {', '.join(role.owns)}, so nothing limits it", ""
    if role.reads_tokens_as:
        fixes = [_taking_tokens(reader, one, settings) for one in role.reads_tokens_as]
        return "may read tokens in user_settings", typed(*fixes)
    if reader.user_id is not None and role.attributes:
        without = sql.SQL(" ").join(sql.SQL(f"NO{one}") for one in role.attributes)
        return f"has {' and '.join(role.attributes)}", typed(sql.SQL("ALTER ROLE {} {}").format(named, without))
    if reader.user_id is not None and role.member_of:
        roles = sql.SQL(", ").join(map(sql.Identifier, role.member_of))
        said = f"may work as {', '.join(role.member_of)}, whom its limit does not bind"
        return said, typed(sql.SQL("REVOKE {} FROM {}").format(roles, named))
    if reader.user_id is not None and role.everybody_searches:
        return f"may search by {OWNERS_SEARCH}, as PUBLIC may", typed(_taking_owners_search(sql.SQL("PUBLIC")))
    return "", ""


def _taking_tokens(reader: Reader, by: str, settings: sql.Identifier) -> sql.Composed:
    if by in (reader.role, "PUBLIC"):
        grantee = sql.SQL("PUBLIC") if by == "PUBLIC" else reader.identifier
        return sql.SQL("REVOKE SELECT ON {} FROM {}").format(settings, grantee)
    return sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(by), reader.identifier)


def unguarded(reader: Reader, relations: Iterable[Relation]) -> list[Relation]:
    """The tables that would show this reader every user's rows."""
    return [one for one in relations if one.is_open_to(reader)]


def why_unguarded(reader: Reader, relations: Sequence[Relation]) -> tuple[str, str, str]:
    """Why these show every user's rows, in words; what has to be done before, in words; and what is to be typed."""
    tables = [one.in_words() for one in relations if one.kind is Kind.SYNC_TABLE]
    partitions = [one for one in relations if one.kind is Kind.PARTITION]
    if partitions and not tables:
        names = some([one.in_words() for one in partitions])
        revoking = sql.SQL("REVOKE SELECT ON {} FROM PUBLIC, {}")
        fix = typed(*(revoking.format(one.identifier, reader.identifier) for one in partitions))
        return f"row level security is off on {names}, a partition that the role may read by itself", "", fix
    if tables:
        before = "give your application's roles their policies"
        return f"row level security is off on {some(tables)}", before, "notion-pg-sync init --row-security"
    views = some([one.in_words() for one in relations])
    return f"the view {views} reads with its owner's rights", "", "notion-pg-sync sync-all"
