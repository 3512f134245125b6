"""Roles belong to the cluster: a backend of one database is one in another, unless kept from connecting."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from helpers import ROOT, UPSCALER, make_app, make_job, make_user
from psycopg.conninfo import make_conninfo

from arcano_db import ArcanoDB
from arcano_db.testing.embedded import EmbeddedServer, embedded_server


@pytest.fixture
def two_apps(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    with embedded_server(request.config.getoption("--postgres"), {"fsync": "off"}, in_memory=True) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute("create database shop")
            conn.execute("create database studio")
            make_app(server.dsn("shop"))
            make_app(server.dsn("studio"))
            conn.execute("create role shop_backend login in role arcano_backend")
            conn.execute("create role studio_backend login in role arcano_backend")
        yield server


def cancels(server: EmbeddedServer, login: str, database: str) -> bool:
    """Whether this login can cancel a job in that database."""
    with psycopg.connect(server.dsn(database), autocommit=True) as conn:
        victim = make_job(conn, UPSCALER, make_user(conn), position=1)
        may = conn.execute("select has_database_privilege(%s, current_database(), 'connect')", (login,))
        dsn = make_conninfo(server.dsn(database), user=login)
        if may.fetchone() == (False,):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(dsn)
            return False
    with psycopg.connect(dsn, autocommit=True) as conn:
        return ArcanoDB(conn).cancel_job(victim).changed


def test_databases_are_kept_apart_as_security_says(two_apps: EmbeddedServer) -> None:
    assert cancels(two_apps, "studio_backend", "shop")  # what it says first
    text = ROOT.joinpath("SECURITY.md").read_text(encoding="utf-8")
    [statements] = [part for part in text.split("```sql\n")[1:] if "grant connect" in part]
    with psycopg.connect(two_apps.dsn("shop"), autocommit=True) as conn:
        conn.execute(statements.partition("```")[0].encode())
    assert not cancels(two_apps, "studio_backend", "shop")
    assert cancels(two_apps, "shop_backend", "shop")
    assert cancels(two_apps, "studio_backend", "studio")
