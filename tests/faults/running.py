"""A desk on loopback: simulated venues and an engine in processes of their own, started and ended by a test.

Nothing here waits for time to pass: it waits for a condition, and says which one did not come.
"""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.faults.desk_process import engine, simulate
from tests.faults.forked import fork
from workstation.client.access import read_token
from workstation.client.client import Client
from workstation.client.declaration import SessionDeclaration
from workstation.errors import EngineUnreachable

PATIENCE_S = 60.0
"""Far above what anything here takes: two cores may be shared by many tests."""
DECIDES_S = 300.0
"""A dislocation of the simulated market holds a spread beyond every level for a minute or two: nothing is decided."""
BUSY = {"window_minutes": 1, "min_points": 30, "entry_z": 1.0, "exit_z": 0.5, "min_net_edge_bps": -50}
"""A spread session that trades every few seconds, whatever it costs."""

Value = TypeVar("Value")


def until(holds: Callable[[], Value | None], what: str, timeout_s: float = PATIENCE_S) -> Value:
    """Asks until the answer is true, and returns it; fails with `what` and the last answer."""
    end = time.monotonic() + timeout_s
    while not (answer := holds()):
        assert time.monotonic() < end, f"not within {timeout_s:g} s: {what} (last: {answer!r})"
        time.sleep(0.01)
    return answer


def busy_session(name: str, *venues: str, symbol: str = "BTC/USDT", **more: Any) -> SessionDeclaration:
    parameters = BUSY | more.pop("parameters", {})
    return SessionDeclaration.model_validate(
        {"session": name, "strategy": "spread-reversion", "parameters": parameters, "venues": venues, "symbol": symbol,
         "coins": "1", "entry_timeout_ms": 2_000} | more
    )  # fmt: skip


class Running:
    """A process that tells its port once it answers there."""

    def __init__(self, process: ForkServerProcess, told: Connection, log: Path) -> None:
        self.process, self._told, self.log = process, told, log
        self._port: int | None = None

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def port(self) -> int:
        """Waits for it; fails with the end of the log where the process ends before."""
        if self._port is None:
            assert self._told.poll(PATIENCE_S), f"silent: {self.tail()}"
            try:
                self._port = self._told.recv()
            except EOFError:
                raise AssertionError(f"ended at its start: {self.tail()}") from None
        return self._port

    @property
    def is_ready(self) -> bool:
        return self._port is not None or self._told.poll()

    def tail(self) -> str:
        return self.log.read_text("utf-8", errors="replace")[-3_000:] if self.log.exists() else "no log"

    def kill(self) -> None:
        """At once, as `kill -9` does it; returns when it is gone."""
        self.process.kill()
        self.process.join()

    def end(self) -> int | None:
        """In order; its exit code."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        self.process.join(PATIENCE_S)
        assert self.process.exitcode is not None, f"does not end: {self.tail()}"
        return self.process.exitcode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.is_alive():
            self.kill()


class Venues(Running):
    """Simulated venues: "nova,orion"."""

    def __init__(
        self,
        folder: Path,
        names: str,
        *,
        port: int = 0,
        seed: int = 1,
        quotes_per_second: float | None = None,
        is_lively: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "venues.log"
        super().__init__(*fork(simulate, names, port, seed, quotes_per_second, is_lively, log=log), log)
        self.names = names.split(",")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def control(self, method: str, name: str, fields: Mapping[str, Any] | None = None) -> Any:
        """What the venue's control answers."""
        data = None if fields is None else json.dumps(fields).encode()
        request = urllib.request.Request(f"{self.url}/_control/{name}", data, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def go_wrong(self, kind: str, **fields: Any) -> int | None:
        """Adds a fault; its number."""
        number: int | None = self.control("POST", "faults", {"kind": kind, **fields})["number"]
        return number

    def struck(self, number: int | None) -> int:
        """How often a fault has struck."""
        return next(int(one["struck"]) for one in self.control("GET", "faults") if one["number"] == number)

    def be_well(self) -> None:
        """No more faults."""
        self.control("DELETE", "faults")


def write_configuration(folder: Path, venues: Venues, *, venue: Mapping[str, Any] | None = None, **engine: Any) -> Path:
    """An engine's file: every venue, BTC and ETH; `venue` and `engine` are further settings of those tables."""
    lines = [f'[paths]\nhome = "{folder / "home"}"', "[engine]"]
    lines += [
        f"{name} = {json.dumps(value)}" for name, value in ({"symbols": ["BTC/USDT", "ETH/USDT"]} | engine).items()
    ]
    for name in venues.names:
        lines += [f"[venues.{name}]", 'exchange = "binance"', f'url = "{venues.url}/{name}"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in (venue or {}).items()]
    file = folder / "workstation.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


class Engine(Running):
    """One life of an engine."""

    def __init__(self, configuration: Path, port: int = 0) -> None:
        folder = configuration.parent
        super().__init__(*fork(engine, configuration, port, log=folder / "engine.log"), folder / "engine.log")
        self.home = folder / "home"

    @property
    def ledger(self) -> Path:
        return self.home / "ledger.db"

    def client(self) -> Client:
        """Of this life; the caller closes it."""
        return Client(f"http://127.0.0.1:{self.port}", read_token(self.home), by="test", timeout_s=PATIENCE_S)

    def is_gone(self, client: Client) -> bool:
        """Whether nobody answers any more."""
        try:
            client.sessions()
        except EngineUnreachable:
            return True
        return False
