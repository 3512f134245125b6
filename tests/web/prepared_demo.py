"""The demo's web app on a database that is prepared already; its arguments: database and seconds."""

import socket
import sys

from rich.console import Console

from arcano_db.demo import upscaler
from arcano_db.terminal.signals import stop_request

if __name__ == "__main__":
    with stop_request(), socket.create_server(("127.0.0.1", 0)) as listening:
        upscaler.serve(sys.argv[1], listening, float(sys.argv[2]), Console())
