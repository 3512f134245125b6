"""How the commands that go on for long hear that they are to stop."""

from __future__ import annotations

import asyncio
import signal
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


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """A block outside of a loop that SIGTERM and SIGINT leave with KeyboardInterrupt.

    SIGINT too: a process that was started in the background ignores it otherwise.
    """
    before = {number: signal.signal(number, signal.default_int_handler) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
