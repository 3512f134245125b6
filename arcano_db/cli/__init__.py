"""The command line ``arcano-db``."""

from arcano_db.cli import (
    bench_commands,
    commands,
    journal_commands,
    queue_commands,
    scan_commands,
    table_commands,
    watch_commands,
    web_commands,
)
from arcano_db.cli.base import main

__all__ = [
    "bench_commands",
    "commands",
    "journal_commands",
    "main",
    "queue_commands",
    "scan_commands",
    "table_commands",
    "watch_commands",
    "web_commands",
]
