"""Any backend that calls functions: the same life of a job through other drivers, with named arguments."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import psycopg
import pytest
import sqlalchemy
from helpers import MESSAGE, UPSCALER, VIDEO, job, make_job, make_user
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.ext.asyncio import create_async_engine

Call = Callable[..., list[dict[str, Any]]]


class Refused(Exception):
    """The server's error, by its SQLSTATE."""


def url(dsn: str, driver: str) -> sqlalchemy.URL:
    parts = conninfo_to_dict(dsn)
    return sqlalchemy.URL.create(
        f"postgresql+{driver}",
        username=parts["user"],
        database=parts["dbname"],
        query={"host": parts["host"], "port": str(parts.get("port", 5432))},
    )


@contextmanager
def over_asyncpg(dsn: str) -> Iterator[Call]:
    parts = conninfo_to_dict(dsn)
    runner = asyncio.Runner()
    connection = runner.run(
        asyncpg.connect(
            host=parts["host"],
            port=int(parts.get("port", 5432)),
            user=parts["user"],
            database=parts["dbname"],
            ssl=False,
        )
    )

    def call(name: str, **arguments: Any) -> list[dict[str, Any]]:
        named = ", ".join(f"{key} => ${number}" for number, key in enumerate(arguments, 1))
        statement = f"select * from arcano.{name}({named})"
        try:
            return [dict(row) for row in runner.run(connection.fetch(statement, *arguments.values()))]
        except asyncpg.PostgresError as error:
            raise Refused(error.sqlstate) from error

    yield call
    runner.run(connection.close())
    runner.close()


# SQLAlchemy gives some drivers a type for every parameter, text for a string: say which it is.
_CASTS = {"p_table": "regclass", "p_data": "jsonb"}


def _text(name: str, arguments: dict[str, Any]) -> sqlalchemy.TextClause:
    named = ", ".join(
        f"{key} => cast(:{key} as {_CASTS[key]})" if key in _CASTS else f"{key} => :{key}"
        for key in arguments
    )
    return sqlalchemy.text(f"select * from arcano.{name}({named})")


@contextmanager
def over_sqlalchemy(dsn: str) -> Iterator[Call]:
    engine = sqlalchemy.create_engine(url(dsn, "psycopg"))

    def call(name: str, **arguments: Any) -> list[dict[str, Any]]:
        try:
            with engine.begin() as connection:
                return [dict(row) for row in connection.execute(_text(name, arguments), arguments).mappings()]
        except sqlalchemy.exc.DBAPIError as error:
            raise Refused(error.orig.sqlstate) from error

    yield call
    engine.dispose()


@contextmanager
def over_async_sqlalchemy(dsn: str) -> Iterator[Call]:
    engine = create_async_engine(url(dsn, "asyncpg"), connect_args={"ssl": False})
    runner = asyncio.Runner()

    async def fetch(name: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        async with engine.begin() as connection:
            return [
                dict(row) for row in (await connection.execute(_text(name, arguments), arguments)).mappings()
            ]

    def call(name: str, **arguments: Any) -> list[dict[str, Any]]:
        try:
            return runner.run(fetch(name, arguments))
        except sqlalchemy.exc.DBAPIError as error:
            raise Refused(error.orig.sqlstate) from error

    yield call
    runner.run(engine.dispose())
    runner.close()


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the driver of Node and the script that uses it."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not on this machine")
    folder = tmp_path_factory.mktemp("node")
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "pg@8"],
        check=True,
        capture_output=True,
    )
    shutil.copy(Path(__file__).with_name("backend.mjs"), folder)
    return folder


@contextmanager
def over_node(dsn: str, folder: Path) -> Iterator[Call]:
    parts = conninfo_to_dict(dsn)
    settings = {
        "host": parts["host"],
        "port": int(parts.get("port", 5432)),
        "user": parts["user"],
        "database": parts["dbname"],
    }
    with subprocess.Popen(
        ["node", folder / "backend.mjs", json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def call(name: str, **arguments: Any) -> list[dict[str, Any]]:
            process.stdin.write(json.dumps({"name": name, "args": arguments}, default=str) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if "error" in answer:
                raise Refused(answer["error"])
            return answer["rows"]

        yield call


@pytest.fixture(params=["asyncpg", "sqlalchemy", "sqlalchemy async", "node"])
def call(request: pytest.FixtureRequest, dsn: str) -> Iterator[Call]:
    if request.param == "node":
        opened = over_node(dsn, request.getfixturevalue("node_folder"))
    else:
        opened = {
            "asyncpg": over_asyncpg,
            "sqlalchemy": over_sqlalchemy,
            "sqlalchemy async": over_async_sqlalchemy,
        }[request.param](dsn)
    with opened as calls:
        yield calls


def test_the_life_of_a_job(call: Call, conn: psycopg.Connection) -> None:
    user, job_id = make_user(conn), uuid4()
    ghost = make_job(conn, VIDEO, user)
    # More than once, so that drivers that prepare statements do.
    for _ in range(7):
        (free,) = call("check_user_active", p_user_id=user)
        assert free["has_active_job"] is False
    assert job(conn, ghost)["error_message"] == MESSAGE

    data = json.dumps({"scale": 4})
    arguments = {"p_table": UPSCALER, "p_job_id": job_id, "p_user_id": user, "p_session_id": "visit"}
    (made,) = call("create_job", **arguments, p_data=data)
    assert (made["created"], UUID(str(made["job_id"]))) == (True, job_id)
    (again,) = call("create_job", **arguments, p_data=data)
    assert (again["created"], UUID(str(again["active_job_id"]))) == (False, job_id)
    (other,) = call("create_job", **{**arguments, "p_job_id": uuid4()}, p_data="{}")
    assert (other["created"], other["active_table"]) == (False, UPSCALER)

    (blocked,) = call("check_user_active", p_user_id=user)
    assert (blocked["has_active_job"], UUID(str(blocked["active_job_id"]))) == (True, job_id)
    (touched,) = call("touch_job", p_job_id=job_id)
    assert touched["changed"]
    (started,) = call("start_job", p_job_id=job_id, p_task_id="task")
    assert (started["changed"], started["attempt"]) == (True, 1)
    assert call("cancel_session", p_user_id=user) == []
    (finished,) = call("finish_job", p_job_id=job_id, p_status="completed", p_attempt=1)
    assert (finished["changed"], finished["status"]) == (True, "completed")
    (late,) = call("fail_job", p_job_id=job_id, p_reason="late")
    assert (late["changed"], late["note"]) == (False, "already completed")

    make_job(conn, VIDEO, user)
    assert call("sweep_orphans", p_limit=10) == [
        {"job_table": VIDEO, "cancelled": 1, "stalled": 0, "put_back": 0}
    ]


def test_errors_have_their_sqlstate(call: Call, conn: psycopg.Connection) -> None:
    user = make_user(conn)
    with pytest.raises(Refused, match="22004"):
        call("check_user_active", p_user_id=None)
    wrong = json.dumps({"scale": "four"})
    with pytest.raises(Refused, match="22023"):
        call("create_job", p_table=UPSCALER, p_job_id=uuid4(), p_user_id=user, p_data=wrong)
    (made,) = call("create_job", p_table=UPSCALER, p_job_id=uuid4(), p_user_id=user)
    assert made["created"]
