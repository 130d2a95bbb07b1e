"""Verifying from a page: in a child process, one at a time in each dashboard, with progress, cancelled when asked."""

import asyncio
import logging
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from workstation.errors import BadInput, RetryError
from workstation.research.verify import Verified
from workstation.research.verify_process import VerifyLine

COMMAND = (sys.executable, "-m", "workstation.research.verify_process")
MOST_KEPT = 100
LONGEST_LINE = 1 << 20
"""A difference quotes whole facts."""

log = logging.getLogger(__name__)


class VerifierBusy(RetryError):
    """Another session is being verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Of one session's runs. Times are this dashboard's monotonic ones."""

    session: str
    runs: tuple[str, ...]
    by: str
    began_s: float
    outcomes: tuple[VerifyLine, ...] = ()
    """One for each run that is done, in their order."""
    at: VerifyLine | None = None
    """How far the present run is."""
    ended_s: float | None = None
    failure: str = ""
    """Why it ended before its last run."""

    @property
    def fraction(self) -> float:
        """Of all runs, from 0 to 1; each counts the same."""
        part = 0.0 if self.at is None or not self.at.total else min(self.at.done / self.at.total, 1.0)
        return (len(self.outcomes) + part) / len(self.runs)

    @property
    def is_same(self) -> bool:
        """Every run was made again, and every decision was the same."""
        return len(self.outcomes) == len(self.runs) and all(one.verified is not None for one in self.outcomes)

    def left_s(self, now_s: float) -> float | None:
        """At the pace so far; None before there is one."""
        done, spent_s = self.fraction, now_s - self.began_s
        return spent_s * (1 - done) / done if done > 0.02 and self.ended_s is None else None


class Verifications:
    """Of one dashboard. What came of it is kept until it is asked for again, of so many sessions."""

    def __init__(
        self,
        ledger: Path,
        strategies: Path,
        now_s: Callable[[], float] = time.monotonic,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._arguments = (*command, str(ledger), str(strategies))
        self._now_s = now_s
        self._kept: OrderedDict[str, Verification] = OrderedDict()
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self.current: str | None = None
        """The session that is being verified."""

    def of(self, session: str) -> Verification | None:
        return self._kept.get(session)

    def start(self, session: str, runs: Sequence[str], by: str) -> None:
        """Returns at once. Raises VerifierBusy while another one runs, BadInput for a session without runs."""
        if self.current is not None:
            raise VerifierBusy(
                f"session {self.current} is being verified: one at a time; wait for its end, or cancel it there"
            )
        if not runs:
            raise BadInput(f"session {session}: has no run to verify yet")
        self.current = session
        self._kept.pop(session, None)
        self._keep(Verification(session=session, runs=tuple(runs), by=by, began_s=self._now_s()))
        self._task = asyncio.get_running_loop().create_task(self._work(session))

    def cancel(self, session: str) -> None:
        """Ends it, if it runs; what is done is kept."""
        if self.current == session:
            self._change(session, failure="cancelled")
            self._kill()

    async def wait(self) -> None:
        """Returns when nothing is being verified."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        if self.current is not None:
            self.cancel(self.current)
        await self.wait()

    async def _work(self, session: str) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments, *self._kept[session].runs,
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True, limit=LONGEST_LINE,
            )  # fmt: skip
            if self._kept[session].failure:  # cancelled while it was being started
                self._kill()
            assert self._process.stdout is not None
            async for line in self._process.stdout:
                self._listen(session, line)
            code = await self._process.wait()
        except (OSError, ValueError) as error:  # no process can be made, or it says a line without an end
            self._end(session, f"its process could not be followed: {error}")
        else:
            self._end(session, f"its process ended with code {code}")
        finally:
            self._kill()
            self._process, self.current = None, None

    def _listen(self, session: str, line: bytes) -> None:
        try:
            said = msgspec.json.decode(line, type=VerifyLine)
        except msgspec.DecodeError:
            log.warning("verifying %s: its process says what is no line of it: %.200r", session, line)
            return
        if said.is_outcome:
            self._change(session, outcomes=(*self._kept[session].outcomes, said), at=None)
        else:
            self._change(session, at=said)

    def _end(self, session: str, why: str) -> None:
        """`why` counts where a run has no outcome, and nobody cancelled it."""
        now = self._kept[session]
        is_whole = len(now.outcomes) == len(now.runs)
        self._change(session, ended_s=self._now_s(), at=None, failure=now.failure or ("" if is_whole else why))

    def _change(self, session: str, **fields: object) -> None:
        self._kept[session] = replace(self._kept[session], **fields)  # type: ignore[arg-type]  # names are its fields

    def _keep(self, verification: Verification) -> None:
        self._kept[verification.session] = verification
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()


def outcome_words(line: VerifyLine) -> str:
    """What came of one run, as a person would say it."""
    if line.verified is not None:
        return _same(line.verified)
    if line.difference:
        return f"{line.run}: not the same: {line.difference}"
    return f"{line.run}: could not be made again: {line.failure}"


def _same(verified: Verified) -> str:
    words = f"{verified.run_id}: {verified.inputs:,} inputs, {verified.decisions:,} decisions, all the same"
    notes = [] if verified.is_same_code else ["the code has changed since the run"]
    notes += [] if verified.is_same_strategy else ["the strategy's file has changed since the run"]
    notes += [f"{verified.beyond:,} facts behind the end of the recording were left out"] if verified.beyond else []
    return f"{words} ({'; '.join(notes)})" if notes else words
