"""A real browser, and the demo's web app as a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
import uvicorn
from helpers import make_user, until
from PIL import Image
from playwright.sync_api import Browser as ConnectedBrowser
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pytest_postgresql import factories
from starlette.types import ASGIApp
from web.chromium import Browser, Program, chromium
from web.host_app import place, signed_in

from arcano_db import ArcanoDB
from arcano_db.demo import upscaler
from arcano_db.web import ArcanoWeb

Serve = Callable[..., httpx.Client]


@pytest.fixture(scope="session", autouse=True)
def writable_tmp() -> Iterator[None]:
    """Where /tmp is not the user's: Chromium and Playwright's program look nowhere else unless told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", tempfile.gettempdir())
        yield


@pytest.fixture(scope="session")
def program() -> Iterator[Program]:
    with chromium() as found:
        yield found


# For each file, because it keeps a loop of asyncio running, beside which others cannot start theirs.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def connected(
    program: Program, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConnectedBrowser]:
    browser = Browser(program, tmp_path_factory.mktemp("profile"))
    try:
        # One connection: each would answer the dialogs of all pages.
        yield playwright.chromium.connect_over_cdp(browser.address)
    finally:
        browser.kill()


@pytest.fixture
def open_context(connected: ConnectedBrowser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a browser of its own, as far as cookies and storage go; its options are Playwright's."""
    with contextlib.ExitStack() as stack:

        def _open(**options: Any) -> BrowserContext:
            context = connected.new_context(**options)
            stack.callback(context.close)
            context.on("console", lambda message: print("console:", message.text))
            context.on("weberror", lambda error: print("error:", error.error))
            return context

        yield _open


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    return open_context().new_page()


def waited(page: Page) -> bool:
    """Let Playwright's own handlers run, which nothing else does."""
    page.wait_for_timeout(10)
    return True


class Site:
    """The demo's web app with its worker, and its database.

    Attributes:
        address: Of its start page, with a slash at the end.
        conn: A connection to its database, in autocommit, as its owner.
    """

    def __init__(self, dsn: str, seconds: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("prepared_demo.py"), dsn, seconds],
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.address = _address(self._process.stdout)
        self.conn = psycopg.connect(dsn, autocommit=True)
        self.db = ArcanoDB(self.conn)

    def of(self, user: int) -> str:
        return f"{self.address}{user}/"

    def stop_work(self) -> None:
        """From here on what is in the line stays there."""
        for account in self.db.account_status():
            self.db.set_account(account.api_account, enabled=False)

    def work_again(self) -> None:
        for account in self.db.account_status():
            self.db.set_account(account.api_account, enabled=True)

    def end(self) -> None:
        self.conn.close()
        # How it ends by itself is in test_commands.py: it carries out goodbyes first, which takes seconds.
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _address(output: IO[str]) -> str:
    for line in output:
        if found := re.search(r"http://\S+", line):
            # Read on, lest it waits for a reader.
            threading.Thread(target=lambda: [None for _ in output], daemon=True).start()
            return found[0]
    raise AssertionError("it did not start")


def _prepare(autocommit: bool = False, **parameters: Any) -> None:
    upscaler.prepare(
        make_conninfo(**{name: value for name, value in parameters.items() if value is not None})
    )


# Prepared once, and copied for each test.
site_template = factories.postgresql_noproc(dbname="site", load=[_prepare])
site_database = factories.postgresql("site_template")


@pytest.fixture
def site(site_database: psycopg.Connection, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Its worker takes as many seconds for a picture as the test says; if it says nothing, none."""
    started = Site(site_database.info.dsn, getattr(request, "param", "0"), tmp_path)
    yield started
    started.end()


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "picture.png"
    Image.radial_gradient("L").resize((320, 200)).convert("RGB").save(path)
    return path


@pytest.fixture(scope="session")
def screenshots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of pages go; ``--screenshots FOLDER`` keeps them."""
    chosen = request.config.getoption("--screenshots")
    return Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")


@pytest.fixture
def backend_dsn(dsn: str, conn: psycopg.Connection) -> Iterator[str]:
    login = f"backend_{uuid4().hex}"
    name = sql.Identifier(login)
    conn.execute(sql.SQL("create role {} login in role arcano_backend, arcano_user").format(name))
    yield make_conninfo(dsn, user=login)
    conn.execute(sql.SQL("drop role {}").format(name))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves an app, and answers a client of it."""
    running: list[tuple[uvicorn.Server, threading.Thread, httpx.Client]] = []

    def _serve(app: ASGIApp, **headers: str) -> httpx.Client:
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run)
        thread.start()
        until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False)
        running.append((server, thread, client))
        return client

    yield _serve
    for server, thread, client in running:
        client.close()
        server.should_exit = True
        thread.join()


@pytest.fixture
def user(conn: psycopg.Connection) -> UUID:
    return make_user(conn)


@pytest.fixture
def client(serve: Serve, backend_dsn: str, user: UUID) -> httpx.Client:
    """Of a user who is signed in."""
    return serve(ArcanoWeb(backend_dsn, user=signed_in, uploads=place), **{"x-user": str(user)})
