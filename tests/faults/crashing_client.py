"""A client of the app as a process of its own: stops at every step until it is told to go on.

    python crashing_client.py old|new DSN USER_ID

The old order inserts the row, uploads, and invokes the provider; the new one uploads, creates the job, and
invokes. At each step it prints the step's name, and reads a line before it goes on.
"""

from __future__ import annotations

import sys
from uuid import uuid4

import psycopg
from helpers import UPSCALER

from arcano_db import ArcanoDB


def step(name: str) -> None:
    print(name, flush=True)
    sys.stdin.readline()


def upload() -> None:
    step("half uploaded")
    step("uploaded")


def old_order(connection: psycopg.Connection, user: str) -> None:
    job_id = uuid4()
    connection.execute(f"insert into {UPSCALER} (id, user_id) values (%s, %s)", (job_id, user))
    step("inserted")
    upload()
    step("invoked")
    connection.execute(
        f"update {UPSCALER} set status = 'running', task_id = 'task', started_at = now() where id = %s",
        (job_id,),
    )


def new_order(connection: psycopg.Connection, user: str) -> None:
    upload()
    db = ArcanoDB(connection)
    with connection.transaction():
        job_id = db.create_job(UPSCALER, uuid4(), user).job_id
        step("inside create_job")
    step("created")
    step("invoked")
    db.start_job(job_id, "task")


def main(order: str, dsn: str, user: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        print(connection.info.backend_pid, flush=True)
        step("nothing done")
        (old_order if order == "old" else new_order)(connection, user)
        step("handed over")


if __name__ == "__main__":
    main(*sys.argv[1:])
