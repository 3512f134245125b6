"""A way to the database that can fall silent: what is sent is taken and answered by nobody, as by a network
that drops everything without a word."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class SilentProxy:
    """From a port of this machine to the socket of a server.

    Attributes:
        dsn: The way through it.
        silent: Whether nothing goes through any more, neither on old connections nor on new ones.
    """

    def __init__(self, dsn: str) -> None:
        """Listen."""
        given = conninfo_to_dict(dsn)
        self._target = f"{given['host']}/.s.PGSQL.{given.get('port') or 5432}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=self._listener.getsockname()[1])
        self.silent = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self._open += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self.silent:
                    sink.sendall(data)
            if not self.silent:
                sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End it."""
        for one in (self._listener, *self._open):
            one.close()


@contextlib.contextmanager
def silent_proxy(dsn: str) -> Iterator[SilentProxy]:
    """A proxy to the server of a connection string."""
    proxy = SilentProxy(dsn)
    try:
        yield proxy
    finally:
        proxy.close()
