"""arcano.js in a real Chromium: leaving and staying, the id of a visit, upload first where things fail."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from helpers import UPSCALER, MigratedAs, events, job, make_job, until
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import Route as Call
from psycopg import sql
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from web.conftest import Serve, Site, waited
from web.host_app import place

from arcano_db import ArcanoDB
from arcano_db.demo import user
from arcano_db.web import ArcanoWeb
from arcano_db.web.app import BROWSER

Open = Callable[..., BrowserContext]

# A file, and what uploadThenCreate is given in this app.
_UPLOAD = """
    const { uploadThenCreate, configure } = await import('./arcano/arcano.js')
    configure({ pauses: [1, 1, 1, 1] })
    const file = new File([new Uint8Array(1000)], 'a.png', { type: 'image/png' })
    const upload = (options) =>
      uploadThenCreate(file, { jobTable: 'public.upscaler_jobs', ...options }).catch((error) => ({
        error: error.name, status: error.status, active: error.active?.activeJobId, message: error.message }))
"""


@pytest.fixture
def visited(site: Site, page: Page) -> Page:
    """The page of the first user, with no worker behind it."""
    site.stop_work()
    page.goto(site.of(1))
    return page


def run(page: Page, body: str, argument: object = None) -> Any:
    """Run the body of an async function in the page."""
    return page.evaluate(f"async (argument) => {{ {body} }}", argument)


def in_queue(site: Site, page: Page, queued: bool = True) -> UUID:
    """A job of this visit that waits in the line.

    The page's script has run by then: a browser calls a page complete before, and one that is left at once
    says no goodbye.
    """
    until(lambda: page.evaluate("() => document.getElementById('start').textContent !== ''"))
    session_id = run(page, "return (await import('./arcano/arcano.js')).sessionId()")
    job_id = make_job(site.conn, UPSCALER, user(1), "1 second", session_id=session_id)
    if queued:
        site.db.run_or_queue(job_id, run=False)
    return job_id


def jobs(site: Site) -> list[tuple[str, str | None]]:
    return site.conn.execute("select status, error_message from public.upscaler_jobs").fetchall()


def let_goodbyes_pass(site: Site) -> None:
    """One that is said now, by a user whom nobody else is here, is carried out after those before it."""
    with httpx.Client(base_url=site.of(2), trust_env=False) as client:
        client.get("")
        made = make_job(site.conn, UPSCALER, user(2), "1 second", session_id="passing")
        goodbye = {"sessionId": "passing", "reason": "passing", "unlessBack": True}
        assert client.post("arcano/cancel-session", json=goodbye).status_code == 202
    until(lambda: job(site.conn, made)["status"] == "cancelled")
    site.conn.execute("delete from public.upscaler_jobs where id = %s", (made,))


def look(page: Page, state: str) -> None:
    """Make a page hidden or visible: a browser without a window does neither."""
    page.evaluate(
        "value => { Object.defineProperty(document, 'visibilityState', { value, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        state,
    )


LEFT = [("cancelled", "The user left the page")]
STAYS = [("queued", None)]


def test_a_page_that_is_left_cancels(site: Site, visited: Page) -> None:
    in_queue(site, visited)
    visited.goto("about:blank")
    until(lambda: jobs(site) == LEFT)


def was_told(site: Site) -> bool:
    """Whether the goodbye of a page came; the next one begins anew if not.

    Of a page that is left as soon as it is there, Chromium itself now and then loses a beacon that it has
    taken, about one in a hundred; never three.
    """
    with contextlib.suppress(AssertionError):
        until(lambda: jobs(site) == LEFT, seconds=10)
        return True
    site.conn.execute("delete from public.upscaler_jobs")
    return False


def test_a_page_that_is_closed_cancels(site: Site, visited: Page) -> None:
    for page in (visited, visited.context.new_page(), visited.context.new_page()):
        page.goto(site.of(1))
        in_queue(site, page)
        page.close()
        if was_told(site):
            return
    pytest.fail("it was not told")


def test_a_page_that_shall_not_cancel_does_not(site: Site, visited: Page) -> None:
    in_queue(site, visited)
    visited.get_by_label("Cancel my job if I leave").uncheck()
    with visited.context.expect_page() as opened:
        visited.evaluate("void window.open('./')")
    opened.value.wait_for_load_state()
    visited.goto("about:blank")
    # What it would have sent would have come before the answer to this.
    assert run(opened.value, "return (await import('./arcano/arcano.js')).checkUserActive()")["hasActiveJob"]
    let_goodbyes_pass(site)
    assert jobs(site) == STAYS


def test_a_user_who_is_asked_and_stays_has_not_left(site: Site, visited: Page) -> None:
    in_queue(site, visited)
    visited.evaluate("addEventListener('beforeunload', (event) => event.preventDefault())")
    visited.locator("h1").click()  # nobody is asked on a page that nobody has touched
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    visited.on("dialog", stay)
    visited.evaluate("void setTimeout(() => (location.href = 'about:blank'))")
    until(lambda: waited(visited) and asked == ["beforeunload"])
    assert run(visited, "return (await import('./arcano/arcano.js')).checkUserActive()")["hasActiveJob"]
    let_goodbyes_pass(site)
    assert jobs(site) == STAYS


def by_location(page: Page) -> None:
    with page.expect_navigation():
        page.evaluate("void setTimeout(() => location.reload())")


def by_button(page: Page) -> None:
    page.reload()  # as the browser's own button does


def by_leaving_and_going_back(page: Page) -> None:
    page.goto("about:blank")
    page.go_back(wait_until="commit")


def by_leaving_and_visiting_again(page: Page) -> None:
    address = page.url
    page.goto("about:blank")
    page.goto(address)


@pytest.mark.parametrize(
    "reload", [by_location, by_button, by_leaving_and_going_back, by_leaving_and_visiting_again]
)
def test_a_page_that_is_back_in_a_moment_keeps_its_job_and_can_release_it(
    site: Site, visited: Page, reload: Callable[[Page], None]
) -> None:
    job_id = in_queue(site, visited)
    reload(visited)
    let_goodbyes_pass(site)
    assert jobs(site) == STAYS
    cancelled = run(
        visited,
        "const arcano = await import('./arcano/arcano.js');"
        " return arcano.cancelSession({ sessionId: arcano.sessionId() })",
    )["cancelled"]
    assert [each["jobId"] for each in cancelled] == [str(job_id)]


def test_a_page_that_is_left_after_a_reload_cancels(site: Site, visited: Page) -> None:
    for _ in range(3):
        visited.goto(site.of(1))
        in_queue(site, visited)
        by_location(visited)
        visited.goto("about:blank")
        if was_told(site):
            return
    pytest.fail("it was not told")


def test_a_duplicated_tab_is_a_visit_of_its_own(visited: Page) -> None:
    ask = "return (await import('./arcano/arcano.js')).sessionId()"
    first = run(visited, ask)
    with visited.context.expect_page() as opened:
        visited.evaluate("void window.open('./')")  # which copies sessionStorage
    opened.value.wait_for_load_state()
    second = run(opened.value, ask)
    visited.reload()
    opened.value.reload()
    assert (run(visited, ask), run(opened.value, ask)) == (first, second)
    assert first != second


PHONE = {"is_mobile": True, "has_touch": True}


@pytest.mark.parametrize(
    ("device", "queued", "when_hidden", "left"),
    [
        (PHONE, False, None, True),
        (PHONE, True, None, False),  # workers serve it without the page
        (PHONE, True, True, True),
        (PHONE, False, False, False),
        ({}, False, None, False),
        ({}, True, None, False),
        ({}, True, True, True),
    ],
)
def test_a_hidden_page_has_left_on_a_phone_alone(
    site: Site,
    open_context: Open,
    device: dict[str, bool],
    queued: bool,
    when_hidden: bool | None,
    left: bool,
) -> None:
    site.stop_work()
    page = open_context(**device).new_page()
    page.goto(site.of(1))
    in_queue(site, page, queued)
    if when_hidden is not None:
        run(
            page,
            "const { cancelOnLeave, sessionId } = await import('./arcano/arcano.js');"
            " cancelOnLeave(sessionId(), true, { whenHidden: argument })",
            when_hidden,
        )
    look(page, "hidden")
    # Sent after it, so that it is answered after it.
    run(page, "return (await import('./arcano/arcano.js')).checkUserActive()")
    let_goodbyes_pass(site)
    assert jobs(site) == (LEFT if left else STAYS)


def test_a_phone_that_is_looked_at_again_keeps_its_job(site: Site, open_context: Open) -> None:
    site.stop_work()
    page = open_context(is_mobile=True, has_touch=True).new_page()
    page.goto(site.of(1))
    in_queue(site, page)
    look(page, "hidden")
    look(page, "visible")
    let_goodbyes_pass(site)
    assert jobs(site) == STAYS


def test_a_reload_gives_no_sign_of_life_of_a_job_that_is_worked_on(site: Site, visited: Page) -> None:
    job_id = in_queue(site, visited)
    site.db.start_job(job_id)
    visited.reload()
    let_goodbyes_pass(site)
    assert job(site.conn, job_id)["heartbeat_at"] is None


def test_an_app_with_session_ids_of_its_own_is_back_after_a_reload(serve: Serve, page: Page) -> None:
    called: list[str] = []

    async def answer(request: Request) -> Response:
        called.append(request.path_params["name"])
        return JSONResponse({"hasActiveJob": True, "activeJobId": "7", "startedAt": None})

    app = Starlette(
        routes=[
            Route("/", lambda _: HTMLResponse("")),
            Route("/{name}", answer, methods=["POST"]),
            Mount("/", StaticFiles(directory=BROWSER)),
        ]
    )
    visit = "(await import('./arcano.js')).cancelOnLeave('of my own', true)"
    page.goto(str(serve(app).base_url))
    run(page, visit)
    page.reload()
    run(page, visit)
    until(lambda: "touch-job" in called)
    assert called == ["cancel-session", "check-user-active", "touch-job"]


def test_an_app_that_signs_in_by_headers_says_goodbye_with_them(serve: Serve, page: Page) -> None:
    seen: list[tuple[str | None, Any]] = []

    async def cancel_session(request: Request) -> Response:
        seen.append((request.headers.get("authorization"), await request.json()))
        return Response()

    app = Starlette(
        routes=[
            Route("/", lambda _: HTMLResponse("")),
            Route("/api/cancel-session", cancel_session, methods=["POST"]),
            Mount("/", StaticFiles(directory=BROWSER)),
        ]
    )
    page.goto(str(serve(app).base_url))
    run(
        page,
        "const { cancelOnLeave, configure } = await import('./arcano.js');"
        " configure({ prefix: '/api', headers: () => ({ authorization: 'Bearer 7' }) });"
        " cancelOnLeave('visit', true)",
    )
    page.goto("about:blank")
    until(lambda: seen)
    goodbye = {
        "sessionId": "visit",
        "reason": "The user left the page",
        "unlessBack": True,
        "inQueue": True,
    }
    assert seen == [("Bearer 7", goodbye)]


def test_a_page_that_comes_back_from_the_browsers_cache_is_told_again(site: Site, visited: Page) -> None:
    job_id = in_queue(site, visited)
    visited.evaluate("id => sessionStorage.setItem('upscaler.job', id)", str(job_id))
    by_location(visited)
    expect(visited.get_by_role("status")).to_have_text("You are number 1 in the line.")
    visited.get_by_label("Cancel my job if I leave").uncheck()
    visited.evaluate("window.isTheSame = true")
    visited.goto(site.address)
    visited.go_back(wait_until="commit")
    until(lambda: waited(visited) and visited.evaluate("window.isTheSame"))
    site.db.cancel_job(job_id)
    expect(visited.get_by_role("status")).to_have_text("Your job was cancelled.")


def test_a_status_is_no_boolean(visited: Page) -> None:
    found = run(
        visited,
        "const { cancelOnLeave } = await import('./arcano/arcano.js');"
        " try { cancelOnLeave('x', 'running') } catch (error) { return error.message }",
    )
    assert found == "shouldCancelOnLeave must be a boolean"


def fails(page: Page, name: str, times: int, how: Callable[[Call], None]) -> list[str]:
    """Let the first calls of an endpoint fail."""
    seen: list[str] = []

    def handle(route: Call) -> None:
        seen.append(route.request.url)
        how(route) if len(seen) <= times else route.continue_()

    page.route(f"**/{name}", handle)
    return seen


def lose_the_answer(route: Call) -> None:
    route.fetch()
    route.abort()


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("start-upload", lambda route: route.abort()),
        ("uploads/*", lambda route: route.fulfill(status=503)),
        ("create-job", lambda route: route.abort()),
        ("create-job", lose_the_answer),
        ("create-job", lambda route: route.fulfill(status=429, json={})),
        ("queue-job", lose_the_answer),
    ],
)
def test_every_step_is_tried_again_with_the_same_id(
    site: Site, visited: Page, name: str, how: Callable[[Call], None]
) -> None:
    job_id = str(uuid4())
    seen = fails(visited, name, 3, how)
    answer = run(visited, f"{_UPLOAD} return upload({{ jobId: argument }})", job_id)
    assert answer["jobId"] == job_id, answer
    assert len(seen) == 4
    assert jobs(site) == STAYS
    assert site.db.queue_position(UUID(job_id)) == 1


def test_an_upload_that_fails_makes_no_job(site: Site, visited: Page) -> None:
    fails(visited, "uploads/*", 99, lambda route: route.fulfill(status=403))
    assert run(visited, f"{_UPLOAD} return upload()")["status"] == 403
    assert jobs(site) == []


def test_a_job_that_cannot_be_started_ends_with_the_reason(site: Site, visited: Page) -> None:
    invoke = "async () => { throw new Error('no credits') }"
    answer = run(visited, f"{_UPLOAD} return upload({{ invoke: {invoke} }})")
    assert answer["error"] == "Error"
    assert jobs(site) == [("cancelled", "Error: no credits")]
    row = site.conn.execute("select id from public.upscaler_jobs").fetchone()
    assert row is not None
    assert [e["source"] for e in events(site.conn, row[0])] == ["cancel_job"]


def test_a_job_whose_making_was_never_answered_is_ended_too(site: Site, visited: Page) -> None:
    fails(visited, "create-job", 99, lose_the_answer)
    run(visited, f"{_UPLOAD} return upload()")
    assert [status for status, _ in jobs(site)] == ["cancelled"]


def test_a_user_who_stops_ends_it(site: Site, visited: Page) -> None:
    held = fails(visited, "uploads/*", 99, lambda _: None)
    visited.evaluate(
        f"async () => {{ {_UPLOAD} window.abort = new AbortController();"
        " window.answer = upload({ signal: window.abort.signal }) }"
    )
    until(lambda: waited(visited) and held)
    visited.evaluate("abort.abort()")
    assert visited.evaluate("answer")["error"] == "AbortError"
    assert jobs(site) == []


def test_a_blocked_user_uploads_nothing(site: Site, visited: Page) -> None:
    job_id = in_queue(site, visited)
    sent = fails(visited, "uploads/*", 0, lambda route: route.continue_())
    answer = run(visited, f"{_UPLOAD} return upload()")
    assert (answer["error"], answer["active"]) == ("UserBlocked", str(job_id))
    assert sent == []
    assert jobs(site) == STAYS


def test_a_user_whom_another_window_blocks_in_the_meantime_is_told(site: Site, visited: Page) -> None:
    made: list[UUID] = []

    def another_window_is_faster(route: Call) -> None:
        made.append(make_job(site.conn, UPSCALER, user(1), "1 second"))
        route.continue_()

    fails(visited, "create-job", 1, another_window_is_faster)
    answer = run(visited, f"{_UPLOAD} return upload()")
    assert (answer["error"], answer["active"]) == ("UserBlocked", str(made[0]))
    assert jobs(site) == STAYS


def test_a_whole_upload_is_not_sent_again(site: Site, visited: Page) -> None:
    job_id = str(uuid4())
    sent = fails(visited, "uploads/*", 0, lambda route: route.continue_())
    for _ in range(2):
        assert run(visited, f"{_UPLOAD} return upload({{ jobId: argument }})", job_id)["jobId"] == job_id
    assert len(sent) == 1
    assert jobs(site) == STAYS


def test_an_id_that_has_ended_is_not_used_again(site: Site, visited: Page) -> None:
    job_id = str(uuid4())
    run(visited, f"{_UPLOAD} return upload({{ jobId: argument }})", job_id)
    site.db.cancel_job(UUID(job_id))
    answer = run(visited, f"{_UPLOAD} return upload({{ jobId: argument }})", job_id)
    assert answer["error"] == "JobEnded"
    assert "already cancelled" in answer["message"]


# --- where the table gives the ids ----------------------------------------------------------------------

PHOTOS, FILMS = "public.photos", "public.films"
SOMEBODY = UUID(int=1)

# As _UPLOAD, of an app whose ids are numbers, and which keeps its files elsewhere.
_NUMBERED = """
    const { createJob, uploadThenCreate, configure } = await import('./arcano/arcano.js')
    configure({ pauses: [1, 1, 1, 1] })
    const upload = (options) =>
      uploadThenCreate(new File(['a'], 'a.png'), {
        jobTable: 'public.photos', jobId: null, upload: async () => {}, ...options,
      }).catch((error) => ({ error: error.name, status: error.status, message: error.message }))
"""


class Numbered:
    """A page of an app with two tables, in which the same user has had a job of the same number."""

    def __init__(self, conn: psycopg.Connection, page: Page) -> None:
        self.conn, self.page = conn, page
        for table in (PHOTOS, FILMS):
            conn.execute(
                f"create table {table} (id bigserial primary key, user_id uuid, status text,"
                " created_at timestamptz default now())"
            )
            ArcanoDB(conn).attach_job_table(table)
            ArcanoDB(conn).set_job_table(table, {"user_columns": []})
        conn.execute("insert into public.films (user_id, status) values (%s, 'completed')", (SOMEBODY,))

    def run(self, body: str, argument: object = None) -> Any:
        return run(self.page, f"{_NUMBERED} {body}", argument)

    def jobs(self) -> list[tuple[int, str, str | None]]:
        return self.conn.execute("select id, status, error_message from public.photos").fetchall()


@pytest.fixture
def numbered(migrated_as: MigratedAs, serve: Serve, page: Page) -> Iterator[Numbered]:
    dsn = migrated_as("bigint", "uuid")
    with psycopg.connect(dsn, autocommit=True) as conn:
        stage = Numbered(conn, page)
        web = ArcanoWeb(dsn, user=lambda _: SOMEBODY, uploads=place)
        routes = [Route("/", lambda _: HTMLResponse("")), Mount("/arcano", web)]
        page.goto(str(serve(Starlette(routes=routes, lifespan=lambda _: closing(web))).base_url))
        yield stage


@asynccontextmanager
async def closing(web: ArcanoWeb) -> AsyncIterator[None]:
    yield
    await web.close()


@pytest.mark.parametrize("how", [lambda route: route.abort(), lose_the_answer])
def test_a_job_whose_id_the_table_gives_is_made_once(numbered: Numbered, how: Callable[[Call], None]) -> None:
    seen = fails(numbered.page, "create-job", 3, how)
    made = numbered.run("return createJob({ jobTable: 'public.photos' })")
    assert len(seen) == 4
    assert (made["jobTable"], made["jobId"], made["status"]) == (PHOTOS, "1", "queued")
    assert numbered.jobs() == [(1, "queued", None)]


@pytest.mark.parametrize("name", ["start-upload", "create-job", "queue-job"])
def test_every_step_is_tried_again_with_the_same_key(numbered: Numbered, name: str) -> None:
    seen = fails(numbered.page, name, 3, lose_the_answer)
    answer = numbered.run("return upload()")
    assert len(seen) == 4
    assert (answer["jobTable"], answer["jobId"]) == (PHOTOS, "1")
    assert numbered.jobs() == [(1, "queued", None)]
    assert ArcanoDB(numbered.conn).queue_position(1, PHOTOS) == 1


def test_a_whole_upload_with_the_same_key_is_the_same_job(numbered: Numbered) -> None:
    answers = [numbered.run("return upload({ requestKey: argument })", "a key") for _ in range(2)]
    assert [(answer["jobId"], answer["created"]) for answer in answers] == [("1", True), ("1", False)]
    assert numbered.jobs() == [(1, "queued", None)]


def test_a_key_is_not_believed_of_the_job_of_another_one(numbered: Numbered) -> None:
    in_the_way = ArcanoDB(numbered.conn).create_job(PHOTOS, None, SOMEBODY)
    assert numbered.run("return upload({ requestKey: argument })", "a key")["error"] == "UserBlocked"

    def it_ends(route: Call) -> None:
        ArcanoDB(numbered.conn).cancel_job(in_the_way.job_id, table=PHOTOS)
        route.continue_()

    fails(numbered.page, "create-job", 1, it_ends)
    assert numbered.run("return upload({ requestKey: argument })", "a key")["error"] == "UserBlocked"
    assert numbered.jobs()[1:] == [(2, "cancelled", "Made without its file")]


def test_a_job_whose_id_the_table_gave_ends_with_the_reason(numbered: Numbered) -> None:
    answer = numbered.run("return upload({ invoke: async () => { throw new Error('no credits') } })")
    assert answer["error"] == "Error"
    assert numbered.jobs() == [(1, "cancelled", "Error: no credits")]


def test_a_job_whose_id_never_came_is_ended_by_its_visit(numbered: Numbered) -> None:
    fails(numbered.page, "create-job", 99, lose_the_answer)
    numbered.run("return upload({ sessionId: 'this visit' })")
    assert [status for _, status, _ in numbered.jobs()] == ["cancelled"]


def test_what_the_server_has_refused_ends_nothing_of_the_visit(numbered: Numbered) -> None:
    def another_is_faster(route: Call) -> None:
        ArcanoDB(numbered.conn).create_job(PHOTOS, None, SOMEBODY, "this visit")
        route.fulfill(status=403, json={"error": "not you"})

    fails(numbered.page, "create-job", 1, another_is_faster)
    assert numbered.run("return upload({ sessionId: 'this visit' })")["status"] == 403
    assert numbered.jobs() == [(1, "queued", None)]


def test_a_page_gives_back_the_table_of_a_job_that_it_made(numbered: Numbered) -> None:
    """Their number alone is of two jobs, and would be refused."""
    sent: list[Any] = []

    def handle(route: Call) -> None:
        sent.append(route.request.post_data_json)
        route.continue_()

    for name in ("queue-job", "touch-job", "cancel-job"):
        numbered.page.route(f"**/{name}", handle)
    numbered.run(
        """
        const arcano = await import('./arcano/arcano.js')
        const { jobId } = await createJob({ jobTable: 'public.photos' })
        for (const name of ['queueJob', 'touchJob', 'cancelJob']) await arcano[name](jobId)
        """
    )
    assert [(call["jobId"], call["jobTable"]) for call in sent] == [("1", PHOTOS)] * 3
    assert [status for _, status, _ in numbered.jobs()] == ["cancelled"]


def test_open_dialogs_leave_connections_for_calls(site: Site, open_context: Open) -> None:
    """A browser keeps six connections to a server for all of its windows, and a stream holds one."""
    site.stop_work()
    for number in (1, 2, 3):
        make_job(site.conn, UPSCALER, user(number), "1 second", position=1, waited_in_queue=True)
    context = open_context()
    pages = [context.new_page() for _ in range(3)]
    for number, page in enumerate(pages, 1):
        page.goto(site.of(number))
        page.evaluate(
            "customElements.whenDefined('active-job-dialog')"
            ".then(() => document.querySelector('active-job-dialog').blocks())"
        )
        expect(page.get_by_role("dialog")).to_contain_text("You are number")
    ask = """
        const { checkUserActive } = await import('./arcano/arcano.js')
        const late = new Promise((resolve) => setTimeout(resolve, 10_000, 'no connection is left'))
        return Promise.race([checkUserActive().then((active) => active.hasActiveJob), late])
    """
    for page in pages:
        assert run(page, ask) is True


def test_a_page_that_nobody_looks_at_holds_no_stream(site: Site, visited: Page) -> None:
    visited.evaluate("window.told = []")
    watch = "(await import('./arcano/arcano.js')).watchActiveJob((now) => told.push(now.activeStatus))"
    run(visited, watch)
    until(lambda: waited(visited) and visited.evaluate("told.length") == 1)
    with visited.expect_event("requestfailed", lambda request: request.url.endswith("/events")):
        look(visited, "hidden")
    job_id = in_queue(site, visited)
    look(visited, "visible")
    until(lambda: waited(visited) and visited.evaluate("told") == [None, "queued"])
    assert site.db.queue_position(job_id) == 1


# --- the same thing twice -------------------------------------------------------------------------------


def test_a_double_click_is_one_job(site: Site, visited: Page) -> None:
    """Both get the same answer: neither is told that the other is in the way."""
    answers = run(
        visited,
        _UPLOAD
        + """
        return await Promise.all([upload({}), upload({}), upload({})])
        """,
    )
    assert [answer.get("error") for answer in answers] == [None] * 3
    assert len({answer["jobId"] for answer in answers}) == 1
    assert jobs(site) == STAYS


def test_a_double_click_on_create_is_one_job(numbered: Numbered) -> None:
    answers = numbered.run(
        """
        const job = { jobTable: 'public.photos' }
        return await Promise.all([createJob(job), createJob({ ...job }), createJob(job)])
        """
    )
    assert len({answer["jobId"] for answer in answers}) == 1
    assert [answer["created"] for answer in answers] == [True] * 3
    assert len(numbered.jobs()) == 1
    # Afterwards it is another one, which the first one is in the way of.
    assert numbered.run("return createJob({ jobTable: 'public.photos' })")["hasActiveJob"]


def test_ids_are_made_without_a_secure_context(visited: Page) -> None:
    made = run(
        visited,
        """
        crypto.randomUUID = undefined
        const { newId } = await import('./arcano/arcano.js')
        return Array.from({ length: 1000 }, newId)
        """,
    )
    assert len({UUID(one) for one in made}) == 1000
    assert {(UUID(one).version, str(UUID(one)) == one) for one in made} == {(4, True)}


def test_a_page_watches_again_once_the_server_is_back(site: Site, visited: Page) -> None:
    """A browser gives a stream of events up that was refused."""
    refused = []

    def refuse(call: Call) -> None:
        refused.append(call)
        call.fulfill(status=503, headers={"retry-after": "1"})

    visited.route("**/events", refuse)
    run(
        visited,
        """
        const { configure, watchActiveJob } = await import('./arcano/arcano.js')
        configure({ pauses: [1, 1, 1] })
        window.seen = []
        watchActiveJob((active) => window.seen.push(active.hasActiveJob))
        """,
    )
    until(lambda: waited(visited) and len(refused) >= 3)
    visited.unroute("**/events")
    until(lambda: waited(visited) and visited.evaluate("window.seen.length > 0"))


# The page's own calls, and what they were answered.
KEEPS_STATUSES = """
    const really = window.fetch
    window.statuses = []
    window.fetch = async (...arguments_) => {
      const answer = await really(...arguments_)
      window.statuses.push(answer.status)
      return answer
    }
"""


@contextlib.contextmanager
def read_only(site: Site) -> Iterator[None]:
    """For all but the test's own connection."""
    database = sql.Identifier(site.conn.info.dbname)

    def say(setting: str) -> None:
        site.conn.execute(sql.SQL("alter database {} " + setting).format(database))
        site.conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    say("set default_transaction_read_only = on")
    yield
    say("reset default_transaction_read_only")


def test_a_page_goes_on_once_the_database_can_be_written_to_again(site: Site, visited: Page) -> None:
    with read_only(site):
        patient = "configure({ pauses: Array(100).fill(100) }); window.made = upload({})"
        run(visited, KEEPS_STATUSES + _UPLOAD + patient)
        until(lambda: waited(visited) and visited.evaluate("window.statuses.includes(503)"))
    assert run(visited, "return await window.made").get("error") is None
    assert jobs(site) == STAYS


def test_a_watcher_that_throws_silences_no_other(site: Site, visited: Page) -> None:
    visited.evaluate("window.told = []; window.onerror = () => true")
    run(
        visited,
        """const { watchActiveJob } = await import('./arcano/arcano.js')
           watchActiveJob(() => { throw new Error('of the app') })
           watchActiveJob((active) => told.push(active.activeStatus))""",
    )
    until(lambda: waited(visited) and visited.evaluate("told.length") > 0)


@pytest.mark.parametrize(
    ("status", "body", "name"),
    [
        (502, "null", "ArcanoError"),
        (502, '"x"', "ArcanoError"),
        (503, "<html>", "ArcanoError"),
        (200, "<html>sign in first</html>", "TypeError"),
        (200, "null", "TypeError"),
    ],
)
def test_an_answer_that_is_not_ours(site: Site, visited: Page, status: int, body: str, name: str) -> None:
    visited.route("**/check-user-active", lambda route: route.fulfill(status=status, body=body))
    said = run(
        visited,
        """const { checkUserActive } = await import('./arcano/arcano.js')
           return checkUserActive().then(() => 'fine', (error) => error.constructor.name)""",
    )
    assert said == name


def test_parts_of_a_page_take_leaving_from_no_other(site: Site, visited: Page) -> None:
    goodbyes = """
        const { alsoCancelOnLeave, cancelOnLeave } = await import('./arcano/arcano.js')
        const said = []
        navigator.sendBeacon = (_, body) => { said.push(body); return true }
        const goodbye = async () => {
          said.length = 0
          dispatchEvent(new PageTransitionEvent('pagehide'))
          const texts = await Promise.all(said.map((body) => body.text()))
          return texts.map((text) => JSON.parse(text).sessionId).sort()
        }
        cancelOnLeave('own', true)
        const ends = [alsoCancelOnLeave('own'), alsoCancelOnLeave('part'), alsoCancelOnLeave('part')]
        const seen = [await goodbye()]
        ends[0]()
        ends[1]()
        seen.push(await goodbye())
        ends[2]()
        seen.push(await goodbye())
        cancelOnLeave('own', false)
        seen.push(await goodbye())
        return seen.map((said) => said.filter((id) => id === 'own' || id === 'part'))
    """
    assert run(visited, goodbyes) == [["own", "part"], ["own", "part"], ["own"], []]
