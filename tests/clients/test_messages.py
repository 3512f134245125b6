"""What end users read exists in both languages."""

from __future__ import annotations

import psycopg
import pytest
from helpers import VIDEO, make_job, make_user

from arcano_db import ArcanoDB
from arcano_db.messages import LANGUAGES, message


def test_each_language_has_each_message() -> None:
    for key in ("free", "blocked"):
        texts = [message(key, language, tool="Video Upscaler") for language in LANGUAGES]
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
    make_job(conn, VIDEO, user, status="running")
    assert db.check_user_active(user).message(language) == blocked
