"""Binance spot as the wire of a simulated venue."""

from typing import Any
from urllib.parse import parse_qsl

from workstation.simulator.binance.answers import ApiRequest, BinanceAnswers
from workstation.simulator.binance.auth import signed_text
from workstation.simulator.binance.errors import BUSY, NO_SUCH_ORDER, TOO_MANY, UNKNOWN_STATUS, ApiError
from workstation.simulator.binance.sockets import ApiTalk, StreamTalk, streams_in
from workstation.simulator.binance.streams import BinanceStreams
from workstation.simulator.faults import FaultKind
from workstation.simulator.venue_market import joined_name
from workstation.simulator.wire import SocketTalk, WireError, WireKind, WireParts, WireRequest

SLOW = frozenset({"/api/v3/klines"})
"""Years of candles take longer than the event loop may wait."""
IN_PLACE = {
    FaultKind.BUSY_503: ApiError(*BUSY),
    FaultKind.NOT_FOUND: ApiError(*NO_SUCH_ORDER),
    FaultKind.UNKNOWN_504: ApiError(*UNKNOWN_STATUS),
}


class BinanceWire:
    """REST, market streams, and the WebSocket API with its user stream."""

    def __init__(self, parts: WireParts) -> None:
        self._parts = parts
        self.streams = BinanceStreams(parts)
        self._answers = BinanceAnswers(parts.exchange, self.streams)

    def is_slow(self, request: WireRequest) -> bool:
        return request.path in SLOW

    def answer(self, request: WireRequest) -> Any:
        parameters = dict(parse_qsl(request.query, keep_blank_values=True))
        parameters |= dict(parse_qsl(request.body, keep_blank_values=True))
        signed, api_key = signed_text(request.query, request.body), request.headers.get("x-mbx-apikey")
        return self._answers.answer(
            ApiRequest(request.method, request.path, parameters, signed, api_key, request.wall_ns)
        )

    def in_place(self, kind: FaultKind, seconds: float, request: WireRequest) -> WireError:
        if kind in IN_PLACE:
            return IN_PLACE[kind]
        return ApiError(-1003, TOO_MANY, 429 if kind is FaultKind.RATE_429 else 418, seconds)

    def talk(self, path: str, query: str) -> SocketTalk | None:
        if path.startswith("/ws-api"):
            return ApiTalk(self._answers, self._parts)
        named = streams_in(path, query)
        return None if named is None else StreamTalk(self.streams, named, is_combined=path == "/stream")


BINANCE = WireKind(name="binance", title="Binance spot", market_name=joined_name, ids_for_good=False, open=BinanceWire)
