"""What the worker of test_working.py calls; ``session_id`` of each job says what it is to do."""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from arcano_db import HandOver, Requeue, StallingJob, WorkJob


class LostPolygon(Loader):
    def load(self, data: Buffer) -> object:
        raise ValueError("no such place")


class LeavingCircle(Loader):
    def load(self, data: Buffer) -> object:
        sys.exit(6)


class Box:
    def __init__(self, said: bytes) -> None:
        self.said = said


class BoxLoader(Loader):
    def load(self, data: Buffer) -> Box:
        return Box(bytes(data))


class SecretLine(Loader):
    def load(self, data: Buffer) -> object:
        return lambda: bytes(data)


psycopg.adapters.register_loader("box", BoxLoader)
psycopg.adapters.register_loader("lseg", SecretLine)
psycopg.adapters.register_loader("polygon", LostPolygon)
psycopg.adapters.register_loader("circle", LeavingCircle)

GATE = Path(os.environ.get("GATE", "/nonexistent"))


class Unheard(BaseException):
    pass


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class MuteForGood(BaseException):
    def __str__(self) -> str:
        raise SystemExit(7)

    __repr__ = __str__


class Wordy(Exception):
    class _Text(str):
        def __format__(self, _: str) -> str:
            raise ValueError("not that either")

        __getitem__ = __len__ = __bool__ = __format__

    def __str__(self) -> str:
        return self._Text("words of its own")


class Odd:
    def __eq__(self, _: object) -> bool:
        raise ValueError("not to be compared")

    def __repr__(self) -> str:
        raise ValueError("not to be shown")


def deep(levels: int) -> Exception:
    error: Exception = ValueError("at the bottom")
    for _ in range(levels):
        error = ExceptionGroup("a group", [error])
    return error


# What is raised, and how the job's error_message begins.
RAISED: dict[str, tuple[Callable[[], BaseException], str]] = {
    "exit": (lambda: SystemExit(3), "SystemExit: 3"),
    "exit with words": (lambda: SystemExit("enough"), "SystemExit: enough"),
    "interrupt": (KeyboardInterrupt, "KeyboardInterrupt"),
    "generator": (GeneratorExit, "GeneratorExit"),
    "cancelled": (lambda: asyncio.CancelledError("by itself"), "CancelledError: by itself"),
    "base": (lambda: Unheard("oh"), "Unheard: oh"),
    "stop": (lambda: StopIteration("over"), ""),  # a coroutine makes another error of it
    "memory": (MemoryError, "MemoryError"),
    "base group": (
        lambda: BaseExceptionGroup("both", [SystemExit(1), ValueError("small")]),
        "BaseExceptionGroup: both (2 sub-exceptions): SystemExit: 1; ValueError: small",
    ),
    "nul": (lambda: ValueError("a\0b"), "ValueError: a\\x00b"),
    "surrogate": (lambda: ValueError("a\ud800b"), "ValueError: a\\ud800b"),
    "bytes in a name": (
        lambda: OSError(2, "no file", os.fsdecode(b"\xff.png")),
        "FileNotFoundError: [Errno 2]",
    ),
    "mute": (Mute, "Mute"),
    "mute for good": (MuteForGood, "MuteForGood"),
    "wordy": (Wordy, "Wordy: words of its own"),
    "long": (lambda: ValueError("x" * 3_000_000), "ValueError: xxx"),
    "long of another alphabet": (lambda: ValueError("\U0001f600" * 3_000_000), "ValueError: \U0001f600"),
    "deep": (lambda: deep(3000), "ExceptionGroup: a group (1 sub-exception)"),
    "wide": (lambda: ExceptionGroup("many", [ValueError("\0")] * 50_000), "ExceptionGroup: many"),
}


def never_lets_go() -> None:
    # In C, and the interpreter's lock with it.
    ctypes.PyDLL(None).sleep(3600)


def leaves_a_program_behind() -> None:
    with subprocess.Popen(["sleep", "3600"]):
        pass


CRASHES: dict[str, Callable[[], object]] = {
    "segmentation fault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "out of memory": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(3),
    "interrupted": lambda: os.kill(os.getpid(), signal.SIGINT),
    "crash at the end": lambda: atexit.register(os.abort),
    "a thread that goes on": lambda: threading.Thread(target=time.sleep, args=[3600]).start(),
    "much to say": lambda: print("x" * 1_000_000),
    "asks": input,
    "never lets go": never_lets_go,
    "a program of its own": leaves_a_program_behind,
}


def crash(job: WorkJob) -> HandOver | None:
    if GATE.exists():
        GATE.joinpath(str(job.job_id)).write_text(str(os.getpid()))
    CRASHES.get(job["session_id"], lambda: None)()
    return in_sync(job)


class Busy(Requeue):
    """With an initializer of its own, as many have, which does not call the one that it replaces."""

    def __init__(self, provider: str) -> None:
        self.provider = provider


class Later(Requeue):
    after = 3600


class Locked(Requeue):
    def __init__(self, after: float) -> None:
        super().__init__(after)
        self.lock = threading.Lock()  # which goes to no other process


class Secretive(Requeue):
    @property
    def after(self) -> float:  # type: ignore[override]
        raise SystemExit("not telling")

    @after.setter
    def after(self, _: object) -> None:
        pass


# What is raised, and for how many seconds the job is then put off; None: the worker pauses. A text: how its
# error_message then ends.
PUT_OFF: dict[str, tuple[Callable[[], BaseException], float | str | None]] = {
    "busy": (lambda: Busy("a"), None),
    "nothing": (Requeue, None),
    "later": (Later, 3600),
    "locked": (lambda: Locked(60), 60),
    "zero": (lambda: Requeue(0), 1),
    "negative": (lambda: Requeue(after=-1), 1),
    "not a number": (lambda: Requeue(math.nan), 1),
    "minus infinity": (lambda: Requeue(-math.inf), 1),
    "tiny": (lambda: Requeue(1e-300), 1),
    "fraction": (lambda: Requeue(1.5), 1.5),
    "text of a number": (lambda: Requeue("90"), 90),  # type: ignore[arg-type]
    "infinity": (lambda: Requeue(math.inf), 360 * 86400),
    "a year": (lambda: Requeue(365 * 86400), 360 * 86400),
    "for ever": (lambda: Requeue(1e300), 360 * 86400),
    "soon": (lambda: Requeue("soon"), "ValueError: could not convert string to float: 'soon'"),  # type: ignore[arg-type]
    "a list": (lambda: Requeue([1]), "TypeError: float() argument must be"),  # type: ignore[arg-type]
    "too large": (lambda: Requeue(10**400), "OverflowError: int too large to convert to float"),
    "secretive": (Secretive, "SystemExit: not telling"),
}


def outcome(job: WorkJob) -> HandOver | None:
    wanted = job["session_id"].removeprefix("wait, ")
    if wanted == "fail":
        raise ValueError("no pixels")
    if wanted == "requeue" and job.attempt == 1:
        raise Requeue
    if wanted in RAISED:
        raise RAISED[wanted][0]()
    if wanted in PUT_OFF:
        raise PUT_OFF[wanted][0]()
    if wanted.startswith("task "):
        return HandOver({"nul": "a\0b", "surrogate": "\ud800", "none": None}[wanted[5:]])  # type: ignore[arg-type]
    if wanted == "full":
        raise Requeue
    if wanted.startswith("put off"):
        raise Requeue(after=float(wanted.split()[-1]))
    if wanted == "hand over":
        return HandOver(f"task-{job.job_id}")
    return None


async def leave(code: int) -> None:
    sys.exit(code)


async def in_async(job: WorkJob) -> HandOver | None:
    while job["session_id"].startswith("wait") and not GATE.exists():
        await asyncio.sleep(0.01)
    while job["session_id"] == "block the loop" and not GATE.exists():
        time.sleep(0.01)
    if job["session_id"] == "exit in a task":
        await asyncio.gather(asyncio.sleep(3600), asyncio.create_task(leave(4)))
    if job["session_id"] == "exit in a task that nobody waits for":
        job.kept = asyncio.create_task(leave(5))  # type: ignore[attr-defined]
        await asyncio.sleep(0.1)
    return outcome(job)


def in_sync(job: WorkJob) -> HandOver | None:
    while job["session_id"].startswith("wait") and not GATE.exists() and not job.lost:
        time.sleep(0.01)
    return outcome(job)


def never_ends(job: WorkJob) -> None:
    while True:
        time.sleep(0.01)


def reconcile(job: StallingJob) -> str | None:
    if job.task_id == "unknown":
        raise ConnectionError("the provider is away")
    if job.task_id in RAISED:
        raise RAISED[job.task_id][0]()
    if job.task_id == "an object":
        return Odd()  # type: ignore[return-value]
    return job.task_id


async def reconcile_async(job: StallingJob) -> str | None:
    return reconcile(job)


NOT_A_FUNCTION = 7
