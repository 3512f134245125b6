"""How the commands that go on until they are stopped hear of that."""

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
