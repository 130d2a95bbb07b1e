"""A job's process that does what its session's name, or its symbol, says; it loads nothing of the package."""

import json
import os
import signal
import sys
import time
from pathlib import Path

RESULT = {
    "currency": "USDT", "figures": {"trades": 3, "profit_quote": 1.5, "sharpe_ratio": None}, "rows": 100,
    "refused": {}, "run": "done.1", "ledger": "ledger.db", "halted": None,
}  # fmt: skip

DOWNLOADED = {
    "rows_stored": 60, "rows_known": 0, "rows_differing": 0, "questions": 2, "refused": 0, "first_ns": 1,
    "bars": 60, "bars_missing": 0, "gap_count": 0, "gaps": [],
}  # fmt: skip


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def steps(folder: Path) -> int:
    """Each line once its step is asked for."""
    lines: list[dict[str, object]] = [
        {"rows": 10, "share": 0.0},
        {"rows": 40, "share": 0.25},
        {"note": "the venue says 429: asked again"},
        {"rows": 70, "share": 0.5},
        {"result": DOWNLOADED},
    ]
    for number, line in enumerate(lines):
        while not (folder / f"step{number}").exists():
            time.sleep(0.005)
        say(**line)
    return 0


def main(folder: Path) -> int:
    request = json.loads((folder / "request.json").read_text())["request"]
    name = request["session"] if "session" in request else request["symbol"].partition("/")[0].lower()
    if name.startswith("steps"):
        return steps(folder)
    if name.startswith("done"):
        say(rows=0, rows_total=100)
        say(rows=40, rows_total=100)
        print("what is no line of a job", flush=True)
        say(result=RESULT)
        return 0
    if name.startswith("refused"):
        say(failure="bars nova:BTC/USDT 1h: not stored")
        return 1
    if name.startswith("raises"):
        raise ZeroDivisionError("no rows to divide by")
    if name.startswith("endless"):
        print("x" * 200_000, flush=True)
    if name.startswith("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (folder / "pid").write_text(str(os.getpid()))
    say(rows=10, rows_total=100)
    if name.startswith("stubborn"):
        while True:
            time.sleep(60)
    sys.stdin.read()  # until the engine is gone
    return 3


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
