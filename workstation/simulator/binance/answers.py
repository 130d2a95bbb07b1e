"""Binance spot's answers to requests, whichever way they come: by HTTP or over the WebSocket API."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from workstation.simulator.accounts import Account
from workstation.simulator.binance.auth import signed_account
from workstation.simulator.binance.errors import ApiError, of_refusal
from workstation.simulator.binance.orders import BinanceOrders
from workstation.simulator.binance.streams import BinanceStreams
from workstation.simulator.exchange import Exchange
from workstation.simulator.refusals import Refused

EMPTY_LISTS = frozenset(
    {
        "/sapi/v1/capital/config/getall",
        "/sapi/v1/margin/allPairs",
        "/sapi/v1/margin/isolated/allPairs",
        "/sapi/v1/margin/allAssets",
    }
)
"""Signed requests of ccxt's that this venue answers as one without margin and deposits would: with an empty list."""


class ApiRequest(NamedTuple):
    """A request, whichever way it came. `signed`: what the signature is of; `wall_ns`: the venue's wall clock."""

    method: str
    path: str
    parameters: Mapping[str, str]
    signed: str
    api_key: str | None
    wall_ns: int


class BinanceAnswers:
    """What can be asked of one venue."""

    def __init__(self, exchange: Exchange, streams: BinanceStreams) -> None:
        self.exchange, self.streams = exchange, streams
        self.orders = BinanceOrders(exchange)

    def answer(self, request: ApiRequest) -> Any:
        """The answer to one request. Raises ApiError, with Binance's code and text."""
        try:
            return self._answer(request)
        except Refused as refused:
            raise of_refusal(refused) from refused

    def account(self, request: ApiRequest) -> Account:
        """Who signed a request. Raises ApiError."""
        return signed_account(
            self.exchange.accounts,
            request.api_key,
            request.signed,
            request.parameters,
            request.wall_ns // 1_000_000,
        )

    def _answer(self, request: ApiRequest) -> Any:
        if request.path == "/api/v3/time":
            return {"serverTime": request.wall_ns // 1_000_000}
        public = self.streams.data.routes.get(request.path)
        if public is not None and request.method == "GET":
            return public(request.parameters)
        private = self.orders.routes.get((request.method, request.path))
        if private is not None:
            answer = private(self.account(request), request.parameters)
            self.streams.flush()
            return answer
        if request.path in EMPTY_LISTS:
            self.account(request)
            return []
        raise ApiError(-1000, f"{request.method} {request.path}: not part of this simulated venue.", 404)
