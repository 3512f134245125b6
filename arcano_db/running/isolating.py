"""A function called in a process of its own, once a job: ``arcano-db work --isolate``.

What ends a process, or holds the interpreter's lock and never lets go, is then about one job alone: a crash
of the interpreter, a machine that is short of memory, a library in C. The worker gives the signs of life.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import importlib
import logging
import os
import pickle
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from arcano_db.calls.reasons import Told, reason_of, storable
from arcano_db.running.working import HandOver, Requeue, WorkJob, is_async, seconds_put_off

# The kernel's, of <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1

# The longest that a process which was killed is waited for.
_LAST_SECONDS = 1.0


def find_function(name: str) -> Callable[..., Any]:
    """Import what ``module:function`` names; the working folder comes first, as with ``python -m``.

    Args:
        name: The function.

    Raises:
        ValueError: It names none.
        ImportError: There is no such module.
        AttributeError: The module has no such function.
    """
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise ValueError("give it as module:function")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = functools.reduce(getattr, path.split("."), importlib.import_module(module))
    finally:
        sys.path.pop(0)
    if not callable(found):
        raise ValueError(f"{name} is not a function")  # noqa: TRY004
    return cast("Callable[..., Any]", found)


class Isolated:
    """What a worker is given as ``call`` (:class:`WorkOptions`), so that each job has a process.

    The process is started anew for each job, imports the function, and has the job's row. It is killed, with
    whatever it has started, when the job is given up or put back, and when the worker dies.
    """

    def __init__(self, function: str, time_limit: float | None = None) -> None:
        """Nothing is started yet.

        Args:
            function: As ``module:function``.
            time_limit: After how many seconds a job is failed and its process killed; None: never.
        """
        self._function = function
        self._time_limit = time_limit

    async def __call__(self, job: WorkJob) -> HandOver | None:
        """Call the function in a process of its own, and answer or raise as it does."""
        with tempfile.TemporaryFile() as outcome:
            code = await self._run(pickle.dumps(job), outcome)
            outcome.seek(0)
            try:
                kind, told = pickle.load(outcome)
            except Exception as error:  # it ended before it had told anything, or in the midst of that
                raise Told(_how_it_ended(code)) from error
        if kind == "requeue":
            raise Requeue(told)
        if kind == "failed":
            failure = Told(told[0])
            failure.add_note(told[1])
            raise failure
        return HandOver(told) if kind == "handed over" else None

    async def _run(self, job: bytes, outcome: IO[bytes]) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", __name__, self._function, str(outcome.fileno())),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=[outcome.fileno()],
            # Ctrl-C in a terminal is for the worker; and what the process starts can be killed with it.
            start_new_session=True,
        )
        assert process.stdin is not None
        try:
            async with asyncio.timeout(self._time_limit):
                with contextlib.suppress(ConnectionError):  # it is gone already
                    process.stdin.write(job)
                    await process.stdin.drain()
                return await process.wait()
        except TimeoutError as error:
            raise Told(f"The job took longer than {self._time_limit:g} seconds") from error
        finally:
            # Open until here: its end tells the process that nobody waits for it any more.
            process.stdin.close()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _LAST_SECONDS)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"The process of the job ended with exit code {code} before its function returned"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    perhaps = ", as a machine that is short of memory does it" if -code == signal.SIGKILL else ""
    return f"The process of the job was ended by {name}{perhaps}"


def _main(function: str, outcome: int) -> None:
    """What the process does."""
    os.set_inheritable(outcome, False)
    worker = os.getppid()
    _end_with(worker)
    with contextlib.suppress(OSError):  # rather this one than the worker
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    try:
        # What the job's row holds may be of classes that come with the function.
        call = find_function(function)
        job = pickle.load(sys.stdin.buffer)
        # The function's own standard input is empty.
        lifeline = os.dup(0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        threading.Thread(target=_watch, args=[lifeline], daemon=True).start()
        answer = asyncio.run(call(job)) if is_async(call) else call(job)
        written = pickle.dumps(
            ("handed over", answer.task_id) if isinstance(answer, HandOver) else ("done", None)
        )
    except BaseException as error:
        written = pickle.dumps(_told(error))
    with os.fdopen(outcome, "wb") as file:
        file.write(written)
    # What is left of it, a thread that goes on or a library that crashes at the end, is of no interest.
    with contextlib.suppress(Exception):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def _told(error: BaseException) -> tuple[str, Any]:
    """What the worker is told of what the function raised."""
    if isinstance(error, Requeue):
        try:
            return "requeue", seconds_put_off(error)
        except Told as why:
            error = why
    return "failed", (reason_of(error), _traceback(error))


def _end_with(worker: int) -> None:
    """Be killed when the worker dies; a thread could not see to that while the interpreter's lock is held."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != worker:
            os._exit(1)


def _watch(lifeline: int) -> None:
    """The same where the kernel does not do it."""
    while os.read(lifeline, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def _traceback(error: BaseException) -> str:
    try:
        return storable("".join(traceback.format_exception(error)))
    except BaseException:
        return "(its traceback cannot be written)"


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
