"""MEXC's answers to requests by HTTP: those of spot, and those of perpetuals, whose form is another."""

import hashlib
import hmac
from typing import Any

from workstation.simulator.mexc.auth import signed_account
from workstation.simulator.mexc.errors import BAD_SIGNATURE, NO_PATH, NO_TRADING, MexcError, of_refusal
from workstation.simulator.mexc.listen_keys import ListenKeys
from workstation.simulator.mexc.market_data import SpotData
from workstation.simulator.mexc.orders import SpotOrders
from workstation.simulator.mexc.streams import MexcStreams
from workstation.simulator.refusals import Refused
from workstation.simulator.request_fields import query_fields
from workstation.simulator.wire import WireParts, WireRequest

SPOT, CONTRACT, CONTRACT_PRIVATE = "/api/v3", "/api/v1/contract", "/api/v1/private"
EMPTY = frozenset({"/account/assets", "/position/open_positions", "/order/list/open_orders"})
"""What an account that may not trade perpetuals is asked in vain."""


class MexcAnswers:
    """What can be asked of one venue."""

    def __init__(self, parts: WireParts, streams: MexcStreams, keys: ListenKeys) -> None:
        self._parts, self._streams = parts, streams
        self._spot = SpotData(parts, streams.spot.publish_depth)
        self._orders = SpotOrders(parts.exchange, self._spot, keys)

    def answer(self, request: WireRequest) -> Any:
        """The answer to one request. Raises WireError."""
        try:
            if request.path.startswith(SPOT):
                return self._of_spot(request)
            return self._of_contracts(request)
        except Refused as refused:
            raise of_refusal(refused) from refused

    def _of_spot(self, request: WireRequest) -> Any:
        path, fields = request.path.removeprefix(SPOT), query_fields(request.query)
        if path == "/time":
            return {"serverTime": request.wall_ns // 1_000_000}
        if request.method == "GET" and path in self._spot.routes:
            return self._spot.routes[path](fields)
        if (request.method, path) not in self._orders.routes:
            raise MexcError(*NO_PATH)
        account = signed_account(self._parts.exchange.accounts, request, fields)
        answer = self._orders.routes[request.method, path](account, fields)
        self._streams.flush()
        return answer

    def _of_contracts(self, request: WireRequest) -> Any:
        try:
            if request.path.startswith(CONTRACT_PRIVATE):
                found = self._signed(request, request.path.removeprefix(CONTRACT_PRIVATE))
            elif request.path.startswith(CONTRACT) and request.method == "GET":
                found = self._public(request.path.removeprefix(CONTRACT), request)
            else:
                raise MexcError(*NO_PATH)
        except MexcError as error:
            raise error.of_contract() from error.__cause__
        return {"success": True, "code": 0, "data": found}

    def _public(self, path: str, request: WireRequest) -> Any:
        data, fields = self._streams.contracts.data, query_fields(request.query)
        if path in data.routes:
            return data.routes[path](fields)
        route, _, symbol = path.rpartition("/")
        if route not in data.symbol_routes:
            raise MexcError(*NO_PATH)
        return data.symbol_routes[route]({**fields, "symbol": symbol})

    def _signed(self, request: WireRequest, path: str) -> Any:
        """Nothing is held and nothing is taken: perpetuals are for looking at."""
        key, stamp, signature = (request.headers.get(name, "") for name in ("apikey", "request-time", "signature"))
        account = self._parts.exchange.accounts.get(key)
        text = key + stamp + (request.body if request.method == "POST" else request.query)
        secret = "" if account is None else account.credentials.secret
        wanted = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if account is None or not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "surrogateescape")):
            raise MexcError(602, BAD_SIGNATURE[1], 200)
        if request.method == "GET" and path in EMPTY:
            return []
        raise MexcError(*NO_TRADING)
