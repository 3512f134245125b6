"""``metrics`` and ``top``; ``doctor`` is under tests/faults."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import yaml
from helpers import ARCANO_DB, UPSCALER, VIDEO, LongCommand, make_job, make_user
from prometheus_client.parser import text_string_to_metric_families
from servers import unpacked_debian

from arcano_db import ArcanoDB
from arcano_db.running.metrics import ALERT_RULES, DASHBOARD

Run = Callable[..., Any]


@pytest.fixture
def busy(db: ArcanoDB, conn: psycopg.Connection) -> None:
    """Something of everything that is counted."""
    db.set_account("main", 3)
    db.set_account("spare", 2, False)
    db.set_job_table(UPSCALER, {"stall_after": "10 minutes"})
    db.set_job_table(VIDEO, {"mode": "observe"})
    for _ in range(2):
        make_job(conn, UPSCALER, make_user(conn))
    db.sweep_orphans()
    make_job(conn, UPSCALER, make_user(conn), "2 hours")
    make_job(conn, VIDEO, make_user(conn), credits_charged=False)
    make_job(conn, UPSCALER, make_user(conn), position=2)
    make_job(conn, UPSCALER, make_user(conn), "1 second")
    make_job(conn, UPSCALER, make_user(conn), status="running", started_at="2020-01-01")
    conn.execute("update public.upscaler_jobs set api_account = 'main' where status = 'running'")
    make_job(conn, UPSCALER, make_user(conn), credits_charged=True)
    owed = make_job(conn, UPSCALER, make_user(conn), credits_charged=True, user_credit_cost=9)
    db.cancel_job(owed)


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_metrics_of_a_busy_database(run: Run, dsn: str, busy: None) -> None:
    answer = run("metrics", "--dsn", dsn)
    assert answer.exit_code == 0, answer.output
    found = samples(answer.stdout)

    def of(name: str, *labels: str) -> float:
        return found[f"arcano_{name}", labels]

    assert of("up") == 1
    states = ("outside_queue", "in_queue", "starting", "running")
    assert [of("jobs", UPSCALER, state) for state in states] == [3, 1, 0, 1]
    assert of("jobs_stalled", UPSCALER) == 1
    assert [of("orphans", table) for table in (UPSCALER, VIDEO)] == [1, 1]
    assert 115 * 60 - 5 < of("orphan_oldest_age_seconds", UPSCALER) < 115 * 60 + 60
    assert of("orphan_oldest_age_seconds", VIDEO) == 0  # it is only observed
    assert 3600 < of("queue_oldest_age_seconds", UPSCALER) < 3660
    assert of("charged_orphans", UPSCALER) == 1
    assert [of("table_enforced", table) for table in (UPSCALER, VIDEO)] == [1, 0]
    assert of("table_breaker_tripped", VIDEO) == 0
    assert of("users_blocked") == 5
    assert [of("account_slots", a) for a in ("main", "spare")] == [3, 2]
    assert [of("account_slots_used", a) for a in ("main", "spare")] == [1, 0]
    assert [of("account_enabled", a) for a in ("main", "spare")] == [1, 0]
    assert of("refunds_due") == 1
    assert 0 <= of("refund_oldest_due_age_seconds") < 60
    assert of("sweeps_last_hour") == 1
    assert of("sweep_failures_last_hour") == 0
    assert of("sweep_last_timestamp_seconds") > 1_700_000_000
    assert of("events_last_hour", "healed", UPSCALER) == 2
    assert of("events_last_hour", "refund_due", UPSCALER) == 1


def test_the_view_is_what_is_served_and_names_follow_the_conventions(
    run: Run, dsn: str, db: ArcanoDB, busy: None
) -> None:
    rows = db.metrics()
    served = {name for name, _ in samples(run("metrics", "--dsn", dsn).stdout)}
    assert {row.name for row in rows} | {"arcano_up"} == served
    for name in {row.name for row in rows}:
        assert re.fullmatch(r"arcano_[a-z_]+[a-z]", name)
        assert not name.endswith(("_total", "_count", "_ms", "_minutes"))
        assert len({(row.help, tuple(sorted(row.labels))) for row in rows if row.name == name}) == 1


def test_alerts_and_dashboard_ask_for_metrics_that_there_are(run: Run, db: ArcanoDB, busy: None) -> None:
    names = {row.name for row in db.metrics()} | {"arcano_up"}
    rules = yaml.safe_load(run("metrics", "--alert-rules").stdout)["groups"][0]["rules"]
    assert run("metrics", "--alert-rules").stdout == ALERT_RULES.read_text()
    dashboard = json.loads(run("metrics", "--dashboard").stdout)
    assert dashboard == json.loads(DASHBOARD.read_text())
    asked = [rule["expr"] for rule in rules]
    asked += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    used = {name for expression in asked for name in re.findall(r"\barcano_\w+", expression)}
    assert used <= names
    assert names - used <= {
        "arcano_account_enabled",
        "arcano_sweeps_last_hour",
        "arcano_sweep_failures_last_hour",
    }
    for rule in rules:
        assert rule["alert"].startswith("Arcano")
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_prometheus_takes_the_metrics_and_the_alert_rules(run: Run, dsn: str, busy: None) -> None:
    """Its own tool says so, and that they follow its conventions."""
    text = run("metrics", "--dsn", dsn).stdout
    with unpacked_debian("prometheus") as folder:
        promtool = folder / "usr" / "bin" / "promtool"
        rules = subprocess.run([promtool, "check", "rules", ALERT_RULES], capture_output=True, text=True)
        metrics = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert rules.returncode == 0, rules.stderr
    assert (metrics.returncode, metrics.stdout + metrics.stderr) == (0, "")


def test_no_database(run: Run, empty_dsn: str) -> None:
    for dsn in ("host=/nonexistent dbname=x", empty_dsn):
        answer = run("metrics", "--dsn", dsn)
        assert answer.exit_code == 1
        assert samples(answer.stdout) == {("arcano_up", ()): 0}


def test_they_are_served_until_stopped(dsn: str, busy: None) -> None:
    command = LongCommand("metrics", "--listen", "0", "--dsn", dsn)
    try:
        url = command.wait_for("serving").split()[-1]
        for _ in range(2):
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert answer.headers["content-type"].startswith("text/plain")
                assert samples(answer.read().decode())["arcano_up", ()] == 1
    finally:
        command.end()


def test_top_once(run: Run, dsn: str, busy: None) -> None:
    answer = run("top", "--once", "--dsn", dsn)
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    assert lines[0] == "5 users blocked, 2 ghosts, 1 charged ghosts, 1 refunds due"
    assert re.match(r"last sweep \d+ s ago by somebody unknown, took \d+ ms", lines[1])
    assert lines[2] == "in the last hour 1 sweeps: 2 cancelled, 0 stalled, 0 put back, 0 failed"
    [upscaler] = [line for line in lines if line.startswith("public.upscaler_jobs")]
    assert upscaler.split()[1:] == ["enforce", "1", "60", "min", "3", "1", "1", "1"]
    assert "main     1     3" in answer.stdout
    assert "healed by sweep" in answer.stdout
    assert max(map(len, lines)) <= 80


def test_top_on_an_idle_database(run: Run, dsn: str) -> None:
    answer = run("top", "--once", "--dsn", dsn)
    assert answer.stdout.startswith("0 users blocked")
    assert "no sweep has run" in answer.stdout
    assert "no accounts" in answer.stdout


def test_top_goes_on_until_it_is_stopped(dsn: str, conn: psycopg.Connection) -> None:
    """On a terminal, where it draws the screen again and again."""
    terminal, screen = pty.openpty()
    with subprocess.Popen(
        [ARCANO_DB, "top", "--every", "0.2", "--dsn", dsn],
        stdout=screen,
        stderr=screen,
        env={**os.environ, "TERM": "xterm"},
    ) as process:
        os.close(screen)

        def until_shown(text: bytes) -> None:
            shown = b""
            while text not in shown:
                shown += os.read(terminal, 65536)

        try:
            until_shown(b"0 users blocked")
            make_job(conn, UPSCALER, make_user(conn), position=1)
            until_shown(b"1 users blocked")
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
            os.close(terminal)
