"""Gate spot, version 4, as the wire of a simulated venue."""

from itertools import count
from typing import Any

from workstation.simulator.faults import FaultKind
from workstation.simulator.gate.answers import ROOT, GateAnswers
from workstation.simulator.gate.errors import NO_SUCH_ORDER, TIMEOUT_PAGE, TOO_BUSY, GateError, too_many
from workstation.simulator.gate.format import pair_name
from workstation.simulator.gate.sockets import GateTalk
from workstation.simulator.gate.streams import GateStreams
from workstation.simulator.wire import SocketTalk, WireError, WireKind, WireParts, WireRequest

SLOW = frozenset({f"{ROOT}/spot/candlesticks"})
"""Years of candles take longer than the event loop may wait."""
SOCKET_PATHS = frozenset({"/ws/v4/", "/ws/v4"})


class GateWire:
    """REST, public and private channels, and orders by socket, of a classic account."""

    def __init__(self, parts: WireParts) -> None:
        self._parts = parts
        self.streams = GateStreams(parts)
        self._answers = GateAnswers(parts, self.streams)
        self._connections = count(1)

    def is_slow(self, request: WireRequest) -> bool:
        return request.path in SLOW

    def answer(self, request: WireRequest) -> Any:
        return self._answers.answer(request)

    def in_place(self, kind: FaultKind, seconds: float, request: WireRequest) -> WireError:
        """A ban is not documented: it is the same as too many requests."""
        if kind is FaultKind.BUSY_503:
            return GateError(*TOO_BUSY)
        if kind is FaultKind.UNKNOWN_504:
            return WireError(TIMEOUT_PAGE, 504)
        if kind is FaultKind.NOT_FOUND:
            return GateError(*NO_SUCH_ORDER)
        return too_many(-(-(request.wall_ns + round(seconds * 1e9)) // 10**9))

    def talk(self, path: str, query: str) -> SocketTalk | None:
        if path not in SOCKET_PATHS:
            return None
        name = f"{self._parts.exchange.venue}-{next(self._connections)}"
        return GateTalk(self.streams, self._answers, self._parts, name)


GATE = WireKind(name="gate", title="Gate spot", market_name=pair_name, ids_for_good=False, open=GateWire)
