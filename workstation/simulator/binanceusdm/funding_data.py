"""What everyone may ask about funding: mark and index prices, the rate to come, those that were paid."""

from collections.abc import Callable
from typing import Any

from workstation.model.durations import MINUTE_NS, MS_NS
from workstation.simulator.bar_history import interval_start
from workstation.simulator.binanceusdm.errors import INVALID_SYMBOL, UsdmError
from workstation.simulator.binanceusdm.format import Json, premium_index, rate_bounds, rate_paid
from workstation.simulator.binanceusdm.requests import whole
from workstation.simulator.funding import CYCLE_NS, Funding, FundingRate
from workstation.simulator.request_fields import Fields
from workstation.simulator.wire import WireParts

USUAL_RATES = 100
MOST_RATES = 1000
KEPT_CYCLES = 90
"""So many settled rates are told, a month of them."""


class FundingData:
    """`of_asked` answers for the symbol that is named, or for each."""

    def __init__(self, parts: WireParts, of_asked: Callable[[Fields, Callable[[Funding], Json]], Any]) -> None:
        self._exchange, self._of_asked = parts.exchange, of_asked
        self._perpetuals = parts.perpetuals
        self._marks: dict[tuple[str, int], float] = {}

    def premium_index(self, fields: Fields) -> Any:
        return self._of_asked(fields, lambda one: premium_index(one, self._exchange.now_ns))

    def bounds(self, fields: Fields) -> list[Json]:
        return [rate_bounds(one.perpetual) for one in self._perpetuals.values()]

    def rates_paid(self, fields: Fields) -> list[Json]:
        """Oldest first, both times within: from a start on the first of them, else the newest."""
        limit = whole(fields, "limit", USUAL_RATES, MOST_RATES)
        if "symbol" in fields and fields["symbol"] not in self._perpetuals:
            raise UsdmError(*INVALID_SYMBOL)
        wanted = [self._perpetuals[fields["symbol"]]] if "symbol" in fields else list(self._perpetuals.values())
        times = self._times(fields, limit)
        told = [self._paid(funding, one) for funding in wanted for one in self._rates(funding, times)]
        told.sort(key=lambda one: one["fundingTime"])
        return told[:limit] if "startTime" in fields else told[-limit:]

    def _times(self, fields: Fields, limit: int) -> range:
        """When those that are asked for were settled, in ns UTC."""
        now_ns = self._exchange.now_ns
        start_ns = whole(fields, "startTime", 0) * MS_NS
        last_ns = interval_start(min(whole(fields, "endTime", 2**43) * MS_NS, now_ns), CYCLE_NS)
        earliest_ns = interval_start(now_ns, CYCLE_NS) - (KEPT_CYCLES - 1) * CYCLE_NS
        first_ns = max(-(-start_ns // CYCLE_NS) * CYCLE_NS, earliest_ns)
        found = range(first_ns, last_ns + 1, CYCLE_NS)
        return found[:limit] if "startTime" in fields else found[-limit:]

    def _rates(self, funding: Funding, times: range) -> list[FundingRate]:
        if not times:
            return []
        skip = (interval_start(self._exchange.now_ns, CYCLE_NS) - times[-1]) // CYCLE_NS
        return funding.settled(self._exchange.now_ns, len(times), skip)

    def _paid(self, funding: Funding, paid: FundingRate) -> Json:
        """With the mark price of its time, which is that of the minute before."""
        key = funding.perpetual.name, paid.settles_ns
        if key not in self._marks:
            candle = funding.history.candle(MINUTE_NS, paid.settles_ns)
            self._marks[key] = funding.mark() if candle is None else candle.close
        return rate_paid(funding.perpetual, paid, self._marks[key])
