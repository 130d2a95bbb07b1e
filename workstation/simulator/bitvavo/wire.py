"""Bitvavo, version 2, as the wire of a simulated venue."""

from typing import Any

from workstation.model.durations import MS_NS
from workstation.simulator.bitvavo.answers import ROOT, BitvavoAnswers
from workstation.simulator.bitvavo.errors import BUSY, NO_RESPONSE, NO_SUCH_ORDER, BitvavoError, banned, too_many
from workstation.simulator.bitvavo.format import market_name
from workstation.simulator.bitvavo.sockets import BitvavoTalk
from workstation.simulator.bitvavo.streams import BitvavoStreams
from workstation.simulator.bitvavo.weights import Weights
from workstation.simulator.faults import FaultKind
from workstation.simulator.wire import Answer, SocketTalk, WireError, WireKind, WireParts, WireRequest

SOCKET_PATHS = frozenset({f"{ROOT}", f"{ROOT}/"})
CANDLES = "/candles"
"""Years of candles take longer than the event loop may wait."""


class BitvavoWire:
    """REST, channels, and REST's requests as actions of the socket."""

    def __init__(self, parts: WireParts) -> None:
        self._parts = parts
        self.streams = BitvavoStreams(parts)
        self._answers = BitvavoAnswers(parts, self.streams)
        self._weights = Weights()

    def is_slow(self, request: WireRequest) -> bool:
        return request.path.endswith(CANDLES)

    def answer(self, request: WireRequest) -> Any:
        headers = self._weights.headers(request)
        try:
            return Answer(self._answers.answer(request), headers)
        except BitvavoError as error:
            error.headers = headers
            raise

    def in_place(self, kind: FaultKind, seconds: float, request: WireRequest) -> WireError:
        until_ms = request.wall_ns // MS_NS + round(seconds * 1000)
        if kind is FaultKind.BUSY_503:
            return BitvavoError(*BUSY)
        if kind is FaultKind.UNKNOWN_504:
            return BitvavoError(*NO_RESPONSE)
        if kind is FaultKind.NOT_FOUND:
            return BitvavoError(*NO_SUCH_ORDER, 404)
        return banned(until_ms) if kind is FaultKind.BAN_418 else too_many(until_ms)

    def talk(self, path: str, query: str) -> SocketTalk | None:
        return BitvavoTalk(self._answers, self._parts) if path in SOCKET_PATHS else None


BITVAVO = WireKind(name="bitvavo", title="Bitvavo", market_name=market_name, ids_for_good=False, open=BitvavoWire)
