"""An app in a folder of its own, and an empty database for it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import django
import pytest
from django.conf import settings
from orms.pages import App
from psycopg.conninfo import conninfo_to_dict

# Whoever defines a model must have done so; apps of their own are processes of their own.
settings.configure(USE_TZ=True)
django.setup()


@pytest.fixture
def app(tmp_path: Path, empty_dsn: str) -> App:
    parts = conninfo_to_dict(empty_dsn)
    host = quote(str(parts["host"]), safe="")
    return App(tmp_path, f"postgresql://{parts['user']}@/{parts['dbname']}?host={host}")
