"""Verifying in a process of its own: `python -m workstation.research.verify_process LEDGER STRATEGIES RUN …`.

It says on stdout how far it is and what came of each run, one JSON document a line, and ends with its standard input.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from workstation.config.own_strategies import take_in_own_strategies
from workstation.errors import VerifyMismatch, WorkstationError
from workstation.model.ids import RunId
from workstation.research.verify import Verified, verify

NICENESS = 10
SAY_EVERY_S = 0.2
Say = Callable[["VerifyLine"], None]


class VerifyLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the process: how far it is with a run, or what came of it."""

    run: str
    done: int = 0
    total: int = 0
    verified: Verified | None = None
    difference: str = ""
    """The first decision that differs."""
    failure: str = ""
    """Why it could not be made again."""

    @property
    def is_outcome(self) -> bool:
        return bool(self.verified or self.difference or self.failure)


def verify_each(ledger: Path, runs: Sequence[str], say: Say, clock: Callable[[], float] = time.monotonic) -> None:
    """Every run, also behind one that differs."""
    for run in runs:
        say(VerifyLine(run=run))
        said_s = clock()

        def progress(done: int, total: int, run: str = run) -> None:
            nonlocal said_s
            if clock() - said_s >= SAY_EVERY_S:
                said_s = clock()
                say(VerifyLine(run=run, done=done, total=total))

        try:
            say(VerifyLine(run=run, verified=verify(ledger, RunId(run), progress=progress)))
        except VerifyMismatch as difference:
            say(VerifyLine(run=run, difference=str(difference)))
        except WorkstationError as failure:
            say(VerifyLine(run=run, failure=str(failure)))


def main(arguments: Sequence[str]) -> None:
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    if sys.platform != "win32":
        os.nice(NICENESS)  # whoever trades comes first
    ledger, strategies, *runs = arguments
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a strategy prints is no line of ours
    take_in_own_strategies(Path(strategies))
    verify_each(Path(ledger), runs, lambda line: _write(stream.fileno(), line))


def _write(file: int, line: VerifyLine) -> None:
    os.write(file, msgspec.json.encode(line) + b"\n")


def _end_with_parent() -> None:
    with contextlib.suppress(OSError, ValueError):  # closed is closed
        while os.read(sys.stdin.fileno(), 4096):
            pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
