"""Applying migrations and loading ``sql/``: what ``arcano-db migrate``, ``rollback`` and ``status`` do.

yoyo keeps the account of what is applied, in the same tables as plain ``yoyo apply``, so that the two
can be mixed. yoyo's own lock is a committed row, which a killed migrator leaves behind; here the same
row is written in a transaction that stays open for the whole run, so that it vanishes with its writer
and yet keeps plain yoyo out.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from yoyo import default_migration_table, read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration, MigrationList

Report = Callable[[str], None]
Functions = Literal["current", "other release", "newer release", "edited", "grants", "missing"]
IdType = Literal["uuid", "bigint", "integer", "text"]

# Its rollback refuses attached tables itself, for those who use plain yoyo.
_REFUSES_WHILE_ATTACHED = "0002.arcano-settings-and-journal"

# The tables in which yoyo keeps its account.
_YOYOS_TABLES = ("_yoyo_log", "_yoyo_migration", "_yoyo_version", "yoyo_lock")

# They are in schema arcano, where ORMs that compare the app's schema with its models do not look; unless
# this package was noted elsewhere before, as by plain yoyo, which makes them where its search path leads to.
_YOYOS_SCHEMA = "arcano"
_SCHEMAS_WITH_YOYO = """
    select n.nspname
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relname = '_yoyo_migration' and c.relkind = 'r' and has_schema_privilege(n.oid, 'usage')
       and has_table_privilege(c.oid, 'select')
     order by n.nspname <> 'arcano', not pg_catalog.pg_table_is_visible(c.oid), n.nspname
"""
_FIRST = "0001.arcano-schema"

# How long the row of a plain yoyo whose process is not on this machine is respected.
_GRACE_SECONDS = 10.0


class MigrationError(Exception):
    """Migrating or rolling back could not be done; the message says what to do."""


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """What a database holds of this release.

    Attributes:
        applied: The ids of the applied migrations.
        pending: The ids of those that are not.
        functions: ``current``: those of this release; ``other release``: loaded from other files;
            ``newer release``: of one whose migrations this one does not have: it is this client that is old;
            ``edited``: changed by hand since they were loaded; ``grants``: those of this release, and who may
            call them is not as it was then, or a group role was made or is gone;
            ``missing``: none are loaded.
    """

    applied: list[str]
    pending: list[str]
    functions: Functions

    @property
    def up_to_date(self) -> bool:
        """Whether ``arcano-db migrate`` would find nothing to do."""
        return not self.pending and self.functions == "current"


def migrations_folder() -> Path:
    """The folder of migrations: inside an installed package, beside it in a clone."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def loader() -> ModuleType:
    """The module ``migrations/post-apply.load-sql.py``, the one place that knows how to load ``sql/``."""
    path = migrations_folder() / "post-apply.load-sql.py"
    spec = importlib.util.spec_from_file_location("arcano_db_load_sql", path)
    if spec is None or spec.loader is None:
        raise MigrationError(f"{path} cannot be read: the installation is incomplete.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def newest_migration() -> str:
    """The id of the last migration of this release."""
    return str(_ids(_read_migrations())[-1])


def least_roles(schema: str | None = "arcano") -> dict[str, str]:
    """The public functions and views of a schema, or of both, and the least role that may use each.

    From the files, because who lacks a right may not ask the database either. The role that migrated is
    ``owner``.

    Args:
        schema: ``arcano`` or ``arcano_api``; None: both.
    """
    return {name: role for of, name, role in loader().public_objects() if schema in (None, of)}


def status(dsn: str) -> MigrationStatus:
    """Read what is applied, without writing anything.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
    """
    pending = [migration.id for migration in _pending(dsn)]
    return MigrationStatus(
        applied=[i for i in _ids(_read_migrations()) if i not in pending],
        pending=pending,
        functions=_functions(dsn),
    )


def edited_functions(dsn: str) -> list[str]:
    """Functions of schema arcano whose body stands in no file of this release, as far as it can be told.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
    """
    source = "".join(path.read_text(encoding="utf-8") for path in loader().files())
    with psycopg.connect(dsn) as connection:
        connection.read_only = True
        rows = connection.execute(
            "select proname, prosrc from pg_proc where pronamespace = to_regnamespace('arcano')"
            " and proname !~ '^generated_' order by 1"
        ).fetchall()
    return [name for name, body in rows if body not in source]


def dry_run(dsn: str) -> str:
    """The SQL that :func:`migrate` would run now, without running any; empty: nothing to do.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
    """
    pending = _pending(dsn)
    if not pending and _functions(dsn) == "current":
        return ""
    return "\n".join([*map(_text, pending), loader().script()])


def plain_sql(
    after: str | None = None, *, id_type: IdType | None = None, user_id_type: IdType | None = None
) -> str:
    """The whole installation, or an upgrade, as SQL for those who run it with a tool of their own.

    Args:
        after: The last migration that the database has, by its id or number; None: it has none.
        id_type: The type of the job tables' ``id``, chosen when installing; None: uuid, or as it is.
        user_id_type: The type of their ``user_id``, likewise.

    Raises:
        MigrationError: There is no such migration.
    """
    migrations = list(_read_migrations())
    if after is not None:
        ids = _ids(migrations)
        found = [number for number, name in enumerate(ids) if after in (name, name.partition(".")[0])]
        if not found:
            raise MigrationError(f"There is no migration {after}. There are: {', '.join(ids)}.")
        migrations = migrations[found[0] + 1 :]
    types = {"arcano.id_type": id_type, "arcano.user_id_type": user_id_type}
    chosen = [f"set {name} = '{value}';\n" for name, value in types.items() if value]
    return "\n".join([_PLAIN_SQL, *chosen, *map(_text, migrations), loader().script()])


_PLAIN_SQL = """\
-- Arcano DB: schema arcano, its functions and views. Run it in one transaction, as the role that owns the
-- app's tables: psql --single-transaction -v ON_ERROR_STOP=1 -f this_file. It can be run again.
"""


def _text(migration: Migration) -> str:
    return _text_of(Path(migration.path))


def _text_of(path: Path) -> str:
    return f"-- {path.name}\n\n{path.read_text(encoding='utf-8')}"


def migrate(
    dsn: str,
    *,
    id_type: IdType | None = None,
    user_id_type: IdType | None = None,
    timeout: float = 60.0,
    patience: float = 600.0,
    report: Report = lambda _: None,
) -> bool:
    """Apply what is pending and load the functions of this release; False: nothing was to be done.

    Killed at any moment it leaves nothing that stops the next one. Two at once: the second waits. Calls may
    go on meanwhile: it never holds them up for longer than a moment.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
        id_type: The type of the job tables' ``id``, chosen when installing; None: as the tables have it that
            look like job tables, text where they differ, uuid where there are none; or as it is.
        user_id_type: The type of their ``user_id``, likewise.
        timeout: For how many seconds to wait for another migrator.
        patience: For how many seconds to go on trying where tables are in use.
        report: Called with a line for each thing that is done.

    Raises:
        MigrationError: Another migrator did not end in time, a table stayed in use, or the ids have other
            types by now.
    """
    types = _chosen_types(dsn, {"id": id_type, "user_id": user_id_type}, report)
    with _backend(dsn, report, types) as backend, _alone(backend, timeout, report):
        migrations = _read_migrations()
        if not backend.to_rollback(migrations) and (known := _came_with_plain_sql(dsn, migrations)):
            backend.mark_migrations(known)
            report(f"noted that plain SQL has applied {known[-1].id} and what comes before it")
        pending = backend.to_apply(migrations)
        for migration in pending:
            _politely(partial(backend.apply_one, migration), migration.id, patience, report)
            report(f"applied {migration.id}")
        _refuse_other_types(dsn, types)
        found = _functions(dsn)
        if not pending and found == "current" and _is_by_this_server(dsn):
            return _register_again(dsn, report)
        wrong = _wrong_grants(dsn) if found == "grants" else []
        _politely(partial(backend.run_post_apply, migrations), "loading the functions", patience, report)
        report("loaded the functions and views of this release")
        left = _wrong_grants(dsn) if wrong else []
        for detail in wrong:
            report(f"{'still so' if detail in left else 'mended'}: {detail}")
        return True


def rollback(
    dsn: str,
    *,
    to: str | None = None,
    timeout: float = 60.0,
    patience: float = 600.0,
    report: Report = lambda _: None,
) -> bool:
    """Undo migrations, the newest first; False: none was applied.

    Args:
        dsn: A libpq connection string; empty: libpq's environment variables.
        to: The id of the migration to stop at, which stays; None: undo all.
        timeout: For how many seconds to wait for another migrator.
        patience: For how many seconds to go on trying where tables are in use.
        report: Called with a line for each thing that is done.

    Raises:
        MigrationError: ``to`` is no applied migration, job tables are still attached, or another
            migrator did not end in time.
    """
    if to is None and not status(dsn).applied:
        return False
    with _backend(dsn, report) as backend, _alone(backend, timeout, report):
        applied = backend.to_rollback(_read_migrations())
        ids = _ids(applied)
        if to is not None:
            if to not in ids:
                raise MigrationError(f"{to} is not applied. Applied: {', '.join(reversed(ids)) or 'none'}.")
            applied = applied[: ids.index(to)]
        _refuse_while_attached(dsn, applied)
        for migration in applied:
            _politely(partial(backend.rollback_one, migration), migration.id, patience, report)
            report(f"rolled back {migration.id}")
    if to is None:
        _drop_empty_account(dsn)
    return bool(applied)


def _politely(action: Callable[[], None], what: str, patience: float, report: Report) -> None:
    """Try again with growing pauses while what it needs is in use; it waits for a moment at a time."""
    started = time.monotonic()
    pause = 0.1
    while True:
        try:
            action()
        except errors.LockNotAvailable as error:
            waited = time.monotonic() - started
            if waited + pause > patience:
                raise MigrationError(
                    f"{what}: what it changes was in use for {waited:.0f} seconds. Nothing is lost: run the"
                    " same again. Long transactions are in the way; `arcano-db doctor` names them."
                ) from error
            if pause > 1:
                report(f"{what}: in use; trying again in {pause:.0f} seconds")
            time.sleep(pause)
            pause = min(2 * pause, 15.0)
        else:
            return


def _register_again(dsn: str, report: Report) -> bool:
    """Functions that the app registered have other oids after a restore; True: some had."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select arcano.register_again()").fetchall()
    for (function,) in rows:
        report(f"registered {function} again")
    return bool(rows)


_INSTALLED = "select to_regclass('arcano.job') is not null"
_GUESSES = (
    "guess_column",
    "guess_by_name",
    "guess_job_tables",
    "guess_id_kind",
    "guess_id_type",
    "guess_id_types",
)


def _chosen_types(
    dsn: str, types: Mapping[str, IdType | None], report: Report
) -> Mapping[str, IdType | None]:
    """Where nothing is installed yet, types that were not given are those of the tables that are there."""
    if all(types.values()):
        return types
    with psycopg.connect(dsn) as connection:
        if connection.execute(_INSTALLED).fetchone() == (True,):
            return types
        # What guesses belongs to schema arcano, which is not there yet: for a moment it is our session's.
        files = {path.stem: path for path in loader().files()}
        try:
            for name in _GUESSES:
                text = files[name].read_text(encoding="utf-8").replace("arcano.guess_", "pg_temp.guess_")
                connection.execute(text.encode())
        except errors.InsufficientPrivilege:  # not even for a moment: it is said by --id-type
            return types
        rows = connection.execute("select name, type, tables from pg_temp.guess_id_types()").fetchall()
        connection.rollback()
    found = {name: (id_type, tables) for name, id_type, tables in rows if types[name] is None}
    for name, (id_type, tables) in found.items():
        option = f"--{name.replace('_', '-')}-type"
        report(f"{name} of job tables is {id_type}, once for all, because {tables} (else: {option})")
    if not any(found.values()) and not any(types.values()):
        report("ids are uuid, once for all, because no table looks like a job table (else: --id-type)")
    return {**types, **{name: id_type for name, (id_type, _) in found.items()}}


def _refuse_other_types(dsn: str, types: Mapping[str, IdType | None]) -> None:
    if not any(types.values()):
        return
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            " where attrelid = 'arcano.job'::regclass and attname in ('id', 'user_id')"
        ).fetchall()
    for column, found in rows:
        if types[column] not in (None, found):
            raise MigrationError(
                f"{column} is {found} here, not {types[column]}: the types of the ids are chosen when"
                " installing. Leave the type out, or uninstall and install again."
            )


def _drop_empty_account(dsn: str) -> None:
    """With nothing left to note, yoyo's tables and schema arcano go, unless another migrator is at work."""
    with suppress(errors.LockNotAvailable, errors.UndefinedTable), psycopg.connect(dsn) as connection:
        connection.execute("set local lock_timeout = '100ms'")
        connection.execute("lock table arcano.yoyo_lock in access exclusive mode")
        connection.execute(_FORGET.format(schemas=_SCHEMAS_WITH_YOYO.strip(), names="''"))
        if _yoyos_schema(connection) is None:
            connection.execute("drop schema arcano")


def _refuse_while_attached(dsn: str, migrations: MigrationList) -> None:
    """Refuse before the first migration is undone, and not when it comes to the one that refuses."""
    if not any(migration.id == _REFUSES_WHILE_ATTACHED for migration in migrations):
        return
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select format('%s.%I', c.relnamespace::regnamespace, c.relname)"
            "  from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = to_regclass('arcano.job') order by 1"
        ).fetchall()
    if rows:
        commands = "\n".join(f"  arcano-db detach {table}" for (table,) in rows)
        raise MigrationError(f"Job tables are still attached. Detach them first:\n{commands}")


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo's backend for psycopg, with the server's notices passed on and a bound on waiting for locks.

    Settings are local to a transaction, never the session's: behind a pooler in transaction mode those
    would stay with a connection that others use.
    """

    report: Report = staticmethod(lambda _: None)
    types: Mapping[str, IdType | None] = {}
    yoyos_schema = _YOYOS_SCHEMA

    def connect(self, dburi: DatabaseURI) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = super().connect(dburi)
        connection.add_notice_handler(self._notice)
        return connection

    @property
    def lock_row(self) -> sql.Identifier:
        """The table whose row is yoyo's lock."""
        return sql.Identifier(self.yoyos_schema, "yoyo_lock")

    def quote_identifier(self, s: str) -> str:
        """Say where yoyo's tables are, which it names without a schema."""
        quoted: str = super().quote_identifier(s)
        return f"{super().quote_identifier(self.yoyos_schema)}.{quoted}" if s in _YOYOS_TABLES else quoted

    def list_tables(self, **_: Any) -> list[str]:
        """Of yoyo's tables, those that are there."""
        query = "select tablename from pg_catalog.pg_tables where schemaname = :schema"
        return [name for (name,) in self.execute(query, {"schema": self.yoyos_schema}).fetchall()]

    def create_lock_table(self) -> None:
        """As any backend; but why it cannot be made is raised, and not that it is not there."""
        try:
            with self.transaction():
                self.execute(self.format_sql(self.create_lock_table_sql))
        except errors.Error:
            with self.transaction():
                found = self.execute("select to_regclass(%s)", (self.lock_table,)).fetchone()
            if not found[0]:
                raise

    def begin(self) -> None:
        super().begin()
        # While this waits for a lock of a table, all calls wait behind it; and a deadlock with one is broken
        # by giving up, before the server would break it by failing that one.
        self.execute("set local lock_timeout = '100ms'")
        for column, id_type in self.types.items():
            self.execute("select set_config(%s, %s, true)", (f"arcano.{column}_type", id_type or ""))

    def _notice(self, notice: errors.Diagnostic) -> None:
        if (notice.message_primary or "").startswith("arcano:"):
            self.report("\n".join(filter(None, (notice.message_primary, notice.message_hint))))


def _backend(dsn: str, report: Report, types: Mapping[str, IdType | None] | None = None) -> _Backend:
    arguments = {**conninfo_to_dict(dsn), "prepare_threshold": None}
    database = arguments.pop("dbname", None)
    uri = DatabaseURI("postgresql+psycopg", None, None, None, None, database, arguments)
    with psycopg.connect(dsn) as connection:
        schema = _yoyos_schema(connection)
    backend_type = type(
        "_ReportingBackend",
        (_Backend,),
        {"report": staticmethod(report), "types": types or {}, "yoyos_schema": schema or _YOYOS_SCHEMA},
    )
    backend: _Backend = backend_type(uri, default_migration_table)
    return backend


def _yoyos_schema(connection: psycopg.Connection[Any]) -> str | None:
    """Where yoyo's account of this package is; None: there is none yet."""
    for (schema,) in connection.execute(_SCHEMAS_WITH_YOYO).fetchall():
        if schema == _YOYOS_SCHEMA or _is_noted(connection, schema):
            return str(schema)
    return None


def _is_noted(connection: psycopg.Connection[Any], schema: str) -> bool:
    """Whether the account in this schema has this package, and not the app's own migrations alone."""
    query = sql.SQL("select from {} where migration_id = %s").format(
        sql.Identifier(schema, default_migration_table)
    )
    return connection.execute(query, (_FIRST,)).fetchone() is not None


def _make_lock(backend: _Backend) -> None:
    """Yoyo's tables come before the first migration, which makes the schema where plain yoyo is used."""
    connection, schema = backend.connection, sql.Identifier(backend.yoyos_schema)
    make_schema = sql.SQL("create schema {}").format(schema)
    make_table = backend.format_sql(backend.create_lock_table_sql)
    for there, name, make in (
        ("to_regnamespace", schema, make_schema),
        ("to_regclass", backend.lock_row, make_table),
    ):
        query = f"select {there}(%s) is not null"
        if connection.execute(query, (name.as_string(connection),)).fetchone() != (True,):
            with suppress(errors.UniqueViolation, errors.DuplicateSchema, errors.DuplicateTable):
                connection.execute(make)  # unless another one has just made it


@contextmanager
def _alone(backend: _Backend, timeout: float, report: Report) -> Iterator[None]:
    """Hold yoyo's lock row, uncommitted, so that it cannot outlive this process."""
    _make_lock(backend)
    started = time.monotonic()
    waiting_for = None
    with backend.copy() as lock_backend:
        connection = lock_backend.connection
        while holder := _lock_holder(connection, backend):
            waited = time.monotonic() - started
            if holder.pid and not holder.alive and waited > _GRACE_SECONDS:
                delete = sql.SQL("delete from {} where pid = %s").format(backend.lock_row)
                connection.execute(delete, (holder.pid,))
                report(f"cleared the lock of {holder}, which is gone")
            elif waited > timeout:
                raise MigrationError(
                    f"After {timeout:g} seconds the migrations are still locked by {holder}."
                    " Wait for it or end it; if no yoyo is running anywhere:"
                    f" delete from {backend.yoyos_schema}.yoyo_lock"
                )
            elif waiting_for != str(holder):
                waiting_for = str(holder)
                report(f"waiting for {holder} to end")
        backend._is_locked = True
        try:
            yield
        finally:
            backend._is_locked = False


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds the lock: a plain yoyo, which leaves its process id, or another of our own."""

    pid: int | None = None

    @property
    def alive(self) -> bool:
        """Whether the process is on this machine and running."""
        try:
            os.kill(self.pid or 0, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def __str__(self) -> str:
        return f"a yoyo (process {self.pid})" if self.pid else "another arcano-db"


def _lock_holder(connection: psycopg.Connection[Any], backend: _Backend) -> _Holder | None:
    """Take the lock within half a second and answer None, or answer who holds it."""
    connection.execute("begin")
    connection.execute("set local lock_timeout = '500ms'")
    connection.execute("set local idle_in_transaction_session_timeout = 0")
    try:
        connection.execute(
            sql.SQL("insert into {} (locked, ctime, pid) values (1, %s, %s)").format(backend.lock_row),
            (datetime.now(UTC).replace(tzinfo=None), os.getpid()),
        )
    except errors.LockNotAvailable:
        connection.execute("rollback")
        return _Holder()
    except errors.UniqueViolation:
        connection.execute("rollback")
        time.sleep(0.2)
        row = connection.execute(sql.SQL("select pid from {}").format(backend.lock_row)).fetchone()
        return _Holder(row[0]) if row else _lock_holder(connection, backend)
    except (errors.UndefinedTable, errors.InvalidSchemaName):  # a rollback has just dropped it
        connection.execute("rollback")
        _make_lock(backend)
        return _lock_holder(connection, backend)
    return None


def removal() -> str:
    """The SQL that drops schema arcano, with the journal, and what yoyo has noted of it: for one transaction.

    Attached tables must be detached first; it refuses otherwise. The group roles go if nothing needs them.
    """
    migrations = list(_read_migrations())
    texts = [_text_of(Path(m.path).with_suffix(".rollback.sql")) for m in reversed(migrations)]
    names = ", ".join(f"'{name}'" for name in _ids(migrations))
    forget = _FORGET.format(schemas=_SCHEMAS_WITH_YOYO.strip(), names=names)
    return "\n".join([*texts[:-1], forget, texts[-1]])  # before the schema goes


# Where plain yoyo made them, yoyo's tables are the app's as well, if that has migrations of its own.
_FORGET = """\
do $$
declare
  v_names constant text[] := array[{names}];
  v_schema name;
  v_deleted integer;
  v_is_used boolean;
begin
  for v_schema in
    {schemas}
  loop
    execute format('delete from %I._yoyo_migration where migration_id = any ($1)', v_schema) using v_names;
    get diagnostics v_deleted = row_count;
    if v_deleted > 0 or v_schema = 'arcano' then
      execute format('delete from %I._yoyo_log where migration_id = any ($1)', v_schema) using v_names;
      execute format('select exists (select from %I._yoyo_migration)', v_schema) into v_is_used;
      if not v_is_used then
        execute format(
          'drop table %1$I._yoyo_log, %1$I._yoyo_migration, %1$I._yoyo_version, %1$I.yoyo_lock', v_schema);
      end if;
    end if;
  end loop;
end
$$;
"""


def _ids(migrations: Iterable[Migration]) -> list[str]:
    return [migration.id for migration in migrations]


def _read_migrations() -> MigrationList:
    return read_migrations(str(migrations_folder()))


def _pending(dsn: str) -> list[Migration]:
    with psycopg.connect(dsn) as connection:
        connection.read_only = True
        schema = _yoyos_schema(connection)
        applied: set[str] = set()
        if schema:
            query = sql.SQL("select migration_hash from {}")
            rows = connection.execute(query.format(sql.Identifier(schema, default_migration_table)))
            applied = {row[0] for row in rows}
    migrations = _read_migrations()
    if not any(migration.hash in applied for migration in migrations):
        applied = {migration.hash for migration in _came_with_plain_sql(dsn, migrations)}
    return [migration for migration in migrations if migration.hash not in applied]


def _came_with_plain_sql(dsn: str, migrations: MigrationList) -> MigrationList:
    """What a database has of which yoyo knows nothing, because ``arcano-db sql`` was applied there."""
    with psycopg.connect(dsn) as connection:
        connection.read_only = True
        row = connection.execute(
            "select exists (select from pg_attribute"
            " where attrelid = to_regclass('arcano.release') and attname = 'last_migration')"
        ).fetchone()
        if row and row[0]:
            row = connection.execute("select last_migration from arcano.release").fetchone()
    last = row[0] if row and row[0] else ""
    return migrations.filter(lambda migration: migration.id <= last)


def _functions(dsn: str) -> Functions:
    with psycopg.connect(dsn) as connection:
        connection.read_only = True
        found = connection.execute("select to_regclass('arcano.release')").fetchone()
        row = None
        if found and found[0]:
            row = connection.execute(
                # One of the first releases has no such column.
                "select source_fingerprint, loaded_fingerprint, to_jsonb(r) ->> 'last_migration'"
                " from arcano.release r"
            ).fetchone()
        if row is None:
            return "missing"
        module = loader()
        if row[0] != module.source_fingerprint():
            return "newer release" if (row[2] or "") > newest_migration() else "other release"
        by_part: dict[str | None, Functions] = {"functions": "edited", "grants": "grants", None: "current"}
        return by_part[module.difference(connection, row[1])]


def _is_by_this_server(dsn: str) -> bool:
    """Whether this major version of PostgreSQL has loaded it, so that all of it can be compared."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select loaded_fingerprint from arcano.release").fetchone()
        return row is not None and bool(loader().is_by_this_server(connection, row[0]))


def _wrong_grants(dsn: str) -> list[str]:
    """What ``arcano.check_health`` says of roles and grants."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select detail from arcano.role_health()").fetchall()
    return [detail for (detail,) in rows]
