"""A table of another role's, with no more rights on it than it takes; and one whose rows are hidden from who migrated."""
# ruff: noqa: E501 - statements, as apps write them

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoDB, InvalidArgument
from arcano_db.installing import migrating

WORDS = {"pending": "queued", "processing": "running", "done": "completed", "canceled": "cancelled"}


@pytest.fixture
def app(empty_dsn: str, connect_to: Callable[..., psycopg.Connection]) -> Iterator[psycopg.Connection]:
    """As a superuser: a table of ``app_of_map``, in a schema of its own."""
    conn = connect_to(empty_dsn)
    conn.execute("create role app_of_map nologin; create role migrator_of_map nologin")
    conn.execute(
        f"grant create on database {conn.info.dbname} to migrator_of_map; grant all on schema public to migrator_of_map"
    )
    conn.execute(
        """
        create schema app authorization app_of_map;
        create table app.jobs (id uuid primary key default gen_random_uuid(), user_id uuid, status text, created_at timestamptz, secret text);
        create index on app.jobs (user_id) where status in ('pending', 'processing');
        alter table app.jobs owner to app_of_map;
        insert into app.jobs (user_id, status, created_at) values ('00000000-0000-4000-8000-000000000001', 'pending', now() - interval '10 minutes')
        """
    )
    yield conn
    conn.execute("drop owned by app_of_map, migrator_of_map cascade")
    conn.execute("drop role app_of_map; drop role migrator_of_map")


@pytest.fixture
def db(app: psycopg.Connection, connect_to: Callable[..., psycopg.Connection]) -> ArcanoDB:  # type: ignore[override]
    dsn = make_conninfo(app.info.dsn, options="-c role=migrator_of_map -c arcano.trust_owner=on")
    migrating.migrate(dsn)
    return ArcanoDB(connect_to(dsn))


USER = "00000000-0000-4000-8000-000000000001"
ENOUGH = "grant usage on schema app to migrator_of_map; grant select on app.jobs to migrator_of_map; grant update (status) on app.jobs to migrator_of_map"


def test_no_more_rights_than_it_takes(app: psycopg.Connection, db: ArcanoDB) -> None:
    app.execute(ENOUGH)
    db.map_job_table("app.jobs", statuses=WORDS, mode="enforce")
    assert db.check_user_active(USER).healed == 1
    assert app.execute("select status from app.jobs").fetchone() == ("canceled",)


LACKING = {
    "the schema": ("revoke usage on schema app from migrator_of_map", "lacks usage on schema app"),
    "reading": ("revoke select on app.jobs from migrator_of_map", "lacks select on app.jobs"),
    "reading all of a row": (
        "revoke select on app.jobs from migrator_of_map; grant select (id, user_id, status, created_at) on app.jobs to migrator_of_map",
        "select",
    ),
    "writing": ("revoke update (status) on app.jobs from migrator_of_map", "lacks update on app.jobs"),
    "writing the status": (
        "revoke update (status) on app.jobs from migrator_of_map; grant update (secret) on app.jobs to migrator_of_map",
        "permission denied",
    ),
    "rows that are hidden": (
        "alter table app.jobs enable row level security",
        "row level security of app.jobs hides jobs",
    ),
    "rows that are hidden from all": (
        "alter table app.jobs enable row level security, force row level security; grant app_of_map to migrator_of_map",
        "row level security of app.jobs hides jobs",
    ),
}


@pytest.mark.parametrize("what", LACKING)
def test_what_is_lacking_is_said(app: psycopg.Connection, db: ArcanoDB, what: str) -> None:
    lacking, said = LACKING[what]
    app.execute(ENOUGH)
    app.execute(lacking)
    with pytest.raises(InvalidArgument) as refused:
        db.map_job_table("app.jobs", statuses=WORDS, mode="enforce")
    assert said in f"{refused.value} {refused.value.detail}"
    assert refused.value.hint
    if "hidden" in what:
        # The hint is what mends it; the role that a superuser may be asked for is told beside it.
        for statement in (refused.value.hint or "").split("; --")[0].split("; "):
            app.execute(statement)
        db.map_job_table("app.jobs", statuses=WORDS, mode="enforce")
        assert db.check_user_active(USER).healed == 1


@pytest.mark.parametrize("lost", ["select on app.jobs", "usage on schema app", "rls"])
def test_what_is_lost_later_spoils_no_other(app: psycopg.Connection, db: ArcanoDB, lost: str) -> None:
    app.execute(ENOUGH)
    db.map_job_table("app.jobs", statuses=WORDS)
    notices: list[str] = []
    db_conn = db.source
    db_conn.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))  # type: ignore[union-attr]
    app.execute(
        "alter table app.jobs enable row level security"
        if lost == "rls"
        else f"revoke {lost} from migrator_of_map"
    )
    for _ in range(2):
        notices.clear()
        assert not db.check_user_active(USER).has_active_job
        assert any("app.jobs" in notice for notice in notices)
        db.sweep_orphans()
    assert any(finding.level == "error" and "app.jobs" in finding.detail for finding in db.check_health())
