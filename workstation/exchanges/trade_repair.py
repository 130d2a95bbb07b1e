"""Keeps the trades of one connection whole: what was missed is fetched by REST and told before what came after it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from workstation.exchanges.ccxt_parse import TradeNumbers
from workstation.exchanges.ccxt_repair import GAPS, Repair
from workstation.exchanges.intake import Stream
from workstation.exchanges.retries import TRIES

MAY_BE_MISSING = "trades of the gap before it may be missing"


class TradeRepair:
    """`repair_after_s`: a symbol without a trade for so long after connecting is asked for all the same."""

    def __init__(
        self,
        repair: Repair,
        pass_trade: Callable[[Stream, TradeNumbers], None],
        tell: Callable[[Stream, str], None],
        *,
        repair_after_s: float,
        retry_s: float,
    ) -> None:
        self._repair, self._pass_trade, self._tell = repair, pass_trade, tell
        self._repair_after_s, self._retry_s = repair_after_s, retry_s

    async def keep_whole(self, stream: Stream) -> None:
        """While the connection lives: the gap before it, and where trades are numbered also those within."""
        if stream.trades.is_numbered:
            await self._mend_gaps(stream)
        elif stream.trades.last is not None:
            await self._after_connecting(stream)

    async def _after_connecting(self, stream: Stream) -> None:
        """Fetches what was missed once the venue tells of trades again; for a quiet symbol also before."""
        await _either(stream.traded, self._repair_after_s)
        is_whole, problem = True, ""
        while True:
            has_traded = stream.traded.is_set()
            missing: list[TradeNumbers] = []
            try:
                missing, is_whole = await self._repair.trades(stream.symbol, stream.trades)
            except GAPS as error:
                is_whole, problem = False, f": {error}"
            if stream.traded.is_set() and not has_traded:
                continue  # the first live trade came meanwhile: what was answered may end before it
            self._pass(stream, stream.trades.release(missing))
            if not is_whole:
                self._tell(stream, f"{MAY_BE_MISSING}{problem}")
            if has_traded:
                return
            await stream.traded.wait()

    async def _mend_gaps(self, stream: Stream) -> None:
        if stream.trades.last is not None:
            await _either(stream.waits, self._repair_after_s)
            await self._mend(stream)
        while True:
            await stream.waits.wait()
            await self._mend(stream)
            await asyncio.sleep(self._retry_s)  # a stream that loses all the time is not asked for all the time

    async def _mend(self, stream: Stream) -> None:
        """Asks until nothing is missing, or the venue does not tell it; then what waits goes on."""
        series, tries, problem = stream.trades, 0, ""
        while tries < TRIES:
            last = series.last
            try:
                missing, _ = await self._repair.trades(stream.symbol, series)
            except GAPS as error:
                problem = f": {error}"
                break
            self._pass(stream, series.mend(missing))
            if not series.is_held:
                stream.waits.clear()
                return
            tries = tries + 1 if series.last is last else 0
            if tries and missing:
                problem = ": the venue does not list them"
                break
            await asyncio.sleep(self._retry_s)  # it may list them later than it streams what follows
        self._pass(stream, series.release(()))
        stream.waits.clear()
        self._tell(stream, f"{MAY_BE_MISSING}{problem}")

    def _pass(self, stream: Stream, trades: list[TradeNumbers]) -> None:
        for trade in trades:
            self._pass_trade(stream, trade)


async def _either(event: asyncio.Event, seconds: float) -> None:
    """The event, or the time."""
    # not wait_for, which loses a cancellation that comes in the same moment as the event (Python 3.11)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
