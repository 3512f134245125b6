"""One more connection of the kind that a caller has, for when that one is gone or a pool is used up."""

from __future__ import annotations

import contextlib
import inspect
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.pq import TransactionStatus

AnyConnection: TypeAlias = psycopg.Connection[Any] | psycopg.AsyncConnection[Any]


class Elsewhere:
    """Where a connection, or a pool, is connected to: kept while that can still be asked."""

    def __init__(self, source: Any) -> None:
        """Connects nowhere.

        Args:
            source: A connection or a pool, sync or async.
        """
        self._pool: Any = None
        if isinstance(source, (psycopg.Connection, psycopg.AsyncConnection)):
            self._class: Any = type(source)
            self._parameters: dict[str, Any] = {}
            with contextlib.suppress(psycopg.Error):  # it is closed: then what it asks next says so
                self._parameters = {**source.info.get_parameters(), "password": source.info.password or None}
        else:
            self._pool, self._class = source, getattr(source, "connection_class", None)

    def connect_sync(self, seconds: float) -> Any:
        """A connection in autocommit, made within about so many seconds."""
        conninfo, parameters = self._target()
        connection = self._class.connect(_called(conninfo), **self._all(_called(parameters), seconds))
        if configure := getattr(self._pool, "_configure", None):
            configure(connection)
        return connection

    async def connect_async(self, seconds: float) -> Any:
        """A connection in autocommit, made within about so many seconds."""
        conninfo, parameters = self._target()
        conninfo, parameters = await _awaited(_called(conninfo)), await _awaited(_called(parameters))
        connection = await self._class.connect(conninfo, **self._all(parameters, seconds))
        if configure := getattr(self._pool, "_configure", None):
            await configure(connection)
        return connection

    def _target(self) -> tuple[Any, Any]:
        if self._pool is None:
            return "", self._parameters
        return self._pool.conninfo, self._pool.kwargs

    @staticmethod
    def _all(parameters: dict[str, Any] | None, seconds: float) -> dict[str, Any]:
        return {**(parameters or {}), "autocommit": True, "connect_timeout": max(2, round(seconds))}


def _called(given: str | dict[str, Any] | Callable[[], Any] | None) -> Any:
    """What a pool was given as it is, or as a function that answers it."""
    return given() if callable(given) else given or ""


async def _awaited(given: Any | Awaitable[Any]) -> Any:
    return await given if inspect.isawaitable(given) else given


def is_doomed(source: Any) -> bool:
    """Whether a connection's transaction has failed: then it takes back what was done in it."""
    info = getattr(source, "info", None)
    return info is not None and info.transaction_status == TransactionStatus.INERROR


def savepoint_sync(driver: Any) -> AbstractContextManager[Any]:
    """A block whose failure leaves the caller's transaction as it was; over a pool each call has its own."""
    return driver.transaction() if hasattr(driver, "transaction") else contextlib.nullcontext()


def savepoint_async(driver: Any) -> AbstractAsyncContextManager[Any]:
    """:func:`savepoint_sync` for an asynchronous connection or pool."""
    return driver.transaction() if hasattr(driver, "transaction") else contextlib.nullcontext()


@contextmanager
def shut_after(seconds: float, connection: AnyConnection) -> Iterator[None]:
    """A block after so many seconds of which the connection's calls fail, whatever they wait for."""
    timer = threading.Timer(seconds, shut, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def shut(connection: AnyConnection) -> None:
    """End the socket of a connection. It is not closed: whoever waits for an answer is told so by that."""
    with contextlib.suppress(OSError, psycopg.Error):
        end = socket.socket(fileno=os.dup(connection.fileno()))
        with end:
            end.shutdown(socket.SHUT_RDWR)
