"""From the taps to the sink: each message parsed, checked and told once; what is no row is counted."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workstation.exchanges.bar_series import BarSeries
from workstation.exchanges.ccxt_parse import (
    BarNumbers,
    QuoteNumbers,
    Refusal,
    Refusals,
    TradeNumbers,
    bar_numbers,
    quote_numbers,
    quote_of,
    trade_numbers,
)
from workstation.exchanges.contract_sizes import IN_BASE, Contract, Counting
from workstation.exchanges.trade_series import TradeSeries
from workstation.model.market import interval_code, interval_label
from workstation.ports.feed import MarketSink, Subscription


@dataclass(slots=True)
class Stream:
    """One instrument on one connection; the series outlive it."""

    subscription: Subscription
    trades: TradeSeries
    bars: Mapping[str, BarSeries]
    """By ccxt's name of the interval."""
    counting: Counting = IN_BASE
    """What the venue's figures count; the connection knows."""
    heard_s: float = 0.0
    """Monotonic time of the last quote that said something new; of the connection's start before the first."""
    best: tuple[float, float] | None = None
    said: tuple[float, ...] = ()
    """The last quote's prices and quantities: one that says them again proves nothing, however new its time."""
    is_stale: bool = False
    stale_best: tuple[float, float] | None = None
    """What it still said when the venue's own answer was another."""
    traded: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first live trade of this connection: from it on, the venue tells us of trades."""
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while trades wait for others that are missing before them."""

    @property
    def symbol(self) -> str:
        return self.subscription.key.symbol


class Intake:
    """`on_first` is called with the first row of the connection, `on_recovered` when a stale stream talks again."""

    def __init__(
        self,
        sink: MarketSink,
        refusals: Refusals,
        now_ns: Callable[[], int],
        *,
        on_first: Callable[[], None],
        on_recovered: Callable[[Stream], None],
    ) -> None:
        self._sink, self._refusals, self._now_ns = sink, refusals, now_ns
        self._streams: dict[str, Stream] = {}  # those with quotes, by symbol
        self._on_first, self._on_recovered = on_first, on_recovered
        self._is_live = False

    def add(self, stream: Stream) -> None:
        """Takes a stream's quotes too."""
        if stream.subscription.quotes:
            self._streams[stream.symbol] = stream

    def quote(self, symbol: str, ticker: Any) -> None:
        """A ticker of ccxt's."""
        self.pass_quote(symbol, quote_numbers(ticker, self._now_ns(), self._counted(symbol)), ticker)

    def book(self, symbol: str, milliseconds: Any, bid: Any, ask: Any) -> None:
        """The top of a book: [price, quantity] of each side."""
        quote = quote_of(milliseconds, bid[0], ask[0], bid[1], ask[1], self._now_ns(), self._counted(symbol))
        self.pass_quote(symbol, quote, (bid, ask))

    def _counted(self, symbol: str) -> Contract | None:
        stream = self._streams.get(symbol)
        return None if stream is None else stream.counting.quantity

    def pass_quote(self, symbol: str, quote: QuoteNumbers | Refusal, raw: Any) -> None:
        """Tells a quote, or counts why `raw` is none."""
        stream = self._streams.get(symbol)
        if stream is None:
            self._refusals.add(Refusal.UNKNOWN_SYMBOL, f"quote of {symbol}", raw)
            return
        if isinstance(quote, Refusal):
            self._refusals.add(quote, f"quote of {symbol}", raw)
            return
        stream.best = quote[1:3]
        if quote[1:] != stream.said:
            stream.said, stream.heard_s = quote[1:], time.monotonic()
        if stream.is_stale and stream.best == stream.stale_best:
            self._refusals.add(Refusal.STALE, f"quote of {symbol}", raw)
            return
        self._sink.quote(stream.subscription.index, *quote)
        self.note()
        if stream.is_stale:
            self.recovered(stream)

    def trade(self, stream: Stream, raw: Any) -> None:
        """A trade of ccxt's, live."""
        trade = trade_numbers(raw, self._now_ns(), stream.counting.quantity)
        if isinstance(trade, Refusal):
            self._refusals.add(trade, f"trade of {stream.symbol}", raw)
            return
        if not stream.traded.is_set():
            if stream.trades.last is not None and not stream.trades.is_numbered:
                stream.trades.hold()  # until what was missed is fetched
            stream.traded.set()
        if stream.trades.told(trade):
            self.pass_trade(stream, trade)
        elif stream.trades.is_held:
            stream.waits.set()

    def pass_trade(self, stream: Stream, trade: TradeNumbers) -> None:
        """Tells a trade that is known to be new."""
        self._sink.trade(stream.subscription.index, trade.ts_event, trade.price, trade.quantity, trade.seller_takes)
        self.note()

    def bar(self, stream: Stream, series: BarSeries, raw: Any) -> None:
        """A candle of ccxt's, live: closed or not is found out by the series."""
        bar = bar_numbers(raw, self._now_ns(), stream.counting.volume)
        if isinstance(bar, Refusal):
            self._refusals.add(bar, f"{interval_label(series.interval_ns)} bar of {stream.symbol}", raw)
        elif (closed := series.told(bar)) is not None:
            self.pass_bar(stream, series, closed)

    def pass_bar(self, stream: Stream, series: BarSeries, bar: BarNumbers) -> None:
        """Tells a closed bar."""
        code, end = interval_code(series.interval_ns), bar.ts_open + series.interval_ns
        self._sink.bar(stream.subscription.index, code, end, bar.open, bar.high, bar.low, bar.close, bar.volume)
        self.note()

    def note(self) -> None:
        """Something was told."""
        if not self._is_live:
            self._is_live = True
            self._on_first()

    def recovered(self, stream: Stream) -> None:
        """Its quotes are to be believed again."""
        stream.is_stale, stream.stale_best = False, None
        self._on_recovered(stream)
