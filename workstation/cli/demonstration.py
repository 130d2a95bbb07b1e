"""What `workstation demo` does: simulated venues, the engine, two sessions, and at the end the proof of their runs."""

import json
import os
import shlex
import socket
import time
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import typer
from rich.console import Console

from workstation.cli import strategy_options as options
from workstation.cli.connection import api_url
from workstation.cli.dashboard import ENTER
from workstation.cli.demo_replay import called_as, make_folder
from workstation.cli.demo_screen import Look, look, show
from workstation.cli.session_acts import made_by_trading
from workstation.cli.supervisor import Service, Supervisor
from workstation.cli.verify import as_sentence
from workstation.client.access import TOKEN_FILE, read_token
from workstation.client.client import Client
from workstation.client.declaration import SessionDeclaration
from workstation.client.messages import SessionStatus, SessionSummary
from workstation.config.loading import FILE_NAME, HOME_VARIABLE, PREFIX
from workstation.config.settings import Settings
from workstation.errors import LedgerInUse, OperatorError
from workstation.history.durable import write_durably
from workstation.ledger.lock import take_lock
from workstation.model.ids import RunId
from workstation.research.verify import verify

LOOPBACK = "127.0.0.1"
VENUES = {"nova": "binance", "orion": "bybit", "vega": "gate"}
"""Each venue's name, and the exchange whose protocol it speaks."""
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
UNWATCHED_S = 20.0
"""How long it lasts where nobody can press Ctrl-C."""
CLOSING_S = 10.0
PATIENCE_S = 60.0
"""The first session of a first start waits for kernels that are compiled; the machine may be busy besides."""
BY = "demo"

SPREAD: Mapping[str, Any] = {
    "strategy": "spread-reversion",
    "venues": ("nova", "orion"),
    "symbol": "BTC/USDT",
    "coins": Decimal("0.02"),
    "sizing": "fixed-notional=900",
    "parameters": {"window_minutes": 2, "min_points": 20, "entry_z": 1.5, "exit_z": 0.2, "min_net_edge_bps": -10},
}
"""A short window and a modest edge, so that there is something to see within the first minute, some of it a loss; it
sells coins that it has."""
AVERAGES: Mapping[str, Any] = {
    "strategy": "ma-cross",
    "venues": ("nova",),
    "symbol": "ETH/USDT",
    "interval": "1m",
    "sizing": "fixed-notional=900",
    "parameters": {"fast": 2, "slow": 4, "side": "long"},
}


class Demonstration:
    """One demo, in a home of its own: WORKSTATION_HOME/demo/live. Raises OperatorError where it cannot be."""

    def __init__(
        self,
        settings: Settings,
        *,
        port: int | None,
        venue_port: int | None,
        dashboard_port: int | None,
        opens_browser: bool,
    ) -> None:
        self.home = make_folder(settings.paths.home / "demo" / "live")
        self.port = free_port() if port is None else wanted_port("--port", port)
        self.venue_port = free_port() if venue_port is None else wanted_port("--venue-port", venue_port)
        self.dashboard_port = free_port() if dashboard_port is None else wanted_port("--dashboard-port", dashboard_port)
        self._opens_browser = opens_browser

    def run(self, seconds: float | None) -> None:
        """Until Ctrl-C, or for so many seconds; then stops the sessions and verifies what they decided."""
        console = Console()
        seconds = lasting(seconds, is_watched=console.is_terminal)
        with only_one(self.home), Supervisor(self.home / "logs") as supervisor:
            write_durably(self.home / FILE_NAME, self.configuration().encode())
            self._start_services(supervisor)
            client = Client(api_url(LOOPBACK, self.port), read_token(self.home), by=BY, timeout_s=PATIENCE_S)
            with supervisor.telling_deaths(), client:
                sessions = [self._session(client, declared) for declared in (SPREAD, AVERAGES)]
                names = [one.session for one in sessions]
                self._tell_of_other_terminals()
                with suppress(KeyboardInterrupt):
                    show(lambda spent_s: look(client, names, spent_s), supervisor.check, seconds, console)
                last = self._closed(client, names)
        self._summarize(last)

    def configuration(self) -> str:
        """The engine's file: it can be read, and the commands of another terminal find the engine by it."""
        venues = (
            f'[venues.{venue}]\nexchange = "{exchange}"\nurl = "http://{LOOPBACK}:{self.venue_port}/{venue}"\n'
            for venue, exchange in VENUES.items()
        )
        symbols = ", ".join(f'"{symbol}"' for symbol in SYMBOLS)
        home = json.dumps(str(self.home))  # TOML's basic strings are JSON's
        return "\n".join(
            [
                f"[paths]\nhome = {home}\n",
                f"[api]\nport = {self.port}\n",
                f"[dashboard]\nport = {self.dashboard_port}\n",
                f"[engine]\nsymbols = [{symbols}]\n",
                *venues,
            ]
        )

    def _start_services(self, supervisor: Supervisor) -> None:
        options.note("starting the venues and the engine; the first time kernels are compiled, which takes a minute")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        environment |= {HOME_VARIABLE: str(self.home), "PYTHONUNBUFFERED": "1"}
        dashboard_url = f"http://{LOOPBACK}:{self.dashboard_port}"
        # it needs no engine to begin, and loads longest
        dashboard = Service("dashboard", ["dashboard"], lambda: answers(f"{dashboard_url}/liveness"), environment)
        pid_of_dashboard = supervisor.launch(dashboard)
        venue_url = f"http://{LOOPBACK}:{self.venue_port}"
        spoken = ",".join(f"{venue}:{exchange}" for venue, exchange in VENUES.items())
        arguments = ["exchange", "simulate", "--lively", "--venues", spoken, "--port", str(self.venue_port)]
        ping = f"{venue_url}/nova/api.binance.com/api/v3/ping"
        pid = supervisor.start(Service("venues", arguments, lambda: answers(ping), environment))
        names = ", ".join(f"{venue} as {exchange.title()}" for venue, exchange in VENUES.items())
        typer.echo(f"venues     {venue_url}: {names}, simulated (process {pid})")
        url = api_url(LOOPBACK, self.port)
        pid = supervisor.start(Service("engine", ["engine"], lambda: answers(f"{url}/health"), environment))
        typer.echo(f"engine     {url}, described at {url}/docs (process {pid})")
        supervisor.wait_for(dashboard)
        link = entered_by(self.home / "logs" / "dashboard.log")
        typer.echo(f"dashboard  {link}   (lets one browser in, within ten minutes; process {pid_of_dashboard})")
        if self._opens_browser:
            webbrowser.open(link)
        typer.echo(f"token      {self.home / TOKEN_FILE}")
        typer.echo(f"recorder   {self.home / 'history'}, and the journal in {self.home / 'ledger.db'}")
        typer.echo(f"logs       {self.home / 'logs'}")

    def _session(self, client: Client, declared: Mapping[str, Any]) -> SessionSummary:
        """One that an earlier demo was cut off from goes on; otherwise a new one."""
        known = client.sessions()
        open_ones = [
            one
            for one in known
            if one.strategy == declared["strategy"] and one.status in (SessionStatus.RUNNING, SessionStatus.STARTING)
        ]
        if open_ones:
            session, how = open_ones[-1], "goes on from its journal"
        else:
            name = f"{declared['strategy']}-{1 + sum(one.strategy == declared['strategy'] for one in known)}"
            session, how = client.start_session(SessionDeclaration.model_validate({**declared, "session": name})), "new"
        typer.echo(f"session    {session.session} on {', '.join(session.instruments)}: {how}, run {session.run}")
        return session

    def _tell_of_other_terminals(self) -> None:
        # by the variable and not by --config: where it is set, it goes over the file's paths.home
        command = options.command_line_of("spreads", "watch", "--all", program=called_as())
        typer.echo(f"meanwhile, in another terminal: {HOME_VARIABLE}={shlex.quote(str(self.home))} {command}\n")

    def _closed(self, client: Client, names: list[str]) -> Look:
        """Stops the sessions, what is open closed at market prices, and looks once more."""
        for name in names:
            client.stop_session(name, flatten=True)
        deadline_s = time.monotonic() + CLOSING_S
        last = look(client, names, 0.0)
        while any(one.open_groups or one.open_orders for one in last.sessions) and time.monotonic() < deadline_s:
            time.sleep(0.1)
            last = look(client, names, 0.0)
        return last

    def _summarize(self, last: Look) -> None:
        """What came of it, and whether the runs' decisions can be made again. Raises VerifyMismatch."""
        health = last.health
        typer.echo(
            f"\n{health.rows:,} rows received, {health.dropped} dropped, {health.rejected} rejected; "
            f"{len(last.orders)} orders, {last.fills} filled"
        )
        for one in last.sessions:
            fees = ", ".join(f"{fee:,.2f} {currency}" for currency, fee in one.fees.items()) or f"0 {one.currency}"
            typer.echo(
                f"{one.session}: {one.signals} signals, {made_by_trading(one)} {one.currency} made by trading; "
                f"realized {one.realized_pnl:,.2f} before fees of {fees}"
            )
        ledger = self.home / "ledger.db"
        for one in last.sessions:
            typer.echo(as_sentence(verify(ledger, RunId(one.run))))
        typer.echo("\nNext:")
        program = called_as()
        for words in (
            ("session", "verify", last.sessions[0].run, "--ledger", ledger),
            ("data", "list", "--history", self.home / "history"),
            ("demo", "--replay"),
        ):
            typer.echo(f"  {options.command_line_of(*words, program=program)}")


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Raises OperatorError where another demo runs in this home."""
    try:
        lock = take_lock(home / "demo")
    except LedgerInUse as error:
        owner = (home / "demo.lock").read_text("utf-8").strip()
        raise OperatorError(
            f"demo: another one runs in {home} ({owner}): end it with Ctrl-C there, or set WORKSTATION_HOME to "
            "another folder"
        ) from error
    with lock:
        yield


def answers(url: str) -> bool:
    """Whether the service is up; a proxy of the environment is none of its ways."""
    with suppress(httpx.HTTPError):
        return httpx.get(url, timeout=2.0, trust_env=False).is_success
    return False


def entered_by(log: Path) -> str:
    """The link that the dashboard printed. Raises OperatorError where it has not."""
    deadline_s = time.monotonic() + CLOSING_S
    while time.monotonic() < deadline_s:
        for line in log.read_text("utf-8", errors="replace").splitlines():
            if line.startswith(ENTER):
                return line.removeprefix(ENTER).split()[0]
        time.sleep(0.05)
    raise OperatorError(f"dashboard: it printed no link to enter by ({log})")


def lasting(seconds: float | None, *, is_watched: bool) -> float | None:
    """As long as asked for; without end where Ctrl-C can end it, else UNWATCHED_S, and it says so."""
    if seconds is not None or is_watched:
        return seconds
    options.note(f"no terminal: ends after {UNWATCHED_S:g} s; --for N for longer")
    return UNWATCHED_S


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def wanted_port(option: str, port: int) -> int:
    """Raises OperatorError where another program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise OperatorError(
                f"{option} {port}: cannot be used ({error.strerror}): give another, or none for a free one"
            ) from error
    return port
