"""OANDA v20 as the wire of a simulated venue."""

from typing import Any

from workstation.history.calendars import Calendar, is_open
from workstation.simulator.faults import FaultKind
from workstation.simulator.oanda.answers import CANDLES, OandaAnswers
from workstation.simulator.oanda.errors import NO_SUCH_ORDER, TIMEOUT_PAGE, TOO_BUSY, TOO_MANY, OandaError
from workstation.simulator.oanda.format import instrument_name
from workstation.simulator.oanda.streams import OandaStreams
from workstation.simulator.wire import SocketTalk, WireError, WireKind, WireParts, WireRequest


class OandaWire:
    """REST and streams of lines, of one account for each token."""

    def __init__(self, parts: WireParts) -> None:
        self._parts = parts
        self.streams = OandaStreams(parts, lambda: self._is_open(parts.exchange.now_ns))
        self._answers = OandaAnswers(parts, self.streams, self._is_open)

    def is_slow(self, request: WireRequest) -> bool:
        """Years of candles take longer than the event loop may wait."""
        return request.path.endswith(f"/{CANDLES}")

    def answer(self, request: WireRequest) -> Any:
        return self._answers.answer(request)

    def in_place(self, kind: FaultKind, seconds: float, request: WireRequest) -> WireError:
        """A ban is not documented: it is the same as too many requests."""
        if kind is FaultKind.BUSY_503:
            return OandaError(*TOO_BUSY)
        if kind is FaultKind.UNKNOWN_504:
            return WireError(TIMEOUT_PAGE, 504)
        if kind is FaultKind.NOT_FOUND:
            return OandaError(*NO_SUCH_ORDER)
        return OandaError(*TOO_MANY, headers={"Retry-After": str(max(round(seconds), 1))})

    def talk(self, path: str, query: str) -> SocketTalk | None:
        """OANDA has no sockets."""
        return None

    def _is_open(self, ts_ns: int) -> bool:
        return not self._parts.keeps_fx_week or is_open(Calendar.FX, ts_ns)


OANDA = WireKind(
    name="oanda", title="OANDA v20", market_name=instrument_name, ids_for_good=False, open=OandaWire, is_fx=True
)
