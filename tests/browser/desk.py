"""A desk that a person can open: simulated venues, an engine, and the dashboard as its command starts it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.faults.running import PATIENCE_S, Engine, Venues, busy_session, until, write_configuration
from workstation.cli.dashboard import ENTER
from workstation.cli.demonstration import answers, free_port
from workstation.client.declaration import SessionDeclaration
from workstation.client.kill import RESET, KillReset

LINK = re.compile(rf"^{ENTER}\s+(\S+)", re.MULTILINE)
VENUES = "nova,orion"
BUSY = "busy-spread"


class Dashboard:
    """One life of `workstation dashboard`. `link` lets one browser in, once."""

    def __init__(self, configuration: Path, port: int) -> None:
        self.port, self._log = port, configuration.parent / "dashboard.log"
        self._began = self._log.stat().st_size if self._log.exists() else 0
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WORKSTATION_")}
        words = ["dashboard", "--config", str(configuration), "--port", str(port)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workstation", *words], stdout=log, stderr=log, env=environment
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def link(self) -> str:
        """Waits for it; fails with the end of the log where the process ends before."""
        return until(self._printed, "the link to enter by")

    def _printed(self) -> str | None:
        said = self._log.read_bytes()[self._began :].decode(errors="replace")
        assert self.process.poll() is None, f"ended at its start: {said[-3_000:]}"
        found = LINK.search(said)
        return found[1] if found is not None and answers(f"{self.url}/liveness") else None

    def kill(self) -> None:
        """At once; returns when it is gone."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()


class Desk:
    """All three. Engine and dashboard keep their ports, however often they die."""

    def __init__(self, folder: Path, venues: Venues) -> None:
        self.venues, self.configuration = venues, write_configuration(folder, venues)
        self.engine_port, self._dashboard_port = free_port(), free_port()
        with self.configuration.open("a") as file:
            file.write(f"[api]\nport = {self.engine_port}\n[dashboard]\nport = {self._dashboard_port}\n")
        self.dashboard = Dashboard(self.configuration, self._dashboard_port)
        self.engine = Engine(self.configuration, self.engine_port)
        assert self.engine.port == self.engine_port
        self.client = self.engine.client()
        self.state: Any = None
        """The cookies of the browser that came by the link."""

    @property
    def url(self) -> str:
        return self.dashboard.url

    @property
    def home(self) -> Path:
        return self.engine.home

    def start_engine(self) -> None:
        """Again, at the same port."""
        self.engine = Engine(self.configuration, self.engine_port)
        assert self.engine.port == self.engine_port

    def start_dashboard(self) -> None:
        """Again, at the same port; cookies still hold."""
        self.dashboard = Dashboard(self.configuration, self._dashboard_port)
        assert self.dashboard.link

    def lift_kill(self) -> None:
        for scope in self.client.kill_state().scopes:
            self.client.lift_kill(KillReset(confirm=RESET, session=scope.session))

    def busy_session(self) -> None:
        """One that trades by itself, every few seconds."""
        self.client.start_session(busy_session(BUSY, "nova", "orion"))

    def enter_again(self) -> None:
        """A machine that many tests share may be too slow for the busy session, which then pauses itself."""
        if self.client.session(BUSY).status == "paused":
            self.client.resume_session(BUSY)

    def session_by_hand(self, name: str) -> str:
        """A session of nova's BTC/USDT that trades when it is told to; the one of that name, if there is one."""
        if name not in {one.session for one in self.client.sessions()}:
            declared = {"session": name, "strategy": "by-hand", "venues": ("nova",), "symbol": "BTC/USDT"}
            self.client.start_session(SessionDeclaration.model_validate(declared))
        until(lambda: self.client.session(name).status == "running", f"{name} runs")
        return name


@contextmanager
def a_desk(
    folder: Path, *, is_lively: bool = False, names: str = VENUES, quotes_per_second: float | None = None
) -> Iterator[Desk]:
    """Running, without a session, until the block ends."""
    with Venues(folder, names, quotes_per_second=quotes_per_second, is_lively=is_lively) as venues:
        desk = Desk(folder, venues)
        try:
            until(lambda: len(desk.client.spreads()) > 0, "the engine sees both venues")
            assert desk.dashboard.link
            yield desk
        finally:
            desk.client.close()
            with desk.dashboard, desk.engine:
                pass
