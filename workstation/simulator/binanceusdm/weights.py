"""How much a request weighs, and what of a minute's weight is used: told in a header, and refused beyond it."""

from collections.abc import Mapping

from workstation.model.durations import MINUTE_NS, MS_NS, SECOND_NS
from workstation.simulator.binanceusdm.errors import banned, too_many
from workstation.simulator.request_fields import Fields, query_fields
from workstation.simulator.request_numbers import whole_of
from workstation.simulator.wire import WireRequest

MOST_WEIGHT = 2400
"""Of a minute."""
MOST_REFUSED = 100
"""Whoever asks more often than this in a minute that is used up is banned."""
BAN_NS = 2 * MINUTE_NS
OF_ALL = {"ticker/24hr": (1, 40), "ticker/price": (1, 2), "ticker/bookTicker": (2, 5), "premiumIndex": (1, 10)}
"""With a symbol named, and without."""
OF_LIMIT = {
    "depth": ((50, 2), (100, 5), (500, 10), (1000, 20)),
    "klines": ((99, 1), (499, 2), (1000, 5), (1500, 10)),
}
"""By how many are asked for: up to so many, so much."""
USUAL_LIMIT = 500
HEAVY = {"aggTrades": 20, "historicalTrades": 20, "trades": 5, "fundingInfo": 0}
KLINES = frozenset({"klines", "markPriceKlines", "indexPriceKlines"})


class Weights:
    """Of all clients together: they come from one address."""

    def __init__(self) -> None:
        self._minute_ns = 0
        self._used = 0
        self._refused = 0
        self._banned_ns = 0

    def take(self, request: WireRequest) -> Mapping[str, str]:
        """The header that tells what is used, this request too. Raises UsdmError for too much."""
        now_ns = request.wall_ns
        minute_ns = now_ns - now_ns % MINUTE_NS
        if minute_ns != self._minute_ns:
            self._minute_ns, self._used, self._refused = minute_ns, 0, 0
        self._used += weight_of(request)
        if self._used > MOST_WEIGHT:
            self._refused += 1
            if self._refused > MOST_REFUSED:
                self._banned_ns = now_ns + BAN_NS
        if now_ns < self._banned_ns:
            raise banned(self._banned_ns // MS_NS, (self._banned_ns - now_ns) / SECOND_NS)
        if self._used > MOST_WEIGHT:
            raise too_many(MOST_WEIGHT, (minute_ns + MINUTE_NS - now_ns) / SECOND_NS)
        return {"X-MBX-USED-WEIGHT-1M": str(self._used)}


def weight_of(request: WireRequest) -> int:
    name, fields = request.path.split("/", 3)[-1], query_fields(request.query)
    if name in OF_ALL:
        return OF_ALL[name]["symbol" not in fields]
    if name == "depth" or name in KLINES:
        return _by_limit("depth" if name == "depth" else "klines", fields)
    return HEAVY.get(name, 1)


def _by_limit(name: str, fields: Fields) -> int:
    asked = whole_of(fields.get("limit", ""))
    limit = USUAL_LIMIT if asked is None else asked
    return next((weight for most, weight in OF_LIMIT[name] if limit <= most), OF_LIMIT[name][-1][1])
