"""Bars that are missing, and those that ended in silence: asked for by REST, and told once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn

from workstation.errors import VenueRefused, VenueUnavailable
from workstation.exchanges.bar_series import BarSeries
from workstation.exchanges.ccxt_parse import BarNumbers, Refusal, Refusals
from workstation.exchanges.intake import Intake, Stream
from workstation.exchanges.pace import Pace
from workstation.model.durations import SECOND_NS

Ask = Callable[[Stream, BarSeries], Awaitable[list[BarNumbers]]]
"""The venue's bars from the first that is missing. Raises VenueUnavailable, VenueRefused."""


class BarRepair:
    """Of one connection; `streams` are looked at anew each time."""

    def __init__(
        self,
        streams: Iterable[Stream],
        ask: Ask,
        intake: Intake,
        refusals: Refusals,
        now_ns: Callable[[], int],
        pace: Pace,
    ) -> None:
        self._streams, self._ask, self._intake, self._refusals = streams, ask, intake, refusals
        self._now_ns, self._pace = now_ns, pace

    async def run(self) -> NoReturn:
        """Asks for whatever is due, each look after the other."""
        while True:
            for stream in list(self._streams):
                for series in stream.bars.values():
                    if series.is_due(self._now_ns(), self._pace.bar_grace_ns):
                        await self._fetch(stream, series)
            await asyncio.sleep(self._pace.bar_check_s)

    async def _fetch(self, stream: Stream, series: BarSeries) -> None:
        asked_ns = self._now_ns()
        try:
            bars = await self._ask(stream, series)
        except (VenueUnavailable, VenueRefused) as error:
            series.failed(self._now_ns(), round(self._pace.retry_s * SECOND_NS))
            self._refusals.add(Refusal.NO_ANSWER, f"bars of {stream.symbol}", error)
            return
        for bar in series.fetched(bars, asked_ns, self._pace.bar_grace_ns):
            self._intake.pass_bar(stream, series, bar)
