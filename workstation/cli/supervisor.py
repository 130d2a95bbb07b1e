"""Several processes as one: started in order, watched, and stopped together, whatever ends the one that started them.

Each service is a command of this package in a process group of its own, so that Ctrl-C reaches the supervisor alone,
and holds one end of a pipe to it: when the supervisor is killed the pipe closes, and the service ends by itself.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from workstation.errors import EngineUnreachable, OperatorError

STOP_S = 20.0
"""For a service to end after SIGTERM, before it is killed."""
POLL_S = 0.05
LAST_LINES = 3
DEATH_S = 2.0
"""A connection breaks off before its process has ended altogether."""


class ServiceDied(OperatorError):
    """A service ended that was to run on, or never answered."""


@dataclass(frozen=True, slots=True)
class Service:
    """One command; `arguments` follow `workstation`, `is_ready` asks whether it answers, `within_s` when it must."""

    name: str
    arguments: Sequence[str]
    is_ready: Callable[[], bool]
    environment: Mapping[str, str]
    """All of it."""
    within_s: float = 180.0
    """The first start compiles the kernels."""


@dataclass(frozen=True, slots=True)
class _Running:
    service: Service
    process: subprocess.Popen[bytes]
    log: Path


class Supervisor:
    """A context: leaving it stops what runs, last started first. Output goes to `NAME.log` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[_Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, service: Service) -> int:
        """Returns its process id once it answers. Raises ServiceDied if it ends, or does not answer in time."""
        pid = self.launch(service)
        self.wait_for(service)
        return pid

    def launch(self, service: Service) -> int:
        """Starts it beside what comes next; `wait_for` waits until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / f"{service.name}.log"
        with os.fdopen(
            os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
        ) as output:  # it may tell a link
            process = subprocess.Popen(
                [sys.executable, "-m", "workstation", "--end-with-stdin", *service.arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(service.environment),
                start_new_session=True,
            )
        self._running.append(_Running(service, process, log))
        return process.pid

    def wait_for(self, service: Service) -> None:
        """Raises ServiceDied if it ends, or does not answer in time."""
        deadline_s = time.monotonic() + service.within_s
        while not service.is_ready():
            self.check()
            if time.monotonic() > deadline_s:
                log = next(one.log for one in self._running if one.service is service)
                raise ServiceDied(f"{service.name}: no answer within {service.within_s:g} s; {_last_words(log)}")
            time.sleep(POLL_S)
        self.check()

    def check(self) -> None:
        """Raises ServiceDied naming the service that has ended, with its last words: nothing is started again."""
        for one in self._running:
            code = one.process.poll()
            if code is not None:
                raise ServiceDied(f"{one.service.name}: ended by itself ({_ending(code)}); {_last_words(one.log)}")

    @contextmanager
    def telling_deaths(self) -> Iterator[None]:
        """Asking a service: that it has died is a better sentence than that it does not answer."""
        try:
            yield
        except EngineUnreachable:
            deadline_s = time.monotonic() + DEATH_S
            while time.monotonic() < deadline_s:
                self.check()
                time.sleep(POLL_S)
            raise

    def stop(self) -> None:
        """Ends every service, last started first, and waits for it; what does not end is killed with its children."""
        while self._running:
            one = self._running[-1]
            if one.process.poll() is None:
                one.process.terminate()
                try:
                    one.process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    os.killpg(one.process.pid, signal.SIGKILL)
                    one.process.wait()
            assert one.process.stdin is not None
            one.process.stdin.close()
            self._running.pop()


def _ending(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    said = " / ".join(lines[-LAST_LINES:])
    return f"it said: {said} (all of it: {log})" if said else f"it said nothing ({log})"
