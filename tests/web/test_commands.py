"""``arcano-db serve`` and ``arcano-db demo --web`` as programs of their own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest
from helpers import ARCANO_DB, UPSCALER, LongCommand, arcano_db
from psycopg.conninfo import make_conninfo
from servers import embedded_version

from arcano_db.testing.embedded import EmbeddedServer

_HERE = Path(__file__).parent


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def serve_command() -> Iterator[Callable[..., tuple[LongCommand, httpx.Client]]]:
    """Starts ``arcano-db serve`` with functions of host_app.py, and answers it and a client of it."""
    started: list[tuple[LongCommand, httpx.Client]] = []

    def _serve(*arguments: str) -> tuple[LongCommand, httpx.Client]:
        port = free_port()
        command = LongCommand("serve", "--port", str(port), *arguments, cwd=_HERE)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        started.append((command, client))
        command.wait_for("Uvicorn running on")
        return command, client

    yield _serve
    for command, client in started:
        client.close()
        command.kill()


def test_serve(
    serve_command: Callable[..., tuple[LongCommand, httpx.Client]],
    backend_dsn: str,
    conn: psycopg.Connection,
    user: UUID,
) -> None:
    functions = (
        "--user",
        "host_app:signed_in",
        "--uploads",
        "host_app:place",
        "--job-data",
        "host_app:priced",
    )
    command, client = serve_command("--dsn", backend_dsn, *functions, "--rate", "5/minute")
    client.headers["x-user"] = str(user)
    new = {"jobTable": UPSCALER, "jobId": str(user)}
    assert client.post("/arcano/create-job", json=new).status_code == 201
    assert conn.execute("select user_credit_cost from public.upscaler_jobs").fetchone() == (60,)
    upload = client.post("/arcano/start-upload", json={"jobId": str(user), "name": "a", "size": 1})
    assert upload.json()["uploadUrl"].startswith("https://files.example/")
    answers = [client.post("/arcano/check-user-active", json={}).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert client.get("/arcano/arcano.js").status_code == 200
    another = {"x-user": "00000000-0000-4000-8000-000000000001"}
    with client.stream("GET", "/arcano/events", headers=another) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("event: active")
        command.process.send_signal(signal.SIGTERM)  # a stream does not keep it up
        assert command.process.wait(timeout=30) in (0, -signal.SIGTERM)
        assert "ERROR" not in command.rest()
        assert list(lines)[-1] == ""  # the end of an event, not of a connection


def test_serve_under_a_prefix(
    serve_command: Callable[..., tuple[LongCommand, httpx.Client]], backend_dsn: str
) -> None:
    _, client = serve_command(
        "--dsn", backend_dsn, "--user", "host_app:signed_in", "--without-job-data", "--prefix", "api/jobs/"
    )
    assert client.get("/api/jobs/readyz").json() == {"status": "ok"}
    assert client.get("/arcano/readyz").status_code == 404


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing option '--user'"),
        (["--user", "host_app"], "give it as module:function"),
        (["--user", "host_app:nobody"], "has no attribute 'nobody'"),
        (["--user", "host_app:signed_in", "--rate", "often"], "Invalid value for --rate"),
    ],
)
def test_serve_says_what_is_wrong(arguments: list[str], said: str) -> None:
    done = arcano_db("serve", *arguments, cwd=_HERE)
    assert done.returncode == 2
    assert said in done.stderr


def test_serve_says_which_grant_is_missing(dsn: str, conn: psycopg.Connection) -> None:
    conn.execute("create role without_grants login")
    try:
        login = make_conninfo(dsn, user="without_grants")
        done = arcano_db("serve", "--dsn", login, "--user", "host_app:signed_in", cwd=_HERE)
    finally:
        conn.execute("drop role without_grants")
    assert done.returncode == 1
    assert "grant arcano_backend, arcano_user to the login of --dsn" in done.stderr


def test_serve_waits_for_a_database_that_is_away(own_server: EmbeddedServer) -> None:
    own_server.stop("immediate")
    command = LongCommand(
        "serve",
        "--port",
        str(free_port()),
        "--dsn",
        own_server.dsn(),
        "--user",
        "host_app:signed_in",
        "--without-job-data",
        cwd=_HERE,
    )
    command.wait_for("trying again in 1 seconds")
    own_server.start()
    command.wait_for("Uvicorn running on")
    command.kill()
    own_server.stop("immediate")
    command = LongCommand("serve", "--dsn", own_server.dsn(), "--user", "host_app:signed_in", cwd=_HERE)
    command.wait_for("trying again in 1 seconds")
    command.process.send_signal(signal.SIGTERM)
    assert command.process.wait(timeout=30) == 1
    own_server.start()


def test_the_demo_keeps_a_database_that_is_in_use(dsn: str) -> None:
    done = arcano_db("demo", "--web", "--dsn", dsn)
    assert done.returncode == 1
    assert "needs an empty database" in done.stderr


def test_the_demo_keeps_nothing() -> None:
    done = arcano_db("demo", "--web", "--keep")
    assert done.returncode == 2
    assert "--keep is for the demo in the terminal" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_ends_with_all_that_it_started(
    number: signal.Signals, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    version = str(embedded_version(request.config.getoption("--postgres")))
    command = [ARCANO_DB, "demo", "--web", "--port", "0", "--pg-version", version]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ) as demo:
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                if found := re.search(r"http://\S+", line):
                    break
            tmp_path.chmod(0o755)
            page = httpx.get(found[0], headers={"accept-language": "pt-BR"}, trust_env=False)
            assert 'lang="pt-BR"' in page.text
            assert list(tmp_path.glob("arcano-*"))
            demo.send_signal(number)
            assert demo.wait(timeout=30) == 0
            assert not list(tmp_path.glob("arcano-*"))
        finally:
            demo.kill()


def test_the_demo_says_that_its_port_is_taken(empty_dsn: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = arcano_db("demo", "--web", "--port", port, "--dsn", empty_dsn)
    assert done.returncode == 1
    assert "--port" in done.stderr
    with psycopg.connect(empty_dsn) as conn:
        assert conn.execute("select to_regnamespace('arcano')").fetchone() == (None,)
