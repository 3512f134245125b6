"""What happened to the app that this package was made after: each line of its history is a test.

Where a line is about two things at once, its test is in tests/concurrency and named in a comment here.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from helpers import MESSAGE, POSE, UPSCALER, VESTE, VIDEO, events, job, make_job, make_user, veto

from arcano_db import ArcanoDB, InvalidArgument
from arcano_db.demo import GHOST

Connect = Callable[..., psycopg.Connection]


def test_the_incident(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    make_job(conn, UPSCALER, user, "3 hours", id=GHOST, status="queued", waited_in_queue=False)

    answer = db.check_user_active(user)

    assert (answer.has_active_job, answer.healed) == (False, 1)
    healed = job(conn, GHOST)
    assert healed["status"] == "cancelled"
    assert healed["error_message"] == MESSAGE
    assert healed["completed_at"] is not None
    assert db.check_user_active(user).healed == 0


def test_a_ghost_does_not_hide_a_running_job_of_the_same_table(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    # The first healing fetched one active row a table and went on to the next table.
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user, "5 hours")
    running = make_job(conn, UPSCALER, user, "1 hour", status="running", task_id="t")

    answer = db.check_user_active(user)

    assert answer.active_job_id == running
    assert answer.healed == 1
    assert job(conn, ghost)["status"] == "cancelled"


def test_a_ghost_in_one_table_does_not_hide_a_real_job_in_another(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    user = make_user(conn)
    make_job(conn, UPSCALER, user, "5 hours")
    queued = make_job(conn, POSE, user, "1 minute", position=2, waited_in_queue=True)

    answer = db.check_user_active(user)

    assert (answer.active_table, answer.active_job_id, answer.healed) == (POSE, queued, 1)


# It updated by id without testing the rule again: a job that had just started was cancelled.
# -> tests/concurrency/test_start_against_heal.py


def test_a_credit_cost_by_default_is_no_proof_of_a_charge(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # It never matched the video table, whose user_credit_cost has the default 150.
    user = make_user(conn)
    ghost = make_job(conn, VIDEO, user)
    assert job(conn, ghost)["user_credit_cost"] == 150
    assert db.check_user_active(user).healed == 1


def test_a_cost_above_0_counts_as_charged_only_where_nothing_says_otherwise(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    # credits_charged was added later: in older rows it is null.
    unknown, charged_for_nothing = make_user(conn), make_user(conn)
    make_job(conn, VIDEO, unknown, credits_charged=None)
    make_job(conn, VIDEO, charged_for_nothing, user_credit_cost=0, credits_charged=True)
    assert db.check_user_active(unknown).has_active_job
    assert db.check_user_active(charged_for_nothing).has_active_job


def test_a_position_of_0_by_default_and_a_null_waited_in_queue_are_no_place_in_line(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    user = make_user(conn)
    ghost = make_job(conn, POSE, user)
    assert (job(conn, ghost)["position"], job(conn, ghost)["waited_in_queue"]) == (0, None)
    assert db.check_user_active(user).healed == 1


def test_a_null_created_at_is_not_old(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    undated = make_job(conn, POSE, user)
    conn.execute(
        "update public.pose_changer_jobs set created_at = null, heartbeat_at = now() - interval '1 day'"
    )
    answer = db.check_user_active(user)
    assert (answer.active_job_id, answer.heals_at, answer.healed) == (undated, None, 0)


def test_a_job_that_is_still_initialising_is_left_alone(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # A grace of 20 to 30 s killed real jobs; 120 to 180 s was the least that did not.
    user = make_user(conn)
    make_job(conn, UPSCALER, user, "4 minutes 50 seconds")
    assert db.check_user_active(user).has_active_job


@pytest.mark.parametrize("orphan_after", ["30 seconds", "119.999 seconds"])
def test_a_grace_under_2_minutes_is_refused_unless_forced(
    conn: psycopg.Connection, db: ArcanoDB, orphan_after: str
) -> None:
    with pytest.raises(InvalidArgument, match="must be between 2 minutes and") as refused:
        db.attach_job_table(UPSCALER, orphan_after=orphan_after)
    assert "arcano.force" in (refused.value.hint or "")
    conn.execute("set arcano.force = on")
    db.attach_job_table(UPSCALER, orphan_after=orphan_after)
    conn.execute("reset arcano.force")
    db.attach_job_table(UPSCALER, orphan_after="120 seconds")


def test_no_protection_makes_a_job_immortal(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # 'Has any progress' as protection made jobs immortal: an open tab that sends heartbeats for ever.
    user = make_user(conn)
    ghost = make_job(conn, UPSCALER, user, "66 minutes")
    conn.execute("update public.upscaler_jobs set heartbeat_at = now() where id = %s", (ghost,))
    assert db.check_user_active(user).healed == 1


def test_the_check_heals_although_nobody_sweeps(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # The clean-up was taken out of the check, and then nobody scheduled it. That it is no burden on
    # the hot path is pinned in test_plans.py.
    user = make_user(conn)
    make_job(conn, VESTE, user)
    assert not db.check_user_active(user).has_active_job
    assert conn.execute("select count(*) from arcano.sweep_run").fetchone() == (0,)


def test_a_veto_on_one_row_does_not_stop_the_sweep_of_all_tables(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    vetoed = make_job(conn, UPSCALER, make_user(conn), "2 hours", scale=8)
    others = [make_job(conn, table, make_user(conn)) for table in (UPSCALER, VIDEO, POSE, VESTE)]
    veto(conn, UPSCALER, "old.scale = 8")

    swept = db.sweep_orphans()

    assert {(table.job_table, table.cancelled) for table in swept} == {
        (UPSCALER, 1), (VIDEO, 1), (POSE, 1), (VESTE, 1),
    }  # fmt: skip
    assert all(job(conn, other)["status"] == "cancelled" for other in others)
    assert job(conn, vetoed)["status"] == "queued"
    [error] = events(conn, vetoed)
    assert (error["event"], error["reason"]) == ("error", "P0001: this job must not be changed")


def test_a_veto_does_not_block_its_user(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    make_job(conn, UPSCALER, user)
    veto(conn, UPSCALER)
    answer = db.check_user_active(user)
    assert (answer.has_active_job, answer.healed) == (False, 0)


def test_a_veto_does_not_make_cancelling_impossible(conn: psycopg.Connection, db: ArcanoDB) -> None:
    user = make_user(conn)
    make_job(conn, UPSCALER, user, position=1, scale=8)
    cancellable = make_job(conn, UPSCALER, user, position=2)
    veto(conn, UPSCALER, "old.scale = 8")
    assert [cancelled.job_id for cancelled in db.cancel_session(user)] == [cancellable]


# Two sweeps at once refunded twice; a sweep that raced a completion failed a job that had its output.
# -> tests/concurrency/test_many_at_once.py and test_start_against_heal.py


def test_a_status_that_nobody_knows_never_blocks(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # 'processing' was known to no function, and its jobs were never cleaned.
    user = make_user(conn)
    stray = make_job(conn, UPSCALER, user, status="processing")
    assert not db.check_user_active(user).has_active_job
    assert db.sweep_orphans() == []
    assert job(conn, stray)["status"] == "processing"


def test_a_job_whose_webhook_came_before_its_task_id_is_left_as_the_webhook_ended_it(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    user = make_user(conn)
    done = make_job(
        conn, UPSCALER, user, status="completed", task_id=None, output_url="https://example.com/1.png"
    )
    assert not db.check_user_active(user).has_active_job
    assert db.sweep_orphans() == []
    assert db.cancel_session(user) == []
    assert job(conn, done)["status"] == "completed"
    assert events(conn) == []


def test_waiting_in_the_line_is_not_a_stall(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # A real job queued for 11 minutes was failed by an age limit.
    user = make_user(conn)
    queued = make_job(conn, UPSCALER, user, "11 minutes", position=40, waited_in_queue=True)
    assert db.sweep_orphans() == []
    assert db.check_user_active(user).active_job_id == queued


def test_a_new_tool_is_one_attach_and_no_function_is_edited(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # Each new tool meant editing five functions; every one that was forgotten was an incident.
    conn.execute(
        "create table public.flyer_jobs"
        " (id uuid primary key, user_id uuid, status text, created_at timestamptz)"
    )
    db.attach_job_table("public.flyer_jobs", "Flyer")
    healed_by_check, healed_by_sweep, queued = make_user(conn), make_user(conn), make_user(conn)
    for user in (healed_by_check, healed_by_sweep):
        make_job(conn, "public.flyer_jobs", user, status="queued")
    make_job(conn, "public.flyer_jobs", queued, status="queued", position=1)

    assert db.check_user_active(healed_by_check).healed == 1
    assert [orphan.tool for orphan in db.orphan_jobs()] == ["Flyer"]
    assert db.sweep_orphans()[0].job_table == "public.flyer_jobs"
    assert db.check_user_active(queued).active_tool == "Flyer"
    assert [active.tool for active in db.active_jobs()] == ["Flyer"]
    assert len(db.cancel_session(queued)) == 1


def test_a_job_in_line_is_safe_from_the_rule_however_the_slots_were_counted(
    conn: psycopg.Connection, db: ArcanoDB
) -> None:
    # Slots were counted, then taken; a lost call left free slots and a full line. What became of the
    # line was bad enough; nothing here may end a job that stands in it.
    user = make_user(conn)
    line = [make_job(conn, UPSCALER, user, f"{n} hours", position=n, waited_in_queue=True) for n in (1, 2, 3)]
    assert db.sweep_orphans() == []
    answer = db.check_user_active(user)
    assert (answer.active_job_id, answer.heals_at) == (line[-1], None)


def test_a_job_does_not_count_itself(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # One request counted its own row, found the only slot taken, and waited for itself.
    db.set_account("provider", 1)
    only = make_job(conn, UPSCALER, make_user(conn), "1 second")
    assert db.run_or_queue(only).decision == "run"
    assert db.run_or_queue(only).decision == "run"


def test_a_lost_call_leaves_no_free_slot_beside_a_full_line(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # The call that was to start the next job was lost, and nobody started any after that.
    db.set_account("provider", 3)
    jobs = [make_job(conn, UPSCALER, make_user(conn), f"{9 - n} seconds") for n in range(6)]
    for job_id in jobs:
        db.run_or_queue(job_id)
    assert [account.free for account in db.account_status()] == [0]
    conn.execute(f"update {UPSCALER} set status = 'failed' where id = any(%s)", (jobs[:3],))
    assert [claimed.job_id for claimed in db.claim_jobs(3)] == jobs[3:]


def test_two_sweeps_refund_once(conn: psycopg.Connection, db: ArcanoDB, connect: Connect) -> None:
    # Two sweeps at once refunded twice.
    conn.execute(
        """
        create table public.refunded (amount integer);
        create function public.refund_credits(uuid, integer, text) returns boolean language sql as
          $body$ insert into public.refunded values ($2); select true $body$;
        """
    )
    db.set_refund_function("public.refund_credits(uuid,integer,text)")
    db.set_job_table(VIDEO, {"charged_orphan_after": "1 day"})
    make_job(conn, VIDEO, make_user(conn), "2 days", credits_charged=True)
    other = connect(autocommit=False)
    ArcanoDB(other).sweep_orphans()
    db.sweep_orphans()
    other.commit()
    db.sweep_orphans()
    assert conn.execute("select amount from public.refunded").fetchall() == [(150,)]


def test_a_sweep_that_meets_a_completion_leaves_the_job_its_output(
    conn: psycopg.Connection, db: ArcanoDB, connect: Connect
) -> None:
    # A sweep that raced a completion failed a job that had its output.
    db.set_job_table(UPSCALER, {"stall_after": "1 minute"})
    quiet = make_job(conn, UPSCALER, make_user(conn), status="running", attempt=1, started_at="2020-01-01")
    worker = connect(autocommit=False)
    ArcanoDB(worker).finish_job(quiet)
    assert db.sweep_orphans() == []
    worker.commit()
    assert db.sweep_orphans() == []
    assert job(conn, quiet)["status"] == "completed"


def test_a_webhook_that_comes_before_the_task_id_is_not_lost(conn: psycopg.Connection, db: ArcanoDB) -> None:
    # The provider's webhook arrived before the task_id was written: 'job not found', never sent again.
    early = make_job(conn, UPSCALER, make_user(conn), "1 second")
    assert db.finish_task("provider-task").job_id is None
    assert db.start_job(early, "provider-task").status == "completed"


def test_nobody_cancels_anyones_jobs_with_the_public_key(conn: psycopg.Connection, connect: Connect) -> None:
    # The user id came from the request body, and anyone with the public key could send it.
    user = make_user(conn)
    queued = make_job(conn, UPSCALER, user, position=1)
    conn.execute("create role anon_of_test nologin")
    try:
        conn.execute("grant usage on schema arcano to anon_of_test")
        anyone = connect()
        anyone.execute("set role anon_of_test")
        for call in (
            "select arcano.cancel_session(%s)",
            "select arcano.check_user_active(%s)",
            "select arcano.end_jobs(array[row(0, %s)::arcano.job_ref], 'check', 'orphan')",
            "select * from arcano.job where user_id = %s",
            "select * from arcano.active_job where user_id = %s",
            "select * from arcano.job_event where user_id = %s",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                anyone.execute(call, (user,))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            anyone.execute("select arcano.sweep_orphans()")
        assert job(conn, queued)["status"] == "queued"
    finally:
        conn.execute("drop owned by anon_of_test")
        conn.execute("drop role anon_of_test")


def test_a_missing_user_is_nobody_and_not_everybody(conn: psycopg.Connection, db: ArcanoDB) -> None:
    make_job(conn, UPSCALER, make_user(conn), position=1)
    with pytest.raises(InvalidArgument, match="p_user_id must not be null"):
        db.check_user_active(None)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="p_user_id or p_session_id must be given"):
        db.cancel_session()
    with pytest.raises(InvalidArgument, match="ids of users are uuid in this database"):
        db.cancel_session(user_id="")
    assert len(db.active_jobs()) == 1
    assert isinstance(db.active_jobs()[0].job_id, UUID)
