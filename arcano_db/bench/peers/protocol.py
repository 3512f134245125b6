"""What every process of a throughput run says: ready, and after go how many jobs it did from when to when."""

from __future__ import annotations

import json
import sys
import time


def wait_for_go() -> None:
    """Say that all is ready, and wait until all are."""
    print("ready", flush=True)
    sys.stdin.readline()


def report(started: float, jobs: int) -> None:
    """Tell what was done, and that it ended just now."""
    print(json.dumps({"started": started, "ended": time.time(), "jobs": jobs}), flush=True)
