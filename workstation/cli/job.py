"""A job's process, `python -m workstation.cli.job FOLDER`, as the engine starts it.

It reads the order in the folder, says on stdout how far it is, and ends with its standard input: when the engine is
gone, so is the job.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from workstation.cli import lifeline
from workstation.errors import WorkstationError

if TYPE_CHECKING:
    from workstation.client.jobs import DownloadResult, JobLine, JobOrder, JobResult

NICENESS = 10
"""The engine comes first."""
SAY_EVERY_S = 0.2
KILLED_FIRST = 1_000
"""Where memory is short, Linux ends a process of this score before any other."""
OOM_SCORE = Path("/proc/self/oom_score_adj")


class Speaker:
    """The only one that writes to the engine: what a strategy prints goes to the log."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._said_s = -SAY_EVERY_S

    def show(self, rows: int, total: int) -> None:
        """So many rows are taken; not every word of it is said."""
        now_s = self._clock()
        if rows in (0, total) or now_s - self._said_s >= SAY_EVERY_S:
            self._said_s = now_s
            self.say(f'{{"rows":{rows},"rows_total":{total}}}')

    def tell(self, line: "JobLine") -> None:
        """Of a job whose rows in all are not known."""
        now_s = self._clock()
        if line.share in (None, 0.0, 1.0) or now_s - self._said_s >= SAY_EVERY_S:
            self._said_s = now_s
            self.say(line.model_dump_json(exclude_none=True))

    def say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


def main(folder: Path) -> int:
    """Does what the folder's order asks; the exit code."""
    _stand_behind_the_engine()
    lifeline.end_with_stdin()
    speaker = Speaker(os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8"))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from workstation.client.jobs import JobLine, JobOrder

    order = JobOrder.model_validate_json((folder / "request.json").read_bytes())
    try:
        result = _result(order, folder, speaker)
    except WorkstationError as error:
        speaker.say(JobLine(failure=str(error)).model_dump_json())
        return 1
    speaker.say(JobLine(result=result).model_dump_json())
    return 0


def _result(order: "JobOrder", folder: Path, speaker: Speaker) -> "JobResult | DownloadResult":
    # with numba and pandas, or with ccxt: seconds, for which the lifeline does not wait
    from workstation.client.jobs import DownloadJob

    if isinstance(order.request, DownloadJob):
        from workstation.cli.job_download import run_download

        return run_download(order.request, order.settings, speaker.tell)
    from workstation.research.jobs import run_job

    return run_job(order.request, order.settings, folder, speaker.show)


def _stand_behind_the_engine() -> None:
    """For the processor, and for memory: a job that wants too much is not to cost the engine its life."""
    if sys.platform != "win32":
        os.nice(NICENESS)
    if OOM_SCORE.exists():
        with contextlib.suppress(OSError):  # a container may forbid it
            OOM_SCORE.write_text(str(KILLED_FIRST))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
