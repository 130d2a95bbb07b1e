"""What tests run in processes of their own: `python -m tests.ledger.processes <what> <ledger>`.

Each says on its standard output what it has done, a line at a time, so that no test has to sleep.
"""

import resource
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

from tests.ledger.examples import RUN, SESSION, a_group
from workstation.errors import JournalWriteFailed, WorkstationError
from workstation.ledger.journal import Ledger, read_rows
from workstation.model.ids import RunId

ROOT = Path(__file__).resolve().parent.parent.parent


def start(what: str, ledger: Path) -> subprocess.Popen[str]:
    """Starts this module; its output is read line by line."""
    command = [sys.executable, "-m", "tests.ledger.processes", what, str(ledger)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def hold(path: Path) -> None:
    """Holds the ledger until it is killed."""
    with Ledger.open(path):
        print("held", flush=True)
        signal.pause()


def try_open(path: Path) -> None:
    try:
        Ledger.open(path).close()
        print("opened", flush=True)
    except WorkstationError as error:
        print(f"{type(error).__name__}: {error}", flush=True)


def write_for_ever(path: Path) -> None:
    """Groups without end; prints the number of each that is durable, several behind the one being queued."""
    with Ledger.open(path) as ledger:
        run = RunId(f"{RUN}-{len(ledger.runs())}")
        ledger.begin_run(SESSION, run, b"{}")
        tickets = []
        for number in count():
            tickets.append(ledger.append(SESSION, a_group(number)))
            if number >= 4:
                tickets[number - 4].wait()
                print(number - 4, flush=True)


def count_rows(path: Path) -> None:
    print(sum(1 for _ in read_rows(path, SESSION)), flush=True)


def fill_the_disk(path: Path) -> None:
    """Writes until the largest file size stops it, then goes on with a larger one."""
    with Ledger.open(path) as ledger:
        ledger.begin_run(SESSION, RUN, b"{}")
        ledger.append(SESSION, a_group(0)).wait()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
        durable = 1
        try:
            for number in range(1, 5000):
                ledger.append(SESSION, a_group(number)).wait()
                durable += 1
        except JournalWriteFailed as error:
            print(f"refused: {error}", flush=True)
        try:
            ledger.append(SESSION, a_group(9999))
            print("accepted after a failure", flush=True)
        except JournalWriteFailed:
            print("refused before resume", flush=True)
        print(f"{durable * 3} rows told durable, {sum(1 for _ in ledger.rows(SESSION))} stored", flush=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        ledger.resume()
        ledger.append(SESSION, a_group(10_000)).wait()
        print(f"{sum(1 for _ in ledger.rows(SESSION))} rows in the end", flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
