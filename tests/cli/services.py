"""Commands as processes of their own, for tests of how they end."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
GONE_S = 30.0


def environment(home: Path, **variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKSTATION_")}
    return kept | {"WORKSTATION_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | variables


@contextmanager
def process_of(
    home: Path, arguments: Sequence[object], code: str | None = None, **variables: str
) -> Iterator[subprocess.Popen[str]]:
    """`workstation ARGUMENTS`, or a piece of Python, with these variables; killed at the end if it still runs."""
    command = ["-m", "workstation", *map(str, arguments)] if code is None else ["-c", code, *map(str, arguments)]
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(home, **variables),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def lines_until(process: subprocess.Popen[str], word: str) -> str:
    """What it printed up to the line that holds the word, or to its end."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            break
    return "".join(lines)


def is_gone(pid: int) -> bool:
    """Ended, or a corpse that nobody has fetched yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(pids: Sequence[int]) -> bool:
    """Within GONE_S."""
    deadline_s = time.monotonic() + GONE_S
    while not all(is_gone(pid) for pid in pids):
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True
