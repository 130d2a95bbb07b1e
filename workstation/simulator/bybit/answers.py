"""Bybit's answers to requests, whichever way they come: by HTTP or over the socket for orders."""

from typing import Any

from workstation.simulator.accounts import Account
from workstation.simulator.bybit.auth import signed_account
from workstation.simulator.bybit.errors import NOT_FOUND_PATH, BybitError, of_refusal
from workstation.simulator.bybit.orders import BybitOrders
from workstation.simulator.bybit.requests import checked_body
from workstation.simulator.bybit.streams import BybitStreams
from workstation.simulator.refusals import Refused
from workstation.simulator.request_fields import Fields, query_fields
from workstation.simulator.wire import WireParts, WireRequest


class BybitAnswers:
    """What can be asked of one venue."""

    def __init__(self, parts: WireParts, streams: BybitStreams) -> None:
        self._accounts, self._streams = parts.exchange.accounts, streams
        self._orders = BybitOrders(parts.exchange)

    def answer(self, request: WireRequest) -> Any:
        """The result of one request by HTTP. Raises BybitError."""
        public = self._streams.data.routes.get(request.path)
        if request.path == "/v5/market/time":
            return {"timeSecond": str(request.wall_ns // 10**9), "timeNano": str(request.wall_ns)}
        if public is not None and request.method == "GET":
            try:
                return public(query_fields(request.query))
            except Refused as refused:
                raise of_refusal(refused) from refused
        if (request.method, request.path) not in self._orders.routes:
            raise BybitError(*NOT_FOUND_PATH)
        is_get = request.method == "GET"
        sent = request.query if is_get else request.body
        account = signed_account(self._accounts, request.headers, sent, request.wall_ns // 1_000_000)
        fields = query_fields(sent) if is_get else checked_body(sent)
        return self.private(request.method, request.path, account, fields)

    def private(self, method: str, path: str, account: Account, fields: Fields) -> Any:
        """The result of a signed request, and what it brings to the streams. Raises BybitError."""
        try:
            answer = self._orders.routes[method, path](account, fields)
        except Refused as refused:
            raise of_refusal(refused) from refused
        self._streams.flush()
        return answer
