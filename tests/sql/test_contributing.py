"""What is asked of contributors: migrations that a busy database stands, and functions without slips."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from servers import debian_server

from arcano_db.installing import migrating

# Those up to here are as they were released; what came before squawk looked may stay as it is.
LAST_UNCHECKED = "0006.operations"

# Of squawk's rules these do not apply.
NOT_OURS = {
    "require-lock-timeout": "arcano-db migrate sets it, and tries again",
    "require-statement-timeout": "the same",
    "prefer-robust-stmts": "a migration runs in one transaction",
    "ban-drop-constraint": "what was allowed before is allowed still",
    "ban-drop-not-null": "an entry of the journal may be about no job; who reads by id does not meet it",
    "prefer-text-field": "the app chooses the types of the ids",
}


# Of what plpgsql_check says these are none.
NOT_SLIPS = {
    r"schedule_sweeper: .*cron": "there only where pg_cron is installed",
    r"generated_\w+: unused parameter": "of no table yet",
    r"\w*mapp(ed|ing)_\w+: .*(dynamic SQL|never read variable|unmodified|composite)": "dynamic SQL",
    r"(job_counts|table_settings|shared_ids|admit_job): .*(unmodified|dynamic SQL|default)": "dynamic SQL",
    r"refuse_job_of_others: it is not known which user calls": "it asks who calls, and nobody does",
    r"target type is different type than source type": "a literal, converted once",
}


def squawk(*paths: Path) -> str:
    command = [Path(sys.executable).with_name("squawk"), f"--exclude={','.join(NOT_OURS)}", "--reporter=Gcc"]
    done = subprocess.run([*command, *paths], capture_output=True, text=True)
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith(tuple(map(str, paths))))


def test_a_migration_blocks_nobody_and_takes_nothing_away() -> None:
    new = [
        path
        for path in sorted(migrating.migrations_folder().glob("0*.sql"))
        if ".rollback" not in path.name and path.stem > LAST_UNCHECKED
    ]
    assert new
    assert squawk(*new) == ""


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("alter table arcano.job_table drop column tool;", "ban-drop-column"),
        ("create index a on arcano.job_event (created_at);", "require-concurrent-index-creation"),
        ("alter table arcano.job_event alter column reason set not null;", "adding-not-nullable-field"),
        ("alter table arcano.job_event add constraint c check (true);", "constraint-missing-not-valid"),
        ("alter table arcano.account rename column slots to places;", "renaming-column"),
    ],
)
def test_it_would_be_seen(tmp_path: Path, statement: str, rule: str) -> None:
    path = tmp_path / "0099.bad.sql"
    path.write_text(statement)
    assert rule in squawk(path)


def test_plpgsql_check_finds_no_slip() -> None:
    """What PL/pgSQL looks up only when it runs: names, types, unused and never read variables."""
    with debian_server(["postgresql-15-plpgsql-check"], {}) as server:
        migrating.migrate(server.dsn())
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute("create extension plpgsql_check")
            found = conn.execute(
                """
                select p.proname, c.level, c.message, c.lineno
                  from pg_proc p
                  join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
                 cross join lateral plpgsql_check_function_tb(p.oid, fatal_errors => false) c
                 where p.pronamespace = 'arcano'::regnamespace
                 order by 1, 4
                """
            ).fetchall()
    slips = [row for row in found if not any(re.search(text, f"{row[0]}: {row[2]}") for text in NOT_SLIPS)]
    assert "\n".join(map(str, slips)) == ""
