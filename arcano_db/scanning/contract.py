"""What the contract is, from the migrations that make it: a scanned database need not have it."""

from __future__ import annotations

import functools
import re

from arcano_db.installing.migrating import migrations_folder

_JOB = re.compile(r"create table if not exists arcano\.job \((.*?)\n\);", re.S)
_COLUMN = re.compile(r'^  "?(\w+)"? ([a-z ]+?),?$', re.M)
_SETTINGS = re.compile(r"create table if not exists arcano\.job_table \((.*?)\n\);", re.S)

# What the rule cannot do without; the same that a table has to have to be attached.
CORE = ("id", "user_id", "status", "created_at")

_TYPES = {"timestamptz": "timestamp with time zone"}


@functools.cache
def contract_columns() -> dict[str, str]:
    """The columns of ``arcano.job`` and their types; those of the two ids are chosen when installing."""
    found = _JOB.search(_migration("0001"))
    columns = _COLUMN.findall(found[1] if found else "")
    return {name: _TYPES.get(type_name, type_name) for name, type_name in columns}


@functools.cache
def default_setting(name: str) -> str:
    """What a table's setting is if nobody says otherwise, as SQL text: ``5 minutes``."""
    settings = _SETTINGS.search(_migration("0002"))
    found = re.search(
        rf"^  {name} interval not null default '([^']*)'", settings[1] if settings else "", re.M
    )
    if found is None:
        raise LookupError(f"no default of {name} in the migrations")
    return found[1]


def _migration(number: str) -> str:
    [path] = [path for path in migrations_folder().glob(f"{number}.*.sql") if ".rollback." not in path.name]
    return path.read_text(encoding="utf-8")
