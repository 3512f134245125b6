"""What needs Node: the compiler reads the module and its types, and a page with React uses the hooks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from helpers import until
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.responses import FileResponse, HTMLResponse
from starlette.routing import Mount, Route
from web.conftest import Serve
from web.host_app import place

from arcano_db.web import ArcanoWeb
from arcano_db.web.app import BROWSER

_PACKAGES = ("typescript@5", "@types/react@19", "react@19", "react-dom@19", "esbuild@0.25")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module, what uses it, and the packages that are needed to."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not on this machine")
    folder = tmp_path_factory.mktemp("node")
    for path in (*BROWSER.iterdir(), *Path(__file__).parent.glob("*.[tj]s")):
        shutil.copy(path, folder)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, *_PACKAGES]
    subprocess.run(npm, check=True, capture_output=True)
    return folder


def test_the_module_and_its_types_agree(node: Path) -> None:
    options = "--noEmit --strict --allowJs --checkJs --module esnext --moduleResolution bundler"
    command = ["npx", "tsc", *options.split(), "--target", "es2022", "--lib", "es2023,dom,dom.iterable"]
    done = subprocess.run(
        [*command, "usage.ts", "arcano.js", "arcano-react.js"], cwd=node, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_module_loads_on_a_server(node: Path) -> None:
    (node / "package.json").write_text('{"type": "module"}')
    script = "import('./arcano-react.js').then((found) => console.log(Object.keys(found).sort().join()))"
    done = subprocess.run(["node", "-e", script], cwd=node, capture_output=True, text=True)
    assert done.stdout.strip() == "useActiveJob,useCancelOnLeave,useUploadThenCreate", done.stderr


def test_a_page_with_react(
    node: Path, serve: Serve, page: Page, backend_dsn: str, conn: psycopg.Connection, user: UUID
) -> None:
    bundle = ["npx", "esbuild", "react_page.js", "--bundle", "--format=esm", "--outfile=bundle.js"]
    subprocess.run(bundle, cwd=node, check=True, capture_output=True)
    html = '<!doctype html><div id="root"></div><script type="module" src="/bundle.js"></script>'
    app = Starlette(
        routes=[
            Route("/", lambda _: HTMLResponse(html)),
            Route("/bundle.js", lambda _: FileResponse(node / "bundle.js")),
            Mount(
                "/arcano",
                ArcanoWeb(backend_dsn, user=lambda _: user, uploads=place, poll=0.05, leave_grace=0),
            ),
        ]
    )

    def statuses() -> list[str]:
        rows = conn.execute("select status from public.upscaler_jobs order by created_at").fetchall()
        return [status for (status,) in rows]

    address = str(serve(app).base_url)
    page.goto(address)
    status = page.get_by_role("status")
    expect(status).to_have_text("null")
    # A part of the page that goes away ends its upload, also after a double click.
    page.get_by_role("button", name="slow", exact=True).click()
    page.get_by_role("button", name="start slowly").dblclick()
    page.get_by_role("button", name="slow", exact=True).click()
    page.wait_for_function("window.aborted?.name === 'AbortError'")
    assert statuses() == []

    page.get_by_role("button", name="start", exact=True).click()
    expect(status).to_have_text("queued")
    page.get_by_role("button", name="start", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("UserBlocked")
    page.get_by_role("button", name="release").click()
    expect(status).to_have_text("null")
    assert statuses() == ["cancelled"]

    page.get_by_role("button", name="start", exact=True).click()
    expect(status).to_have_text("queued")
    page.get_by_role("button", name="stay").click()
    page.goto("about:blank")
    page.goto(address)  # where it is mounted anew, and shall cancel
    expect(status).to_have_text("queued")
    page.goto("about:blank")
    until(lambda: statuses() == ["cancelled", "cancelled"])
