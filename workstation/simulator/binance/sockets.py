"""Binance spot's two kinds of socket: market streams, and the WebSocket API with its user stream."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec

from workstation.simulator.binance.answers import ApiRequest, BinanceAnswers
from workstation.simulator.binance.errors import NO_SUCH_ORDER, ApiError
from workstation.simulator.binance.streams import BinanceStreams
from workstation.simulator.faults import FaultKind
from workstation.simulator.socket_hub import Client, Envelope
from workstation.simulator.wire import WireParts

MOST_STREAMS = 1024
STREAM_PATH = re.compile(r"/ws(/.*)?|/stream")
WS_METHODS = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
    "depth": ("GET", "/api/v3/depth"),
    "trades.recent": ("GET", "/api/v3/trades"),
    "trades.aggregate": ("GET", "/api/v3/aggTrades"),
    "klines": ("GET", "/api/v3/klines"),
    "ticker.24hr": ("GET", "/api/v3/ticker/24hr"),
    "ticker.book": ("GET", "/api/v3/ticker/bookTicker"),
    "ticker.price": ("GET", "/api/v3/ticker/price"),
    "account.status": ("GET", "/api/v3/account"),
    "order.place": ("POST", "/api/v3/order"),
    "order.test": ("POST", "/api/v3/order/test"),
    "order.status": ("GET", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "allOrders": ("GET", "/api/v3/allOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
}


def streams_in(path: str, query: str) -> list[str] | None:
    """Streams that the address itself names: /ws/<stream>, /stream?streams=<a>/<b>; None for another address."""
    if STREAM_PATH.fullmatch(path) is None:
        return None
    if path == "/stream":
        return [name for name in "".join(parse_qs(query).get("streams", [])).split("/") if name]
    return [path.removeprefix("/ws/")] if path.startswith("/ws/") else []


def combined(stream: str, payload: bytes) -> bytes:
    """What a socket of combined streams is sent."""
    return b'{"stream":"%b","data":%b}' % (stream.encode(), payload)


class StreamTalk:
    """A socket of market streams; `named` are those of its address."""

    def __init__(self, streams: BinanceStreams, named: Sequence[str], *, is_combined: bool) -> None:
        self._streams, self._hub, self._named = streams, streams.hub, named
        self.envelope: Envelope | None = combined if is_combined else None

    def opened(self, client: Client) -> None:
        for stream in self._named:
            if self._streams.is_known(stream):
                self._hub.subscribe(client, stream)

    def said(self, client: Client, text: str) -> None:
        """SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS."""
        message = _decoded(text)
        named = message.get("params")
        wanted = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
        answer: dict[str, Any] = {"result": None, "id": message.get("id")}
        method = message.get("method")
        unknown = [name for name in wanted if not self._streams.is_known(name)]
        if method not in ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS"):
            known = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`"
            answer = {
                "error": {"code": 2, "msg": f"Invalid request: unknown variant `{method}`, expected one of {known}"}
            }
        elif unknown:
            answer = {"error": {"code": 2, "msg": f"Invalid request: invalid stream {unknown[0]}"}}
        elif method == "LIST_SUBSCRIPTIONS":
            answer["result"] = sorted(client.streams)
        elif method == "SUBSCRIBE" and len(client.streams | set(wanted)) > MOST_STREAMS:
            answer = {"error": {"code": 2, "msg": f"Invalid request: more than {MOST_STREAMS} streams"}}
        else:
            change = self._hub.subscribe if method == "SUBSCRIBE" else self._hub.unsubscribe
            for name in wanted:
                change(client, name)
        if "error" in answer:
            answer["id"] = message.get("id")
        self._hub.answer(client, msgspec.json.encode(answer))


class ApiTalk:
    """A socket of the WebSocket API."""

    envelope = None

    def __init__(self, answers: BinanceAnswers, parts: WireParts) -> None:
        self._answers, self._hub, self._menu, self._wall_ns = answers, parts.hub, parts.menu, parts.wall_ns

    def opened(self, client: Client) -> None:
        """Nothing is told unasked."""

    def said(self, client: Client, text: str) -> None:
        """Answers one request, or does what a fault says."""
        message = _decoded(text)
        method = str(message.get("method"))
        fault = self._menu.on_request(self._answers.exchange.venue, "WS", method)
        kind = None if fault is None else fault.kind
        if kind is FaultKind.TIMEOUT_BEFORE:
            return
        if kind is FaultKind.RESET_BEFORE:
            client.abort()
            return
        try:
            if kind is FaultKind.NOT_FOUND:
                raise ApiError(*NO_SUCH_ORDER)
            answer = {"id": message.get("id"), "status": 200, "result": self._result(client, method, message)}
        except ApiError as error:
            answer = {"id": message.get("id"), "status": error.status, "error": error.content}
        if kind is FaultKind.RESET_AFTER:
            client.abort()
        elif kind is not FaultKind.TIMEOUT_AFTER:
            answer["rateLimits"] = []
            self._hub.answer(client, msgspec.json.encode(answer))

    def _result(self, client: Client, method: str, message: Mapping[str, Any]) -> Any:
        fields = message.get("params") or {}
        if not isinstance(fields, dict):
            raise ApiError(-1100, "Illegal characters found in parameter 'params'; expected an object.")
        parameters = {str(name): _text(value) for name, value in fields.items()}
        signed = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters) if name != "signature")
        api_key = parameters.pop("apiKey", None)
        if method == "userDataStream.subscribe.signature":
            request = ApiRequest("WS", method, parameters, signed, api_key, self._wall_ns())
            account = self._answers.account(request)
            self._hub.subscribe(client, f"user:{account.credentials.api_key}")
            return {"subscriptionId": 0}
        if method == "userDataStream.unsubscribe":
            for stream in tuple(client.streams):
                self._hub.unsubscribe(client, stream)
            return {}
        if method not in WS_METHODS:
            raise ApiError(-1000, f"{method}: not part of this simulated venue.", 404)
        return self._answers.answer(ApiRequest(*WS_METHODS[method], parameters, signed, api_key, self._wall_ns()))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decoded(text: str) -> dict[str, Any]:
    """A JSON object; anything else is an empty one, which is then refused as a request without a method."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
