"""What PostgREST and Supabase do to the database for an rpc: PostgREST itself is not here.

For each request: a transaction, one select that sets search_path, role and claims, and a call with named
arguments from a JSON body.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from helpers import ROOT, UPSCALER, job, make_job, make_user
from psycopg import sql
from psycopg.conninfo import make_conninfo

from arcano_db.testing.embedded import EmbeddedServer


def three_grants() -> str:
    """The README's own."""
    text = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    block = text.partition("### Supabase and PostgREST")[2].partition("```sql\n")[2].partition("```")[0]
    assert block.count("grant ") == len(block.strip().splitlines()) == 3
    return block


class Rest:
    """The requests of PostgREST over its one login."""

    def __init__(self, login: psycopg.Connection) -> None:
        self.connection = login

    def rpc(self, role: str, user_id: UUID | None, function: str, /, **body: Any) -> Any:
        """``POST /rpc/function`` with a token of this role and user: the response's body.

        Users ask the schema that a gateway exposes; the service asks for the other one by its profile.
        """
        schema = "arcano" if role == "service_role" else "arcano_api"
        claims: dict[str, Any] = {"role": role, "exp": 1795000000, "aud": "authenticated"}
        if user_id:
            claims["sub"] = str(user_id)
        with self.connection.transaction():
            self.connection.execute(
                "select set_config('search_path', %s, true),"
                " set_config('role', %s, true),"
                " set_config('request.jwt.claims', %s, true), set_config('request.method', 'POST', true),"
                " set_config('request.path', %s, true), set_config('request.headers', '{}', true),"
                " set_config('request.cookies', '{}', true)",
                (f'"{schema}", "public"', role, json.dumps(claims), f"/rpc/{function}"),
            )
            return self._call(schema, function, body)

    def _call(self, schema: str, function: str, body: dict[str, Any]) -> Any:
        # PostgREST knows the arguments' types and the shape of the result from its cache of the schema.
        types, returns_set, is_row = self.connection.execute(
            """
            select (select jsonb_object_agg(n, format_type(t, null))
                      from unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]))
                           with ordinality a (n, t, i)
                     where coalesce(p.proargmodes[i], 'i') = 'i'),
                   p.proretset, p.prorettype = 'record'::regtype
              from pg_proc p
             where p.pronamespace = %s::regnamespace and p.proname = %s
            """,
            (schema, function),
        ).fetchone()
        name, arguments = sql.Identifier(schema, function), [sql.Identifier(key) for key in body]
        if body:
            source = sql.SQL(
                "(select {body}::json as json_data) pgrst_payload, lateral (select {names} from"
                " json_to_record(pgrst_payload.json_data) as _({typed}) limit 1) pgrst_body,"
                " lateral {name}({given}) pgrst_call"
            ).format(
                body=sql.Literal(json.dumps(body, default=str)),
                names=sql.SQL(", ").join(arguments),
                typed=sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(key), sql.SQL(types[key])) for key in body
                ),
                name=name,
                given=sql.SQL(", ").join(sql.SQL("{0} := pgrst_body.{0}").format(key) for key in arguments),
            )
        else:
            source = sql.SQL("{}() pgrst_call").format(name)
        shape = "coalesce(json_agg(t), '[]')" if returns_set else "coalesce(json_agg(t) -> 0, 'null')"
        if not is_row:
            shape = "json_agg(t.pgrst_call) -> 0"
        columns = "pgrst_call.*" if is_row else "pgrst_call"
        return self.connection.execute(
            sql.SQL(
                "with pgrst_source as (select {} from {}) select {} from (select * from pgrst_source) t"
            ).format(sql.SQL(columns), source, sql.SQL(shape))
        ).fetchone()[0]


@pytest.fixture
def owner(own_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute(
            "create role anon nologin; create role authenticated nologin; create role service_role nologin"
        )
        conn.execute("create role authenticator login noinherit in role anon, authenticated, service_role")
        conn.execute(three_grants())
        # As Supabase does with its exposed schema.
        conn.execute("grant usage on schema public to anon, authenticated, service_role")
        conn.execute("grant all on all tables in schema public to anon, authenticated, service_role")
        yield conn


@pytest.fixture
def rest(owner: psycopg.Connection) -> Iterator[Rest]:
    with psycopg.connect(make_conninfo(owner.info.dsn, user="authenticator"), autocommit=True) as login:
        yield Rest(login)


def test_the_story_of_a_browser(owner: psycopg.Connection, rest: Rest) -> None:
    user = make_user(owner)
    ghost = make_job(owner, UPSCALER, user)
    checked = rest.rpc("authenticated", user, "check_user_active")
    assert list(checked) == [
        "has_active_job", "active_tool", "active_table", "active_status", "active_job_id", "created_at",
        "started_at", "position", "heals_at", "healed", "silent_since",
    ]  # fmt: skip
    assert (checked["has_active_job"], checked["healed"]) == (False, 1)
    assert job(owner, ghost)["status"] == "cancelled"

    job_id = uuid4()
    made = rest.rpc(
        "authenticated", user, "create_job", p_table=UPSCALER, p_job_id=job_id, p_session_id="visit"
    )
    assert made == {
        "created": True, "job_id": str(job_id),
        "active_table": None, "active_job_id": None, "active_status": None,
    }  # fmt: skip
    touched = rest.rpc("authenticated", user, "touch_job", p_job_id=job_id)
    assert touched == {"changed": True, "status": "queued", "attempt": 0, "note": None}
    blocked = rest.rpc("authenticated", user, "check_user_active")
    assert (blocked["active_job_id"], blocked["active_tool"]) == (str(job_id), "Upscaler Arcano")

    queued = rest.rpc("service_role", None, "run_or_queue", p_job_id=job_id)
    assert (queued["decision"], queued["position"]) == ("queued", 1)
    assert rest.rpc("authenticated", user, "queue_position", p_job_id=job_id) == 1
    told = rest.rpc("authenticated", user, "explain_job", p_job_id=job_id)
    assert [row["condition"] for row in told if not row["holds"]] == [
        "it never entered the line",
        "it has been silent for orphan_after",
        "so the job is an orphan",
    ]
    assert rest.rpc("authenticated", user, "cancel_session", p_session_id="visit") == [
        {"job_table": UPSCALER, "job_id": str(job_id), "refunded": False}
    ]


def test_another_user_and_nobody(owner: psycopg.Connection, rest: Rest) -> None:
    user, other = make_user(owner), make_user(owner)
    theirs = make_job(owner, UPSCALER, other, "0")
    for role, caller in (("authenticated", user), ("anon", None), ("authenticated", None), ("anon", user)):
        about_another = [
            ("create_job", {"p_table": UPSCALER, "p_job_id": theirs}),
            ("queue_job", {"p_job_id": theirs}),
            ("cancel_job", {"p_job_id": theirs}),
            ("touch_job", {"p_job_id": theirs}),
            ("explain_job", {"p_job_id": theirs}),
        ]
        for function, body in about_another:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                rest.rpc(role, caller, function, **body)
        with rest.connection.transaction(force_rollback=True):
            rest.connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            for call in (f"check_user_active('{other}')", "cancel_job(null, true)", "sweep_orphans()"):
                denied = pytest.raises(psycopg.errors.InsufficientPrivilege, match="for schema arcano")
                with denied, rest.connection.transaction():
                    rest.connection.execute(f"select arcano.{call}".encode())
    assert job(owner, theirs)["status"] == "queued"


def test_the_service_speaks_for_everybody(owner: psycopg.Connection, rest: Rest) -> None:
    user = make_user(owner)
    job_id = uuid4()
    made = rest.rpc("service_role", None, "create_job", p_table=UPSCALER, p_job_id=job_id, p_user_id=user)
    assert made["created"] is True
    assert (
        rest.rpc("service_role", None, "start_job", p_job_id=job_id, p_task_id="task")["status"] == "running"
    )
    done = rest.rpc("service_role", None, "finish_task", p_task_id="task")
    assert (done["changed"], done["job_id"]) == (True, str(job_id))
    with pytest.raises(psycopg.errors.NullValueNotAllowed):
        rest.rpc("service_role", None, "check_user_active", p_user_id=None)


def test_one_request_leaves_nothing_to_the_next(owner: psycopg.Connection, rest: Rest) -> None:
    """The settings are the transaction's, and empty strings afterwards, not null."""
    user = make_user(owner)
    make_job(owner, UPSCALER, user, "0")
    assert rest.rpc("authenticated", user, "check_user_active")["has_active_job"]
    assert rest.connection.execute("select current_setting('request.jwt.claims')").fetchone() == ("",)
    rest.connection.execute("set role authenticated")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not known which user"):
        rest.connection.execute("select * from arcano_api.check_user_active()")
    rest.connection.execute("reset role")


def test_a_gateway_that_cannot_become_a_backend_is_not_believed(
    owner: psycopg.Connection, rest: Rest
) -> None:
    user = make_user(owner)
    owner.execute("revoke service_role from authenticator")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not known which user") as refused:
        rest.rpc("authenticated", user, "check_user_active")
    assert "set_identity_function" in (refused.value.diag.message_hint or "")
    owner.execute("grant arcano_backend to authenticator")
    assert not rest.rpc("authenticated", user, "check_user_active")["has_active_job"]
    owner.execute("revoke arcano_backend from authenticator")
    owner.execute("select arcano.set_identity_function('arcano.claimed_user()')")
    assert not rest.rpc("authenticated", user, "check_user_active")["has_active_job"]
