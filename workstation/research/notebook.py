"""`import workstation as ws`: research in plain words, each function one call of the room's own API.

    bars = ws.load_bars("nova", "BTC/USDT:USDT", "1h", start="2024-01-01")
    ws.history("nova", "BTC/USDT:USDT", "quotes").tail()
    ws.backtest("ma-cross", venue="nova", symbol="BTC/USDT:USDT", interval="1h", fast=10, slow=30)
    ws.replay("spread-reversion", venue=("nova", "orion"), symbol="BTC/USDT:USDT")

Times are ISO 8601 (UTC), dates, datetimes or nanoseconds; what is not given comes from the settings. Raises BadInput,
HistoryMissing and what the room's own functions raise.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from workstation.config.loading import load_configuration
from workstation.config.own_strategies import take_in_own_strategies
from workstation.config.settings import Settings
from workstation.config.words import (
    balance_of,
    fill_at_of,
    keys_of,
    require_catalogued,
    sizing_of,
    slippage_rate_of,
    text_of,
)
from workstation.errors import BadInput
from workstation.history.layout import PAIR_KINDS, HistoryKind, Series
from workstation.history.pairs import pair_key
from workstation.history.store import HistoryStore
from workstation.model.ids import RunId
from workstation.model.instrument import InstrumentKey, checked_key
from workstation.model.market import Bars, interval_ns
from workstation.research import backtest as fast
from workstation.research import replay as walk
from workstation.research import verify as check
from workstation.research.choices import When, require_stored, span_of
from workstation.research.notebook_frames import FRAMES, PAIR_FRAMES, bar_frame
from workstation.research.replay_result import ReplayResult
from workstation.research.results import BacktestResult
from workstation.research.session_request import (
    DEFAULT_SIZING,
    Choices,
    free_session,
    open_ledger,
    replay_request,
    run_before,
)
from workstation.research.verify import Verified
from workstation.strategies.base import BarStrategy, Strategy, make_strategy
from workstation.strategies.catalog import strategy_named
from workstation.trading.limits import Limits
from workstation.trading.paper import FillAt

Source = HistoryStore | Path | str | None
"""A history, its folder, or None for the setting paths.history."""


def open_history(path: Source = None) -> HistoryStore:
    """The history in a folder, by default that of the settings. Raises BadInput where there is no such folder."""
    if isinstance(path, HistoryStore):
        return path
    root = _settings(None).paths.history if path is None else _path("history", path).absolute()
    if not root.is_dir():
        raise BadInput(f"history {root}: no such folder; `workstation data import FILE` begins one")
    return HistoryStore(root)


def strategy(name: str, **parameters: Any) -> Strategy:
    """A strategy by the word that the command line knows it by."""
    return strategy_of(text_of("strategy", name), parameters, _settings(None))


def load_bars(
    venue: str,
    symbol: str,
    interval: str,
    *,
    start: When | None = None,
    end: When | None = None,
    history: Source = None,
) -> Bars:
    """Stored bars that open in [start, end)."""
    key, span = keys_of((venue,), symbol)[0], span_of(start, end)
    length_ns = interval_ns(text_of("interval", interval))
    store = open_history(history)
    require_stored(store, Series(kind=HistoryKind.BARS, key=key, interval_ns=length_ns), span)
    return store.bars(key, length_ns, span.start_ns, span.end_ns)


def history(
    venue: str | tuple[str, str] | list[str],
    symbol: str | tuple[str, str] | list[str],
    kind: HistoryKind | str = HistoryKind.QUOTES,
    *,
    interval: str | None = None,
    start: When | None = None,
    end: When | None = None,
    history: Source = None,
) -> pd.DataFrame:
    """Stored rows of a kind as a table; of what another process records now, all to its last write.

    Bars, which need an interval, by their opening; else rows by their receipt. Spreads and opportunities are of two
    venues: ws.history(("nova", "orion"), "BTC/USDT", "opportunities"), by their closing; what an engine found and what
    was kept of `ws.spreads` and `ws.opportunities`, with what each was found by.
    """
    wanted = _kind(kind)
    if wanted in PAIR_KINDS:
        if interval is not None:
            raise BadInput(f"interval {interval!r}: {wanted} have none; expected it with bars only")
        series = Series(kind=wanted, key=_pair_of(venue, symbol))
        span, store = span_of(start, end), open_history(history)
        return PAIR_FRAMES[wanted](store.table(series, span.start_ns, span.end_ns))
    if not isinstance(venue, str) or not isinstance(symbol, str):
        raise BadInput(f"venue {venue!r}, symbol {symbol!r}: expected one of each; two have spreads and opportunities")
    if wanted is HistoryKind.BARS:
        if interval is None:
            raise BadInput('interval: not given; expected the length of the bars, such as "1m"')
        return bar_frame(load_bars(venue, symbol, interval, start=start, end=end, history=history))
    if interval is not None:
        raise BadInput(f"interval {interval!r}: {wanted} have none; expected it with bars only")
    key, span, store = keys_of((venue,), symbol)[0], span_of(start, end), open_history(history)
    require_stored(store, Series(kind=wanted, key=key), span)
    rows = store.rows(key, wanted, 0, span.start_ns, span.end_ns)
    return FRAMES[wanted](rows)


def backtest(
    strategy: str | Strategy,
    *,
    venue: str,
    symbol: str,
    interval: str,
    start: When | None = None,
    end: When | None = None,
    sizing: str = "equity-fraction=0.95",
    balance: float | Decimal = 10_000,
    leverage: float = 1.0,
    fill_at: FillAt | str = FillAt.NEXT_OPEN,
    slippage_bps: float | None = None,
    finalize: bool = False,
    history: Source = None,
    settings: Settings | None = None,
    **parameters: Any,
) -> BacktestResult:
    """A bar strategy in one compiled pass. `parameters` are the strategy's own, where it is named and not made."""
    settings = _settings(settings)
    made = strategy_of(strategy, parameters, settings)
    if not isinstance(made, BarStrategy):
        raise BadInput(f"{made.name_in_cli}: trades on quotes, which only a replay has: use replay")
    slippage_rate = slippage_rate_of(slippage_bps, settings)
    sized = sizing_of(sizing, leverage=leverage, slippage_rate=slippage_rate)
    store = open_history(history)
    bars = load_bars(venue, symbol, interval, start=start, end=end, history=store)
    return fast.backtest(
        made,
        bars,
        store.instrument(keys_of((venue,), symbol)[0], span_of(start, end).start_ns),
        sizing=sized,
        initial_balance=float(balance_of(balance)),
        fill_at=fill_at_of(fill_at),
        slippage_rate=slippage_rate,
        finalize=finalize,
    )


def replay(
    strategy: str | Strategy,
    *,
    venue: str | tuple[str, ...] | list[str],
    symbol: str,
    interval: str | None = None,
    start: When | None = None,
    end: When | None = None,
    sizing: str = DEFAULT_SIZING,
    balance: float | Decimal = 10_000,
    leverage: float = 1.0,
    fill_at: FillAt | str | None = None,
    slippage_bps: float | None = None,
    latency_ms: int | None = None,
    limits: Limits | None = None,
    with_trades: bool = False,
    session: str | None = None,
    ledger: Path | str | None = None,
    history: Source = None,
    settings: Settings | None = None,
    **parameters: Any,
) -> ReplayResult:
    """A session over history, through the code that is meant to trade live; journaled where `ledger` names a file.

    A bar strategy has one venue and an interval, a spread strategy two venues. A session that the ledger knows goes on.
    With a ledger the strategy is one that is found again by its name: a shipped one, or of a file of one's own.
    """
    settings = _settings(settings)
    made = strategy_of(strategy, parameters, settings)
    if ledger is not None:
        require_catalogued(made)
    choices = Choices(
        strategy=made,
        venues=tuple(venue) if isinstance(venue, tuple | list) else (venue,),
        symbol=symbol,
        interval=None if interval is None else text_of("interval", interval),
        span=span_of(start, end),
        sizing=sizing,
        balance=balance,
        leverage=leverage,
        fill_at=None if fill_at is None else fill_at_of(fill_at),
        slippage_bps=slippage_bps,
        latency_ms=latency_ms,
        limits=limits,
        with_trades=with_trades,
    )
    store = open_history(history)
    with nullcontext() if ledger is None else open_ledger(_path("ledger", ledger)) as journal:
        name = free_session(journal, choices.strategy) if session is None else session
        request = replay_request(store, choices, name, settings)
        if journal is not None:
            run_before(journal, request)
        return walk.replay(store, request, strategy=made, ledger=journal)


def verify(run: str, *, ledger: Path | str | None = None, history: Source = None) -> Verified:
    """Makes a journaled run's decisions again; raises VerifyMismatch at the first that differs."""
    paths = _settings(None).paths
    take_in_own_strategies(paths.strategies)
    path = paths.ledger if ledger is None else _path("ledger", ledger)
    return check.verify(path, RunId(text_of("run", run)), None if history is None else open_history(history))


def strategy_of(strategy: str | Strategy, parameters: Mapping[str, Any], settings: Settings) -> Strategy:
    """The strategy of that name, from a file of one's own too, or itself where it is made already. Raises BadInput."""
    if isinstance(strategy, str):
        take_in_own_strategies(settings.paths.strategies)
        return make_strategy(strategy_named(strategy), parameters)
    if not isinstance(strategy, Strategy):
        raise BadInput(f"strategy {strategy!r}: expected a name such as 'ma-cross', or what ws.strategy gives")
    if parameters:
        raise BadInput(f"{strategy.name_in_cli}: made already, so {', '.join(parameters)} cannot be set here")
    return strategy


def _pair_of(venue: object, symbol: object) -> InstrumentKey:
    """Two venues and one symbol, or one of each. Raises BadInput."""
    venues = list(venue) if isinstance(venue, tuple | list) else [venue]
    symbols = list(symbol) if isinstance(symbol, tuple | list) else [symbol, symbol]
    if len(venues) != 2 or len(symbols) != 2:
        raise BadInput(
            f'venue {venue!r}, symbol {symbol!r}: expected two venues, such as ("nova", "orion"), and a symbol'
        )
    a, b = (checked_key(text_of("venue", one), text_of("symbol", of)) for one, of in zip(venues, symbols, strict=True))
    return pair_key(a, b)


def _kind(kind: HistoryKind | str) -> HistoryKind:
    try:
        return HistoryKind(kind)
    except ValueError:
        raise BadInput(f"kind {kind!r}: expected {', '.join(HistoryKind)}") from None


def _path(name: str, value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise BadInput(f"{name} {value!r}: expected a path")
    return Path(value)


def _settings(settings: Settings | None) -> Settings:
    return load_configuration().settings if settings is None else settings
