"""A survey in a process of its own, at a low priority: `python -m workstation.history.survey_process ROOT`.

It reads what is known already as one line of JSON, says what it finds on stdout, one document a line, and ends with its
standard input.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from workstation.errors import WorkstationError
from workstation.history.store import HistoryStore
from workstation.history.survey import SurveyLine, survey

NICENESS = 15
SAY_EVERY_S = 0.2


def main(arguments: Sequence[str]) -> None:
    if sys.platform != "win32":
        os.nice(NICENESS)  # whoever trades or records comes first
    pa.set_cpu_count(1)
    known = msgspec.json.decode(sys.stdin.buffer.readline(), type=dict[str, str])
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    said_s = time.monotonic()

    def tell(line: SurveyLine) -> None:
        nonlocal said_s
        if line.total:
            if time.monotonic() - said_s < SAY_EVERY_S:
                return
            said_s = time.monotonic()
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()

    try:
        survey(HistoryStore(Path(arguments[0])), known, time.time_ns(), tell)
    except (WorkstationError, OSError, pa.ArrowException) as error:
        tell(SurveyLine(failure=str(error) or type(error).__name__))


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
