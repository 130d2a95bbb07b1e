"""What `workstation data record` does: market data of venues into the history, no session, no engine."""

import asyncio
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from workstation.cli.data_lengths import seconds_of
from workstation.config.loading import load_configuration
from workstation.config.settings import Settings
from workstation.engine.feeds import Wish
from workstation.errors import BadInput, ConfigError
from workstation.exchanges.settings import VenueSettings, venue_settings
from workstation.model.ids import Symbol
from workstation.model.instrument import split_symbol
from workstation.model.market import interval_ns
from workstation.server.collect import Collected, collect

LINE_S = 5.0


def record(
    venues: str | None,
    symbols: str | None,
    length: str | None,
    intervals: str | None,
    with_trades: bool,
    history: Path | None,
    config: Path | None,
) -> None:
    """Until the time is over or Ctrl-C; rows are in the history either way. Raises BadInput, ConfigError."""
    settings = load_configuration(config).settings
    if history is not None:
        paths = settings.paths.model_copy(update={"history": history.absolute()})
        settings = settings.model_copy(update={"paths": paths})
    seconds = None if length is None else seconds_of(length)
    wish = Wish(
        trades=with_trades,
        intervals_ns=frozenset(
            interval_ns(label) for label in (settings.engine.bar_intervals if intervals is None else words(intervals))
        ),
    )
    chosen = chosen_venues(settings, venues)
    wanted = chosen_symbols(settings, symbols)
    typer.echo(
        f"recording {', '.join(wanted)} of {', '.join(one.venue for one in chosen)} into {settings.paths.history}; "
        "Ctrl-C ends it"
    )
    sys.stdout.flush()
    last = asyncio.run(_collected(settings, chosen, wanted, wish, seconds))
    if last is not None:
        typer.echo(f"recorded {last.rows:,} rows, {last.dropped:,} lost" + _failure(last))


async def _collected(
    settings: Settings, venues: list[VenueSettings], symbols: list[Symbol], wish: Wish, seconds: float | None
) -> Collected | None:
    """What came of it; a signal ends it as the time does. None: it ended before it began."""
    with Screen(seconds) as screen:
        collecting = asyncio.ensure_future(
            collect(settings, venues, symbols, wish, seconds=seconds, on_progress=screen.show)
        )
        loop = asyncio.get_running_loop()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, collecting.cancel)
        with suppress(asyncio.CancelledError):
            return await collecting
    return None


class Screen:
    """One line that changes on a terminal; a line every LINE_S elsewhere."""

    def __init__(self, seconds: float | None) -> None:
        console = Console(stderr=True)
        self._seconds, self._began_s, self._lines = seconds, time.monotonic(), 0
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> "Screen":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, now: Collected) -> None:
        spent_s = time.monotonic() - self._began_s
        text = progress_line(now, spent_s, self._seconds)
        if self._live is not None:
            self._live.update(Text(text), refresh=True)
        elif spent_s // LINE_S > self._lines:
            self._lines = int(spent_s // LINE_S)
            typer.echo(text, err=True)


def progress_line(now: Collected, spent_s: float, seconds: float | None) -> str:
    """How far it is, how fast, what was lost, and how far the disk is behind."""
    of = "" if seconds is None else f" of {seconds:.0f}"
    feeds = ", ".join(f"{feed.venue} {feed.state}" for feed in now.feeds)
    return (
        f"{spent_s:.0f}{of} s: {now.rows:,} rows, {now.rows_per_second:,.0f}/s, {now.dropped:,} lost, "
        f"disk {now.lag_ms:,.0f} ms behind; {feeds}{_failure(now)}"
    )


def chosen_venues(settings: Settings, names: str | None) -> list[VenueSettings]:
    """The named venues of the settings, or all. Raises ConfigError with those there are."""
    wanted = list(settings.venues) if names is None else words(names)
    if not wanted:
        raise ConfigError("venues: none in the settings; add [venues.NAME], or try `workstation demo`")
    return [venue_settings(settings, name) for name in dict.fromkeys(wanted)]


def chosen_symbols(settings: Settings, names: str | None) -> list[Symbol]:
    """The named symbols, or those of the setting engine.symbols. Raises BadInput."""
    wanted = list(settings.engine.symbols) if names is None else words(names)
    if not wanted:
        raise BadInput("symbols: none; name some by --symbols BTC/USDT,ETH/USDT or the setting engine.symbols")
    for symbol in wanted:
        split_symbol(symbol)
    return [Symbol(symbol) for symbol in dict.fromkeys(wanted)]


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _failure(now: Collected) -> str:
    return "" if now.failure is None else f"; NOT RECORDING: {now.failure}"
