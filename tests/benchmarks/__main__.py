"""All benchmarks, each beside its peer or floor in the same run: python -m tests.benchmarks [name ...].

Each has a process of its own, so that no other's libraries are in its memory or its start.
"""

import subprocess
import sys

ALL = (
    "kernels",
    "market",
    "backtest",
    "replay",
    "ledger",
    "restart",
    "history",
    "spreads",
    "recorder",
    "feed",
    "engine",
    "full_desk",
    "many_venues",
    "stream",
    "dashboard",
)

if __name__ == "__main__":
    unknown = sorted(set(sys.argv[1:]) - set(ALL))
    if unknown:
        sys.exit(f"benchmark {', '.join(unknown)}: expected some of {', '.join(ALL)}")
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=True)
