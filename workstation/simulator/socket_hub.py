"""Clients of a simulated venue's streams: a message is encoded and framed once, and written to all its subscribers.

Frames gather until `flush`, so that a client gets what one step of the market brings in one write. A client that does
not read is dropped when MOST_BUFFERED bytes wait for it.
"""

import asyncio
import struct
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator

MOST_BUFFERED = 4 * 1024 * 1024
FINAL_TEXT, FINAL_BINARY = 0x81, 0x82

Envelope = Callable[[str, bytes], bytes]
"""What some sockets want a message wrapped in, given its stream."""
Framing = Callable[[bytes], bytes]
"""How a message is written to its connection."""


def text_frame(payload: bytes) -> bytes:
    """A whole text message as a server sends it."""
    return _frame(FINAL_TEXT, payload)


def binary_frame(payload: bytes) -> bytes:
    """A whole message of bytes as a server sends it."""
    return _frame(FINAL_BINARY, payload)


def _frame(first: int, payload: bytes) -> bytes:
    """Unmasked: RFC 6455 section 5.2."""
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", first, length) + payload
    if length < 65_536:
        return struct.pack("!BBH", first, 126, length) + payload
    return struct.pack("!BBQ", first, 127, length) + payload


def line_chunk(payload: bytes) -> bytes:
    """A line as a piece of an answer that goes on: RFC 9112 section 7.1."""
    return b"%x\r\n%s\n\r\n" % (len(payload) + 1, payload)


class Client:
    """One connection: its streams, and what waits to be written. `end` ends it in the regular way."""

    def __init__(
        self,
        venue: str,
        transport: asyncio.Transport,
        end: Callable[[], Awaitable[object]],
        envelope: Envelope | None = None,
        framing: Framing = text_frame,
    ) -> None:
        self.venue = venue
        self.envelope = envelope
        self.framing = framing
        self.is_silent = False
        self.streams: set[str] = set()
        self.sent = 0
        self._end = end
        self._transport = transport
        self._waiting: list[bytes] = []

    def send(self, frame: bytes) -> None:
        """Puts a frame in line."""
        if not self.is_silent:
            self._waiting.append(frame)

    def flush(self) -> bool:
        """Writes what waits; False for a client that is gone or was dropped for not reading."""
        if self._transport.is_closing():
            return False
        if self._waiting:
            self.sent += len(self._waiting)
            # one huge frame is no sign of a client that does not read
            most = MOST_BUFFERED + max(map(len, self._waiting))
            self._transport.write(b"".join(self._waiting))
            self._waiting.clear()
            if self._transport.get_write_buffer_size() > most:
                self.abort()
                return False
        return True

    def abort(self) -> None:
        """Ends the connection at once, unsent data lost."""
        self._transport.abort()

    async def close(self) -> None:
        """Ends it in the regular way, all that waits written before."""
        self.flush()
        await self._end()


class SocketHub:
    """All clients of one venue, by stream."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._subscribers: defaultdict[str, dict[Client, None]] = defaultdict(dict)
        self._touched: dict[Client, None] = {}

    def __iter__(self) -> Iterator[Client]:
        return iter(tuple(self._clients))

    def add(self, client: Client) -> None:
        self._clients.add(client)

    def remove(self, client: Client) -> None:
        """It is gone."""
        for stream in tuple(client.streams):
            self.unsubscribe(client, stream)
        self._clients.discard(client)
        self._touched.pop(client, None)

    def subscribe(self, client: Client, stream: str) -> None:
        client.streams.add(stream)
        self._subscribers[stream][client] = None

    def unsubscribe(self, client: Client, stream: str) -> None:
        client.streams.discard(stream)
        self._subscribers[stream].pop(client, None)
        if not self._subscribers[stream]:
            del self._subscribers[stream]

    def is_wanted(self, stream: str) -> bool:
        """Whether anybody listens: nobody means that the message need not be made."""
        return stream in self._subscribers

    def wanted(self) -> list[str]:
        """All streams with a listener."""
        return list(self._subscribers)

    def subscribers(self, stream: str) -> list[Client]:
        return list(self._subscribers.get(stream, ()))

    def publish(self, stream: str, payload: bytes, own_framing: Framing | None = None) -> None:
        """One message to everybody on the stream; `own_framing` in place of that of their connections."""
        frames: dict[tuple[Envelope | None, Framing], bytes] = {}
        for client in self._subscribers.get(stream, ()):
            envelope, framing = client.envelope, own_framing or client.framing
            frame = frames.get((envelope, framing))
            if frame is None:
                frame = framing(payload if envelope is None else envelope(stream, payload))
                frames[envelope, framing] = frame
            client.send(frame)
            self._touched[client] = None

    def answer(self, client: Client, payload: bytes) -> None:
        """One message to one client, at once."""
        client.send(client.framing(payload))
        self._flush_one(client)

    def flush(self) -> None:
        """Writes all that was published."""
        touched, self._touched = self._touched, {}
        for client in touched:
            self._flush_one(client)

    def _flush_one(self, client: Client) -> None:
        if not client.flush():
            self.remove(client)
