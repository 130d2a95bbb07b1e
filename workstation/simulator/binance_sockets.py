"""Binance spot's two kinds of socket: market streams, and the WebSocket API with its user stream."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from workstation.simulator.binance_errors import NO_SUCH_ORDER, ApiError
from workstation.simulator.binance_venue import WS_METHODS, ApiRequest, BinanceVenue
from workstation.simulator.faults import FaultKind, FaultMenu
from workstation.simulator.socket_hub import Client

MOST_STREAMS = 1024
STREAM_PATH = re.compile(r"/ws(/.*)?|/stream")


def answer_stream_message(venue: BinanceVenue, client: Client, text: str) -> None:
    """SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS of a market stream."""
    message = _decoded(text)
    named = message.get("params")
    wanted = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    answer: dict[str, Any] = {"result": None, "id": message.get("id")}
    method = message.get("method")
    unknown = [name for name in wanted if not venue.streams.is_known(name)]
    if method not in ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS"):
        known = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`"
        answer = {"error": {"code": 2, "msg": f"Invalid request: unknown variant `{method}`, expected one of {known}"}}
    elif unknown:
        answer = {"error": {"code": 2, "msg": f"Invalid request: invalid stream {unknown[0]}"}}
    elif method == "LIST_SUBSCRIPTIONS":
        answer["result"] = sorted(client.streams)
    elif method == "SUBSCRIBE" and len(client.streams | set(wanted)) > MOST_STREAMS:
        answer = {"error": {"code": 2, "msg": f"Invalid request: more than {MOST_STREAMS} streams"}}
    else:
        change = venue.hub.subscribe if method == "SUBSCRIBE" else venue.hub.unsubscribe
        for name in wanted:
            change(client, name)
    if "error" in answer:
        answer["id"] = message.get("id")
    venue.hub.answer(client, msgspec.json.encode(answer))


class ApiSocket:
    """One connection to the WebSocket API."""

    def __init__(self, venue: BinanceVenue, menu: FaultMenu, client: Client, wall_ns: Callable[[], int]) -> None:
        self._venue = venue
        self._menu = menu
        self._client = client
        self._wall_ns = wall_ns

    def answer(self, text: str) -> None:
        """Answers one request, or does what a fault says."""
        message = _decoded(text)
        method = str(message.get("method"))
        fault = self._menu.on_request(self._venue.exchange.venue, "WS", method)
        kind = None if fault is None else fault.kind
        if kind is FaultKind.TIMEOUT_BEFORE:
            return
        if kind is FaultKind.RESET_BEFORE:
            self._client.abort()
            return
        try:
            if kind is FaultKind.NOT_FOUND:
                raise ApiError(*NO_SUCH_ORDER)
            answer = {"id": message.get("id"), "status": 200, "result": self._result(method, message)}
        except ApiError as error:
            answer = {"id": message.get("id"), "status": error.status, "error": error.body()}
        if kind is FaultKind.RESET_AFTER:
            self._client.abort()
        elif kind is not FaultKind.TIMEOUT_AFTER:
            answer["rateLimits"] = []
            self._venue.hub.answer(self._client, msgspec.json.encode(answer))

    def _result(self, method: str, message: Mapping[str, Any]) -> Any:
        fields = message.get("params") or {}
        if not isinstance(fields, dict):
            raise ApiError(-1100, "Illegal characters found in parameter 'params'; expected an object.")
        parameters = {str(name): _text(value) for name, value in fields.items()}
        signed = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters) if name != "signature")
        api_key = parameters.pop("apiKey", None)
        if method == "userDataStream.subscribe.signature":
            request = ApiRequest("WS", method, parameters, signed, api_key, self._wall_ns())
            account = self._venue.account(request)
            self._venue.hub.subscribe(self._client, f"user:{account.credentials.api_key}")
            return {"subscriptionId": 0}
        if method == "userDataStream.unsubscribe":
            for stream in tuple(self._client.streams):
                self._venue.hub.unsubscribe(self._client, stream)
            return {}
        if method not in WS_METHODS:
            raise ApiError(-1000, f"{method}: not part of this simulated venue.", 404)
        return self._venue.answer(ApiRequest(*WS_METHODS[method], parameters, signed, api_key, self._wall_ns()))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decoded(text: str) -> dict[str, Any]:
    """A JSON object; anything else is an empty one, which is then refused as a request without a method."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
