"""The two kinds of socket of Binance's USD-M futures: `public` for books and best prices, `market` for the rest."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec

from workstation.simulator.binanceusdm.streams import UsdmStreams
from workstation.simulator.request_fields import json_object
from workstation.simulator.socket_hub import Client, Envelope
from workstation.simulator.wire import SocketTalk

MOST_STREAMS = 1024
"""On one socket."""
ADDRESS = re.compile(r"/(public|market)/(?:ws(?:/(.*))?|(stream))")
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")


def combined(stream: str, payload: bytes) -> bytes:
    """What a socket of combined streams is sent."""
    return b'{"stream":"%b","data":%b}' % (stream.encode(), payload)


def talk_at(streams: UsdmStreams, path: str, query: str) -> SocketTalk | None:
    """/public/ws/<stream>, /market/stream?streams=<a>/<b>; None for another address."""
    match = ADDRESS.fullmatch(path)
    if match is None:
        return None
    named = parse_qs(query).get("streams", [""])[0].split("/") if match[3] else [match[2] or ""]
    return StreamTalk(streams, match[1], named, is_combined=match[3] is not None)


class StreamTalk:
    """A socket of one category; `named` are the streams of its address, as far as there are such."""

    def __init__(self, streams: UsdmStreams, category: str, named: Sequence[str], *, is_combined: bool) -> None:
        self._streams, self._hub, self._category, self._named = streams, streams.hub, category, named
        self.envelope: Envelope | None = combined if is_combined else None

    def opened(self, client: Client) -> None:
        for stream in self._named:
            if self._streams.is_known(stream, self._category):
                self._hub.subscribe(client, stream)

    def said(self, client: Client, text: str) -> None:
        """SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS."""
        message = json_object(text)
        method, given = message.get("method"), message.get("params")
        wanted = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
        fault = self._fault(client, method, wanted)
        answer: dict[str, Any] = {"result": None}
        if fault is not None:
            answer = {"error": {"code": 2, "msg": f"Invalid request: {fault}"}}
        elif method == "LIST_SUBSCRIPTIONS":
            answer["result"] = sorted(client.streams)
        else:
            change = self._hub.subscribe if method == "SUBSCRIBE" else self._hub.unsubscribe
            for name in wanted:
                change(client, name)
        self._hub.answer(client, msgspec.json.encode({**answer, "id": message.get("id")}))

    def _fault(self, client: Client, method: Any, wanted: Sequence[str]) -> str | None:
        """What is wrong with a request; None for nothing."""
        if method not in METHODS:
            return f"unknown variant `{method}`, expected one of {', '.join(f'`{name}`' for name in METHODS)}"
        unknown = [name for name in wanted if not self._streams.is_known(name, self._category)]
        if unknown:
            return f"invalid stream {unknown[0]}"
        if method == "SUBSCRIBE" and len(client.streams | set(wanted)) > MOST_STREAMS:
            return f"more than {MOST_STREAMS} streams"
        return None
