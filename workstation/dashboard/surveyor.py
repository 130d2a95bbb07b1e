"""The history as pages show it: surveyed by a child process, one at a time, while somebody looks."""

import asyncio
import logging
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from workstation.history.survey import Figures, SeriesFacts, SurveyLine

COMMAND = (sys.executable, "-m", "workstation.history.survey_process")
PAUSE_S = 20.0
"""Between two surveys at least; more where one took long, so that looking costs a fifth of a core at most."""
REST_TIMES = 4
LONGEST_LINE = 1 << 26
"""All series of a large history with their sources are one."""

log = logging.getLogger(__name__)


class Surveyor:
    """Of one dashboard. `number` grows with each change; figures stay until newer ones of their series have come."""

    def __init__(
        self, history: Path, now_s: Callable[[], float] = time.monotonic, command: Sequence[str] = COMMAND
    ) -> None:
        self._arguments, self._now_s = (*command, str(history)), now_s
        self.number = 0
        self.series: tuple[SeriesFacts, ...] | None = None
        """None before the first answer."""
        self.figures: dict[str, Figures] = {}
        self.failure = ""
        self.done, self.total = 0, 0
        """Rows of the survey that runs; 0 of 0 where none is at it."""
        self._began_s, self._rest_until_s = 0.0, float("-inf")
        self._ended: frozenset[str] | None = None
        self._is_stale = False
        """More came while a survey was running."""
        self._task: asyncio.Task[None] | None = None
        self._process: Process | None = None

    def want(self) -> None:
        """Somebody looks: begins a survey, unless one runs or the last one is not long ago. Returns at once."""
        if self._task is None and self._now_s() >= self._rest_until_s:
            self._began_s = self._now_s()
            self._task = asyncio.get_running_loop().create_task(self._work())

    def heed(self, ended: frozenset[str]) -> None:
        """Names of what filled the history and is over: where there is a new one, a survey begins at once."""
        if self._ended is not None and ended - self._ended:
            self._rest_until_s, self._is_stale = float("-inf"), self._task is not None
        self._ended = ended

    def left_s(self) -> float | None:
        """At the pace so far; None before there is one, and where nothing is looked at."""
        if not self.total or self.done < 0.02 * self.total:
            return None
        return (self._now_s() - self._began_s) * (self.total - self.done) / self.done

    async def wait(self) -> None:
        """Returns when no survey runs."""
        if self._task is not None:
            await self._task

    def _end_process(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _work(self) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True, limit=LONGEST_LINE
            )
            assert self._process.stdin is not None and self._process.stdout is not None
            marks = {name: one.mark for name, one in self.figures.items()}
            self._process.stdin.write(msgspec.json.encode(marks) + b"\n")
            has_failed = False
            async for line in self._process.stdout:
                has_failed = self._listen(line) or has_failed
            code = await self._process.wait()
            if not has_failed:
                self.failure = f"the process that looks at the history ended with code {code}" if code else ""
        except (OSError, ValueError) as error:  # no process can be made, or it says a line without an end
            self.failure = f"the process that looks at the history could not be followed: {error}"
        finally:
            self._end_process()
            took_s = self._now_s() - self._began_s
            rest_s = 0.0 if self._is_stale else max(PAUSE_S, REST_TIMES * took_s)
            self._rest_until_s, self._is_stale = self._now_s() + rest_s, False
            self.done = self.total = 0
            self.number += 1
            self._process = self._task = None

    def _listen(self, line: bytes) -> bool:
        """Whether it says why it failed."""
        try:
            said = msgspec.json.decode(line, type=SurveyLine)
        except msgspec.DecodeError:
            log.warning("the survey of the history says what is no line of it: %.200r", line)
            return False
        if said.series is not None:
            self.series = said.series
            names = {one.name for one in said.series}
            self.figures = {name: one for name, one in self.figures.items() if name in names}
        elif said.figures is not None:
            self.figures[said.figures.name] = said.figures
        elif said.failure:
            self.failure = said.failure
        else:
            self.done, self.total = said.done, said.total
        self.number += 1
        return bool(said.failure)
