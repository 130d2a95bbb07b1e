"""Bitvavo's socket: channels, those of an account after it has signed, and every request of REST as an action."""

from typing import Any

import msgspec

from workstation.simulator.accounts import Account
from workstation.simulator.bitvavo.answers import BitvavoAnswers
from workstation.simulator.bitvavo.auth import SOCKET_TEXT, checked_account
from workstation.simulator.bitvavo.errors import NO_ENDPOINT, NO_SUCH_ORDER, UNSIGNED, BitvavoError, wrong
from workstation.simulator.bitvavo.market_data import INTERVALS_NS
from workstation.simulator.bitvavo.streams import ACCOUNT, CANDLES, CHANNELS, account_stream
from workstation.simulator.request_fields import as_texts, json_object
from workstation.simulator.socket_calls import answer_call
from workstation.simulator.socket_hub import Client
from workstation.simulator.wire import WireParts

Json = dict[str, Any]
PUBLIC = {
    "getTime": "/time",
    "getMarkets": "/markets",
    "getAssets": "/assets",
    "getTickerPrice": "/ticker/price",
    "getTickerBook": "/ticker/book",
    "getTicker24h": "/ticker/24h",
}
OF_A_MARKET = {"getBook": "book", "getTrades": "trades", "getCandles": "candles"}
PRIVATE = {
    "privateCreateOrder": ("POST", "/order"),
    "privateUpdateOrder": ("PUT", "/order"),
    "privateCancelOrder": ("DELETE", "/order"),
    "privateGetOrder": ("GET", "/order"),
    "privateGetOrders": ("GET", "/orders"),
    "privateCancelOrders": ("DELETE", "/orders"),
    "privateGetOrdersOpen": ("GET", "/ordersOpen"),
    "privateGetTrades": ("GET", "/trades"),
    "privateGetBalance": ("GET", "/balance"),
    "privateGetAccount": ("GET", "/account"),
}
"""What may be asked for once the socket is signed for."""


class BitvavoTalk:
    """One socket."""

    envelope = None

    def __init__(self, answers: BitvavoAnswers, parts: WireParts) -> None:
        self._answers, self._parts, self._hub, self._exchange = answers, parts, parts.hub, parts.exchange
        self._account: Account | None = None
        self._told: dict[str, tuple[str, str, str]] = {}
        """By stream: channel, length of candles, market."""

    def opened(self, client: Client) -> None:
        """Nothing is told unasked."""

    def said(self, client: Client, text: str) -> None:
        """authenticate, subscribe, unsubscribe, and requests."""
        message = json_object(text)
        action = str(message.get("action", ""))
        if action in ("subscribe", "unsubscribe"):
            self._change(client, action, message)
        else:
            answer_call(self._parts, client, action, lambda is_missing: self._answer(action, message, is_missing))

    def _answer(self, action: str, message: Json, is_missing: bool) -> Json:
        named: Json = {name: message[name] for name in ("requestId", "market") if name in message}
        try:
            if is_missing:
                raise BitvavoError(*NO_SUCH_ORDER)
            if action == "authenticate":
                self._account = self._signed(message)
                return {"event": "authenticate", "authenticated": True}
            return {"action": action, **named, "response": self._response(action, message)}
        except BitvavoError as error:
            return {"action": action, **named, "errorCode": error.code, "error": error.text}

    def _response(self, action: str, message: Json) -> Any:
        fields = as_texts({name: value for name, value in message.items() if name not in ("action", "requestId")})
        if action in PUBLIC:
            return self._answers.public(PUBLIC[action], fields)
        if action in OF_A_MARKET:
            return self._answers.public(f"/{fields.get('market', '')}/{OF_A_MARKET[action]}", fields)
        if action not in PRIVATE:
            raise BitvavoError(*NO_ENDPOINT)
        if self._account is None:
            raise BitvavoError(*UNSIGNED)
        return self._answers.private(*PRIVATE[action], self._account, fields)

    def _signed(self, message: Json) -> Account:
        sent = as_texts(message)
        key, signature, stamp = (sent.get(name, "") for name in ("key", "signature", "timestamp"))
        now_ms = self._parts.wall_ns() // 1_000_000
        return checked_account(self._exchange.accounts, key, signature, stamp, SOCKET_TEXT, now_ms)

    def _change(self, client: Client, action: str, message: Json) -> None:
        """Begins or ends streams, and answers with those that are told now."""
        try:
            streams = self._streams(message.get("channels"))
        except BitvavoError as error:
            answer = {"action": action, "errorCode": error.code, "error": error.text}
            self._hub.answer(client, msgspec.json.encode(answer))
            return
        if action == "subscribe":
            self._told |= streams
        else:
            self._told = {stream: named for stream, named in self._told.items() if stream not in streams}
        answer = {"event": f"{action}d", "subscriptions": self._subscriptions()}
        self._hub.answer(client, msgspec.json.encode(answer))
        for stream in streams:
            if action == "subscribe":
                self._hub.subscribe(client, stream)
            else:
                self._hub.unsubscribe(client, stream)

    def _streams(self, channels: object) -> dict[str, tuple[str, str, str]]:
        """The streams that are named. Raises BitvavoError for what is no channel, market or length."""
        found: dict[str, tuple[str, str, str]] = {}
        for channel in channels if isinstance(channels, list) and channels else [None]:
            if not isinstance(channel, dict):
                raise wrong("channels")
            name, markets = channel.get("name"), texts_of(channel.get("markets"))
            unknown = [market for market in markets if market not in self._exchange.markets]
            if unknown or not markets:
                raise wrong("market")
            for market in markets:
                if name == ACCOUNT:
                    if self._account is None:
                        raise BitvavoError(*UNSIGNED)
                    stream = account_stream(self._account.credentials.api_key, market)
                    found[stream] = (ACCOUNT, "", market)
                elif name == CANDLES:
                    for length in texts_of(channel.get("interval")) or [""]:
                        if length not in INTERVALS_NS:
                            raise wrong("interval")
                        found[f"{CANDLES}.{length}.{market}"] = (CANDLES, length, market)
                elif name in CHANNELS:
                    found[f"{name}.{market}"] = (name, "", market)
                else:
                    raise wrong("name")
        return found

    def _subscriptions(self) -> Json:
        """Markets by channel, those of candles by length."""
        found: Json = {}
        for channel, length, market in self._told.values():
            if length:
                found.setdefault(channel, {}).setdefault(length, []).append(market)
            else:
                found.setdefault(channel, []).append(market)
        return found


def texts_of(value: object) -> list[str]:
    """The texts of a list; none of what is no list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
