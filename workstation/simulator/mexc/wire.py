"""MEXC, spot version 3 and the market data of linear perpetuals, as the wire of a simulated venue."""

from typing import Any
from urllib.parse import parse_qs

from workstation.simulator.faults import FaultKind
from workstation.simulator.mexc.answers import CONTRACT, SPOT, MexcAnswers
from workstation.simulator.mexc.errors import BUSY, NO_SUCH_ORDER, TIMEOUT, MexcError, too_many
from workstation.simulator.mexc.format import market_name
from workstation.simulator.mexc.listen_keys import ListenKeys
from workstation.simulator.mexc.sockets import ContractTalk, SpotTalk
from workstation.simulator.mexc.streams import MexcStreams
from workstation.simulator.wire import SocketTalk, WireError, WireKind, WireParts, WireRequest

SLOW = (f"{SPOT}/klines", f"{CONTRACT}/kline/", f"{CONTRACT}/funding_rate/history")
"""Years of candles and months of rates take longer than the event loop may wait."""


class MexcWire:
    """REST and channels of spot with an account's; REST and channels of perpetuals, without orders."""

    def __init__(self, parts: WireParts) -> None:
        self._parts = parts
        self.streams = MexcStreams(parts)
        self._keys = ListenKeys(parts.exchange.venue)
        self._answers = MexcAnswers(parts, self.streams, self._keys)

    def is_slow(self, request: WireRequest) -> bool:
        return request.path.startswith(SLOW)

    def answer(self, request: WireRequest) -> Any:
        return self._answers.answer(request)

    def in_place(self, kind: FaultKind, seconds: float, request: WireRequest) -> WireError:
        if kind is FaultKind.BUSY_503:
            error = MexcError(*BUSY)
        elif kind is FaultKind.UNKNOWN_504:
            error = MexcError(*TIMEOUT)
        elif kind is FaultKind.NOT_FOUND:
            error = MexcError(*NO_SUCH_ORDER)
        else:
            error = too_many(418 if kind is FaultKind.BAN_418 else 429, seconds)
        return error if request.path.startswith(SPOT) else error.of_contract()

    def talk(self, path: str, query: str) -> SocketTalk | None:
        if path == "/edge":
            return ContractTalk(self.streams, self._parts)
        if path != "/ws":
            return None
        asked = parse_qs(query).get("listenKey", [""])[0]
        account = self._keys.find(asked)
        return SpotTalk(self.streams.spot, self._parts.hub, account, has_wrong_key=bool(asked) and account is None)


MEXC = WireKind(
    name="mexc", title="MEXC", market_name=market_name, ids_for_good=False, open=MexcWire, has_perpetuals=True
)
