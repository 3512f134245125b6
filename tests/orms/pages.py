"""Following a page of docs/orm as a reader does: its files are written and its commands run, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from helpers import ROOT

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_FILE = re.compile(r"(?:#|//|--) (\S+\.\w+)\n")


def page_text(page: str) -> str:
    """The text of a page."""
    return ROOT.joinpath("docs", "orm", page).read_text(encoding="utf-8")


@dataclass
class App:
    """An app that is built by following pages.

    Attributes:
        folder: Where it is.
        url: Its database.
        path: Further folders of commands.
    """

    folder: Path
    url: str
    path: tuple[Path, ...] = ()

    def follow(self, page: str, *sections: str) -> str:
        """Write what these sections' blocks name a file for, and run their commands; answer what those said.

        Args:
            page: The page's name.
            sections: Headings; "" is what comes before the first one.
        """
        parts = re.split(r"^## (.*)\n", f"## \n{page_text(page)}", flags=re.M)[1:]
        by_heading = dict(zip(parts[::2], parts[1::2], strict=True))
        said = ""
        for section in sections:
            for language, block in _BLOCK.findall(by_heading[section]):
                if language == "sh":
                    said += self.run(block)
                elif name := _FILE.match(block):
                    self.write(name[1], block)
        return said

    def write(self, name: str, text: str) -> None:
        """A file of the app's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, commands: str) -> str:
        """What the commands said; installing is what the test has done before."""
        done = self.tried(re.sub(r"(?m)^(pip|npm) install .*\n", "", commands))
        assert done.returncode == 0, f"{commands}\n{done.stdout}"
        return done.stdout

    def tried(self, commands: str) -> subprocess.CompletedProcess[str]:
        """The same, and how it ended."""
        folders = [*self.path, Path(sys.executable).parent, os.environ["PATH"]]
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env={
                **os.environ,
                "DATABASE_URL": self.url,
                "PATH": os.pathsep.join(map(str, folders)),
                "PYTHONDONTWRITEBYTECODE": "1",
                "NO_COLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
