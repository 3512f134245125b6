"""The HTTP app over a real server, and a login that has no more rights than a backend's."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from fastapi import HTTPException as FastAPIException
from helpers import ROOT, UPSCALER, VIDEO, job, make_job, make_user, until, veto
from psycopg import sql
from starlette.applications import Starlette
from web.conftest import Serve
from web.host_app import priced, signed_in

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import embedded_server
from arcano_db.web import ArcanoWeb


def ask(client: httpx.Client, name: str, body: object = None, **headers: str) -> tuple[int, Any]:
    answer = client.post(f"/{name}", json=body or {}, headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] in ("application/json", "application/problem+json")
    return answer.status_code, answer.json()


def test_nobody_is_refused(client: httpx.Client) -> None:
    status, problem = ask(client, "check-user-active", **{"x-user": ""})
    assert (status, problem["title"]) == (401, "Not signed in")
    assert client.get("/events", headers={"x-user": ""}).status_code == 401


def test_a_free_user(client: httpx.Client) -> None:
    status, answer = ask(client, "check-user-active")
    assert status == 200
    assert answer.pop("checkedAt")
    assert answer == {
        "hasActiveJob": False,
        **dict.fromkeys(
            ["activeTool", "activeTable", "activeStatus", "activeJobId", "createdAt", "startedAt"]
        ),
        "position": None,
        "healsAt": None,
        "silentSince": None,
        "healed": 0,
    }


def test_a_ghost_is_healed_and_a_real_job_told_with_its_place_now(
    client: httpx.Client, conn: psycopg.Connection, db: ArcanoDB, user: UUID
) -> None:
    make_job(conn, UPSCALER, user)
    assert ask(client, "check-user-active")[1]["healed"] == 1
    ahead = [make_job(conn, UPSCALER, make_user(conn), "2 minutes") for _ in range(2)]
    waiting = make_job(conn, VIDEO, user, "1 minute")
    for each in (*ahead, waiting):
        db.run_or_queue(each, run=False)
    db.cancel_job(ahead[0])
    _, answer = ask(client, "check-user-active")
    assert answer["hasActiveJob"] is True
    assert answer["activeTool"] == "Video Upscaler"
    assert answer["activeTable"] == VIDEO
    assert answer["activeStatus"] == "queued"
    assert answer["activeJobId"] == str(waiting)
    assert answer["position"] == 2
    assert answer["createdAt"] < answer["checkedAt"]


def test_a_body_that_names_another_user_is_refused(
    client: httpx.Client, conn: psycopg.Connection, user: UUID
) -> None:
    other = make_user(conn)
    theirs = make_job(conn, UPSCALER, other, "1 minute")
    new = {"jobTable": UPSCALER, "jobId": str(uuid4())}
    for name, body in (
        ("check-user-active", {}),
        ("cancel-session", {}),
        ("start-upload", {"jobId": str(uuid4()), "name": "a", "size": 1}),
        ("create-job", new),
    ):
        assert ask(client, name, {**body, "userId": str(other)})[0] == 403
        assert ask(client, name, {**body, "userId": str(user)})[0] in (200, 201)
    for name in ("touch-job", "cancel-job", "queue-job"):
        assert ask(client, name, {"jobId": str(theirs)})[0] == 403
        assert ask(client, name, {"jobId": str(uuid4())})[0] == 403  # whether there is such a job is not said
        assert ask(client, name, {"jobId": str(theirs), "userId": str(other)})[0] == 422
    assert job(conn, theirs)["status"] == "queued"


def test_the_life_of_a_job(client: httpx.Client, conn: psycopg.Connection, db: ArcanoDB) -> None:
    db.set_job_table(UPSCALER, {"user_columns": ["scale"]})
    job_id = str(uuid4())
    place = ask(client, "start-upload", {"jobId": job_id, "name": "a.png", "size": 10, "type": "image/png"})
    assert place[0] == 200
    assert place[1]["uploadUrl"].endswith(job_id)
    assert place[1]["headers"] == {"x-name": "a.png"}
    new = {"jobTable": UPSCALER, "jobId": job_id, "sessionId": "visit", "data": {"scale": 4}}
    made = {"created": True, "jobTable": UPSCALER, "jobId": job_id, "status": "queued"}
    assert ask(client, "create-job", new) == (201, made)
    assert ask(client, "create-job", new) == (200, {**made, "created": False})
    assert job(conn, UUID(job_id))["session_id"] == "visit"
    assert ask(client, "touch-job", {"jobId": job_id})[1]["changed"] is True
    queued = {"decision": "queued", "position": 1, "note": None}
    assert ask(client, "queue-job", {"jobId": job_id}) == (200, queued)
    assert ask(client, "queue-job", {"jobId": job_id}) == (200, queued)

    status, active = ask(client, "create-job", {**new, "jobId": str(uuid4())})
    assert (status, active["activeJobId"], active["position"]) == (409, job_id, 1)
    status, active = ask(client, "start-upload", {"jobId": str(uuid4()), "name": "b", "size": 1})
    assert (status, active["activeJobId"]) == (409, job_id)
    # A repeated call is not in its own way.
    assert ask(client, "start-upload", {"jobId": job_id.upper(), "name": "a.png", "size": 10})[0] == 200

    assert ask(client, "cancel-session", {"sessionId": "another"}) == (200, {"cancelled": []})
    status, answer = ask(client, "cancel-session", {"sessionId": "visit", "reason": "left"})
    assert answer == {"cancelled": [{"jobTable": UPSCALER, "jobId": job_id, "refunded": False}]}
    assert job(conn, UUID(job_id))["error_message"] == "left"
    ended = ask(client, "queue-job", {"jobId": job_id})[1]
    assert (ended["decision"], ended["note"]) == (None, "already cancelled")
    assert ask(client, "cancel-job", {"jobId": job_id})[1]["changed"] is False


def test_a_working_job_cannot_be_cancelled(
    client: httpx.Client, conn: psycopg.Connection, user: UUID
) -> None:
    working = make_job(conn, UPSCALER, user, status="running", started_at="now")
    assert ask(client, "cancel-session")[1] == {"cancelled": []}
    assert ask(client, "cancel-job", {"jobId": str(working)})[1]["changed"] is False
    assert job(conn, working)["status"] == "running"


def test_the_browser_gives_only_the_columns_that_it_may(client: httpx.Client) -> None:
    new = {"jobTable": UPSCALER, "jobId": str(uuid4()), "data": {"user_credit_cost": 0, "scale": 4}}
    assert ask(client, "create-job", new)[0] == 422


def test_job_data_says_the_columns_and_may_refuse(
    serve: Serve, backend_dsn: str, conn: psycopg.Connection, user: UUID
) -> None:
    client = serve(ArcanoWeb(backend_dsn, user=signed_in, job_data=priced), **{"x-user": str(user)})
    new: dict[str, Any] = {"jobTable": UPSCALER, "jobId": str(uuid4()), "data": {"user_credit_cost": 0}}
    assert ask(client, "create-job", {**new, "data": {"scale": 8}}) == (
        402, {"title": "Refused", "status": 402, "detail": "Not enough credits."},
    )  # fmt: skip
    assert ask(client, "create-job", {**new, "userId": str(make_user(conn))})[0] == 403
    assert ask(client, "create-job", new)[0] == 201
    made = job(conn, UUID(new["jobId"]))
    assert (made["user_id"], made["user_credit_cost"], made["credits_charged"]) == (user, 60, True)
    upload = {"jobId": str(uuid4()), "name": "a", "size": 1}
    assert ask(client, "start-upload", upload)[0] == 404  # there is nowhere to upload to


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_what_another_site_can_send_unasked_is_refused(
    client: httpx.Client, content_type: str | None
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    assert client.post("/cancel-session", content=b"{}", headers=headers).status_code == 415


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"jobId": "\\ud800"}', b'{"sessionId": "\\u0000"}', b'{"sessionId": 7}', b'{"x": 1}',
     b'{"sessionId": ""}', b"\xff", b'{"userId": "nobody"}', b'{"userId": 7}',
     b'{"reason": "' + b"x" * 1001 + b'"}'],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(client: httpx.Client, content: bytes) -> None:
    answer = client.post("/cancel-session", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (403, 422)
    assert answer.json()["status"] == answer.status_code


def test_a_body_that_is_too_large_is_refused(client: httpx.Client) -> None:
    def parts() -> Iterator[bytes]:
        yield b'{"reason": "'
        for _ in range(100):
            yield b"x" * 10_000

    headers = {"content-type": "application/json"}
    answer = client.post("/cancel-session", content=parts(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "table", ["public.nothing", "public.users", "nothing.at_all", "a b", "'", "1", "x" * 200]
)
def test_a_table_that_is_no_job_table_is_not_found(client: httpx.Client, table: str) -> None:
    assert ask(client, "create-job", {"jobTable": table, "jobId": str(uuid4())})[0] == 404


def test_an_id_of_another_type_or_of_another_user_is_refused(
    client: httpx.Client, conn: psycopg.Connection
) -> None:
    theirs = make_job(conn, UPSCALER, make_user(conn))
    assert ask(client, "create-job", {"jobTable": UPSCALER, "jobId": "seven"})[0] == 422
    assert ask(client, "touch-job", {"jobId": 7})[0] == 422
    assert ask(client, "create-job", {"jobTable": UPSCALER, "jobId": str(theirs)})[0] in (403, 409)


def test_a_lock_that_others_hold_is_told_as_not_now(
    client: httpx.Client, conn: psycopg.Connection, connect: Callable[..., psycopg.Connection], user: UUID
) -> None:
    """And who they are is none of the user's business."""
    ArcanoDB(conn).set_longest_wait("50 milliseconds")
    holder = connect(autocommit=False)
    holder.execute("select arcano.lock_user(%s, 'nothing')", (user,))
    answer = client.post("/create-job", json={"jobTable": UPSCALER, "jobId": str(uuid4())})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["detail"] == "Another request of the same user is not done yet."
    assert str(holder.info.backend_pid) not in answer.text
    assert client.post("/check-user-active", json={}).status_code == 200
    holder.rollback()
    answer = client.post("/create-job", json={"jobTable": UPSCALER, "jobId": str(uuid4())})
    assert answer.status_code == 201


def test_a_veto_of_the_apps_own_table_is_no_secret_and_tells_none(
    client: httpx.Client, conn: psycopg.Connection, user: UUID
) -> None:
    mine = make_job(conn, UPSCALER, user, "1 minute")
    veto(conn, UPSCALER)
    status, problem = ask(client, "touch-job", {"jobId": str(mine)})
    assert (status, problem["detail"]) == (409, "The app's own table refuses the job.")


def test_too_many_requests(serve: Serve, backend_dsn: str, conn: psycopg.Connection, user: UUID) -> None:
    client = serve(ArcanoWeb(backend_dsn, user=signed_in, rate="3/minute"), **{"x-user": str(user)})
    answers = [client.post("/check-user-active", json={}) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert (
        ask(client, "check-user-active", **{"x-user": str(make_user(conn))})[0] == 200
    )  # another user's own
    strangers = [client.post("/check-user-active", json={}, headers={"x-user": ""}) for _ in range(4)]
    assert [a.status_code for a in strangers] == [401, 401, 401, 429]


def test_a_database_that_does_not_answer(serve: Serve, user: UUID) -> None:
    client = serve(ArcanoWeb("host=/nowhere connect_timeout=1", user=signed_in), **{"x-user": str(user)})
    answer = client.post("/check-user-active", json={}, timeout=30)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "nowhere" not in answer.text
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz", timeout=30).status_code == 503


def test_a_database_without_the_package(serve: Serve, request: pytest.FixtureRequest) -> None:
    with embedded_server(request.config.getoption("--postgres"), {"fsync": "off"}) as server:
        client = serve(ArcanoWeb(server.dsn(), user=signed_in), **{"x-user": str(uuid4())})
        assert client.post("/check-user-active", json={}).status_code == 503  # there are no roles
        assert client.get("/readyz").status_code == 503
        with psycopg.connect(server.dsn()) as conn:
            conn.execute("create role arcano_user")
        assert client.post("/check-user-active", json={}).status_code == 503
        assert client.get("/readyz").status_code == 503


def test_a_login_without_the_roles(
    serve: Serve, dsn: str, backend_dsn: str, conn: psycopg.Connection, user: UUID
) -> None:
    login = psycopg.conninfo.conninfo_to_dict(backend_dsn)["user"]
    conn.execute(sql.SQL("revoke arcano_user from {}").format(sql.Identifier(login)))
    client = serve(ArcanoWeb(backend_dsn, user=signed_in), **{"x-user": str(user)})
    assert client.get("/readyz").status_code == 503
    assert client.post("/check-user-active", json={}).status_code == 503


@pytest.mark.parametrize("role", ["arcano_user", "arcano_backend"])
def test_a_missing_grant_is_said_in_the_log_and_to_no_browser(
    serve: Serve,
    backend_dsn: str,
    conn: psycopg.Connection,
    user: UUID,
    caplog: pytest.LogCaptureFixture,
    role: str,
) -> None:
    login = psycopg.conninfo.conninfo_to_dict(backend_dsn)["user"]
    conn.execute(sql.SQL("revoke {} from {}").format(sql.Identifier(role), sql.Identifier(login)))
    client = serve(ArcanoWeb(backend_dsn, user=signed_in, job_data=priced), **{"x-user": str(user)})
    answer = client.post("/create-job", json={"jobTable": UPSCALER, "jobId": str(uuid4())})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.json() == {"title": "Not now", "status": 503}
    assert f"grant arcano_backend, arcano_user to {login};" in caplog.text
    ready = client.get("/readyz")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "2")


def test_that_it_is_not_believed_who_calls_is_no_fault_of_the_user(
    serve: Serve, backend_dsn: str, conn: psycopg.Connection, user: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    conn.execute("create function public.nobody() returns uuid language sql as 'select null::uuid'")
    ArcanoDB(conn).set_identity_function("public.nobody()")
    client = serve(ArcanoWeb(backend_dsn, user=signed_in), **{"x-user": str(user)})
    for name, body in (("check-user-active", {}), ("touch-job", {"jobId": str(uuid4())})):
        answer = client.post(f"/{name}", json=body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert answer.json() == {"title": "Not now", "status": 503}
    assert client.get("/events").status_code == 503
    assert client.get("/readyz").status_code == 503
    assert "public.nobody() names nobody" in caplog.text


def test_a_schema_that_the_login_may_not_use_is_said_in_the_log(
    serve: Serve, backend_dsn: str, conn: psycopg.Connection, user: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    conn.execute("create schema app; alter table public.veste_ai_jobs set schema app")
    client = serve(ArcanoWeb(backend_dsn, user=signed_in, job_data=priced), **{"x-user": str(user)})
    answer = client.post("/create-job", json={"jobTable": "app.veste_ai_jobs", "jobId": str(uuid4())})
    assert answer.status_code == 503
    assert "usage on the schema of a table whose jobs --job-data makes" in caplog.text


def test_the_functions_of_the_readme(
    serve: Serve, backend_dsn: str, conn: psycopg.Connection, user: UUID
) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(
        r"```python\n(from arcano_db.web import ArcanoWeb, CreateJob.*?)```", text, re.DOTALL
    )
    host: dict[str, Any] = {"signed_url": lambda path: f"https://files.example/{path}"}
    exec(block, host)
    web = ArcanoWeb(backend_dsn, user=signed_in, job_data=host["columns"], uploads=host["place"])
    client = serve(web, **{"x-user": str(user)})
    file = {"jobId": str(uuid4()), "name": "a", "size": 10}
    assert (
        ask(client, "start-upload", file)[1]["uploadUrl"] == f"https://files.example/{user}/{file['jobId']}"
    )
    assert ask(client, "start-upload", {**file, "size": 10**9})[0] == 413
    minted = {"user_credit_cost": 10**6, "credits_charged": True}
    new = {"jobTable": UPSCALER, "jobId": str(file["jobId"])}
    assert ask(client, "create-job", {**new, "data": {"scale": 3, **minted}})[0] == 422
    assert ask(client, "create-job", {**new, "data": {"scale": 4, **minted}})[0] == 201
    made = conn.execute(
        "select scale, user_credit_cost, credits_charged from public.upscaler_jobs"
    ).fetchall()
    assert made == [(4, 60, None)]


@pytest.mark.parametrize("name", ["touch-job", "queue-job", "cancel-job"])
@pytest.mark.parametrize(
    "table", ["public.users", "public.nothing", "1259", "pg_class", "no such (name", UPSCALER, VIDEO]
)
def test_a_job_that_is_not_ones_own_tells_nothing_of_tables(
    client: httpx.Client, conn: psycopg.Connection, db: ArcanoDB, name: str, table: str
) -> None:
    """Neither of those that are closed, or are no job tables, nor of those that are not there."""
    db.set_job_table(VIDEO, {"user_columns": None})
    other = make_job(conn, UPSCALER, make_user(conn), "1 second")
    status, problem = ask(client, name, {"jobId": str(other), "jobTable": table})
    assert (status, problem["detail"]) == (403, f"you have no job with the id {other}")


def test_a_table_that_is_half_attached_is_not_there(
    client: httpx.Client, conn: psycopg.Connection, user: UUID
) -> None:
    mine = make_job(conn, UPSCALER, user, "1 second")
    for left in ("alter table public.upscaler_jobs no inherit arcano.job", "delete from arcano.job_table"):
        conn.execute(left)
        new = {"jobTable": UPSCALER, "jobId": str(uuid4())}
        status, problem = ask(client, "create-job", new)
        assert (status, problem["detail"]) == (
            404,
            f"there is no table '{UPSCALER}' in which users may make jobs",
        )
        for name in ("touch-job", "queue-job", "cancel-job"):
            status, problem = ask(client, name, {"jobId": str(mine), "jobTable": UPSCALER})
            assert (status, problem["detail"]) == (403, f"you have no job with the id {mine}"), left
        conn.execute("alter table public.upscaler_jobs inherit arcano.job") if "no inherit" in left else None


def test_what_the_apps_own_code_says_is_none_of_the_users_business(
    client: httpx.Client, conn: psycopg.Connection, user: UUID
) -> None:
    veto(conn, UPSCALER)
    mine = make_job(conn, UPSCALER, user, "1 second", position=1)
    status, said = ask(client, "cancel-job", {"jobId": str(mine)})
    assert (status, said["note"]) == (200, "it cannot be cancelled now: try again")
    assert conn.execute("select reason from arcano.job_event where event = 'error'").fetchone() is not None


@pytest.mark.parametrize("style", ["SQL, DMY", "German", "Postgres, MDY"])
def test_a_login_may_write_dates_in_its_own_way(
    serve: Serve, backend_dsn: str, conn: psycopg.Connection, user: UUID, style: str
) -> None:
    login = sql.Identifier(psycopg.conninfo.conninfo_to_dict(backend_dsn)["user"])
    conn.execute(sql.SQL("alter role {} set datestyle = {}").format(login, sql.Literal(style)))
    client = serve(ArcanoWeb(backend_dsn, user=signed_in), **{"x-user": str(user)})
    assert ask(client, "check-user-active")[0] == 200
    assert client.get("/readyz").status_code == 200


def test_a_detail_of_fastapi_need_not_be_text(serve: Serve, backend_dsn: str, user: UUID) -> None:
    def refusing(*_: object) -> Any:
        raise FastAPIException(402, {"credits": 3})

    client = serve(ArcanoWeb(backend_dsn, user=signed_in, job_data=refusing), **{"x-user": str(user)})
    status, problem = ask(client, "create-job", {"jobTable": UPSCALER, "jobId": str(uuid4())})
    assert (status, problem["detail"]) == (402, '{"credits": 3}')


def test_a_closed_table_of_the_same_name_is_not_there(
    serve: Serve, backend_dsn: str, conn: psycopg.Connection, db: ArcanoDB, user: UUID
) -> None:
    client = serve(ArcanoWeb(backend_dsn, user=signed_in), **{"x-user": str(user)})
    conn.execute(
        "create schema secret; create table secret.upscaler_jobs (like public.upscaler_jobs including all)"
    )
    db.attach_job_table("secret.upscaler_jobs", "Secret")
    job_id = str(uuid4())
    status, _ = ask(client, "create-job", {"jobTable": "upscaler_jobs", "jobId": job_id})
    assert status == 201
    assert job(conn, UUID(job_id))["status"] == "queued"
    status, _ = ask(client, "touch-job", {"jobTable": "upscaler_jobs", "jobId": job_id})
    assert status == 200


@pytest.mark.parametrize(
    "table", ["public.users", "public.nothing", "1259", "pg_class", "no such (name", UPSCALER]
)
@pytest.mark.parametrize("job_data", [None, priced])
def test_a_table_that_is_closed_is_not_told_from_one_that_is_not_there(
    serve: Serve, backend_dsn: str, db: ArcanoDB, user: UUID, table: str, job_data: Any
) -> None:
    db.set_job_table(UPSCALER, {"user_columns": None})
    client = serve(ArcanoWeb(backend_dsn, user=signed_in, job_data=job_data), **{"x-user": str(user)})
    status, problem = ask(client, "create-job", {"jobTable": table, "jobId": str(uuid4())})
    assert status == 404
    assert problem["detail"] == f"there is no table '{table}' in which users may make jobs"


def test_it_is_ready(client: httpx.Client) -> None:
    assert client.get("/readyz").json() == {"status": "ok"}


def read_events(client: httpx.Client, count: int, then: Callable[[int], None] = lambda _: None) -> list[Any]:
    found = []
    with client.stream("GET", "/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
                then(len(found))
                if len(found) == count:
                    break
    return found


def test_events_tell_what_changes(
    client: httpx.Client, conn: psycopg.Connection, db: ArcanoDB, user: UUID
) -> None:
    made: list[UUID] = []

    def change(number: int) -> None:
        if number == 1:
            with conn.transaction():
                made.append(make_job(conn, UPSCALER, user, "1 minute"))
                db.run_or_queue(made[0], run=False)
        elif number == 2:
            db.cancel_job(made[0])

    free, waits, free_again = read_events(client, 3, change)
    assert (free["hasActiveJob"], waits["position"], free_again["hasActiveJob"]) == (False, 1, False)


def test_a_goodbye_keeps_what_is_touched_within_the_grace(
    serve: Serve, backend_dsn: str, conn: psycopg.Connection, user: UUID
) -> None:
    back, gone = (
        make_job(conn, table, user, "1 second", session_id=table, position=1) for table in (UPSCALER, VIDEO)
    )
    client = serve(ArcanoWeb(backend_dsn, user=signed_in, leave_grace=1), **{"x-user": str(user)})
    for table in (UPSCALER, VIDEO):
        answer = ask(client, "cancel-session", {"sessionId": table, "reason": "left", "unlessBack": True})
        assert answer == (202, {"cancelled": []})
        if table == UPSCALER:
            assert ask(client, "touch-job", {"jobId": str(back)})[1]["changed"]
    until(lambda: job(conn, gone)["status"] == "cancelled")
    assert (job(conn, gone)["error_message"], job(conn, back)["status"]) == ("left", "queued")


def test_a_goodbye_of_another_user_is_refused(client: httpx.Client, conn: psycopg.Connection) -> None:
    goodbye = {"userId": str(make_user(conn)), "unlessBack": True}
    assert ask(client, "cancel-session", goodbye)[0] == 403


def test_goodbyes_are_carried_out_before_it_closes(
    backend_dsn: str, conn: psycopg.Connection, user: UUID
) -> None:
    gone = make_job(conn, UPSCALER, user, "1 second", session_id="visit", position=1)

    async def say_and_close() -> None:
        web = ArcanoWeb(backend_dsn, user=signed_in, leave_grace=0.1)
        transport = httpx.ASGITransport(web)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            body = {"sessionId": "visit", "unlessBack": True}
            await client.post("/cancel-session", json=body, headers={"x-user": str(user)})
        assert job(conn, gone)["status"] == "queued"
        await web.close()

    asyncio.run(say_and_close())
    assert job(conn, gone)["status"] == "cancelled"


def test_a_stream_that_is_left_in_the_middle_of_a_look_gives_its_connection_back(
    client: httpx.Client, conn: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    def backends(condition: str = "true") -> list[tuple[int]]:
        return conn.execute(
            f"select pid from pg_stat_activity where application_name = 'arcano-db web' and {condition}"
        ).fetchall()

    with client.stream("GET", "/events") as stream:
        lines = stream.iter_lines()  # which ends the stream once nothing refers to it
        next(lines)
        before = backends()
        lock = conn.transaction()
        lock.__enter__()
        conn.execute("lock table arcano.job")
        until(lambda: backends("wait_event_type = 'Lock'"))
    lock.__exit__(None, None, None)
    until(lambda: backends("state = 'idle'"))
    assert ask(client, "check-user-active")[0] == 200
    assert backends() == before
    assert [record.message for record in caplog.records if record.name.startswith("psycopg")] == []


def test_streams_of_one_user_are_few(client: httpx.Client) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arcano_db.web.streams.STREAMS_OF_A_USER", 1)
        with client.stream("GET", "/events") as first:
            lines = first.iter_lines()  # which ends the stream once nothing refers to it
            next(lines)
            assert client.get("/events").status_code == 429
        until(lambda: read_one(client))


def read_one(client: httpx.Client) -> bool:
    with client.stream("GET", "/events") as answer:
        return answer.status_code == 200


@pytest.mark.parametrize("host", [Starlette, FastAPI])
def test_it_is_mounted_into_an_app_in_three_lines(
    serve: Serve, backend_dsn: str, user: UUID, host: Callable[[], Any]
) -> None:
    app = host()
    app.mount("/arcano", ArcanoWeb(backend_dsn, user=signed_in))
    client = serve(app, **{"x-user": str(user)})
    assert ask(client, "arcano/check-user-active")[0] == 200
    module = client.get("/arcano/arcano.js")
    assert module.headers["content-type"].startswith("text/javascript")
    assert client.get("/arcano/nothing").status_code == 404
