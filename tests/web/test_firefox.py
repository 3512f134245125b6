"""The module and the demo's page in a real Firefox: what a browser can do otherwise than Chromium."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from helpers import UPSCALER, make_job, until
from web.conftest import Site
from web.firefox import Firefox, FirefoxPage, firefox
from web.test_module import KEEPS_STATUSES, LEFT, STAYS, in_queue, jobs, let_goodbyes_pass, read_only

from arcano_db.demo import user

DIALOG = "document.querySelector('active-job-dialog').shadowRoot.querySelector('dialog')"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox")) as started:
        started.new_page()  # with its last page, Firefox would end
        yield started


@pytest.fixture
def visited(site: Site, browser: Firefox) -> Iterator[FirefoxPage]:
    """The page of the first user, with no worker behind it."""
    site.stop_work()
    page = browser.new_page()
    page.goto(site.of(1))
    yield page
    # Shown where the test failed. A page that was closed has nothing to say.
    with contextlib.suppress(AssertionError):
        print(
            page.evaluate(f"() => [document.body.innerText, {DIALOG}.open, {DIALOG}.innerText].join('\\n')")
        )
    print(site.conn.execute("select j.* from arcano.job j").fetchall())


def leave(page: FirefoxPage) -> None:
    page.goto("about:blank")


def start(page: FirefoxPage) -> None:
    # A page is "complete" before its script ran to its end; a click on a button that is off is lost.
    until(lambda: page.evaluate("() => !document.getElementById('start').disabled"))
    page.evaluate("() => document.getElementById('start').click()")


def says(page: FirefoxPage, text: str) -> bool:
    return text in page.evaluate("() => document.body.innerText")


@pytest.mark.parametrize("leaving", [leave, FirefoxPage.close])
def test_a_page_that_is_left_or_closed_cancels(
    site: Site, visited: FirefoxPage, leaving: Callable[[FirefoxPage], None]
) -> None:
    in_queue(site, visited)
    leaving(visited)
    until(lambda: jobs(site) == LEFT)


def test_a_page_behind_another_one_does_not(site: Site, visited: FirefoxPage, browser: Firefox) -> None:
    in_queue(site, visited)
    browser.new_page().goto("about:blank")
    until(lambda: visited.evaluate("() => document.visibilityState") == "hidden")
    # What it would have sent would have come before the answer to this.
    check = "async () => (await (await import('./arcano/arcano.js')).checkUserActive()).hasActiveJob"
    assert visited.evaluate(check)
    let_goodbyes_pass(site)
    assert jobs(site) == STAYS


def test_a_page_that_is_reloaded_keeps_its_visit_and_its_job(site: Site, visited: FirefoxPage) -> None:
    in_queue(site, visited)
    session_id = "async () => (await import('./arcano/arcano.js')).sessionId()"
    before = visited.evaluate(session_id)
    visited.reload()
    assert visited.evaluate(session_id) == before
    let_goodbyes_pass(site)
    assert jobs(site) == STAYS


def test_a_ghost_is_in_the_way_of_nobody(site: Site, browser: Firefox, picture: Path) -> None:
    make_job(site.conn, UPSCALER, user(1))
    page = browser.new_page()
    page.goto(site.of(1))
    page.choose("#picture", picture)
    start(page)
    until(lambda: says(page, "After: 640"))
    assert sorted(status for status, _ in jobs(site)) == ["cancelled", "completed"]


def test_a_queued_job_blocks_until_it_is_released(site: Site, visited: FirefoxPage, picture: Path) -> None:
    site.db.run_or_queue(make_job(site.conn, UPSCALER, user(1), "1 second", session_id="another"), run=False)
    visited.choose("#picture", picture)
    start(visited)
    until(lambda: visited.evaluate(f"() => {DIALOG}.open && {DIALOG}.innerText.includes('You are number 1')"))
    visited.evaluate(f"() => {DIALOG}.querySelector('.release').click()")
    until(lambda: not visited.evaluate(f"() => {DIALOG}.open"))
    assert jobs(site) == [("cancelled", "The user released it")]
    site.work_again()
    start(visited)
    until(lambda: says(visited, "Done."))


TWICE = """async () => {
  const { uploadThenCreate } = await import('./arcano/arcano.js')
  const file = new File([new Uint8Array(1000)], 'a.png', { type: 'image/png' })
  const upload = () => uploadThenCreate(file, { jobTable: 'public.upscaler_jobs' })
  return (await Promise.all([upload(), upload()])).map((made) => made.jobId)
}"""


def test_a_double_click_is_one_job(site: Site, visited: FirefoxPage) -> None:
    first, second = visited.evaluate(TWICE)
    assert first == second
    assert jobs(site) == STAYS


def test_ids_are_made_on_plain_http(visited: FirefoxPage) -> None:
    made = visited.evaluate(
        "async () => { crypto.randomUUID = undefined; const { newId } = await import('./arcano/arcano.js');"
        " return Array.from({ length: 100 }, newId).join() }"
    ).split(",")
    assert {UUID(one).version for one in made} == {4}
    assert len(set(made)) == 100


def test_a_page_goes_on_once_the_database_can_be_written_to_again(site: Site, visited: FirefoxPage) -> None:
    with read_only(site):
        visited.evaluate(f"() => {{ {KEEPS_STATUSES}; window.made = ({TWICE})() }}")
        until(lambda: visited.evaluate("() => window.statuses.includes(503)"))
    until(lambda: jobs(site) == STAYS)
