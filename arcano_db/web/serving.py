"""The HTTP server of ``arcano-db serve``: uvicorn's, with bounds that hold where nobody stands before it."""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from arcano_db.web.streams import network_of

# So many connections are taken in at once, before one of them can be counted.
_BACKLOG = 128
# How long a server that stops waits for requests that are under way.
_LAST_REQUESTS_SECONDS = 10
# Besides: for the database, the files that are served, the log, and what the interpreter itself opens.
_FILES_BESIDE_CONNECTIONS = 100 + 2 * _BACKLOG

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


@dataclass
class Bounds:
    """How many connections there may be, and how long one may take to say what it wants.

    Attributes:
        connections: The most at once.
        of_a_network: The most of one network (:func:`~arcano_db.web.streams.network_of`).
        header_seconds: How long a connection may be open before the headers of a request are there, and
            after each answer.
        reading_seconds: How long a client may leave an answer unread.
    """

    connections: int = 1000
    of_a_network: int = 256
    header_seconds: float = 10.0
    reading_seconds: float = 30.0
    _open: Counter[str] = field(default_factory=Counter)

    def fit_into_files(self) -> None:
        """Let this process open as many files as it may; no more connections than there are files for."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.connections + _FILES_BESIDE_CONNECTIONS
        if soft < wanted:
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.connections = max(1, min(self.connections, soft - _FILES_BESIDE_CONNECTIONS))

    def admit(self, address: str | None) -> list[str] | None:
        """Count a connection, or None: there are too many. Give what it answers to :meth:`leave`."""
        limits = {"all": self.connections}
        if network := network_of(address):
            limits[network] = self.of_a_network
        if any(self._open[who] >= most for who, most in limits.items()):
            return None
        self._open.update(limits.keys())
        return list(limits)

    def leave(self, counted: list[str]) -> None:
        """It is over."""
        self._open.subtract(counted)
        for who in counted:
            if self._open[who] <= 0:
                del self._open[who]


class BoundedProtocol(H11Protocol):
    """One connection, which is let in or not, and does not hang."""

    bounds: Bounds

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As uvicorn makes one for each connection."""
        super().__init__(*arguments, **options)
        self._counted: list[str] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._reads_by: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it before anything of it is read."""
        super().connection_made(transport)
        self._counted = self.bounds.admit(self.client[0] if self.client else None)
        if self._counted is None:
            transport.write(_BUSY)
            transport.close()
        else:
            self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give its place back."""
        if self._counted is not None:
            self.bounds.leave(self._counted)
            self._counted = None
        self._wait_no_more()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Nobody reads what was answered, for now."""
        super().pause_writing()
        self._is_read()
        self._reads_by = self.loop.call_later(self.bounds.reading_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It is read on."""
        self._is_read()
        super().resume_writing()

    def _is_read(self) -> None:
        if self._reads_by is not None:
            self._reads_by.cancel()
            self._reads_by = None

    def handle_events(self) -> None:
        """Where a request is under way, its own time limits hold."""
        if self._counted is None:
            return
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_more()

    def on_response_complete(self) -> None:
        """The next request is waited for."""
        # What is left of the body of an answered request is waited for no longer either.
        self._wait_for_headers()
        super().on_response_complete()

    def _wait_for_headers(self) -> None:
        self._wait_no_more()
        self._deadline = self.loop.call_later(self.bounds.header_seconds, self._too_slow)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self.transport.abort()  # close() would wait until the last answer is read


class FewOfAKind(logging.Filter):
    """Lets through ten lines a minute from each place in the code, so that a flood cannot fill the log."""

    def __init__(self, most: int = 10, seconds: float = 60.0) -> None:
        """As many lines in as many seconds."""
        super().__init__()
        self._most = most
        self._seconds = seconds
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is one of the few; the first of the next minute says how many were left out."""
        now, place = time.monotonic(), (record.pathname, record.lineno)
        since, count = self._seen.get(place, (now, 0))
        if now - since > self._seconds:
            if count > self._most:
                record.msg = f"{record.getMessage()} (and {count - self._most:,} more like this before)"
                record.args = None
            since, count = now, 0
        self._seen[place] = (since, count + 1)
        return count < self._most


def configured(app: ASGIApp, host: str, port: int, bounds: Bounds) -> uvicorn.Config:
    """What uvicorn is told, so that the bounds hold.

    Args:
        app: The app.
        host: The address to listen on.
        port: The port; 0: any.
        bounds: Of connections.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        http=type("Protocol", (BoundedProtocol,), {"bounds": bounds}),
        # A connection that is upgraded leaves this protocol, and would never give its place back.
        ws="none",
        # A line for each request is the proxy's to write: a flood of requests would be one of lines.
        access_log=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_LAST_REQUESTS_SECONDS,
    )


def serve(app: ASGIApp, host: str, port: int, bounds: Bounds) -> None:
    """Serve the app until a signal ends that; arguments as those of :func:`configured`."""
    bounds.fit_into_files()
    for handler in logging.getLogger().handlers:
        handler.addFilter(FewOfAKind())
    uvicorn.Server(configured(app, host, port, bounds)).run()
