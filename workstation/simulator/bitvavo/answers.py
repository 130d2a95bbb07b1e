"""Bitvavo's answers to requests, whichever way they come: by HTTP or as actions over a socket."""

from typing import Any

from workstation.simulator.accounts import Account
from workstation.simulator.bitvavo.auth import signed_account
from workstation.simulator.bitvavo.errors import NO_ENDPOINT, BitvavoError, of_refusal
from workstation.simulator.bitvavo.orders import BitvavoOrders
from workstation.simulator.bitvavo.requests import fields_of
from workstation.simulator.bitvavo.streams import BitvavoStreams
from workstation.simulator.refusals import Refused
from workstation.simulator.request_fields import Fields
from workstation.simulator.wire import WireParts, WireRequest

ROOT = "/v2"


class BitvavoAnswers:
    """What can be asked of one venue."""

    def __init__(self, parts: WireParts, streams: BitvavoStreams) -> None:
        self._accounts, self._streams, self._wall_ns = parts.exchange.accounts, streams, parts.wall_ns
        self._orders = BitvavoOrders(parts.exchange)

    def answer(self, request: WireRequest) -> Any:
        """The answer to one request by HTTP. Raises BitvavoError."""
        path = request.path.removeprefix(ROOT)
        if self.is_private(request.method, path):
            account = signed_account(self._accounts, request)
            return self.private(request.method, path, account, fields_of(request))
        if request.method != "GET":
            raise BitvavoError(*NO_ENDPOINT)
        return self.public(path, fields_of(request))

    def is_private(self, method: str, path: str) -> bool:
        return (method, path) in self._orders.routes

    def public(self, path: str, fields: Fields) -> Any:
        """The answer to what everyone may ask. Raises BitvavoError."""
        if path == "/time":
            return {"time": self._wall_ns() // 1_000_000, "timeNs": self._wall_ns()}
        data = self._streams.data
        handler = data.routes.get(path)
        if handler is None:
            market, _, what = path.removeprefix("/").partition("/")
            handler, fields = data.market_routes.get(what), {**fields, "market": market}
        if handler is None:
            raise BitvavoError(*NO_ENDPOINT)
        try:
            return handler(fields)
        except Refused as refused:
            raise of_refusal(refused) from refused

    def private(self, method: str, path: str, account: Account, fields: Fields) -> Any:
        """The answer to a signed request, and what it brings to the streams. Raises BitvavoError."""
        try:
            answer = self._orders.routes[method, path](account, fields)
        except Refused as refused:
            raise of_refusal(refused) from refused
        self._streams.flush()
        return answer
