"""What every process of a throughput run says: ready, and after go how many jobs it did from when to when."""

from __future__ import annotations

import json
import sys
import time


def wait_for_go() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def report(started: float, jobs: int) -> None:
    print(json.dumps({"started": started, "ended": time.time(), "jobs": jobs}), flush=True)
