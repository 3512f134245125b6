"""What is installed from the wheel: it carries the SQL, and migrates from an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from arcano_db.installing import migrating

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_carries_the_sql_and_nothing_of_the_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("migrations", "sql"):
        files = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.[sp][qy]*")}
        assert {f"arcano_db/{file}" for file in files if "__pycache__" not in file} <= names
    assert "arcano_db/py.typed" in names
    # SQL, pages, modules for browsers and monitors: whatever lies in a room belongs to it.
    package = [path for path in (ROOT / "arcano_db").rglob("*.*") if "__pycache__" not in path.parts]
    assert {str(path.relative_to(ROOT)) for path in package} <= names
    assert {
        "arcano_db/demo/upscaler/pages/page.html",
        "arcano_db/running/monitoring/alert_rules.yaml",
    } <= names
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]


def test_an_empty_environment_migrates_with_it(wheel: Path, empty_dsn: str, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    subprocess.run([programs / "pip", "install", "-q", wheel], check=True, capture_output=True)
    subprocess.run(
        [programs / "arcano-db", "migrate", "--dsn", empty_dsn], check=True, capture_output=True, cwd=tmp_path
    )
    assert migrating.status(empty_dsn).up_to_date
    # Production goes without the extras: the embedded PostgreSQL, and Prometheus's client.
    for command, extra in (
        ("demo", "demo"),
        ("demo --web", "demo"),
        ("serve --user os:getcwd", "web"),
        ("bench", "demo"),
        ("metrics", "metrics"),
    ):
        done = subprocess.run([programs / "arcano-db", *command.split()], capture_output=True, text=True)
        assert done.returncode == 1
        assert f"pip install 'arcano-db[{extra}]'" in done.stderr
