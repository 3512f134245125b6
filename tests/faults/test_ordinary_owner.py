"""As on a managed Postgres: who migrates owns the app's tables, and may neither bypass nor create roles."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from helpers import MESSAGE, UPSCALER, events, job, make_app, make_job, make_user
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoDB
from arcano_db.installing import migrating
from arcano_db.testing.embedded import embedded_server


@pytest.fixture
def superuser(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A server of this test alone, because roles belong to the whole cluster."""
    with (
        embedded_server(request.config.getoption("--postgres"), {"fsync": "off"}) as server,
        psycopg.connect(server.dsn(), autocommit=True) as conn,
    ):
        conn.execute("create role app_owner login")
        conn.execute("create database app owner app_owner")
        yield conn


@pytest.fixture
def owner_dsn(superuser: psycopg.Connection) -> str:
    return make_conninfo(superuser.info.dsn, user="app_owner", dbname="app")


@pytest.fixture
def owner(owner_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(owner_dsn, autocommit=True) as conn:
        yield conn


def test_missing_roles_are_named_and_granted_when_they_come(
    superuser: psycopg.Connection, owner_dsn: str, owner: psycopg.Connection
) -> None:
    said: list[str] = []
    assert migrating.migrate(owner_dsn, report=said.append)
    for role in ("arcano_backend", "arcano_operator", "arcano_user"):
        assert any(f"create role {role} nologin; then migrate again." in line for line in said), said
    assert migrating.status(owner_dsn).up_to_date

    superuser.execute("create role arcano_backend nologin")
    assert not migrating.status(owner_dsn).up_to_date
    assert migrating.migrate(owner_dsn)
    assert migrating.status(owner_dsn).up_to_date
    assert owner.execute(
        "select has_function_privilege('arcano_backend', 'arcano.check_user_active(uuid)', 'execute')"
    ).fetchone() == (True,)
    assert migrating.rollback(owner_dsn)
    assert superuser.execute("select to_regrole('arcano_backend')").fetchone() != (None,)


def test_once_it_is_there_no_schema_needs_to_be_made(
    superuser: psycopg.Connection, owner_dsn: str, owner: psycopg.Connection
) -> None:
    """Nor the right to make one, which a DBA may have given for the first time alone."""
    assert migrating.migrate(owner_dsn)
    superuser.execute(
        "alter database app owner to postgres; revoke create on database app from public, app_owner"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute("create schema other")
    assert not migrating.migrate(owner_dsn)
    owner.execute("update arcano.release set source_fingerprint = 'of an older release'")
    assert migrating.migrate(owner_dsn)
    assert migrating.rollback(owner_dsn, to="0019.time-away")
    assert migrating.migrate(owner_dsn)


def test_a_schema_of_somebody_elses_is_told(superuser: psycopg.Connection, owner_dsn: str) -> None:
    with psycopg.connect(make_conninfo(owner_dsn, user="postgres"), autocommit=True) as conn:
        conn.execute("create schema arcano")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema arcano"):
        migrating.migrate(owner_dsn)


def test_the_main_job_under_forced_row_level_security(owner_dsn: str, owner: psycopg.Connection) -> None:
    """The owner's own select is filtered then; a query through arcano.job is not."""
    make_app(owner_dsn)
    user = make_user(owner)
    seen = make_job(owner, UPSCALER, user, scale=4)
    assert ArcanoDB(owner).check_user_active(user).healed == 1
    assert events(owner, seen)[0]["job_before"]["scale"] == 4

    hidden = make_job(owner, UPSCALER, user, scale=4)
    owner.execute(f"alter table {UPSCALER} force row level security")
    assert owner.execute(f"select count(*) from {UPSCALER}").fetchone() == (0,)
    answer = ArcanoDB(owner).check_user_active(user)
    assert (answer.has_active_job, answer.healed) == (False, 1)
    assert job(owner, hidden)["error_message"] == MESSAGE
    # The contract's columns at least are kept.
    (event,) = events(owner, hidden)
    assert (event["job_before"]["status"], "scale" in event["job_before"]) == ("queued", False)


def test_no_setting_hides_a_row_from_the_journal_that_its_policies_show(
    owner_dsn: str, owner: psycopg.Connection
) -> None:
    make_app(owner_dsn)
    owner.execute(
        f"alter table {UPSCALER} enable row level security, force row level security;"
        f"create policy everything on {UPSCALER} using (true)"
    )
    for row_security in ("on", "off"):
        user = make_user(owner)
        seen = make_job(owner, UPSCALER, user, scale=4)
        owner.execute(f"set row_security = {row_security}")
        assert ArcanoDB(owner).check_user_active(user).healed == 1
        owner.execute("reset row_security")
        assert events(owner, seen)[0]["job_before"]["scale"] == 4
