"""A job's process that does what its session's name says; it loads nothing of the package, so it starts at once."""

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


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def main(folder: Path) -> int:
    name = json.loads((folder / "request.json").read_text())["request"]["session"]
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
