"""The broadcast channel's end on the server: one WebSocket for each open page.

from the page   {"watch": ["state", "candles:nova:BTC/USDT:1m"]}     these and no others; [] where the tab is hidden
                {"again": "state"}                                   it missed a number
to the page     {"channel": …, "sequence": …, "snapshot": {…}}, {"channel": …, "sequence": …, "delta": {…}}
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from workstation.dashboard.hub import MOST_CHANNELS, Hub

MOST_BYTES = 16 * 1024
POLICY = 1008
LONGEST_NAME = 750
"""Of three instruments with the longest symbols that a folder can have."""
MOST_A_SECOND = 20
"""Messages of one page: it says what it watches, and when it missed something."""
KNOWN_FOR_S = 1.0
"""Who was removed or has logged out is told nothing more after so long."""
Name = str


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """One message of a page."""

    watch: list[Name] | None = None
    again: Name | None = None


class ChannelHandler(WebSocketHandler):
    """A page of a stranger, or of another origin, is refused before the handshake."""

    def initialize(self, hub: Hub, is_known: Callable[[WebSocketHandler], bool]) -> None:
        self._hub, self._is_known = hub, is_known
        self.waiting = 0
        self._known_s = self._second_s = time.monotonic()
        self._asked = 0

    def check_origin(self, origin: str) -> bool:
        """The page's own origin alone: tornado compares it with the Host header."""
        return bool(super().check_origin(origin))

    async def prepare(self) -> None:
        if not self._is_known(self):
            self.send_error(403)

    def open(self, *_: str, **__: str) -> None:
        self.set_nodelay(True)
        self._hub.enter(self)

    def on_message(self, message: str | bytes) -> None:
        if not self._is_still_known() or self._asks_too_often():
            return
        try:
            asked = msgspec.json.decode(message, type=Asked)
        except (msgspec.DecodeError, UnicodeError):
            self.close(POLICY, "not a message of this channel")
            return
        names = (asked.watch or []) + ([asked.again] if asked.again else [])
        if len(names) > MOST_CHANNELS or any(len(name) > LONGEST_NAME for name in names):
            self.close(POLICY, f"more than {MOST_CHANNELS} channels")
            return
        if asked.watch is not None:
            self._hub.watch(self, frozenset(asked.watch))
        if asked.again is not None:
            self._hub.again(self, asked.again)

    def on_close(self) -> None:
        self._hub.leave(self)

    def send(self, message: bytes) -> None:
        """Leaves without being waited for; `waiting` counts what has not left."""
        if not self._is_still_known():
            return
        try:
            sent = self.write_message(message)
        except WebSocketClosedError:
            return
        if sent.done():
            return
        self.waiting += 1
        sent.add_done_callback(self._has_left)

    def _is_still_known(self) -> bool:
        now_s = time.monotonic()
        if now_s - self._known_s < KNOWN_FOR_S:
            return True
        self._known_s = now_s
        if self._is_known(self):
            return True
        self._known_s = -KNOWN_FOR_S
        self.close(POLICY, "logged out")
        return False

    def _asks_too_often(self) -> bool:
        now_s = time.monotonic()
        if now_s - self._second_s >= 1.0:
            self._second_s, self._asked = now_s, 0
        self._asked += 1
        if self._asked <= MOST_A_SECOND:
            return False
        self.close(POLICY, f"more than {MOST_A_SECOND} messages a second")
        return True

    def _has_left(self, sent: Any) -> None:
        self.waiting -= 1
        sent.exception()  # a connection that broke meanwhile says so in on_close
