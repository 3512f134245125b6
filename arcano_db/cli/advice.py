"""What to do about an error of the database's: which table was meant, which role or release is lacking.

All of it is read from the catalogs over a connection of its own, which anybody may; what cannot be read is
left out. Messages are never read for their words, because servers speak many languages; only for names.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from arcano_db import ArcanoError, NotMigrated
from arcano_db.installing import migrating

# Of a name: no such relation, no such schema, no name at all, too many dots, another database's.
_NO_TABLE = {"42P01", "3F000", "42602", "42601", "0A000"}
_NO_COLUMN = "42703"
_NO_RIGHT = "42501"
_NOT_A_VALUE = {"22007", "22008", "22P02", "22003"}

_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Advice:
    """What is said instead of, or besides, what the error says; None: nothing.

    Attributes:
        message: What is wrong.
        detail: What exactly.
        hint: What to do.
        is_usage: It was typed wrongly, and no database can help.
    """

    message: str | None = None
    detail: str | None = None
    hint: str | None = None
    is_usage: bool = False


def advice_on(
    error: ArcanoError | psycopg.Error, given: Mapping[str, Any], role: str | None = None
) -> Advice:
    """What to do about an error, as far as it can be found out.

    Args:
        error: What was raised.
        given: The parameters of the command.
        role: Which one the command takes in all, where that is known; None: as much as what failed.
    """
    state = error.sqlstate
    of_table = given.get("table") and state in {*_NO_TABLE, _NO_COLUMN}
    if isinstance(error, NotMigrated) or state == _NO_RIGHT or of_table:
        with _asked(given) as connection:
            if connection is not None:
                return _looked_up(connection, error, given, role)
    if isinstance(error, psycopg.Error) and state in _NOT_A_VALUE:
        return _wrong_value(error)
    return Advice()


@contextmanager
def _asked(given: Mapping[str, Any]) -> Iterator[psycopg.Connection[Any] | None]:
    """A connection that changes nothing, for the advice; None: there is no getting through."""
    try:
        connection = psycopg.connect(
            given.get("dsn") or "",
            application_name="arcano-db",
            connect_timeout=5,
            prepare_threshold=None,
        )
    except psycopg.Error:
        yield None
        return
    with connection:
        # For one transaction, and not the session: behind a pooler it is somebody else's next.
        connection.read_only = True
        connection.execute("set local statement_timeout = '5s'")
        yield connection


def _looked_up(
    connection: psycopg.Connection[Any],
    error: ArcanoError | psycopg.Error,
    given: Mapping[str, Any],
    role: str | None,
) -> Advice:
    try:
        if error.sqlstate == _NO_RIGHT:
            return _right(connection, error, given, role)
        if given.get("table") and _schema_owner(connection):
            advice = missing_table(connection, given["table"])
            if advice.message:
                return advice
        if isinstance(error, NotMigrated):
            return _release(connection)
        return _columns(connection, given["table"]) if error.sqlstate == _NO_COLUMN else Advice()
    except psycopg.Error:  # better no advice than none of the error itself
        return Advice()


# The table


def missing_table(connection: psycopg.Connection[Any], table: str) -> Advice:
    """That there is no such table, and which one may be meant; nothing if there is one.

    Args:
        connection: To the database.
        table: As somebody typed it.
    """
    if table_name(connection, table) is not None:
        return Advice()
    names = _tables(connection)
    like = _like(table, names)
    if like:
        hint = "Is it " + " or ".join(map(shlex.quote, like)) + "?"
    elif known := _known(connection):
        hint = f"There are: {', '.join(map(shlex.quote, known))}."
    elif names:
        some = ", ".join(map(shlex.quote, names[:_MOST_NAMES]))
        hint = f"There are, among others: {some}." if len(names) > _MOST_NAMES else f"There are: {some}."
    else:
        hint = f"The database {connection.info.dbname} has no table at all: is it the one that you mean?"
    if any('"' in name for name in like):
        hint += " Names with capitals need both kinds of quotes."
    return Advice(f"there is no table {table}", None, hint)


def table_name(connection: psycopg.Connection[Any], table: str) -> str | None:
    """The full name of the table that somebody means; None: there is none, or it cannot be a name."""
    try:
        with connection.transaction():
            row = connection.execute(
                "select format('%%I.%%I', n.nspname, c.relname) from pg_class c"
                " join pg_namespace n on n.oid = c.relnamespace where c.oid = %s::regclass",
                (table,),
            ).fetchone()
    except psycopg.Error:
        return None
    return row[0] if row else None


def _columns(connection: psycopg.Connection[Any], table: str) -> Advice:
    """Which columns the table has, where one is named that it does not have."""
    rows = connection.execute(
        "select quote_ident(a.attname) from pg_attribute a"
        " where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum",
        (table,),
    ).fetchall()
    return Advice(hint=f"The columns of {table} are {', '.join(name for (name,) in rows)}.")


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    """The tables and views of apps."""
    rows = connection.execute(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c"
        "  join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname !~ '^_?yoyo_'"
        "   and n.nspname !~ '^(arcano|arcano_.*|pg_.*|information_schema)$'"
        " order by n.nspname <> 'public', n.nspname, c.relname limit 20000"
    ).fetchall()
    return [name for (name,) in rows]


def _like(table: str, names: list[str]) -> list[str]:
    """Those of a similar name: in another schema, with other capitals, with other letters."""
    parts = table.replace('"', "").lower().rsplit(".", 1)
    plain: dict[str, list[str]] = {}
    for name in names:
        plain.setdefault(name.replace('"', "").rpartition(".")[2].lower(), []).append(name)
    found = difflib.get_close_matches(parts[-1], plain, _MOST_NAMES, 0.7)
    return [name for one in found for name in plain[one]][:_MOST_NAMES]


_KNOWN: tuple[LiteralString, ...] = (
    "select arcano.table_name(job_table) from arcano.job_table",
    "select arcano.table_name(relid) from arcano.guess_job_tables()",
    "select job_table from arcano.job_table_status",
)


def _known(connection: psycopg.Connection[Any]) -> list[str]:
    """The tables that are attached or mapped, and those that look like it, as far as one may ask."""
    found: dict[str, None] = {}
    for statement in _KNOWN:
        try:
            with connection.transaction():
                found.update((name, None) for (name,) in connection.execute(statement) if name)
        except psycopg.Error:
            continue
    return sorted(found)[: 2 * _MOST_NAMES]


# Rights


def _right(
    connection: psycopg.Connection[Any],
    error: ArcanoError | psycopg.Error,
    given: Mapping[str, Any],
    role: str | None,
) -> Advice:
    if isinstance(error, ArcanoError) and error.hint:
        return Advice()
    names = set(re.findall(r"\w+", str(error.args[0]), re.ASCII))
    least = _least_role(error, names, role)
    if least is not None:
        return Advice(hint=_who_owns(connection) if least == "owner" else _group_role(connection, least))
    wanted = {"names": sorted(names), "table": given.get("table"), "me": connection.info.user}
    row = connection.execute(_WHOSE, wanted).fetchone()
    if row is None:
        return Advice()
    kind, name, owner, grant = row
    if kind == "table":
        return Advice(hint=f"{name} belongs to {owner}. {_run_as(connection, owner)}")
    return Advice(hint=f"Run it as {owner}, or, as that role: {grant}")


# Of what an error names: a table, the one that was given before others; else a schema, or the database.
_WHOSE = """
    select k.kind, k.name, k.owner,
           format('grant %%s on %%s %%I to %%I;', k.missing, k.kind, k.name, %(me)s::text)
      from (
        select 1 + (c.oid <> coalesce(to_regclass(%(table)s)::oid, 0))::integer as place, 'table' as kind,
               c.oid::regclass::text as name, pg_get_userbyid(c.relowner) as owner, null as missing
          from pg_class c
         where c.relname = any (%(names)s) and c.relkind in ('r', 'p', 'v', 'm', 'S')
           and c.relnamespace <> all (array['pg_catalog', 'information_schema']::regnamespace[])
         union all
        select 3, 'schema', n.nspname,
               pg_get_userbyid(
                 case n.nspowner when 'pg_database_owner'::regrole then d.datdba else n.nspowner end),
               'usage, create'
          from pg_namespace n join pg_database d on d.datname = current_database()
         where n.nspname = any (%(names)s)
         union all
        select 4, 'database', d.datname, pg_get_userbyid(d.datdba), 'create'
          from pg_database d where d.datname = current_database() and d.datname = any (%(names)s)
      ) k
     order by k.place, k.name
     limit 1
"""


# The role that migrated may do what no group role may.
_ROLES = ("arcano_user", "arcano_backend", "arcano_operator", "owner")


def _least_role(error: ArcanoError | psycopg.Error, names: set[str], role: str | None) -> str | None:
    """The least role that may do what was refused; None: it is nothing of the package's."""
    roles = migrating.least_roles()
    wanted = [roles[name] for name in names & set(roles)]
    if names & {"arcano", "arcano_api"}:  # all of it is closed: what was wanted, the statement says
        statement = " ".join(getattr(error.__cause__ or error, "__notes__", []))
        wanted = [roles[name] for name in re.findall(r"\barcano\.(\w+)", statement) if name in roles]
        wanted = wanted or [role or "owner"]
    elif not wanted:
        return None
    return max([*wanted, role or "arcano_user"], key=_ROLES.index)


def _group_role(connection: psycopg.Connection[Any], role: str) -> str | None:
    me = connection.info.user
    row = connection.execute(
        "select exists (select from pg_roles where rolname = %(role)s),"
        " coalesce(pg_has_role(%(me)s, to_regrole(%(role)s), 'member'), false),"
        " coalesce(pg_has_role(%(me)s, to_regrole(%(role)s), 'usage'), false),"
        " format('grant %%I to %%I;', %(role)s::text, %(me)s::text)",
        {"me": me, "role": role},
    ).fetchone()
    owner = _schema_owner(connection)
    if row is None or owner is None:
        return None
    is_there, is_member, inherits, grant = row
    if not is_there:
        return (
            f"It takes the role {role}, which is missing. As a role that may: create role {role} nologin;"
            f" then, as {owner}: arcano-db migrate; and: {grant}"
        )
    if inherits:
        return f"{me} has the role {role}, and that lacks the grant. As {owner}: arcano-db migrate"
    if is_member:
        return (
            f"{me} is a member of {role}, and does not inherit its rights. To have them:"
            f" PGOPTIONS='-c role={role}' arcano-db ..."
        )
    return f"It takes the role {role}. As {_grantors(connection, role)}: {grant}"


def _who_owns(connection: psycopg.Connection[Any]) -> str | None:
    owner = _schema_owner(connection)
    return f"It is for {owner}, the role that migrated. {_run_as(connection, owner)}" if owner else None


def _run_as(connection: psycopg.Connection[Any], owner: str) -> str:
    """How to get at what a role may do; a superuser's rights are given to nobody."""
    row = connection.execute(
        "select rolsuper, format('grant %%I to %%I;', rolname, current_user) from pg_roles"
        " where rolname = %s",
        (owner,),
    ).fetchone()
    if row is None or row[0]:
        return f"Run it as {owner}."
    return f"Run it as {owner}, or, as {_grantors(connection, owner)}: {row[1]}"


def _schema_owner(connection: psycopg.Connection[Any]) -> str | None:
    """Who migrated; None: schema arcano is not there."""
    row = connection.execute(
        "select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'arcano'"
    ).fetchone()
    return row[0] if row else None


def _grantors(connection: psycopg.Connection[Any], role: str) -> str:
    """Who may grant a role, as far as there is one who may log in."""
    rows = connection.execute(
        "select r.rolname from pg_roles r"
        " where r.rolcanlogin and (r.rolsuper or exists (select from pg_auth_members m"
        "   where m.member = r.oid and m.admin_option"
        "     and m.roleid = (select oid from pg_roles where rolname = %s))"
        "   or (r.rolcreaterole and current_setting('server_version_num')::integer < 160000))"
        " order by r.rolsuper, r.rolname limit 3",
        (role,),
    ).fetchall()
    return " or ".join(name for (name,) in rows) or "a role that may"


# The release


def _release(connection: psycopg.Connection[Any]) -> Advice:
    """Which is older, the client or the database."""
    owner = _schema_owner(connection)
    if owner is None:
        return Advice(
            f"Arcano DB is not installed in the database {connection.info.dbname}",
            None,
            "Run: arcano-db migrate",
        )
    message = "the database and this client are of different releases of Arcano DB"
    try:
        with connection.transaction():
            found = connection.execute(
                "select to_jsonb(r) ->> 'last_migration', r.source_fingerprint from arcano.release r"
            ).fetchone()
    except psycopg.Error:
        return Advice(
            message,
            None,
            f"`arcano-db status`, run as {owner}, says which is older. The database: arcano-db migrate;"
            " the client: pip install -U arcano-db",
        )
    if found is None:
        return Advice(
            f"Arcano DB is half installed in the database {connection.info.dbname}: no functions are loaded",
            None,
            f"As {owner}: arcano-db migrate, which goes on where it stopped",
        )
    newest = migrating.newest_migration()
    last = found[0] or ""
    detail = f"The database has {last or 'one of the first'}, and the client {newest}."
    if last > newest:
        return Advice(message, detail, "The client is older: pip install -U arcano-db")
    if last < newest:
        return Advice(message, detail, f"The database is older. As {owner}: arcano-db migrate")
    if found[1] == migrating.loader().source_fingerprint():
        return Advice()
    return Advice(
        message,
        None,
        f"As {owner}: arcano-db migrate loads the client's; if the database's is the newer one:"
        " pip install -U arcano-db",
    )


# Values

_EXAMPLES = {
    "interval": "'10 minutes', '2 hours' or '1 day'",
    "uuid": "6b56dbb4-328d-460e-8aa1-4aaa8146641b",
    "bigint": "42",
    "integer": "42",
}


def _wrong_value(error: psycopg.Error) -> Advice:
    """What may stand there instead of a value that is none of its type."""
    names = re.findall(r"\w+", error.diag.message_primary or "", re.ASCII)
    wanted = next((_EXAMPLES[name] for name in names if name in _EXAMPLES), None)
    # In a function it is what that has read, and not what somebody typed.
    is_typed = "PL/pgSQL" not in (error.diag.context or "")
    return Advice(hint=f"Such as {wanted}." if wanted and is_typed else None, is_usage=is_typed)
