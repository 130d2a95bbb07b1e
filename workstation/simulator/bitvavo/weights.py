"""How much a request weighs, and how much of a minute's weight a client has left: told in headers, never refused."""

from workstation.model.durations import MINUTE_NS, MS_NS
from workstation.simulator.bitvavo.errors import MOST_WEIGHT, limit_headers
from workstation.simulator.wire import WireRequest

HEAVY = {"/v2/balance": 5, "/v2/trades": 5, "/v2/orders": 5, "/v2/ordersOpen": 25, "/v2/ticker/24h": 25}
"""Of these; with a market named those of tickers and open orders weigh one."""
OF_A_MARKET = frozenset({"/v2/ordersOpen", "/v2/ticker/24h"})
PUBLIC_TRADES = 5


class Weights:
    """By API key, and of those without one together."""

    def __init__(self) -> None:
        self._minute_ns = 0
        self._used: dict[str, int] = {}

    def headers(self, request: WireRequest) -> dict[str, str]:
        """After this request too."""
        minute_ns = request.wall_ns - request.wall_ns % MINUTE_NS
        if minute_ns != self._minute_ns:
            self._minute_ns, self._used = minute_ns, {}
        key = request.headers.get("bitvavo-access-key", "")
        used = self._used[key] = self._used.get(key, 0) + weight_of(request)
        return limit_headers(max(MOST_WEIGHT - used, 0), (minute_ns + MINUTE_NS) // MS_NS)


def weight_of(request: WireRequest) -> int:
    if request.path in OF_A_MARKET and "market=" in request.query:
        return 1
    if request.path not in HEAVY and request.path.endswith("/trades"):
        return PUBLIC_TRADES
    return HEAVY.get(request.path, 1)
