"""The demo's page in a real Chromium: the story, from its ghost to its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers import UPSCALER, events, make_job, until
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Playwright, Route, expect
from web.chromium import Browser, Program
from web.conftest import Site, waited

from arcano_db.demo import user

Open = Callable[..., BrowserContext]


@pytest.fixture(scope="session")
def large_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of several megabytes, so that its upload can be met in the middle."""
    path = tmp_path_factory.mktemp("pictures") / "large.png"
    Image.effect_noise((1600, 1200), 100).save(path)
    return path


def start(page: Page, address: str, picture: Path) -> None:
    page.goto(address)
    page.get_by_label("Choose a picture").set_input_files(picture)
    page.get_by_role("button", name="Enlarge").click()


def statuses(site: Site, number: int = 1) -> list[str]:
    rows = site.conn.execute(
        "select status from public.upscaler_jobs where user_id = %s order by created_at", (user(number),)
    )
    return [status for (status,) in rows]


def slow_down(page: Page) -> None:
    """An upload of 100 kB a second: a slow phone."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000},
    )


def in_the_middle_of_the_upload(page: Page, address: str, large_picture: Path) -> None:
    page.goto(address)
    slow_down(page)
    page.get_by_label("Choose a picture").set_input_files(large_picture)
    page.get_by_role("button", name="Enlarge").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("Uploading: [1-9]"))


def unprotected(site: Site) -> int:
    """How many jobs wait without a sign of life but their age, as a ghost does."""
    row = site.conn.execute(
        "select count(*) from public.upscaler_jobs where status in ('queued', 'pending')"
        " and position is null and task_id is null and started_at is null"
    ).fetchone()
    return row[0] if row else 0


def grow_old(site: Site) -> None:
    """Let orphan_after go by for all that there is."""
    site.conn.execute("update public.upscaler_jobs set created_at = created_at - interval '1 minute'")


def dialog(page: Page) -> Any:
    return page.get_by_role("dialog")


def test_a_ghost_is_in_the_way_of_nobody(site: Site, page: Page, picture: Path, screenshots: Path) -> None:
    ghost = make_job(site.conn, UPSCALER, user(1))
    start(page, site.of(1), picture)
    expect(page.get_by_role("status")).to_have_text("Done.")
    expect(page.get_by_alt_text("After")).to_be_visible()
    size = page.get_by_alt_text("After").evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert size == [640, 400]
    assert [e["event"] for e in events(site.conn, ghost)] == ["healed"]
    assert statuses(site) == ["cancelled", "completed"]
    page.screenshot(path=screenshots / "done.png", full_page=True)


def test_a_queued_job_blocks_until_it_is_released(
    site: Site, open_context: Open, picture: Path, screenshots: Path
) -> None:
    site.stop_work()
    context = open_context(viewport={"width": 1100, "height": 700})
    first = context.new_page()
    start(first, site.of(1), picture)
    expect(first.get_by_role("status")).to_have_text("You are number 1 in the line.")

    second = context.new_page()
    start(second, site.of(1), picture)
    expect(dialog(second)).to_be_visible()
    for text in (
        "You already have a job in progress",
        "Upscaler Arcano",
        "Since ",
        "You are number 1 in the line.",
    ):
        expect(dialog(second)).to_contain_text(text)
    second.screenshot(path=screenshots / "blocked-en-desktop.png")
    dialog(second).get_by_role("button", name="Release").click()
    expect(dialog(second)).to_be_hidden()
    expect(first.get_by_role("status")).to_have_text("Your job was cancelled.")

    second.get_by_role("button", name="Enlarge").click()
    expect(second.get_by_role("status")).to_have_text("You are number 1 in the line.")
    site.work_again()
    expect(second.get_by_role("status")).to_have_text("Done.")
    assert statuses(site) == ["cancelled", "completed"]


def test_a_running_job_is_no_false_hope(site: Site, page: Page, picture: Path) -> None:
    site.stop_work()
    job = make_job(site.conn, UPSCALER, user(1), "1 minute", status="running", task_id="t", started_at="now")
    start(page, site.of(1), picture)
    expect(dialog(page)).to_contain_text("It is being worked on, and cannot be stopped here.")
    expect(dialog(page).get_by_role("button", name="Release")).to_be_hidden()
    site.db.finish_job(job)  # the dialog is told, and goes away
    expect(dialog(page)).to_be_hidden()


def test_the_dialog_counts_down_to_the_moment_when_the_rule_frees_the_user(
    site: Site, page: Page, picture: Path
) -> None:
    make_job(site.conn, UPSCALER, user(1), "26 seconds")
    start(page, site.of(1), picture)
    expect(dialog(page)).to_contain_text("If nothing more happens, you are free in 0:0")
    expect(dialog(page)).to_be_hidden(timeout=10_000)  # it has asked again by itself
    assert statuses(site) == ["cancelled"]


def test_the_dialog_is_for_keyboards_too(site: Site, page: Page, picture: Path) -> None:
    site.stop_work()
    make_job(site.conn, UPSCALER, user(1), "1 minute", position=1, waited_in_queue=True)
    start(page, site.of(1), picture)
    expect(dialog(page)).to_be_visible()
    focused = "[document.activeElement.tagName, document.activeElement.shadowRoot?.activeElement?.className]"
    found = set()
    for _ in range(8):
        found.add(tuple(page.evaluate(focused)))
        page.keyboard.press("Tab")
    # Nothing that lies under it can be reached.
    assert found <= {("ACTIVE-JOB-DIALOG", "close"), ("ACTIVE-JOB-DIALOG", "release"), ("BODY", None)}
    assert len(found) >= 2
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    assert statuses(site) == ["queued"]


def test_closing_the_page_in_the_middle_of_the_upload_leaves_no_job(
    site: Site, page: Page, large_picture: Path
) -> None:
    in_the_middle_of_the_upload(page, site.of(1), large_picture)
    page.close()
    assert statuses(site) == []


def test_killing_the_browser_in_the_middle_of_the_upload_leaves_no_job(
    site: Site, playwright: Playwright, program: Program, tmp_path: Path, large_picture: Path
) -> None:
    browser = Browser(program, tmp_path)
    try:
        page = playwright.chromium.connect_over_cdp(browser.address).new_context().new_page()
        in_the_middle_of_the_upload(page, site.of(1), large_picture)
    finally:
        browser.kill()
    assert statuses(site) == []


def offline(page: Page) -> None:
    page.context.set_offline(True)


def frozen(page: Page) -> None:
    """As iOS does with a page that is not looked at."""
    page.context.new_cdp_session(page).send("Page.setWebLifecycleState", {"state": "frozen"})


@pytest.mark.parametrize("becomes", [offline, frozen])
def test_a_page_that_stops_right_after_create_leaves_a_ghost_that_is_healed(
    site: Site, page: Page, picture: Path, becomes: Callable[[Page], None]
) -> None:
    def then_stops(route: Route) -> None:
        response = route.fetch()
        becomes(page)
        route.fulfill(response=response)
        answered.append(True)

    answered: list[bool] = []
    page.route("**/create-job", then_stops)
    # It stops when it is told to, but not at once: what it still sends in between gets nowhere.
    page.route("**/queue-job", lambda _: None)
    start(page, site.of(1), picture)
    until(lambda: waited(page) and answered)
    assert unprotected(site) == 1
    grow_old(site)
    site.db.sweep_orphans()
    assert unprotected(site) == 0
    assert statuses(site) == ["cancelled"]


def test_a_page_that_is_frozen_in_the_middle_of_the_upload_makes_no_ghost(
    site: Site, page: Page, large_picture: Path
) -> None:
    in_the_middle_of_the_upload(page, site.of(1), large_picture)
    frozen(page)
    assert statuses(site) == []


@pytest.mark.parametrize("site", ["5"], indirect=True)  # seconds, in which the third is seen to wait
def test_three_windows_make_a_line(site: Site, open_context: Open, picture: Path) -> None:
    context = open_context()
    pages = [context.new_page() for _ in range(3)]
    for number, page in enumerate(pages, 1):
        start(page, site.of(number), picture)
    for page in pages[:2]:
        expect(page.get_by_role("status")).to_have_text("Your picture is being enlarged.")
    expect(pages[2].get_by_role("status")).to_have_text("You are number 1 in the line.")
    for page in pages:
        expect(page.get_by_role("status")).to_have_text("Done.", timeout=30_000)


def test_two_windows_at_the_same_moment_make_one_job(site: Site, open_context: Open, picture: Path) -> None:
    site.stop_work()
    context = open_context()
    held: list[Route] = []

    def together(route: Route) -> None:
        held.append(route)
        if len(held) == 2:
            for each in held:
                each.continue_()

    context.route("**/create-job", together)
    pages = [context.new_page(), context.new_page()]
    for page in pages:
        start(page, site.of(1), picture)
    shown = [page.get_by_text("You are number 1 in the line.").locator("visible=true") for page in pages]
    for locator in shown:
        expect(locator).to_have_count(1)
    assert statuses(site) == ["queued"]
    assert sorted(dialog(page).is_visible() for page in pages) == [False, True]


def test_a_stranger_can_neither_see_nor_end_a_job(site: Site, open_context: Open, picture: Path) -> None:
    site.stop_work()
    mine = open_context().new_page()
    start(mine, site.of(1), picture)
    expect(mine.get_by_role("status")).to_have_text("You are number 1 in the line.")
    job_id, session_id = site.conn.execute("select id, session_id from public.upscaler_jobs").fetchone() or ()

    stranger = open_context()
    stranger.new_page().goto(site.of(2))
    cookie = {c["name"]: c["value"] for c in stranger.cookies()}["upscaler"]

    def ask(number: int, name: str, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
        answer = stranger.request.post(f"{site.of(number)}arcano/{name}", data=body, headers=headers)
        return answer.status, answer.json()

    assert ask(2, "check-user-active", {})[1]["hasActiveJob"] is False
    assert ask(2, "check-user-active", {"userId": str(user(1))})[0] == 403
    assert ask(2, "cancel-session", {"userId": str(user(1))})[0] == 403
    assert ask(2, "cancel-session", {"sessionId": session_id}) == (200, {"cancelled": []})
    for name in ("cancel-job", "touch-job", "queue-job"):
        assert ask(2, name, {"jobId": str(job_id)})[0] == 403
    taken = {"jobTable": UPSCALER, "jobId": str(job_id), "data": {"oldOrder": True}}
    assert ask(2, "create-job", taken)[0] == 409
    assert ask(1, "check-user-active", {})[0] == 401  # that user's address, without that user's cookie
    answer = ask(1, "check-user-active", {}, cookie=f"upscaler={cookie}")
    assert answer[1]["hasActiveJob"] is False  # and with the stranger's own: it is about the stranger
    assert ask(1, "check-user-active", {}, cookie="upscaler=eyJ1c2VyIjogIngifQ==.x.y")[0] == 401
    for path in (f"jobs/{job_id}", f"pictures/{job_id}/before"):
        assert stranger.request.get(site.of(2) + path).status == 404
    assert statuses(site) == ["queued"]


def test_the_old_order_bears_a_ghost(site: Site, page: Page, picture: Path, screenshots: Path) -> None:
    page.goto(site.of(1))
    page.get_by_label("The old order").check()
    page.get_by_label("Cancel my job if I leave").uncheck()
    held: list[Route] = []
    page.route("**/uploads/*", lambda route: held.append(route))
    page.get_by_label("Choose a picture").set_input_files(picture)
    page.get_by_role("button", name="Enlarge").click()
    until(lambda: waited(page) and held)
    another = page.context.new_page()
    page.close()  # in the middle of the upload, like the phone of the story
    assert unprotected(site) == 1

    start(another, site.of(1), picture)
    expect(dialog(another)).to_contain_text("If nothing more happens, you are free in")
    another.screenshot(path=screenshots / "ghost.png")
    grow_old(site)
    expect(dialog(another)).to_be_hidden()
    another.get_by_role("button", name="Enlarge").click()
    expect(another.get_by_role("status")).to_have_text("Done.")
    assert statuses(site) == ["cancelled", "completed"]


@pytest.mark.parametrize(("language", "name"), [("en", "Enlarge"), ("pt-BR", "Ampliar")])
@pytest.mark.parametrize(("device", "width", "height"), [("desktop", 1100, 700), ("phone", 360, 740)])
def test_it_is_accessible(
    site: Site, open_context: Open, picture: Path, screenshots: Path,
    language: str, name: str, device: str, width: int, height: int,
) -> None:  # fmt: skip
    site.stop_work()
    make_job(site.conn, UPSCALER, user(2), "2 minutes", position=1, waited_in_queue=True)
    make_job(site.conn, UPSCALER, user(1), "1 minute", position=2, waited_in_queue=True)
    page = open_context(viewport={"width": width, "height": height}, locale=language).new_page()
    page.goto(site.of(1))
    page.locator("input[type=file]").set_input_files(picture)
    assert Axe().run(page).response["violations"] == []
    page.screenshot(path=screenshots / f"page-{language}-{device}.png")
    page.get_by_role("button", name=name).click()
    expect(dialog(page)).to_be_visible()
    expect(dialog(page)).to_contain_text("2")
    found = Axe().run(page).response["violations"]
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=screenshots / f"dialog-{language}-{device}.png")
    if language == "pt-BR":
        expect(dialog(page).get_by_role("button", name="Liberar fila")).to_be_visible()
