"""Bybit spot, version 5, as the wire of a simulated venue."""

from itertools import count
from typing import Any

from workstation.simulator.bybit.answers import BybitAnswers
from workstation.simulator.bybit.errors import (
    BUSY,
    OF_REASON,
    TIMEOUT,
    TOO_FREQUENT,
    BybitError,
    too_many,
)
from workstation.simulator.bybit.sockets import PrivateTalk, PublicTalk, TradeTalk
from workstation.simulator.bybit.streams import BybitStreams
from workstation.simulator.faults import FaultKind
from workstation.simulator.refusals import Reason
from workstation.simulator.venue_market import joined_name
from workstation.simulator.wire import SocketTalk, WireError, WireKind, WireParts, WireRequest

SLOW = frozenset({"/v5/market/kline"})
"""Years of candles take longer than the event loop may wait."""


class BybitWire:
    """REST, public and private topics, and orders by socket, of a unified account."""

    def __init__(self, parts: WireParts) -> None:
        self._parts = parts
        self.streams = BybitStreams(parts)
        self._answers = BybitAnswers(parts, self.streams)
        self._connections = count(1)

    def is_slow(self, request: WireRequest) -> bool:
        return request.path in SLOW

    def answer(self, request: WireRequest) -> Any:
        try:
            return _enveloped(self._answers.answer(request), request)
        except BybitError as error:
            raise error.at(request.wall_ns // 1_000_000) from error.__cause__

    def in_place(self, kind: FaultKind, seconds: float, request: WireRequest) -> WireError:
        if kind is FaultKind.RATE_429:
            return too_many(request.wall_ns // 1_000_000 + round(seconds * 1000))
        if kind is FaultKind.BAN_418:
            return TOO_FREQUENT
        if kind is FaultKind.BUSY_503:
            return BUSY
        if kind is FaultKind.UNKNOWN_504:
            return BybitError(*TIMEOUT)
        if request.method == "GET":  # what is not there yet is an empty list
            return WireError(_enveloped({"category": "spot", "list": [], "nextPageCursor": ""}, request), 200)
        return BybitError(*OF_REASON[Reason.UNKNOWN_ORDER])

    def talk(self, path: str, query: str) -> SocketTalk | None:
        name = f"{self._parts.exchange.venue}-{next(self._connections)}"
        if path == "/v5/public/spot":
            return PublicTalk(self.streams, name)
        if path == "/v5/private":
            return PrivateTalk(self._parts, name)
        return TradeTalk(self._answers, self._parts, name) if path == "/v5/trade" else None


def _enveloped(result: Any, request: WireRequest) -> dict[str, Any]:
    now_ms = request.wall_ns // 1_000_000
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms}


BYBIT = WireKind(name="bybit", title="Bybit spot", market_name=joined_name, ids_for_good=True, open=BybitWire)
