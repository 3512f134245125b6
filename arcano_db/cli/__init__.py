"""The command line ``arcano-db``."""

from arcano_db.cli.commands import main

__all__ = ["main"]
