"""Job tables as real apps have them: their columns, types and words, each in the style of the ORM that made it."""
# ruff: noqa: E501 - statements, as their ORMs write them

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

MINUTE, HOUR, DAY = 60, 3600, 86400


def number(n: int) -> int:
    return n


def uuid(n: int) -> str:
    return str(UUID(int=n))


def cuid(n: int) -> str:
    return f"cl{n:023d}"


@dataclass(frozen=True)
class App:
    """One app's table.

    Attributes:
        ddl: Its table, with what belongs to it.
        table: Its name, quoted where needed.
        columns: Which of its columns are id, user_id, status, created_at and, where it has it, started_at.
        words: The app's word for each status that it has.
        how: How it becomes a job table.
        zone: In which zone its dates are written; None: they are instants.
        meant: What only its makers know: what stands for each ``?``.
        ids: Makes the id of a job.
        users: And that of a user.
        fixed: What else a row needs.
        longest: The longest that a job waited before it started.
    """

    ddl: str
    table: str
    columns: dict[str, str]
    words: dict[str, Any]
    how: str = "map"
    zone: str | None = None
    meant: dict[str, str] = field(default_factory=dict)
    ids: Callable[[int], Any] = number
    users: Callable[[int], Any] = number
    fixed: dict[str, Any] = field(default_factory=dict)
    longest: float = 50


APPS = {
    "a CI server's builds, Rails": App(
        ddl="""
            create table public.ci_builds (
              id bigserial primary key, status character varying, finished_at timestamp without time zone, trace text,
              created_at timestamp without time zone, updated_at timestamp without time zone, started_at timestamp without time zone,
              runner_id bigint, coverage double precision, commit_id bigint, name character varying, options text,
              allow_failure boolean default false not null, stage character varying, ref character varying, user_id bigint,
              type character varying, queued_at timestamp without time zone, lock_version integer default 0, failure_reason integer);
            create index index_ci_builds_user_and_status on public.ci_builds (user_id, status);
        """,
        table="public.ci_builds",
        zone="UTC",
        fixed={"name": "rspec 1/2", "stage": "test"},
        longest=10 * MINUTE,
        columns={
            "id": "id",
            "user_id": "user_id",
            "status": "status",
            "created_at": "created_at",
            "started_at": "started_at",
        },
        words={
            "queued": "pending",
            "running": "running",
            "completed": "success",
            "failed": "failed",
            "cancelled": "canceled",
        },
    ),
    "a social server's imports, Rails with an integer enum": App(
        ddl="""
            create table public.bulk_imports (
              id bigserial primary key, type integer not null, state integer not null, total_items integer default 0 not null,
              imported_items integer default 0 not null, processed_items integer default 0 not null, finished_at timestamp without time zone,
              overwrite boolean default false not null, original_filename character varying default '' not null,
              account_id bigint not null, created_at timestamp(6) without time zone not null, updated_at timestamp(6) without time zone not null);
            create index index_bulk_imports_on_account_id on public.bulk_imports (account_id);
        """,
        table="public.bulk_imports",
        zone="UTC",
        fixed={"type": 1, "updated_at": "2026-01-01"},
        columns={"id": "id", "user_id": "account_id", "status": "state", "created_at": "created_at"},
        words={"queued": 1, "running": 2, "completed": 3, "failed": 4},
        meant={"1": "queued", "2": "running", "3": "completed", "4": "failed", "cancelled": "4"},
    ),
    "a tracing tool's exports, Prisma with mapped names": App(
        ddl="""
            create table public.batch_exports (
              id text not null, created_at timestamp(3) without time zone default current_timestamp not null,
              updated_at timestamp(3) without time zone default current_timestamp not null, project_id text not null, user_id text not null,
              finished_at timestamp(3) without time zone, expires_at timestamp(3) without time zone, name text not null, status text not null,
              query jsonb not null, format text not null, url text, log text,
              constraint batch_exports_pkey primary key (id));
            create index batch_exports_project_id_user_id_idx on public.batch_exports (project_id, user_id);
        """,
        table="public.batch_exports",
        zone="UTC",
        ids=cuid,
        users=cuid,
        fixed={"project_id": "p1", "name": "traces", "query": "{}", "format": "CSV"},
        columns={"id": "id", "user_id": "user_id", "status": "status", "created_at": "created_at"},
        words={"queued": "QUEUED", "running": "PROCESSING", "completed": "COMPLETED", "failed": "FAILED"},
    ),
    "a survey tool's export tasks, Django": App(
        ddl="""
            create table public.kpi_exporttask (
              id integer generated by default as identity primary key, data jsonb not null, messages jsonb not null,
              status varchar(32) not null, date_created timestamp with time zone not null, uid varchar(22) not null,
              last_submission_time timestamp with time zone, result varchar(380) not null, user_id integer not null);
            create index kpi_exporttask_user_id_4a3e on public.kpi_exporttask (user_id);
        """,
        table="public.kpi_exporttask",
        fixed={"data": "{}", "messages": "{}", "uid": "eAbc", "result": ""},
        columns={"id": "id", "user_id": "user_id", "status": "status", "created_at": "date_created"},
        words={"queued": "created", "running": "processing", "completed": "complete", "failed": "error"},
    ),
    "a video host's archives, Sequelize": App(
        ddl="""
            create table public."userExport" (
              id serial primary key, filename varchar(255), "withVideoFiles" boolean not null, state integer not null, error text, size bigint,
              storage integer not null, "fileUrl" varchar(255), "userId" integer not null,
              "createdAt" timestamp with time zone not null, "updatedAt" timestamp with time zone not null);
            create index user_export_user_id on public."userExport" ("userId");
        """,
        table='public."userExport"',
        fixed={"withVideoFiles": True, "storage": 0, "updatedAt": "2026-01-01"},
        columns={"id": "id", "user_id": "userId", "status": "state", "created_at": "createdAt"},
        words={"queued": 1, "running": 2, "completed": 3, "failed": 4},
        meant={"1": "queued", "2": "running", "3": "completed", "4": "failed", "cancelled": "4"},
    ),
    "an image generator's jobs, Drizzle with pgEnum": App(
        ddl="""
            create type public.generation_status as enum ('pending', 'processing', 'completed', 'failed');
            create table public.generations (
              id uuid primary key default gen_random_uuid() not null, user_id text not null, prompt text not null, model varchar(64),
              status public.generation_status default 'pending' not null, prediction_id text, image_url text, error text,
              created_at timestamp default now() not null, updated_at timestamp default now() not null);
        """,
        table="public.generations",
        zone="America/New_York",
        ids=uuid,
        users=cuid,
        fixed={"prompt": "a cat"},
        columns={"id": "id", "user_id": "user_id", "status": "status", "created_at": "created_at"},
        words={"queued": "pending", "running": "processing", "completed": "completed", "failed": "failed"},
    ),
    "a workflow tool's runs, SQLAlchemy with a native enum": App(
        ddl="""
            create type public.runstatus as enum ('SCHEDULED', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'STOPPED');
            create table public.workflow_runs (
              id uuid not null, tenant_id uuid not null, workflow_id uuid not null, status public.runstatus not null, inputs json, outputs json,
              error varchar, elapsed_time double precision, total_steps integer, created_by uuid not null,
              created_at timestamp with time zone not null, picked_up_at timestamp with time zone, finished_at timestamp with time zone,
              constraint pk_workflow_runs primary key (id));
            create index ix_workflow_runs_by on public.workflow_runs (created_by) where status in ('QUEUED', 'RUNNING');
        """,
        table="public.workflow_runs",
        ids=uuid,
        users=uuid,
        fixed={"tenant_id": uuid(1), "workflow_id": uuid(2)},
        columns={
            "id": "id",
            "user_id": "created_by",
            "status": "status",
            "created_at": "created_at",
            "started_at": "picked_up_at",
        },
        words={
            "queued": "QUEUED",
            "running": "RUNNING",
            "completed": "SUCCEEDED",
            "failed": "FAILED",
            "cancelled": "STOPPED",
        },
        meant={"SCHEDULED": "pending"},
    ),
    "a photo app's enhancements, plain SQL": App(
        ddl="""
            create table public.enhancements (
              id uuid primary key default gen_random_uuid(), user_id uuid not null, status text not null default 'queued'
                check (status in ('queued', 'starting', 'running', 'completed', 'failed', 'cancelled')),
              input_image_url text, output_image_url text, error_message text, created_at timestamptz not null default now(),
              started_at timestamptz, completed_at timestamptz);
            create index on public.enhancements (user_id, status);
        """,
        table="public.enhancements",
        how="attach",
        ids=uuid,
        users=uuid,
        columns={
            "id": "id",
            "user_id": "user_id",
            "status": "status",
            "created_at": "created_at",
            "started_at": "started_at",
        },
        words={
            "queued": "queued",
            "running": "running",
            "completed": "completed",
            "failed": "failed",
            "cancelled": "cancelled",
        },
    ),
}

# What has a user, a status and a date too, and is no table of jobs.
NEIGHBOURS = """
    create table public.users (id bigserial primary key, account_id bigint, email text, encrypted_password text, status text not null, created_at timestamptz not null default now());
    create table public.orders (id bigserial primary key, user_id bigint, status text not null, total_cents integer, currency text, created_at timestamptz not null default now(), completed_at timestamptz);
    create table public.shop_order (id bigserial primary key, user_id bigint, status varchar(20) check (status in ('pending', 'processing', 'shipped', 'failed')), created_at timestamptz, updated_at timestamptz);
    create table public.payments (id bigserial primary key, user_id bigint, status text not null, amount integer, currency text, provider_id text, failure_reason text, created_at timestamptz not null default now());
    create table public.subscriptions (id bigserial primary key, user_id bigint, status text not null, started_at timestamptz, ended_at timestamptz, created_at timestamptz not null default now());
    create table public.invoices (id bigserial primary key, customer_id bigint, status text not null, amount_due integer, due_date date, created_at timestamptz not null default now());
    create table public.feature_flags (id bigserial primary key, owner_id bigint, state text not null, created_at timestamptz not null default now());
    create table public.memberships (id bigserial primary key, user_id bigint, status text not null, created_at timestamptz not null default now());
    create table public.tickets (id bigserial primary key, requester_id bigint, status text not null, subject text, assignee_id bigint, created_at timestamptz not null default now());
    create table public.todos (id bigserial primary key, user_id bigint, status text not null, title text, due_at timestamptz, created_at timestamptz not null default now());
    create table public.tasks (id bigserial primary key, user_id bigint, status text not null, title text, due_date date, assignee_id bigint, created_at timestamptz not null default now());
    create table public.email_messages (id bigserial primary key, user_id bigint, status text not null, attempts integer, error text, created_at timestamptz not null default now());
    create table public.bookings (id bigserial primary key, user_id bigint, status text not null, started_at timestamptz, created_at timestamptz not null default now());
    create table public.withdrawals (id bigserial primary key, user_id bigint, status text check (status in ('pending', 'processing', 'completed', 'failed')), amount numeric, error text, created_at timestamptz);
    create table public.kyc_verifications (id bigserial primary key, user_id bigint, status text check (status in ('pending', 'processing', 'approved', 'rejected')), provider_id text, created_at timestamptz);
    create table public.documents (id bigserial primary key, user_id bigint, status text check (status in ('draft', 'pending', 'completed')), title text, completed_at timestamptz, created_at timestamptz);
    create table public.api_keys (id uuid primary key, user_id uuid, status text check (status in ('active', 'expired')), created_at timestamptz);
    insert into public.users (account_id, status) select n, w from generate_series(1, 20) n, unnest(array['pending', 'active', 'deleted']) w;
    insert into public.orders (user_id, status, currency) select n, w, 'EUR' from generate_series(1, 20) n, unnest(array['pending', 'processing', 'completed', 'failed', 'cancelled']) w;
    insert into public.shop_order (user_id, status) select n, w from generate_series(1, 20) n, unnest(array['pending', 'processing', 'shipped', 'failed']) w;
    insert into public.payments (user_id, status) select n, w from generate_series(1, 20) n, unnest(array['pending', 'processing', 'succeeded', 'failed', 'canceled']) w;
    insert into public.subscriptions (user_id, status) select n, w from generate_series(1, 20) n, unnest(array['pending', 'active', 'canceled', 'expired']) w;
    insert into public.invoices (customer_id, status) select n, w from generate_series(1, 20) n, unnest(array['draft', 'pending', 'paid', 'failed']) w;
    insert into public.feature_flags (owner_id, state) select n, w from generate_series(1, 20) n, unnest(array['active', 'pending', 'deleted']) w;
    insert into public.memberships (user_id, status) select n, w from generate_series(1, 20) n, unnest(array['pending', 'active', 'rejected']) w;
    insert into public.tickets (requester_id, status) select n, w from generate_series(1, 20) n, unnest(array['new', 'in_progress', 'done']) w;
    insert into public.todos (user_id, status) select n, w from generate_series(1, 20) n, unnest(array['todo', 'in_progress', 'done']) w;
    insert into public.tasks (user_id, status) select n, w from generate_series(1, 20) n, unnest(array['todo', 'in_progress', 'done']) w;
    insert into public.email_messages (user_id, status) select n, w from generate_series(1, 20) n, unnest(array['queued', 'sent', 'failed']) w;
    insert into public.bookings (user_id, status) select n, w from generate_series(1, 20) n, unnest(array['pending', 'confirmed', 'cancelled', 'completed']) w;
"""

JOB_NAMES_OF_NEIGHBOURS = {"public.tasks"}


@dataclass(frozen=True)
class Row:
    """A job: its age, and how long it waited before it started; both in seconds."""

    id: Any
    user: Any
    status: str
    age: float
    waited: float | None


@dataclass(frozen=True)
class Truth:
    """What a scan has to say of an app's table, worked out from the rows that were put in."""

    waiting: int
    working: int
    ghosts: int
    ghosts_by_advised: int
    users: int
    oldest_age: float
    ghost_users: list[Any]
    long_running: list[str]
    waits: list[float]

    def percentile(self, share: float) -> timedelta:
        return timedelta(seconds=self.waits[math.ceil(share * len(self.waits)) - 1])

    @property
    def advised(self) -> timedelta:
        return timedelta(seconds=max(120, math.floor(3 * self.percentile(0.999).total_seconds()) + 1))


def rows(app: App) -> list[Row]:
    """Ghosts, real jobs, some that 'run' for days, and a history of ended ones."""
    starts = "started_at" in app.columns
    made: list[tuple[int, str, float, float | None]] = [
        (1, "queued", 3 * DAY, None), (2, "queued", 2 * HOUR, None), (1, "queued", 40 * MINUTE, None), (3, "queued", 6 * MINUTE, None),
        (4, "queued", MINUTE, None), (5, "queued", 4 * MINUTE, None),
        (6, "running", 30, 10), (7, "running", 12 * DAY, 5), (8, "running", 2 * DAY, 5),
    ]  # fmt: skip
    if starts:  # a retry: it waits again, and shows that it was started before
        made.append((9, "queued", 3 * HOUR, 20))
    ended = [status for status in ("completed", "failed", "cancelled") if status in app.words]
    made += [(10 + n % 7, ended[n % len(ended)], HOUR * (n + 1), float(n % 47)) for n in range(120)]
    made.append((20, "completed", DAY, app.longest))
    return [
        Row(app.ids(n), app.users(user), status, age, waited if starts else None)
        for n, (user, status, age, waited) in enumerate(made, 1)
    ]


def truth(app: App, made: list[Row]) -> Truth:
    ghosts = [row for row in made if row.status == "queued" and row.waited is None and row.age > 5 * MINUTE]
    waits = sorted(row.waited for row in made if row.waited is not None)
    long = sorted(
        (row for row in made if row.status == "running" and row.age - (row.waited or 0) > DAY),
        key=lambda row: -row.age,
    )
    found = Truth(
        waiting=sum(row.status == "queued" for row in made),
        working=sum(row.status == "running" for row in made),
        ghosts=len(ghosts),
        ghosts_by_advised=len(ghosts),
        users=len({row.user for row in ghosts}),
        oldest_age=max(row.age for row in ghosts),
        ghost_users=sorted({row.user for row in ghosts}, key=str),
        long_running=[str(row.id) for row in long],
        waits=waits,
    )
    if not waits:
        return found
    grace = max(found.advised.total_seconds(), 5 * MINUTE)
    late = sum(row.age > grace for row in ghosts)
    return Truth(
        **{**{name: getattr(found, name) for name in Truth.__dataclass_fields__}, "ghosts_by_advised": late}
    )


def fill(conn: psycopg.Connection, app: App, made: list[Row]) -> None:
    """Put the jobs in, in the app's own words and, where its dates have none, its own time zone."""
    zone = sql.SQL(" at time zone {}").format(app.zone) if app.zone else sql.SQL("")
    for row in made:
        values: dict[str, Any] = {
            app.columns["id"]: sql.Literal(row.id),
            app.columns["user_id"]: sql.Literal(row.user),
            app.columns["status"]: sql.Literal(app.words[row.status]),
            app.columns["created_at"]: sql.SQL("(now() - make_interval(secs => {})){}").format(row.age, zone),
        }
        if row.waited is not None:
            started = sql.SQL("(now() - make_interval(secs => {})){}").format(row.age - row.waited, zone)
            values[app.columns["started_at"]] = started
        values |= {name: sql.Literal(value) for name, value in app.fixed.items()}
        conn.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                sql.SQL(app.table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(values.values()),
            )
        )
