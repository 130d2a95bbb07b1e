"""Gate's socket: public channels, an account's channels, each signed for, and orders after a login."""

from typing import Any

import msgspec

from workstation.simulator.accounts import Account
from workstation.simulator.gate.answers import GateAnswers
from workstation.simulator.gate.auth import checked_account
from workstation.simulator.gate.errors import NO_SUCH_ORDER, GateError
from workstation.simulator.gate.format import USER_ID
from workstation.simulator.gate.orders import ONE
from workstation.simulator.gate.streams import EVERY_PAIR, PRIVATE_CHANNELS, GateStreams, stream_names
from workstation.simulator.request_fields import as_texts, json_object
from workstation.simulator.socket_calls import answer_call
from workstation.simulator.socket_hub import Client
from workstation.simulator.wire import WireParts

Json = dict[str, Any]
CALLS = {
    "spot.order_place": ("POST", "/spot/orders"),
    "spot.order_cancel": ("DELETE", ONE),
    "spot.order_status": ("GET", ONE),
}
"""What may be asked for after a login."""
BAD_ARGUMENT, UNKNOWN_PAIR, NOT_ALLOWED = 1, 2, 4
"""Codes of a channel's refusal."""


class ChannelRefused(Exception):
    """A channel that is not begun: code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class GateTalk:
    """One socket."""

    envelope = None

    def __init__(self, streams: GateStreams, answers: GateAnswers, parts: WireParts, connection: str) -> None:
        self._streams, self._answers, self._parts, self._hub = streams, answers, parts, parts.hub
        self._exchange, self._wall_ns, self._connection = parts.exchange, parts.wall_ns, connection
        self._account: Account | None = None

    def opened(self, client: Client) -> None:
        """Nothing is told unasked."""

    def said(self, client: Client, text: str) -> None:
        """spot.ping, subscribe, unsubscribe, and calls of the api."""
        message = json_object(text)
        channel, event = str(message.get("channel", "")), message.get("event")
        if channel == "spot.ping":
            self._tell(client, {"channel": "spot.pong", "event": "", "result": None})
        elif event == "api":
            answer_call(self._parts, client, channel, lambda is_missing: self._called(channel, message, is_missing))
        else:
            self._change(client, channel, event, message)

    def _change(self, client: Client, channel: str, event: object, message: Json) -> None:
        """Begins or ends streams, and answers."""
        named = message.get("payload")
        payload = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
        answer = {"id": message.get("id"), "conn_id": self._connection, "channel": channel, "event": event}
        try:
            if event not in ("subscribe", "unsubscribe"):
                raise ChannelRefused(BAD_ARGUMENT, f"unknown event {event}")
            streams = self._private(channel, payload, message) or self._public(channel, payload)
        except ChannelRefused as refused:
            error = {"code": refused.code, "message": refused.text}
            self._tell(client, answer | {"payload": payload, "error": error, "result": {"status": "fail"}})
            return
        self._tell(client, answer | {"payload": payload, "result": {"status": "success"}})
        for stream in streams:
            if event == "unsubscribe":
                self._hub.unsubscribe(client, stream)
                continue
            first = self._streams.first_message(stream)
            self._hub.subscribe(client, stream)
            if first is not None:
                self._hub.answer(client, first)

    def _public(self, channel: str, payload: list[str]) -> list[str]:
        streams = stream_names(channel, payload)
        if not streams:
            raise ChannelRefused(BAD_ARGUMENT, f"invalid channel or payload: {channel}")
        unknown = [stream for stream in streams if self._streams.market_of(stream) is None]
        if unknown:
            raise ChannelRefused(UNKNOWN_PAIR, f"unknown currency pair: {unknown[0].removeprefix(channel + '.')}")
        return streams

    def _private(self, channel: str, payload: list[str], message: Json) -> list[str]:
        """Streams of the account that signed for them; none for a public channel."""
        if channel not in PRIVATE_CHANNELS:
            return []
        given, stamp = message.get("auth"), str(message.get("time"))
        auth = as_texts(given if isinstance(given, dict) else {})
        text = f"channel={channel}&event={message.get('event')}&time={stamp}"
        try:
            account = self._signed(auth.get("KEY", ""), text, auth.get("SIGN", ""), stamp)
        except GateError as error:
            raise ChannelRefused(NOT_ALLOWED, msgspec.json.encode(error.content).decode()) from None
        key = account.credentials.api_key
        if channel == "spot.balances":
            return [f"user:{key}:{channel}"]
        unknown = [pair for pair in payload if pair != EVERY_PAIR and pair not in self._exchange.markets]
        if unknown or not payload:
            raise ChannelRefused(UNKNOWN_PAIR, f"unknown currency pair: {', '.join(unknown)}")
        return [f"user:{key}:{channel}:{pair}" for pair in payload]

    def _called(self, channel: str, message: Json, is_missing: bool) -> Json:
        """The answer to a call of the api."""
        payload = raw_fields(message.get("payload"))
        now_ms = self._wall_ns() // 1_000_000
        header = {"response_time": str(now_ms), "channel": channel, "event": "api", "conn_id": self._connection}
        answer: Json = {"request_id": as_texts(payload).get("req_id", ""), "header": header | {"status": "200"}}
        try:
            if is_missing:
                raise GateError(*NO_SUCH_ORDER)
            answer["data"] = {"result": self._result(channel, payload)}
        except GateError as error:
            answer["header"] = header | {"status": str(error.status)}
            answer["data"] = {"errs": {"label": error.label, "message": error.text}}
        return answer

    def _result(self, channel: str, payload: Json) -> Any:
        sent, given = as_texts(payload), payload.get("req_param")
        if channel == "spot.login":
            asked = msgspec.json.encode(given).decode()
            key, stamp = sent.get("api_key", ""), sent.get("timestamp", "")
            text = "\n".join(("api", channel, asked, stamp))
            self._account = self._signed(key, text, sent.get("signature", ""), stamp)
            return {"api_key": key, "uid": str(USER_ID)}
        if channel not in CALLS:
            raise GateError("INVALID_PROTOCOL", f"unknown channel {channel}")
        if self._account is None:
            raise GateError("AUTHENTICATION_FAILED", "Not login", 401)
        return self._answers.private(*CALLS[channel], self._account, as_texts(raw_fields(given)))

    def _signed(self, key: str, text: str, signature: str, stamp: str) -> Account:
        return checked_account(self._exchange.accounts, key, text, signature, stamp, self._wall_ns() // 10**9)

    def _tell(self, client: Client, message: Json) -> None:
        now_ms = self._wall_ns() // 1_000_000
        self._hub.answer(client, msgspec.json.encode({"time": now_ms // 1000, "time_ms": now_ms, **message}))


def raw_fields(value: object) -> Json:
    """The object, or an empty one in place of what is none."""
    return value if isinstance(value, dict) else {}
