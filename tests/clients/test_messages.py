"""What end users read exists in both languages."""

from __future__ import annotations

import psycopg
import pytest
from helpers import VIDEO, make_job, make_user

from arcano_db import ArcanoDB
from arcano_db.calls.messages import LANGUAGES, message


def test_each_language_has_each_message() -> None:
    for key in ("free", "blocked", "silent", "starting", "in line", "ended", "one at a time"):
        texts = [message(key, language, tool="Video Upscaler", position=4) for language in LANGUAGES]
        assert len(set(texts)) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("language", "free", "blocked"),
    [
        ("en", "You can start a new job.", "You already have a job in progress: Video Upscaler."),
        (
            "pt-BR",
            "Você pode iniciar um novo trabalho.",
            "Você já tem um trabalho em andamento: Video Upscaler.",
        ),
    ],
)
def test_the_answer_of_a_check_as_a_sentence(
    conn: psycopg.Connection, db: ArcanoDB, language: str, free: str, blocked: str
) -> None:
    user = make_user(conn)
    assert db.check_user_active(user).message(language) == free
    make_job(conn, VIDEO, user, "1 minute", status="running")
    assert db.check_user_active(user).message(language) == blocked


def test_the_place_in_the_line_as_a_sentence(conn: psycopg.Connection, db: ArcanoDB) -> None:
    waiting = make_job(conn, VIDEO, make_user(conn), "1 second")
    queued = db.run_or_queue(waiting)
    assert queued.message() == "You are number 1 in the line."
    assert queued.message("pt-BR") == "Você é o número 1 da fila."
    db.claim_jobs()
    assert db.run_or_queue(waiting).message("pt-BR") == "Seu trabalho está começando."
    db.finish_job(waiting)
    assert db.run_or_queue(waiting).message("pt-BR") == "Este trabalho já terminou."
