"""The channel of one chart: bars of an instrument, its quote, and the bar in the making, 20 times a second at most."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from workstation.client.messages import BarsView, BarView, QuoteView, StreamEvent, Topic
from workstation.dashboard.hub import Channel
from workstation.dashboard.link import EngineLink
from workstation.dashboard.minutes import Candle, Minutes, candle_of
from workstation.dashboard.paced import Paced
from workstation.errors import WorkstationError
from workstation.model.durations import MINUTE_NS, MS_NS
from workstation.model.market import (
    interval_ns,
)

SHOWN_BARS = 600
MOST_MINUTES = 2 * 1_440
FLUSH_S = 0.05
AGAIN_S = 2.0
SOME_MISSING_S = 10.0
"""After so long the engine is asked again for bars that the venue did not tell: it asks no more often either."""

log = logging.getLogger(__name__)


class CandleSource:
    """Asks the engine for the bars until none is missing, and follows its events. After a loss it begins anew."""

    def __init__(self, channel: Channel, link: EngineLink, venue: str, symbol: str, interval: str) -> None:
        self._channel, self._link = channel, link
        self._venue, self._symbol, self._interval = venue, symbol, interval
        self._minutes = Minutes(interval_ns(interval))
        self._bars: BarsView | None = None
        self._problem = ""
        self._quote: QuoteView | None = None
        self._changed: dict[int, Candle] = {}
        self._paced = Paced(self._send, FLUSH_S)
        self._leave = link.listen(symbol, self)
        self._opening = asyncio.get_running_loop().create_task(self._open())

    def snapshot(self) -> Mapping[str, Any] | None:
        if self._bars is None:
            return {"problem": self._problem} if self._problem else None
        bars = self._bars
        return {
            "venue": self._venue,
            "symbol": self._symbol,
            "interval": self._interval,
            "interval_ms": interval_ns(self._interval) // MS_NS,
            "problem": self._problem,
            "bars": {
                "t": [ts // MS_NS for ts in bars.ts_open],
                "o": bars.open,
                "h": bars.high,
                "l": bars.low,
                "c": bars.close,
                "v": bars.volume,
            },
            "quote": self._told_quote(),
        }

    def close(self) -> None:
        self._leave()
        self._opening.cancel()
        self._paced.close()

    async def _open(self) -> None:
        while True:
            error: WorkstationError | None = None
            try:
                bars, minutes = await asyncio.gather(self._asked(self._interval, SHOWN_BARS), self._known_minutes())
            except WorkstationError as refusal:
                error = refusal
            told = self.snapshot()
            if error is None:
                self._begin(bars, minutes)
            else:
                self._problem = str(error)
            if self.snapshot() != told:
                self._channel.snapshot()
            if self._bars is not None and not self._problem:
                return
            await asyncio.sleep(SOME_MISSING_S if self._bars is not None else AGAIN_S)

    def _begin(self, bars: BarsView, minutes: BarsView | None) -> None:
        self._bars, length_ns = bars, interval_ns(self._interval)
        self._problem = bars.problem or ("" if minutes is None else minutes.problem)
        self._minutes = Minutes(max(length_ns, MINUTE_NS), [] if minutes is None else _views(minutes))
        if bars.forming is not None:
            self._put(candle_of(bars.forming))

    async def _known_minutes(self) -> BarsView | None:
        """Those of the bar in the making, so that its high, low and volume are whole; None: it is a minute at most."""
        length_ns = interval_ns(self._interval)
        return None if length_ns <= MINUTE_NS else await self._asked("1m", min(length_ns // MINUTE_NS, MOST_MINUTES))

    async def _asked(self, interval: str, limit: int) -> BarsView:
        return await self._link.ask(lambda client: client.bars(self._venue, self._symbol, interval, limit=limit))

    def missed(self) -> None:
        if self._bars is not None:
            self._opening.cancel()
            self._bars, self._problem = None, ""
            self._opening = asyncio.get_running_loop().create_task(self._open())

    def heard(self, event: StreamEvent) -> None:
        if event.topic is not Topic.MARKET_DATA or event.data.get("venue") != self._venue or self._bars is None:
            return
        self._quote = QuoteView.model_validate(event.data)
        for candle in self._minutes.take(self._quote):
            self._changed[candle.ts_open] = candle
            self._put(candle)
        self._paced.ask()

    def _send(self) -> None:
        candles, self._changed = sorted(self._changed.values()), {}
        self._channel.delta(
            {
                "bars": [[one.ts_open // MS_NS, *one[1:]] for one in candles],
                "quote": self._told_quote(),
            }
        )

    def _told_quote(self) -> Mapping[str, Any] | None:
        quote = self._quote
        if quote is None:
            return None
        return {"bid": quote.bid, "ask": quote.ask, "last": quote.last_price, "side": quote.last_side}

    def _put(self, candle: Candle) -> None:
        """Into what a later viewer is told."""
        bars = self._bars
        assert bars is not None
        columns: tuple[list[Any], ...] = (bars.ts_open, bars.open, bars.high, bars.low, bars.close, bars.volume)
        place = next((n for n in range(len(bars.ts_open) - 1, -1, -1) if bars.ts_open[n] <= candle.ts_open), -1)
        if place >= 0 and bars.ts_open[place] == candle.ts_open:
            for column, value in zip(columns, candle, strict=True):
                column[place] = value
        elif place == len(bars.ts_open) - 1:
            for column, value in zip(columns, candle, strict=True):
                column.append(value)
                del column[: max(0, len(column) - SHOWN_BARS - 1)]


def _views(bars: BarsView) -> list[BarView]:
    columns = (bars.ts_open, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return [
        BarView(ts_open=ts, open=o, high=h, low=low, close=c, volume=v)
        for ts, o, h, low, c, v in zip(*columns, strict=True)
    ]
