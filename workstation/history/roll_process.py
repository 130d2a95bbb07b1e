"""Rolling in a process of its own, so that who records is not disturbed: `roll_apart` starts it and waits.

It runs at the lowest priority, on one processor, and ends when its parent does, however that ends: a roll may be cut
off anywhere and taken again.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from workstation.history.rolling import Outcome, roll_logs
from workstation.history.store import HistoryStore

NICENESS = 19


def roll_apart(store: HistoryStore, paths: Sequence[Path]) -> Outcome:
    """As roll_logs, in a child. One that dies is told in `failure`, and the logs stay."""
    arguments = [str(store.root.absolute()), str(store.segment_rows), *(str(path.absolute()) for path in paths)]
    command = [sys.executable, "-m", "workstation.history.roll_process", *arguments]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,  # held open: its end is the end of the child
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for the parent, who waits for the roll
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read().splitlines()
        code = process.wait()
    try:
        return msgspec.json.decode(said[-1] if said else b"", type=Outcome)
    except msgspec.MsgspecError:
        last = said[-1].decode(errors="replace") if said else "it said nothing"
        return Outcome(failure=f"the process that rolls {store.root} ended with code {code}: {last}")


def main(arguments: Sequence[str]) -> None:
    """The child: root, rows of a segment, logs; prints its outcome as one line of JSON."""
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    if sys.platform != "win32":
        os.nice(NICENESS)
    pa.set_cpu_count(1)
    root, segment_rows, *paths = arguments
    outcome = roll_logs(HistoryStore(Path(root), segment_rows=int(segment_rows)), [Path(path) for path in paths])
    print(msgspec.json.encode(outcome).decode())


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
