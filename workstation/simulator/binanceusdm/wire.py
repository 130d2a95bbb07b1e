"""Binance's USD-M futures as the wire of a simulated venue: market data of linear perpetuals, without orders."""

from typing import Any

from workstation.model.durations import MS_NS, SECOND_NS
from workstation.simulator.binanceusdm.errors import (
    BUSY,
    NO_KEY,
    NO_SUCH_ORDER,
    UNKNOWN_STATUS,
    UsdmError,
    banned,
    no_path,
    no_permission,
    too_many,
)
from workstation.simulator.binanceusdm.format import market_name
from workstation.simulator.binanceusdm.market_data import ROOT
from workstation.simulator.binanceusdm.sockets import talk_at
from workstation.simulator.binanceusdm.streams import UsdmStreams
from workstation.simulator.binanceusdm.weights import MOST_WEIGHT, Weights
from workstation.simulator.faults import FaultKind
from workstation.simulator.request_fields import query_fields
from workstation.simulator.wire import Answer, SocketTalk, WireError, WireKind, WireParts, WireRequest

SLOW = frozenset(f"{ROOT}/{name}" for name in ("klines", "markPriceKlines", "indexPriceKlines", "fundingRate"))
"""Years of candles and of rates take longer than the event loop may wait."""
EMPTY_LISTS = frozenset(
    f"/sapi/v1/{name}" for name in ("capital/config/getall", "margin/allPairs", "margin/isolated/allPairs")
)
"""What ccxt asks of spot beside the rules of futures."""
PRIVATE = frozenset(
    {
        *("order", "order/test", "batchOrders", "allOpenOrders", "openOrder", "openOrders", "allOrders", "algoOrder"),
        *("userTrades", "account", "balance", "positionRisk", "income", "leverage", "leverageBracket", "marginType"),
        *("commissionRate", "accountConfig", "symbolConfig", "positionMargin", "positionSide/dual", "listenKey"),
    }
)
"""What only a key with the permission for futures may do, by the name behind the version."""
IN_PLACE: dict[FaultKind, tuple[int, str, int]] = {
    FaultKind.BUSY_503: BUSY,
    FaultKind.NOT_FOUND: NO_SUCH_ORDER,
    FaultKind.UNKNOWN_504: UNKNOWN_STATUS,
}


class UsdmWire:
    """REST and market streams. No key has the permission for more."""

    def __init__(self, parts: WireParts) -> None:
        self.streams = UsdmStreams(parts)
        self._weights = Weights()

    def is_slow(self, request: WireRequest) -> bool:
        return request.path in SLOW

    def answer(self, request: WireRequest) -> Any:
        headers = self._weights.take(request)
        try:
            return Answer(self._answer(request), headers)
        except UsdmError as error:
            error.headers = headers
            raise

    def _answer(self, request: WireRequest) -> Any:
        public = self.streams.data.routes.get(request.path)
        if public is not None and request.method == "GET":
            return public(query_fields(request.query))
        if request.path in EMPTY_LISTS:
            return []
        if not request.path.startswith("/fapi/") or request.path.split("/", 3)[-1] not in PRIVATE:
            raise no_path(request.method, request.path)
        if not request.headers.get("x-mbx-apikey"):
            raise UsdmError(*NO_KEY)
        raise no_permission()

    def in_place(self, kind: FaultKind, seconds: float, request: WireRequest) -> WireError:
        if kind in IN_PLACE:
            return UsdmError(*IN_PLACE[kind])
        if kind is FaultKind.RATE_429:
            return too_many(MOST_WEIGHT, seconds)
        return banned((request.wall_ns + round(seconds * SECOND_NS)) // MS_NS, seconds)

    def talk(self, path: str, query: str) -> SocketTalk | None:
        return talk_at(self.streams, path, query)


BINANCEUSDM = WireKind(
    name="binanceusdm",
    title="Binance USD-M futures",
    market_name=market_name,
    ids_for_good=False,
    open=UsdmWire,
    has_perpetuals=True,
    has_spot=False,
)
