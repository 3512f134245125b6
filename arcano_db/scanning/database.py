"""What is known of a whole database before a table of it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg


@dataclass(slots=True)
class Known:
    """What is known of the whole database.

    Attributes:
        zone: Its own time zone; None: the client has set another one.
        is_installed: Whether schema arcano has its tables there.
        id_type: The type of ids that is installed.
        user_id_type: Likewise of users.
        mappings: The mapped tables that this role may know of, by their oids: how they are mapped.
        graces: The orphan_after of attached and mapped tables, if this role may know it, as text.
        answers: What was asked already of a table of the same name, columns and types, as tenants have it.
    """

    zone: str | None
    is_installed: bool
    id_type: str | None = None
    user_id_type: str | None = None
    mappings: dict[int, dict[str, Any]] = field(default_factory=dict)
    graces: dict[int, str] = field(default_factory=dict)
    answers: dict[tuple[str, ...], Any] = field(default_factory=dict)


def known(connection: psycopg.Connection[Any]) -> Known:
    """Ask for it."""
    types = dict(
        connection.execute(
            "select a.attname, format_type(a.atttypid, a.atttypmod) from pg_class c"
            " join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid"
            " where n.nspname = 'arcano' and c.relname = 'job' and a.attname in ('id', 'user_id')"
        ).fetchall()
    )
    zone = connection.execute(
        "select setting from pg_settings where name = 'TimeZone' and source <> 'client'"
    ).fetchone()
    found = Known(zone[0] if zone else None, bool(types), types.get("id"), types.get("user_id"))
    if _may_read(connection, "job_table"):
        settings = connection.execute("select job_table::oid, orphan_after::text from arcano.job_table")
        found.graces = dict(settings.fetchall())
    if _may_read(connection, "mapping"):
        found.mappings = {
            oid: {"columns": columns, "statuses": statuses, "time_zone": time_zone}
            for oid, columns, statuses, time_zone in connection.execute(
                "select relid::oid, columns, statuses, time_zone from arcano.mapping"
            )
        }
    return found


def _may_read(connection: psycopg.Connection[Any], table: str) -> bool:
    row = connection.execute(
        "select from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'arcano' and c.relname = %s"
        " and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')",
        (table,),
    ).fetchone()
    return row is not None


def server(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Which server and database this is."""
    row = connection.execute(
        "select current_database(), current_setting('server_version'), now(), current_user::text,"
        " pg_is_in_recovery()"
    ).fetchone()
    names = ("database", "server_version", "scanned_at", "role", "is_standby")
    return dict(zip(names, row or (), strict=True))
