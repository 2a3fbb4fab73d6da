"""Why PostgreSQL cannot be reached: what libpq and the server say, by cause, in words and with what to do.

Pure: it works with the text of an error and with the parameters of the connection. No password comes through.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

from msgspec import Struct
from psycopg import pq, sql

from notion_pg_sync.core.wording import ended

URL_FORM = "postgresql://user@host:5432/name"
# Where Debian keeps the public authorities. `sslrootcert=system` is another place: psycopg's wheels bring an OpenSSL of
# their own, which since 3.3.8 looks where no system keeps them.
PUBLIC_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


class Explanation(Struct, frozen=True):
    """`seen` is what is wrong and `advice` what to do, in words.

    `fix` is what heals it, typed as it stands, empty where that takes somebody's decision or a value that they know;
    `look` is what to type to find out more.
    """

    seen: str
    advice: str
    fix: str = ""
    look: str = ""

    @property
    def sentence(self) -> str:
        """All in one sentence, for an error."""
        return ended(f"{self.seen}: {self.advice}")


class Target(Struct, frozen=True):
    """Where a connection was to go; empty is what libpq was not told and has no default for."""

    host: str = ""
    port: str = "5432"
    user: str = ""
    database: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> Target:
        """The target that libpq's `parameters` name; `hostaddr` stands for a host that has no name."""
        value = {key: str(parameters.get(key) or "") for key in ("host", "hostaddr", "port", "user", "dbname")}
        return cls(
            host=value["host"] or value["hostaddr"],
            port=value["port"] or "5432",
            user=value["user"],
            database=value["dbname"] or value["user"],
        )

    @property
    def is_socket(self) -> bool:
        """Whether it is a unix socket of this machine."""
        return not self.host or self.host.startswith(("/", "@"))

    @property
    def where(self) -> str:
        """Host and port, for people."""
        if self.is_socket:
            return f"on the socket in {self.host} (port {self.port})" if self.host else "on this machine's socket"
        return f"at {self.host}:{self.port}"

    @property
    def is_readable(self) -> bool:
        """Whether its parts can be what was meant; else they hold parts of a password that was not encoded."""
        return self.port.replace(",", "").isdigit() and "@" not in self.host[1:] + self.database


class _Cause(Struct, frozen=True):
    """What is said (a pattern), and what that means: texts with the words of `_words` in braces."""

    said: str
    seen: str
    advice: str
    fix: str = ""
    look: str = ""


# What is added to the words of a connection that timed out where the address does take connections.
ACCEPTED = "the address takes connections"

# What a server or a pooler said comes before what libpq says of an address that gave no answer: of several addresses
# that were tried, the one that answered tells more.
_CAUSES = (
    _Cause(
        r"password authentication failed|SASL authentication failed|[Ww]rong password|auth failed",
        "PostgreSQL {where} refuses the password of user {user}",
        "put the right one into DATABASE_URL (with @ : / % and # percent-encoded), PGPASSWORD or ~/.pgpass",
        look="{psql} -W",
    ),
    _Cause(
        r"no password supplied|password is required|requires? a password",
        "PostgreSQL {where} requires a password for user {user}, but none was given",
        "put it into DATABASE_URL, PGPASSWORD or ~/.pgpass",
        look="{psql} -W",
    ),
    _Cause(
        r"(?s)^(?!.*SSL encryption).*no pg_hba.conf entry for (host \"(?P<address>[^\"]+)\")?.*no encryption",
        "PostgreSQL {where} lets user {user} into database {database} only over TLS, or not at all from this host",
        "add sslmode=require to DATABASE_URL; where that does not help, let the server's administrator write the line "
        "'{hba_line}' at the top of its pg_hba.conf, and reload it",
        look="SELECT * FROM pg_hba_file_rules;",
    ),
    _Cause(
        r"(no pg_hba.conf entry|pg_hba.conf rejects connection) for (host \"(?P<address>[^\"]+)\")?"
        r"|no pg_hba.conf entry|pg_hba.conf rejects connection",
        "PostgreSQL {where} does not let user {user} into database {database} from this host",
        "let the server's administrator write the line '{hba_line}' at the top of its pg_hba.conf, above any that "
        "rejects, and reload it",
        look="SELECT * FROM pg_hba_file_rules;",
    ),
    _Cause(
        r"(Peer|Ident) authentication failed",
        "PostgreSQL {where} takes only the operating system's user of the same name for user {user}",
        "run the tool as that user, name another user in DATABASE_URL, or connect by TCP with a password",
        look="{psql_as_oneself}",
    ),
    _Cause(
        r"database .* does not exist|no such database",
        "PostgreSQL {where} has no database {database}",
        "name another one in DATABASE_URL, or make it",
        fix="{create_database}",
    ),
    _Cause(
        r"role .* does not exist|no such user",
        "PostgreSQL {where} has no role {user}",
        "name another one in DATABASE_URL, or make it",
        fix="{create_role}",
    ),
    _Cause(
        r"is not permitted to log in",
        "PostgreSQL {where} has a role {user} that may not log in",
        "let it log in",
        fix="{let_log_in}",
    ),
    _Cause(
        r"permission denied for database",
        "PostgreSQL {where} does not let user {user} connect to database {database}",
        "let it connect",
        fix="{let_connect}",
    ),
    _Cause(
        r"too many connections for role",
        "PostgreSQL {where} lets user {user} have no more connections (CONNECTION LIMIT of the role)",
        "lift the role's limit",
        fix="{unlimit_role}",
    ),
    _Cause(
        r"too many connections for database",
        "PostgreSQL {where} lets database {database} have no more connections (its CONNECTION LIMIT)",
        "lift the database's limit",
        fix="{unlimit_database}",
    ),
    _Cause(
        r"too many clients|too many connections|remaining connection slots|no more connections allowed"
        r"|[Mm]ax client connections",
        "PostgreSQL {where} has no connection left",
        "end idle ones (the query shows whose they are), raise max_connections, or go through a pooler",
        look="{connections}",
    ),
    _Cause(
        r"is starting up|is shutting down|in recovery mode|not yet accepting connections",
        "PostgreSQL {where} is starting or stopping",
        "wait a minute and try again",
        look="{pg_isready}",
    ),
    _Cause(
        r"server_login_retry|server login has been failing|server_connect_timeout|query_wait_timeout"
        r"|pgbouncer cannot connect",
        "a pooler answers {where}, but cannot reach its PostgreSQL",
        "check that PostgreSQL is running, and read the pooler's log",
        look="{pg_isready}",
    ),
    _Cause(
        r"does not support SSL|server does not support SSL",
        "PostgreSQL {where} does not support TLS, and the connection asks for it",
        "give the server a certificate and switch ssl on there; on a network that you trust write sslmode=prefer",
    ),
    _Cause(
        r"root certificate file .* does not exist|could not read root certificate",
        "the certificate of PostgreSQL {where} cannot be verified without a file of trusted authorities",
        "name the file with the certificate of the authority that signed it in sslrootcert (for a public one "
        f"{PUBLIC_AUTHORITIES}, or where else the system keeps its list)",
    ),
    _Cause(
        r"weak sslmode .* may not be used with sslrootcert=system",
        "the connection to PostgreSQL {where} trusts every public authority (sslrootcert=system), but does not look at "
        "the certificate's name",
        "write sslmode=verify-full into DATABASE_URL",
    ),
    _Cause(
        r"certificate verify failed",
        "the certificate of PostgreSQL {where} cannot be verified",
        "name the file with the certificate of the authority that signed it in sslrootcert (for a public one "
        f"{PUBLIC_AUTHORITIES}; sslrootcert=system finds no list by itself), or renew the certificate where it has "
        "expired",
        look="openssl s_client -starttls postgres -connect {address} </dev/null | openssl x509 -noout -issuer -dates",
    ),
    _Cause(
        r"server certificate for .* does not match host name",
        "the certificate of PostgreSQL {where} is another host's",
        "write the name that the certificate has into DATABASE_URL",
        look="openssl s_client -starttls postgres -connect {address} </dev/null | openssl x509 -noout -subject -ext "
        "subjectAltName",
    ),
    _Cause(
        r"definition of service .* not found|service file .* not found",
        "the service that the connection names is not in pg_service.conf",
        "add it to ~/.pg_service.conf, or set DATABASE_URL instead",
    ),
    _Cause(
        r"failed to resolve host|could not translate host name",
        "the name of host {host} is not known",
        "correct it in DATABASE_URL, or check this machine's DNS",
        look="{getent}",
    ),
    _Cause(
        r"No such file or directory",
        "there is no PostgreSQL {where}",
        "start PostgreSQL, or name its host in DATABASE_URL",
        look="{pg_isready}",
    ),
    _Cause(
        r"Connection refused",
        "nothing takes connections {where}",
        "start PostgreSQL, let it listen there (listen_addresses), or correct host and port in DATABASE_URL",
        look="{pg_isready}",
    ),
    _Cause(
        ACCEPTED,
        "something takes the connection {where} and then does not answer",
        "see that PostgreSQL runs and is not overloaded, and that no forgotten session has locked one of its catalogs "
        "(pg_class); a pooler behaves so while its own PostgreSQL is down, and its log tells",
        look="{pg_isready}",
    ),
    _Cause(
        r"timeout expired|timed out|[Nn]o route to host|[Nn]etwork is unreachable|[Hh]ost is unreachable",
        "PostgreSQL {where} does not answer",
        "let this host through the firewall or the provider's list of allowed addresses, and see that host and port "
        "in DATABASE_URL are right",
        look="{pg_isready}",
    ),
    _Cause(
        r"server closed the connection unexpectedly|received invalid response|SSL SYSCALL error|Connection reset",
        "what answers {where} closes the connection",
        "check that a PostgreSQL listens there, and read its log",
        look="{pg_isready}",
    ),
)


def why_unreachable(target: Target, said: str, secrets: tuple[str, ...] = ()) -> Explanation:
    """What it means that a connection to `target` failed with `said`, the words of libpq or of the server.

    `secrets` are passwords; they are taken out where the words are repeated.
    """
    if not target.is_readable:
        return why_unreadable("")
    for cause in _CAUSES:
        if found := re.search(cause.said, said):
            words = _words(target, found.groupdict().get("address"))
            return Explanation(*(text.format(**words) for text in (cause.seen, cause.advice, cause.fix, cause.look)))
    return Explanation(
        f"PostgreSQL {target.where} cannot be reached ({_first_line(said, secrets)})",
        "check host, port, user and password in DATABASE_URL, and that PostgreSQL is running and lets this host in",
        look=_words(target, None)["psql"],
    )


def why_unreadable(database_url: str) -> Explanation:
    """What is wrong with a connection string that libpq cannot read; names of parameters alone are told of it."""
    if unknown := unknown_parameters(database_url):
        return _other_librarys(unknown)
    driver = re.match(r"(postgres(?:ql)?)(\+\w+)://", database_url)
    advice = (
        f"leave out {driver[2]}, which is another library's"
        if driver
        else "percent-encode what is special in a password (@ : / % #)"
    )
    return Explanation("DATABASE_URL cannot be read", f"write it as {URL_FORM} and {advice}")


def unknown_parameters(database_url: str) -> dict[str, str]:
    """The parameters of a URL that libpq does not know, and therefore refuses, with their values.

    None where an `@` says that the question mark is a password's.
    """
    query = (
        database_url.rpartition("?")[2] if "?" in database_url and re.match(r"postgres(ql)?://", database_url) else ""
    )
    if "@" in query:
        return {}
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} | {"ssl"}
    return {name: value for name, value in parse_qsl(query, keep_blank_values=True) if _is_other(name, known)}


def _is_other(name: str, known: Collection[str]) -> bool:
    return name not in known and re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", name) is not None


def _other_librarys(unknown: Mapping[str, str]) -> Explanation:
    names = ", ".join(unknown)
    are = "is no parameter" if len(unknown) == 1 else "are no parameters"
    # Again and again, since what one match takes another cannot begin with.
    fix = (
        'export DATABASE_URL="$(printf %s "$DATABASE_URL" | sed -E -e :again '
        f"-e 's/([?&])({'|'.join(unknown)})=[^&]*&?/\\1/' -e 'tagain' -e 's/[?&]$//')\""
    )
    schema = unknown.get("schema", "public")
    elsewhere = (
        f" and write options=-csearch_path%3D{schema} in its place"
        if schema != "public" and re.fullmatch("[a-z_][a-z0-9_]*", schema)
        else ""
    )
    return Explanation(
        f"DATABASE_URL cannot be read, since {names} {are} of PostgreSQL's (Prisma and poolers have such)",
        f"leave {'it' if len(unknown) == 1 else 'them'} out{elsewhere}: {fix};",
        fix=fix,
    )


def _words(target: Target, client_address: str | None) -> dict[str, str]:
    options = ["-p", target.port, *(["-h", target.host] if target.host else [])]
    local = client_address in (None, "[local]")
    database, user = sql.Identifier(target.database).as_string(), sql.Identifier(target.user).as_string()
    return {
        "where": target.where,
        "host": target.host,
        "user": target.user,
        "database": target.database,
        "address": f"{target.host}:{target.port}",
        "psql": shlex.join(["psql", *options, "-U", target.user, "-d", target.database, "-c", "SELECT 1"]),
        "psql_as_oneself": shlex.join(["psql", "-d", target.database]),
        "pg_isready": shlex.join(["pg_isready", *options]),
        "getent": shlex.join(["getent", "hosts", target.host]),
        "hba_line": (
            f"local {database} {user} scram-sha-256"
            if local
            else f"host {database} {user} {client_address}/{128 if ':' in str(client_address) else 32} scram-sha-256"
        ),
        "unlimit_role": _typed("ALTER ROLE {} CONNECTION LIMIT -1", target.user),
        "unlimit_database": _typed("ALTER DATABASE {} CONNECTION LIMIT -1", target.database),
        "create_database": _typed("CREATE DATABASE {}", target.database),
        "create_role": _typed("CREATE ROLE {} LOGIN", target.user),
        "let_log_in": _typed("ALTER ROLE {} LOGIN", target.user),
        "let_connect": _typed("GRANT CONNECT ON DATABASE {} TO {}", target.database, target.user),
        "connections": "SELECT count(*), usename, application_name, state FROM pg_stat_activity GROUP BY 2, 3, 4;",
    }


def _typed(statement: str, *names: str) -> str:
    return sql.SQL(statement).format(*map(sql.Identifier, names)).as_string() + ";"


def _first_line(said: str, secrets: tuple[str, ...]) -> str:
    line = next((line.strip() for line in said.splitlines() if line.strip()), "no reason was given")
    for secret in filter(None, secrets):
        line = line.replace(secret, "***")
    return line.rstrip(".")
