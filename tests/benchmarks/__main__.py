"""All benchmarks, each beside its peer or floor in the same run: python -m tests.benchmarks [name ...]."""

import sys

from tests.benchmarks import backtest, history, kernels, ledger, market, replay

ALL = {
    "kernels": kernels.main,
    "market": market.main,
    "backtest": backtest.main,
    "replay": replay.main,
    "ledger": ledger.main,
    "history": history.main,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        ALL[name]()
