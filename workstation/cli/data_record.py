"""What `workstation data record` does: a collection of market data, in the engine that records, or in this process."""

import asyncio
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from workstation.cli.connection import BY, engine_of
from workstation.client.client import Client
from workstation.client.collection import LONGEST_S, CollectionDetail, CollectionRequest
from workstation.config.lengths import seconds_of
from workstation.config.loading import load_configuration
from workstation.config.settings import Settings
from workstation.errors import AccessRefused, BadInput, ConfigError, EngineUnreachable
from workstation.exchanges.settings import VenueSettings, venue_settings
from workstation.history.collection import CollectionState, checked_name
from workstation.model.instrument import split_symbol
from workstation.model.market import interval_ns
from workstation.server.collect import Collected, collect

LINE_S = 5.0
LOOK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The command's options; None where one was not given."""

    name: str | None
    venues: str | None
    symbols: str | None
    length: str | None
    intervals: str | None
    trades: bool
    funding: bool | None
    book_levels: int | None
    detach: bool
    history: Path | None
    config: Path | None


def record(asked: Asked) -> None:
    """Until the time is over, Ctrl-C, or somebody stops it. Raises BadInput, ConfigError, CollectionExists."""
    settings = load_configuration(asked.config).settings
    chosen = chosen_venues(settings, asked.venues)
    request = _request(asked, settings, chosen)
    with ExitStack() as stack:
        engine = _recording_engine(asked, settings, stack)
        if engine is not None:
            _record_in_engine(engine, request, asked)
            return
    if asked.detach:
        raise EngineUnreachable("--detach: no engine records here; start one, or leave --detach out")
    if asked.history is not None:
        paths = settings.paths.model_copy(update={"history": asked.history.absolute()})
        settings = settings.model_copy(update={"paths": paths})
    typer.echo(_outcome(asyncio.run(_collected(settings, chosen, request))))


def _request(asked: Asked, settings: Settings, chosen: list[VenueSettings]) -> CollectionRequest:
    """Raises BadInput, naming the option."""
    seconds = None if asked.length is None else seconds_of(asked.length)
    if seconds is not None and seconds > LONGEST_S:
        raise BadInput(f"--for {asked.length!r}: expected ten years at most; without --for it has no planned end")
    intervals = list(settings.engine.bar_intervals) if asked.intervals is None else words(asked.intervals)
    for label in intervals:
        interval_ns(label)
    return CollectionRequest.model_validate(
        {
            "name": None if asked.name is None else checked_name(asked.name),
            "venues": [one.venue for one in chosen],
            "symbols": chosen_symbols(settings, asked.symbols),
            "trades": asked.trades,
            "intervals": intervals,
            "funding": settings.engine.with_funding if asked.funding is None else asked.funding,
            "book_levels": settings.engine.book_levels if asked.book_levels is None else asked.book_levels,
            "seconds": seconds,
        }
    )


# -- in the engine


def _recording_engine(asked: Asked, settings: Settings, stack: ExitStack) -> Client | None:
    """The engine that records into this history; None where none does."""
    if asked.history is not None and asked.history.absolute() != settings.paths.history:
        return None
    try:
        engine = stack.enter_context(engine_of(asked.config))
        return None if engine.health().recorder is None else engine
    except (EngineUnreachable, AccessRefused):  # none, or another home's
        return None


def _record_in_engine(engine: Client, request: CollectionRequest, asked: Asked) -> None:
    name = engine.start_collection(request).name
    if asked.detach:
        typer.echo(f"collection {name}: the engine at {engine.url} records it; `{stop_command(name)}` ends it")
        return
    _say_what(request, f"in the engine at {engine.url}", name)
    try:
        with Screen(request.seconds) as screen:
            while (now := engine.collection(name)).state is CollectionState.RUNNING:
                screen.show(engine_line(now))
                time.sleep(LOOK_S)
    except KeyboardInterrupt:
        engine.stop_collection(name)
        now = engine.collection(name)
    except EngineUnreachable as error:
        raise EngineUnreachable(f"{error}; collection {name} goes on with the engine's next start") from error
    typer.echo(_outcome(now))


def engine_line(now: CollectionDetail) -> str:
    lasting = [f"{gap.venue or 'all'}: {gap.why}" for gap in now.gaps if gap.to_ns is None]
    return f"{now.rows:,} rows, {now.dropped:,} lost, {now.gap_count} gaps" + "".join(f"; {one}" for one in lasting)


def stop_command(name: str) -> str:
    return f"workstation data collect stop {name}"


# -- in this process


async def _collected(settings: Settings, venues: list[VenueSettings], request: CollectionRequest) -> CollectionDetail:
    """What came of it; a signal ends it as the time does."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop.set)
    with Screen(request.seconds) as screen:
        return await collect(
            settings,
            venues,
            request,
            by=BY,
            stop=stop,
            on_begun=lambda name: _say_what(request, f"into {settings.paths.history}", name),
            on_progress=lambda now: screen.show(progress_line(now)),
        )


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

    def show(self, text: str) -> None:
        spent_s = time.monotonic() - self._began_s
        of = "" if self._seconds is None else f" of {self._seconds:.0f}"
        text = f"{spent_s:.0f}{of} s: {text}"
        if self._live is not None:
            self._live.update(Text(text), refresh=True)
        elif spent_s // LINE_S > self._lines:
            self._lines = int(spent_s // LINE_S)
            typer.echo(text, err=True)


def progress_line(now: Collected) -> str:
    """How far it is, how fast, what was lost, and how far the disk is behind."""
    feeds = ", ".join(f"{feed.venue} {feed.state}" for feed in now.feeds)
    failure = "" if now.failure is None else f"; NOT RECORDING: {now.failure}"
    return (
        f"{now.view.rows:,} rows, {now.rows_per_second:,.0f}/s, {now.view.dropped:,} lost, "
        f"disk {now.lag_ms:,.0f} ms behind; {feeds}{failure}"
    )


def chosen_venues(settings: Settings, names: str | None) -> list[VenueSettings]:
    """The named venues of the settings, or all. Raises ConfigError with those there are."""
    wanted = list(settings.venues) if names is None else words(names)
    if not wanted:
        raise ConfigError("venues: none in the settings; add [venues.NAME], or try `workstation demo`")
    return [venue_settings(settings, name) for name in dict.fromkeys(wanted)]


def chosen_symbols(settings: Settings, names: str | None) -> list[str]:
    """The named symbols, or those of the setting engine.symbols. Raises BadInput."""
    wanted = list(settings.engine.symbols) if names is None else words(names)
    if not wanted:
        raise BadInput("symbols: none; name some by --symbols BTC/USDT,ETH/USDT or the setting engine.symbols")
    for symbol in wanted:
        split_symbol(symbol)
    return list(dict.fromkeys(wanted))


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _say_what(request: CollectionRequest, where: str, name: str) -> None:
    what = f"{', '.join(request.symbols)} of {', '.join(request.venues)}"
    typer.echo(f"recording {what} {where}, as {name}; Ctrl-C ends it")
    sys.stdout.flush()


def _outcome(last: CollectionDetail) -> str:
    gaps = "" if not last.gap_count else f", {last.gap_count} gaps"
    said = f"recorded {last.rows:,} rows, {last.dropped:,} lost{gaps}; collection {last.name}: {last.state}"
    return f"{said} {last.reason}".rstrip()
