"""A real Chromium: the machine's own, or Debian's, fetched as any user; Playwright drives it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers import unpacked_debian, unpacked_environment

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # there is none for root, and none in a container
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)


@dataclass(frozen=True)
class Program:
    """Where Chromium is, and what it needs to be run."""

    path: Path
    environment: dict[str, str]


class Browser:
    """A running browser, which can be killed.

    Attributes:
        address: For Playwright's ``connect_over_cdp``.
    """

    def __init__(self, program: Program, profile: Path) -> None:
        # A group of its own, because it is many processes, and a kill must end all at once.
        self._process = subprocess.Popen(
            [program.path, *_FLAGS, f"--user-data-dir={profile}"],
            env=program.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.startswith("DevTools listening on "):
                self.address = line.removeprefix("DevTools listening on ").strip()
                break
        else:
            raise AssertionError("Chromium did not start")

    def kill(self) -> None:
        """As a phone does that needs the memory: no event, no last word."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()


@contextmanager
def chromium() -> Iterator[Program]:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            yield Program(Path(found), {**os.environ})
            return
    with unpacked_debian("chromium", dependencies=True) as folder:
        yield Program(folder / "usr" / "lib" / "chromium" / "chromium", unpacked_environment(folder))
