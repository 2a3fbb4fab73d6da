"""What a stranger who may create in the schema public puts there: of every name that PostgreSQL has, one of their own.

A statement of anybody else that names something of PostgreSQL's and finds the stranger's instead fails, with a word
that PostgreSQL's log then holds.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

CAPTURED = "captured by a stranger"

# What stands in the place of a polymorphic argument: an exact match beats PostgreSQL's own function.
_SCALARS = ["text", "uuid", "jsonb", "int2", "int4", "int8", "bool", "timestamptz", "name", "varchar", "float8", "oid"]
_ARRAYS = ["text[]", "uuid[]", "jsonb[]", "int2[]", "oid[]", "name[]", "timestamptz[]", "int4[]", "varchar[]"]

_OPERATORS = ["=", "<>", "<", "<=", ">", ">=", "||", "->", "->>", "-", "+", "@>", "&&", "~", "!~", "~~", "?"]
# Pairs of types for which PostgreSQL has no operator of its own and converts one, or takes a polymorphic one.
_PAIRS = [
    ("varchar", "text"),
    ("text", "varchar"),
    ("varchar", "varchar"),
    ("name", "varchar"),
    ("varchar", "name"),
    ('"char"', "text"),
    ("text[]", "text[]"),
    ("varchar[]", "varchar[]"),
    ("uuid[]", "uuid[]"),
    ("int2[]", "int2[]"),
    ("text[]", "text"),
    ("jsonb", "text[]"),
    ("oid", "int2"),
    ("oid", "int4"),
    ("oid", "int8"),
    ("int2", "oid"),
    ("regclass", "oid"),
    ("oid", "regclass"),
    ("tstzmultirange", "tstzmultirange"),
]

# All of this is typed as the stranger, who sees to it that none of it captures itself.
_BEGIN = "SET ROLE {stranger}; SET search_path = pg_catalog; SET check_function_bodies = off"
_END = "RESET check_function_bodies; RESET search_path; RESET ROLE"

_BODY = f"BEGIN RAISE EXCEPTION '{CAPTURED}, as %', current_user; END"

_FUNCTIONS = """
DO $do$
DECLARE
    decoy record;
BEGIN
    FOR decoy IN
        WITH known AS (
            SELECT pg_proc.oid, proname, proargtypes FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
            WHERE nspname = '{whose}' AND prokind <> 'p' AND proname ~ '^[a-z]'
        ), polymorphic AS (
            SELECT known.oid, proname, scalar, string_agg(
                CASE WHEN typname ~ 'array$' THEN list WHEN typtype = 'p' THEN scalar ELSE format_type(type, NULL) END,
                ', ' ORDER BY place) AS arguments
            FROM known, unnest(proargtypes) WITH ORDINALITY AS argument (type, place)
            JOIN pg_type ON pg_type.oid = type,
            unnest('{scalars}'::text[]) AS scalar, unnest('{arrays}'::text[]) AS list
            GROUP BY known.oid, proname, scalar, list
            HAVING bool_or(typname ~ '^any') AND bool_and(typtype <> 'p' OR typname ~ '^any')
        )
        SELECT proname, coalesce(string_agg(format_type(type, NULL), ', ' ORDER BY place), '') AS arguments
        FROM known LEFT JOIN LATERAL unnest(proargtypes) WITH ORDINALITY AS argument (type, place) ON true
        LEFT JOIN pg_type ON pg_type.oid = type
        GROUP BY known.oid, proname HAVING bool_and(typtype IS NULL OR typtype <> 'p')
        UNION SELECT proname, arguments FROM polymorphic
        UNION SELECT proname, scalar FROM polymorphic
        UNION SELECT proname, 'text, VARIADIC text[]' FROM known WHERE proname IN ('concat_ws', 'format', 'concat')
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS pg_catalog.text LANGUAGE plpgsql AS %L',
                           decoy.proname, decoy.arguments, $body${body}$body$);
        EXCEPTION WHEN invalid_function_definition OR feature_not_supported OR duplicate_function THEN
            CONTINUE;
        END;
    END LOOP;
END
$do$
"""

_OPERATOR_DECOYS = """
DO $do$
DECLARE
    pair record;
    sign name;
BEGIN
    FOR pair IN
        SELECT left_type, right_type, array_agg(DISTINCT oprname) AS signs
        FROM (SELECT format_type(oprleft, NULL) AS left_type, format_type(oprright, NULL) AS right_type, oprname
              FROM pg_operator JOIN pg_type AS one ON one.oid = oprleft JOIN pg_type AS other ON other.oid = oprright
              WHERE one.typtype <> 'p' AND other.typtype <> 'p'
              UNION ALL
              SELECT format_type(one::regtype, NULL), format_type(other::regtype, NULL), common::name
              FROM unnest('{lefts}'::text[], '{rights}'::text[]) AS pairs (one, other),
                   unnest('{signs}'::text[]) AS common
             ) AS wanted
        GROUP BY left_type, right_type
    LOOP
        EXECUTE format('CREATE FUNCTION public.captured(%s, %s) RETURNS boolean LANGUAGE plpgsql AS %L',
                       pair.left_type, pair.right_type, $body${body}$body$);
        FOREACH sign IN ARRAY pair.signs LOOP
            EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.captured, LEFTARG = %s, RIGHTARG = %s)',
                           sign, pair.left_type, pair.right_type);
        END LOOP;
    END LOOP;
END
$do$
"""

_RELATIONS = """
DO $do$
DECLARE
    decoy name;
BEGIN
    FOR decoy IN
        SELECT DISTINCT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = '{whose}' AND relkind IN ('r', 'v')
          AND relname NOT IN (SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    LOOP
        EXECUTE format('CREATE VIEW public.%I AS SELECT public.captured_anew() AS anything', decoy);
    END LOOP;
END
$do$
"""

# A domain's CHECK runs with every cast to it. A relation of that name is a type already.
_TYPES = """
DO $do$
DECLARE
    decoy name;
BEGIN
    FOR decoy IN
        SELECT typname FROM pg_type
        WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname ~ '^[a-z]'
          AND typname NOT IN (SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace)
    LOOP
        EXECUTE format('CREATE DOMAIN public.%1$I AS pg_catalog.%1$I CHECK (public.captured_anew() IS NULL)', decoy);
    END LOOP;
END
$do$
"""

_ANEW = "CREATE FUNCTION public.captured_anew() RETURNS pg_catalog.text LANGUAGE plpgsql AS $body${body}$body$"


_COUNT = """
SELECT (SELECT count(*) FROM pg_proc WHERE proowner = role) + (SELECT count(*) FROM pg_operator WHERE oprowner = role)
     + (SELECT count(*) FROM pg_type WHERE typowner = role AND typtype = 'd')
     + (SELECT count(*) FROM pg_class WHERE relowner = role)
FROM (SELECT oid AS role FROM pg_roles WHERE rolname = %s) AS planter
"""


def plant(connection: psycopg.Connection, stranger: str, whose: str = "pg_catalog") -> int:
    """Makes decoys of the names of the schema `whose`, as the role `stranger`; returns how many decoys there are now.

    In an autocommit session of a superuser; those of `pg_catalog` first.
    """
    parts = {
        "scalars": _array(_SCALARS),
        "arrays": _array(_ARRAYS),
        "lefts": _array([left for left, _ in _PAIRS]),
        "rights": _array([right for _, right in _PAIRS]),
        "signs": _array(_OPERATORS),
        "body": _BODY,
        "whose": whose,
    }
    of_postgresql = (_ANEW, _FUNCTIONS, _OPERATOR_DECOYS, _RELATIONS, _TYPES)
    connection.execute(sql.SQL(_BEGIN).format(stranger=sql.Identifier(stranger)))
    for template in of_postgresql if whose == "pg_catalog" else (_FUNCTIONS, _RELATIONS):
        statement = template
        for name, text in parts.items():
            statement = statement.replace(f"{{{name}}}", text)
        connection.execute(statement.encode())
    connection.execute(_END.encode())
    ((count,),) = connection.execute(_COUNT, (stranger,))
    return int(count)


def _array(elements: list[str]) -> str:
    """As PostgreSQL writes an array."""
    quoted = (element.replace('"', r"\"") for element in elements)
    return "{" + ",".join(f'"{element}"' for element in quoted) + "}"
