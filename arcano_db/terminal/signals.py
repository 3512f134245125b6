"""How the commands that go on for long hear that they are to stop."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NUMBERS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_signals(stop: Callable[[], object]) -> Iterator[None]:
    """A block of the running loop in which SIGTERM and SIGINT call ``stop``, each time that they come."""
    loop = asyncio.get_running_loop()
    for number in _NUMBERS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in _NUMBERS:
            loop.remove_signal_handler(number)


class StopRequest:
    """Whether somebody wants a loop to end. Asked for, and not raised: an exception could come anywhere.

    Attributes:
        came: Whether it was requested.
    """

    def __init__(self) -> None:
        """Nobody has yet."""
        self.came = False

    def wait(self, seconds: float = float("inf")) -> bool:
        """Wait for the request, for as long as this at most, and answer whether it came."""
        until = time.monotonic() + seconds
        # In short naps, because what a signal handler may wake safely is only a flag.
        while not self.came and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        return self.came


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """A block outside of a loop in which SIGTERM and SIGINT are requests to stop.

    SIGINT too: a process that was started in the background ignores it otherwise.
    """
    request = StopRequest()

    def note(*_: object) -> None:
        request.came = True

    before = {number: signal.signal(number, note) for number in _NUMBERS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
