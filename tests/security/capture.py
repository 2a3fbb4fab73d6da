"""An attacker who puts their own types and relations before those that our functions name, and sees who runs them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[object, ...]]

# What is called with something else than its parameter's type alone would suggest.
ARGUMENTS: Mapping[str, Sequence[str | None]] = {
    "user_id": ("anna", "ben"),
    "whose": ("anna", "ben"),
    "asked": ("anna",),
    "database_name": ("Characters",),
    "databases": (None, "{Characters}"),
    "database": ("Characters",),
    "written": ("Characters", "11111111222243338444555555555555"),
    "at": ("2100-01-01",),
    "position": (None,),
    "query": ("a",),
    "language": ("simple",),
    "statement": ("SELECT 'x'",),
    "path": ("public",),
    "sync_table": ("public.notion_worlds_sync",),
    "type": ("text",),
    "hex": (None, "11111111222243338444555555555555"),
    "event": ('{"type": "page.created", "entity": {"id": "11111111-2222-4333-8444-555555555555"}}', "{}"),
    "value": (
        "1",
        "true",
        "2024-02-29",
        "2024-02-29T10:00:00.000+00:00",
        "11111111-2222-4333-8444-555555555555",
        '["x"]',
        '["11111111-2222-4333-8444-555555555555"]',
    ),
}
# By type, in the spelling of format_type(). Of a text it is not known what it is.
PLAUSIBLE: Mapping[str, str] = {
    "text": "11111111-2222-4333-8444-555555555555",
    "integer": "5",
    "regclass": "public.notion_worlds_sync",
    "bigint": "5",
    "boolean": "true",
    "jsonb": "{}",
    "jsonb[]": '{"\\"11111111-2222-4333-8444-555555555555\\""}',
    "text[]": "{x}",
    "uuid[]": "{11111111-2222-4333-8444-555555555555}",
    "uuid": "11111111-2222-4333-8444-555555555555",
    "timestamp with time zone": "2024-02-29",
    "interval": "7 days",
    "oid": "10",
    "pg_snapshot": "5:5:",
}

# With its type: else a function of the same name that takes a text would be called.
_UUID = sql.SQL("{}::pg_catalog.uuid").format(sql.Literal(PLAUSIBLE["uuid"]))

# What runs a trigger's function.
TRIGGERED: Mapping[str, str] = {
    "begin_generation": "INSERT INTO notion_sync.page_changes"
    " (user_id, page_id, data_source_id, database_id, database_name, kind)"
    " VALUES ('anna', '11111111-2222-4333-8444-555555555555', '11111111-2222-4333-8444-555555555555',"
    " '11111111-2222-4333-8444-555555555555', 'Worlds', 'inserted')",
    "bound_requests": "INSERT INTO notion_sync.sync_requests (user_id, database_id)"
    " VALUES ('anna', '11111111-2222-4333-8444-555555555555')",
    "follow_column_of_options": "UPDATE notion_sync.columns SET name = 'renamed' WHERE name = 'status'",
    "follow_options": "UPDATE notion_sync.data_sources SET schema = '{}'",
    "follow_unused_files": "DELETE FROM notion_sync.page_files",
    "follow_view_sources": "UPDATE notion_sync.accounts SET views = true",
    "follow_names_of_people": "UPDATE notion_sync.users SET name = 'Somebody else'",
    "follow_search_language": "UPDATE notion_sync.search_settings SET language = 'german'",
    "spell_page_id": "INSERT INTO public.notion_worlds_sync (user_id, notion_page_id, notion_database_id)"
    " VALUES ('anna', '11111111222243338444555555555555', '11111111-2222-4333-8444-555555555555')",
    "set_page_id": "INSERT INTO public.notion_worlds_sync (user_id, notion_page_id, notion_database_id)"
    " VALUES ('anna', '11111111-2222-4333-8444-555555555555', '11111111-2222-4333-8444-555555555555')",
}


@dataclass(frozen=True)
class Target:
    """Something of ours that an attacker can run: what it names, and the statements that run it.

    Of all words in its definition, `names` are those that are types or relations too.
    """

    name: str
    words: frozenset[str]
    names: tuple[str, ...]
    statements: tuple[sql.Composed, ...]


@dataclass(frozen=True)
class Captured:
    """Code of the attacker's ran, put in the place of `name`, with the rights of `role`."""

    target: str
    name: str
    role: str


def targets(owner: Connection) -> list[Target]:
    """Every function of ours, in whatever schema, and every view."""
    known = {str(name) for (name,) in owner.execute(_NAMES)}
    found = [
        _target(f"{schema}.{name}", definition, known, tuple(_calls(schema, name, arguments, returns)))
        for schema, name, arguments, returns, definition in owner.execute(_FUNCTIONS).fetchall()
    ]
    for name, definition in owner.execute(_VIEWS).fetchall():
        statement = sql.SQL("SELECT * FROM {}").format(sql.Identifier("notion", str(name)))
        found.append(_target(f"notion.{name}", definition, known, (statement,)))
    return found


def _target(name: str, definition: object, known: set[str], statements: tuple[sql.Composed, ...]) -> Target:
    words = frozenset(re.findall(r"[a-z_][a-z0-9_]*", str(definition).lower()))
    return Target(name, words, tuple(sorted(known & words)), statements)


def _calls(schema: object, name: object, arguments: object, returns: object) -> Iterator[sql.Composed]:
    if returns == "trigger":
        assert name in TRIGGERED, f"say in TRIGGERED what runs {schema}.{name}"
        yield sql.Composed([sql.SQL(TRIGGERED[str(name)])])
        return
    assert isinstance(arguments, dict)
    possible = [
        [sql.Literal(value) for value in ARGUMENTS.get(argument) or (PLAUSIBLE[type_],)] if type_ != "uuid" else [_UUID]
        for argument, type_ in arguments.items()
    ]
    for values in product(*possible):
        given = [
            sql.SQL("{} => {}").format(sql.Identifier(argument), value)
            for argument, value in zip(arguments, values, strict=True)
        ]
        function = sql.Identifier(str(schema), str(name))
        yield sql.SQL("SELECT * FROM {}({})").format(function, sql.SQL(", ").join(given))


@dataclass
class Attacker:
    """A role that may log in, and what it may do beside; `url` is the database, as its owner."""

    url: str
    role: str

    def tries(self, target: Target, name: str | None) -> tuple[set[Captured], int]:
        """What ran of the attacker's, with a `name` put before its like, and how many of the statements succeeded.

        In a session of its own, since functions keep the types that they met first.
        """
        ran: set[Captured] = set()
        succeeded = 0
        with self.session() as session:
            session.add_notice_handler(lambda notice: self._hear(target, notice.message_primary or "", ran))
            if name is not None:
                session.execute(_CODE)
                if not _put_before(session, name):
                    return set(), 0
                session.commit()
            for statement in target.statements:
                try:
                    session.execute(statement)
                except psycopg.Error:
                    session.rollback()
                else:
                    succeeded += 1
                    session.rollback()
        return ran, succeeded

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A session whose claims are a tenant's."""
        with psycopg.connect(self.url) as session:
            session.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)))
            session.execute("""SET request.jwt.claims = '{"sub": "anna"}'""")
            session.commit()
            yield session

    @staticmethod
    def _hear(target: Target, message: str, ran: set[Captured]) -> None:
        if heard := re.fullmatch("captured (.*) as (.*)", message):
            ran.add(Captured(target.name, *heard.groups()))


# SECURITY INVOKER: it says with whose rights it runs.
_CODE = """
    CREATE FUNCTION pg_temp.evil(pg_catalog.text) RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN RAISE NOTICE 'captured % as %', $1, current_user; RETURN true; END $$
"""

_NAMES = """
    SELECT typname FROM pg_type WHERE typnamespace IN ('pg_catalog'::regnamespace, 'notion_sync'::regnamespace)
    UNION
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'v', 'p') AND relnamespace IN ('pg_catalog'::regnamespace, 'notion_sync'::regnamespace)
    UNION
    SELECT 'user_settings'
"""

# All that came after PostgreSQL's own.
_FUNCTIONS = """
    SELECT nspname, proname,
           coalesce((SELECT jsonb_object_agg(argument, format_type(type, NULL))
                     FROM unnest(proargnames[:pronargs], proargtypes::oid[]) AS _ (argument, type)), '{}'),
           format_type(prorettype, NULL), pg_get_functiondef(pg_proc.oid)
    FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE pg_proc.oid >= 16384 AND prokind <> 'a' ORDER BY 1, 2
"""

_VIEWS = "SELECT viewname, definition FROM pg_views WHERE schemaname = 'notion' ORDER BY 1"

# With its columns; no view has one of a pseudo-type.
_RELATION = """
    SELECT nspname, string_agg(
               CASE WHEN typtype = 'p' THEN format('%%1$I::pg_catalog.text AS %%1$I', attname)
                    ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_type ON pg_type.oid = atttypid
    WHERE relname = %(name)s AND relkind IN ('r', 'v', 'p') AND nspname IN ('pg_catalog', 'notion_sync', 'public')
    GROUP BY nspname
"""
_TYPE = """
    SELECT CASE WHEN typtype = 'p' THEN 'pg_catalog.text'
                ELSE format('%%I.%%I', nspname, typname) END
    FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace
    WHERE typname = %(name)s AND nspname IN ('pg_catalog', 'notion_sync')
"""


def _put_before(session: Connection, name: str) -> bool:
    """Puts code behind a name; False where the role may not even read what it would hide."""
    ours = sql.Identifier("pg_temp", name)
    try:
        if relation := session.execute(_RELATION, {"name": name}).fetchone():
            schema, columns = map(str, relation)
            statement = "CREATE VIEW {} AS SELECT {} FROM {} WHERE pg_temp.evil({})"
            there = sql.Identifier(schema, name)
            session.execute(sql.SQL(statement).format(ours, sql.SQL(columns), there, sql.Literal(name)))
        elif type_ := session.execute(_TYPE, {"name": name}).fetchone():
            statement = "CREATE DOMAIN {} AS {} CHECK (pg_temp.evil({}))"
            session.execute(sql.SQL(statement).format(ours, sql.SQL(str(type_[0])), sql.Literal(name)))
        else:
            return False
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


# What a polymorphic function's or operator's parameter may be.
_CONCRETE = ("text", "uuid", "bigint")

_POLYMORPHIC_FUNCTIONS = """
    SELECT proname, prokind, proretset, provariadic = '"any"'::regtype,
           ARRAY(SELECT type::regtype::text FROM unnest(proargtypes) AS type), prorettype::regtype::text
    FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'a') AND prorettype <> 'record'::regtype
      AND proname = ANY (%s) AND EXISTS (SELECT FROM unnest(proargtypes) AS type
                                         WHERE type::regtype::text LIKE ANY ('{any%%,"\\"any\\""}'))
"""
_POLYMORPHIC_OPERATORS = """
    SELECT oprname, oprleft::regtype::text, oprright::regtype::text, oprresult::regtype::text FROM pg_operator
    WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft::regtype::text LIKE 'any%%'
      AND oprright::regtype::text LIKE 'any%%'
"""


def put_in_public(owner: Connection, named: set[str]) -> int:
    """Makes functions and operators in `public` that fit better than PostgreSQL's own that take values of any type.

    For an exact match beats those, wherever it is. `named` are the functions' names. Returns how many there are.
    """
    made = set()
    polymorphic = owner.execute(_POLYMORPHIC_FUNCTIONS, (list(named),)).fetchall()
    for (name, kind, returns_set, any_number, arguments, result), concrete in product(polymorphic, _CONCRETE):
        assert isinstance(arguments, list)
        for more in range(3 if any_number else 1):
            given = [_concrete(one, concrete) for one in arguments] + [concrete] * more
            function = _Function(str(name), given, _concrete(str(result), concrete), bool(returns_set))
            made.add(function.as_aggregate() if kind == "a" else function.as_it_is())
    for (name, left, right, result), concrete in product(owner.execute(_POLYMORPHIC_OPERATORS).fetchall(), _CONCRETE):
        sides = [_concrete(str(side), concrete) for side in (left, right)]
        made.add(_Function(str(name), sides, _concrete(str(result), concrete), returns_set=False).as_operator())
    for statement in made:
        owner.execute(statement.encode())
    return len(made)


def _concrete(type_: str, concrete: str) -> str:
    if type_ in ("anyarray", "anycompatiblearray"):
        return f"{concrete}[]"
    return concrete if type_.strip('"').startswith("any") else type_


@dataclass(frozen=True)
class _Function:
    """A function of the attacker's in `public`."""

    name: str
    arguments: list[str]
    result: str
    returns_set: bool

    def as_it_is(self, says: str = "") -> str:
        return (
            f"CREATE OR REPLACE FUNCTION public.{self.name}({', '.join(self.arguments)})"
            f" RETURNS {'SETOF ' if self.returns_set else ''}{self.result} LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE NOTICE 'captured % as %', '{says or self.name}', current_user;"
            f" RETURN{'' if self.returns_set else ' NULL'}; END $$"
        )

    def as_aggregate(self) -> str:
        step = _Function(f"step_of_{self.name}", [self.result, *self.arguments], self.result, returns_set=False)
        return (
            f"{step.as_it_is(says=self.name)}; CREATE OR REPLACE AGGREGATE public.{self.name}"
            f"({', '.join(self.arguments)}) (SFUNC = public.{step.name}, STYPE = {self.result})"
        )

    def as_operator(self) -> str:
        left, right = self.arguments
        name = f"operator_{self.name.encode().hex()}"
        behind = _Function(name, self.arguments, self.result, returns_set=False)
        return (
            f"{behind.as_it_is(says=self.name)}; CREATE OPERATOR public.{self.name}"
            f" (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = public.{name})"
        )
