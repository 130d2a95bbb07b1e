"""The event stream: one mailbox for each client, and each event written once for all of them."""

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from workstation.client.frames import Beat, Heartbeat
from workstation.client.messages import Topic
from workstation.client.problem import Problem
from workstation.engine.bus import Bus, Published
from workstation.server.auth import bearer_of, is_same_token
from workstation.server.listener import Listener
from workstation.server.mailbox import Mailbox
from workstation.server.settings import ServerSettings

REFUSED = "AccessRefused"


class Stream:
    """The ASGI application of `/stream`. `life` names the engine's present life."""

    def __init__(self, bus: Bus, token: str, settings: ServerSettings, life: str, now_s: Callable[[], float]) -> None:
        self._bus, self._token, self._settings, self._life, self._now_s = bus, token, settings, life, now_s
        self._listeners: dict[Mailbox, Listener] = {}
        self._by_topic: dict[Topic, tuple[Mailbox, ...]] = {}
        self._symbols: dict[Topic, frozenset[str] | None] = {}
        """Of each topic that is wanted, which; None: all."""
        self._beat: asyncio.TimerHandle | None = None
        self.sent = 0
        self._lost = self._conflated = 0
        bus.subscribe(self._on_event, self._wants)

    @property
    def clients(self) -> int:
        return len(self._listeners)

    @property
    def waiting(self) -> int:
        """Events that clients have yet to take."""
        return sum(map(len, self._listeners))

    @property
    def lost(self) -> int:
        """Events that were dropped for slow clients, and told to them."""
        return self._lost + sum(mailbox.lost for mailbox in self._listeners)

    @property
    def conflated(self) -> int:
        """Market data that gave way to newer for slow clients."""
        return self._conflated + sum(mailbox.conflated for mailbox in self._listeners)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shown = bearer_of(Headers(scope=scope))
        if shown is not None and not is_same_token(shown, self._token):
            await self._deny(scope, receive, send, 401, "the token is not this engine's")
        elif len(self._listeners) >= self._settings.most_clients:
            await self._deny(scope, receive, send, 503, f"the stream has {len(self._listeners)} clients, its most")
        else:
            await self._serve(receive, send, is_known=shown is not None)

    async def _serve(self, receive: Receive, send: Send, *, is_known: bool) -> None:
        taken = asyncio.Event()
        mailbox = Mailbox(self._settings.waiting_events, taken.set)
        token = None if is_known else self._token
        listener = Listener(self._bus, mailbox, taken, receive, send, self._settings, self._life, token, self._now_s)
        listener.on_wanted = self._index
        self._listeners[mailbox] = listener
        self._arm()
        try:
            await listener.run()
        finally:
            del self._listeners[mailbox]
            self._index()
            self.sent += listener.sent
            self._lost += mailbox.lost
            self._conflated += mailbox.conflated

    async def _deny(self, scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
        problem = Problem(error=why, kind=REFUSED if status == 401 else "RetryError")
        response = JSONResponse(problem.model_dump(), status)
        await response({**scope, "type": "websocket"}, receive, send)

    def _on_event(self, event: Published) -> None:
        for mailbox in self._by_topic.get(event.topic, ()):
            if mailbox.is_for(event):
                mailbox.put(event)

    def _wants(self, topic: Topic, symbol: str | None) -> bool:
        if topic not in self._symbols:
            return False
        wanted = self._symbols[topic]
        return symbol is None or wanted is None or symbol in wanted

    def _index(self) -> None:
        """Who wants which topic, anew after each change."""
        self._by_topic, self._symbols = {}, {}
        for topic in Topic:
            boxes = [box for box in self._listeners if box.wanted is not None and topic in box.wanted.topics]
            if boxes:
                symbols = [box.wanted.symbols for box in boxes if box.wanted is not None]
                named = [one for one in symbols if one is not None]
                self._by_topic[topic] = tuple(boxes)
                self._symbols[topic] = frozenset().union(*named) if len(named) == len(symbols) else None

    def _arm(self) -> None:
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(self._settings.heartbeat_s, self._on_beat)

    def _on_beat(self) -> None:
        self._beat = None
        text = Heartbeat(heartbeat=Beat(sequence=self._bus.sequence)).model_dump_json()
        for listener in tuple(self._listeners.values()):
            listener.beat(text)
        if self._listeners:
            self._arm()
