"""Makes the synchronous client from the asynchronous one, so that there is one text of both.

    python .github/tools/async_to_sync.py            writes arcano_db/calls/*_sync.py
    python .github/tools/async_to_sync.py --check    only says what is not current, and ends with 1 then

What differs is names and the words ``async`` and ``await``, in docstrings too. Where the two really do
different things, the source calls a function whose name ends in ``_async``, and its twin ``_sync`` is written
by hand beside it.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLS = ROOT / "arcano_db" / "calls"

RULES = (
    (r"\b(?:async|await) ", ""),
    (r"\bAsync(?=[A-Z])", ""),  # AsyncConnection, AsyncIterator, AsyncJob, ...
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\basynchronous\b", "synchronous"),
    (r"(?<=\w)_async\b", "_sync"),
)

HEAD = """\
# Made by .github/tools/async_to_sync.py from {source}. Change that one, and run it again.

"""


def sync_of(source: Path) -> str:
    """The synchronous text of an asynchronous module."""
    text = source.read_text(encoding="utf-8")
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    # Shorter names may change the order of imports and where a line is broken.
    for command in (["check", "--quiet", "--select", "I", "--fix"], ["format", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", target_of(source), "-"]
        text = subprocess.run(ruff, cwd=ROOT, input=text, capture_output=True, text=True, check=True).stdout
    return HEAD.format(source=source.name) + text


def target_of(source: Path) -> Path:
    """Where the synchronous module of an asynchronous one is."""
    return source.with_name(source.name.replace("_async", "_sync"))


def main(check: bool) -> int:
    """Write the modules, or say what of them is not current, and answer the exit code."""
    stale = []
    for source in sorted(CALLS.glob("*_async.py")):
        target, made = target_of(source), sync_of(source)
        found = target.read_text(encoding="utf-8") if target.exists() else ""
        if check and found != made:
            stale += difflib.unified_diff(found.splitlines(), made.splitlines(), target.name, "made", n=1)
        elif not check:
            target.write_text(made, encoding="utf-8")
    if stale:
        print("\n".join(stale), "Run: python .github/tools/async_to_sync.py", sep="\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
