"""What the users of an app read, in English and Brazilian Portuguese.

The messages of the functions, of the command line and of the logs are for those who run the app, and
are in English alone.
"""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["en", "pt-BR"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_MESSAGES: dict[str, dict[Language, str]] = {
    "free": {
        "en": "You can start a new job.",
        "pt-BR": "Você pode iniciar um novo trabalho.",
    },
    "blocked": {
        "en": "You already have a job in progress: {tool}.",
        "pt-BR": "Você já tem um trabalho em andamento: {tool}.",
    },
    "silent": {
        "en": "You already have a job in progress: {tool}. It has shown no sign of life for over an hour:"
        " if it does not end, ask the support to end it.",
        "pt-BR": "Você já tem um trabalho em andamento: {tool}. Ele não dá sinal de vida há mais de uma hora:"
        " se não terminar, peça ao suporte que o encerre.",
    },
    "starting": {
        "en": "Your job is starting.",
        "pt-BR": "Seu trabalho está começando.",
    },
    "in line": {
        "en": "You are number {position} in the line.",
        "pt-BR": "Você é o número {position} da fila.",
    },
    "ended": {
        "en": "This job has already ended.",
        "pt-BR": "Este trabalho já terminou.",
    },
    "one at a time": {
        "en": "You already have a job in progress.",
        "pt-BR": "Você já tem um trabalho em andamento.",
    },
}


def message(
    key: Literal["free", "blocked", "silent", "starting", "in line", "ended", "one at a time"],
    language: Language,
    **values: str | int | None,
) -> str:
    """The message ``key`` in ``language``, with ``values`` filled in."""
    return _MESSAGES[key][language].format(**values)
