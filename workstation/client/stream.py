"""The event stream as events one after the other: through a restart of the engine, with what was missed named."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from enum import StrEnum
from typing import TypeVar

from anyio.from_thread import start_blocking_portal
from pydantic import BaseModel, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus

from workstation.client.frames import Gap, Heartbeat, Missed, Request, Subscribed, Wanted
from workstation.client.messages import StreamEvent, Topic
from workstation.client.problem import Problem, error_of
from workstation.errors import AccessRefused, BadInput, OperatorError

DELAYS_S = (1.0, 2.0, 4.0, 8.0, 16.0)
SILENCE_S = 75.0
"""Two heartbeats and a half: the connection is dead, whatever it says."""
REFUSED = (400, 401, 403)
LOSSES = (OSError, ConnectionClosed, InvalidHandshake, InvalidMessage)

Frame = TypeVar("Frame", bound=BaseModel)


class StreamState(StrEnum):
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class EventStream:
    """Iterated once. After a loss it tries again after 1, 2, 4, 8, 16, 16 … s, and resumes behind the last event.

    `on_gap` is told of events that are gone, `on_state` of each connection and loss. Raises AccessRefused for a token
    that is not the engine's, BadInput for what cannot be subscribed.
    """

    def __init__(
        self,
        url: str,
        token: str,
        topics: Iterable[str] = (),
        *,
        symbols: Iterable[str] | None = None,
        session: str | None = None,
        on_gap: Callable[[Gap], None] | None = None,
        on_state: Callable[[StreamState], None] | None = None,
        delays_s: Sequence[float] = DELAYS_S,
        silence_s: float = SILENCE_S,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._address = "ws" + url.removeprefix("http") + "/stream"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._wanted = _wanted(topics, symbols, session)
        self._on_gap, self._on_state = on_gap or _ignore, on_state or _ignore
        self._delays_s, self._silence_s, self._sleep = delays_s, silence_s, sleep
        self.sequence: int | None = None
        """All that was wanted up to here has come, or was told as missed; None before the first connection."""
        self.life: str | None = None
        self.loss = ""
        """Why the last connection ended, or none was made."""

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        return self._lasting()

    async def _lasting(self) -> AsyncGenerator[StreamEvent, None]:
        attempts = 0
        while True:
            try:
                async with self._connection() as socket:
                    await self._subscribe(socket)
                    attempts = 0
                    self._on_state(StreamState.CONNECTED)
                    async with aclosing(self._events(socket)) as events:
                        async for event in events:
                            yield event
            except InvalidStatus as error:
                if error.response.status_code in REFUSED:
                    raise _refusal(error) from error
                self.loss = str(error)
            except LOSSES as error:
                self.loss = str(error)
            if not attempts:
                self._on_state(StreamState.DISCONNECTED)
            await self._sleep(self._delays_s[min(attempts, len(self._delays_s) - 1)])
            attempts += 1

    def _connection(self) -> connect:
        # no proxy of the environment: it would be shown the token
        return connect(self._address, additional_headers=self._headers, compression=None, proxy=None)

    async def _subscribe(self, socket: ClientConnection) -> None:
        request = Request(subscribe=self._wanted, resume_from=self.sequence, life=self.life)
        await socket.send(request.model_dump_json(exclude_none=True))
        text = await self._received(socket)
        if text.startswith('{"error"'):
            raise error_of(_parsed(Problem, text))
        told = _parsed(Subscribed, text).subscribed
        if self.sequence is None:
            self.sequence = told.sequence
        elif told.life != self.life:
            self.sequence = 0
        self.life = told.life
        if told.missed is not None:
            self._on_gap(told.missed)

    async def _events(self, socket: ClientConnection) -> AsyncGenerator[StreamEvent, None]:
        while True:
            text = await self._received(socket)
            if text.startswith('{"topic"'):
                event = _parsed(StreamEvent, text)
                self.sequence = event.sequence
                yield event
            elif text.startswith('{"missed"'):
                self._on_gap(_parsed(Missed, text).missed)
            elif text.startswith('{"heartbeat"'):
                # it comes behind everything wanted up to its sequence
                self.sequence = max(self.sequence or 0, _parsed(Heartbeat, text).heartbeat.sequence)

    async def _received(self, socket: ClientConnection) -> str:
        async with asyncio.timeout(self._silence_s):
            return str(await socket.recv(decode=True))


def listen(
    url: str,
    token: str,
    topics: Iterable[str] = (),
    *,
    symbols: Iterable[str] | None = None,
    session: str | None = None,
    on_gap: Callable[[Gap], None] | None = None,
    on_state: Callable[[StreamState], None] | None = None,
) -> Iterator[StreamEvent]:
    """The stream for code without an event loop of its own, a notebook's cell too; a thread keeps the connection."""
    stream = EventStream(url, token, topics, symbols=symbols, session=session, on_gap=on_gap, on_state=on_state)
    return _pulled(stream)


def _pulled(stream: EventStream) -> Iterator[StreamEvent]:
    events = aiter(stream)

    async def following() -> StreamEvent:
        return await anext(events)

    with start_blocking_portal() as portal:  # leaving it ends the task and closes the connection
        while True:
            yield portal.call(following)


def _wanted(topics: Iterable[str], symbols: Iterable[str] | None, session: str | None) -> Wanted:
    try:
        return Wanted(
            topics=frozenset(Topic(topic) for topic in topics) or frozenset(Topic),
            symbols=None if symbols is None else frozenset(symbols),
            session=session,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{'.'.join(map(str, first['loc']))} = {first['input']!r}: {first['msg']}") from error
    except ValueError as error:
        raise BadInput(f"{error}: expected {', '.join(Topic)}") from error


def _refusal(error: InvalidStatus) -> Exception:
    try:
        return error_of(Problem.model_validate_json(error.response.body or b""))
    except ValidationError:
        return AccessRefused(f"the event stream was refused with status {error.response.status_code}")


def _parsed(kind: type[Frame], text: str) -> Frame:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise OperatorError(f"the event stream is not of this version: {error.error_count()} fields differ") from error


def _ignore(_: object) -> None:
    """Nobody wants to know."""
