"""MEXC's two kinds of socket: channels of spot, an account's by its listen key; and channels of perpetuals."""

from typing import Any

import msgspec

from workstation.simulator.accounts import Account
from workstation.simulator.mexc.errors import NO_TRADING
from workstation.simulator.mexc.spot_streams import PRIVATE_CHANNELS, SpotStreams, account_stream
from workstation.simulator.mexc.streams import MexcStreams
from workstation.simulator.request_fields import as_texts, json_object
from workstation.simulator.socket_hub import Client, SocketHub
from workstation.simulator.wire import WireParts

Json = dict[str, Any]
MOST_CHANNELS = 30
"""Of spot, on one socket."""
INVALID_KEY = b"Invalid listen key"


class SpotTalk:
    """One socket of spot; `account` is whose listen key opened it."""

    envelope = None

    def __init__(self, streams: SpotStreams, hub: SocketHub, account: Account | None, *, has_wrong_key: bool) -> None:
        self._streams, self._hub, self._account, self._has_wrong_key = streams, hub, account, has_wrong_key

    def opened(self, client: Client) -> None:
        """A listen key that is not known is told at once."""
        if self._has_wrong_key:
            self._hub.answer(client, INVALID_KEY)

    def said(self, client: Client, text: str) -> None:
        """PING, SUBSCRIPTION, UNSUBSCRIPTION."""
        message = json_object(text)
        method, named = str(message.get("method", "")).upper(), message.get("params")
        channels = [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
        if method == "PING":
            told = "PONG"
        elif method == "SUBSCRIPTION":
            told = self._begin(client, channels)
        elif method == "UNSUBSCRIPTION":
            for channel in channels:
                self._hub.unsubscribe(client, self._stream(channel) or channel)
            told = ",".join(channels)
        else:
            told = "parameter error"
        answer = {"id": message.get("id", 0), "code": 0, "msg": told}
        self._hub.answer(client, msgspec.json.encode(answer))

    def _begin(self, client: Client, channels: list[str]) -> str:
        """Subscribes to what there is; what is told of it."""
        streams = [self._stream(channel) for channel in channels]
        refused = [channel for channel, stream in zip(channels, streams, strict=True) if stream is None]
        known = [stream for stream in streams if stream is not None]
        if len(client.streams | set(known)) > MOST_CHANNELS:
            refused, known = channels, []
        for stream in known:
            self._hub.subscribe(client, stream)
        if refused or not channels:
            return f"Not Subscribed successfully! [{','.join(refused)}].  Reason\uff1a Blocked! "
        return ",".join(channels)

    def _stream(self, channel: str) -> str | None:
        """The stream that a channel is on this socket; None where there is none."""
        if channel in PRIVATE_CHANNELS:
            return None if self._account is None else account_stream(self._account.credentials.api_key, channel)
        return channel if self._streams.is_known(channel) else None


class ContractTalk:
    """One socket of perpetuals."""

    envelope = None

    def __init__(self, streams: MexcStreams, parts: WireParts) -> None:
        self._streams, self._hub, self._wall_ns = streams.contracts, parts.hub, parts.wall_ns

    def opened(self, client: Client) -> None:
        """Nothing is told unasked."""

    def said(self, client: Client, text: str) -> None:
        """ping, sub.<channel>, unsub.<channel>."""
        message = json_object(text)
        method, given = str(message.get("method", "")), message.get("param")
        fields = as_texts(given if isinstance(given, dict) else {})
        begin, _, channel = method.partition(".")
        if method == "ping":
            self._tell(client, "pong", self._wall_ns() // 1_000_000)
        elif method == "login":
            self._tell(client, "rs.error", NO_TRADING[1])
        elif begin not in ("sub", "unsub"):
            self._tell(client, "rs.error", f"unknown method {method}")
        else:
            stream = self._streams.stream_of(channel, fields.get("symbol", ""), fields.get("interval", "Min1"))
            if stream is None:
                self._tell(client, "rs.error", f"Contract [{fields.get('symbol', '')}] not exists")
                return
            (self._hub.subscribe if begin == "sub" else self._hub.unsubscribe)(client, stream)
            self._tell(client, f"rs.{method}", "success")

    def _tell(self, client: Client, channel: str, data: Any) -> None:
        message: Json = {"channel": channel, "data": data, "ts": self._wall_ns() // 1_000_000}
        self._hub.answer(client, msgspec.json.encode(message))
