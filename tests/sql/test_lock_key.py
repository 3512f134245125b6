"""The key of a user's lock cannot be worked out by who has seen others."""

from __future__ import annotations

import hashlib

import psycopg


def key_of(conn: psycopg.Connection, user: str) -> int:
    return conn.execute("select arcano.lock_key('arcano user ' || %s)", (user,)).fetchone()[0]


def test_it_is_a_cryptographic_hash_with_a_secret(conn: psycopg.Connection) -> None:
    secret = conn.execute("select secret from arcano.lock").fetchone()[0]
    digest = hashlib.sha256(f"{secret} arcano user 17".encode()).digest()
    assert key_of(conn, "17") == int.from_bytes(digest[:8], "big", signed=True)


def test_each_database_has_a_secret_of_its_own(conn: psycopg.Connection) -> None:
    before = key_of(conn, "17")
    conn.execute("update arcano.lock set secret = gen_random_uuid()")
    assert key_of(conn, "17") != before
    assert len({key_of(conn, str(n)) for n in range(1000)}) == 1000


def test_it_is_not_the_hash_of_an_older_release(conn: psycopg.Connection) -> None:
    old = conn.execute("select hashtextextended('arcano user 17', seed) from arcano.lock").fetchone()[0]
    assert key_of(conn, "17") != old
