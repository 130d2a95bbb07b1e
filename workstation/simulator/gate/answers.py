"""Gate's answers to requests, whichever way they come: by HTTP or over a socket."""

from typing import Any

from workstation.simulator.accounts import Account
from workstation.simulator.gate.auth import signed_account
from workstation.simulator.gate.errors import NO_PATH, GateError, of_refusal
from workstation.simulator.gate.orders import ONE, GateOrders
from workstation.simulator.gate.requests import checked_body
from workstation.simulator.gate.streams import GateStreams
from workstation.simulator.refusals import Refused
from workstation.simulator.request_fields import Fields, query_fields
from workstation.simulator.wire import WireParts, WireRequest

ROOT = "/api/v4"
ORDERS = "/spot/orders/"


class GateAnswers:
    """What can be asked of one venue."""

    def __init__(self, parts: WireParts, streams: GateStreams) -> None:
        self._accounts, self._streams = parts.exchange.accounts, streams
        self._orders = GateOrders(parts.exchange)

    def answer(self, request: WireRequest) -> Any:
        """The answer to one request by HTTP. Raises GateError."""
        path = request.path.removeprefix(ROOT)
        if path == "/spot/time":
            return {"server_time": request.wall_ns // 1_000_000}
        public = self._streams.data.routes.get(path)
        if public is not None and request.method == "GET":
            try:
                return public(query_fields(request.query))
            except Refused as refused:
                raise of_refusal(refused) from refused
        named = {"order_id": path.removeprefix(ORDERS)} if path.startswith(ORDERS) else {}
        path = ONE if named else path
        if (request.method, path) not in self._orders.routes:
            raise GateError(*NO_PATH)
        account = signed_account(self._accounts, request)
        fields = checked_body(request.body) if request.method == "POST" else query_fields(request.query)
        return self.private(request.method, path, account, {**fields, **named})

    def private(self, method: str, path: str, account: Account, fields: Fields) -> Any:
        """The answer to a signed request, and what it brings to the streams. Raises GateError."""
        try:
            answer = self._orders.routes[method, path](account, fields)
        except Refused as refused:
            raise of_refusal(refused) from refused
        self._streams.flush()
        return answer
