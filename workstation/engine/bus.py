"""The engine's events on their way to whoever looks: numbered, kept for a while, written as JSON at most once each.

All in the engine's one thread: a subscriber is called before `publish` returns, and only takes note.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any, NamedTuple

import msgspec
import numpy as np
from pydantic import BaseModel

from workstation.client.messages import PASSING, Topic
from workstation.errors import BadInput

CAPACITY = 10_000

log = logging.getLogger(__name__)


class Published:
    """One event. `data` is not changed after publishing: it is written when somebody first looks."""

    __slots__ = ("_encoded", "data", "sequence", "session", "symbol", "time_ns", "topic")

    def __init__(
        self,
        topic: Topic,
        sequence: int,
        time_ns: int,
        session: str | None,
        symbol: str | None,
        data: Mapping[str, Any] | BaseModel,
    ) -> None:
        self.topic, self.sequence, self.time_ns = topic, sequence, time_ns
        self.session, self.symbol, self.data = session, symbol, data
        self._encoded: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """A `StreamEvent` as JSON; numbers that are none (NaN, infinity) are null, decimals are strings."""
        if self._encoded is None:
            self._encoded = self._encode()
        return self._encoded

    def _encode(self) -> bytes:
        event = {
            "topic": self.topic,
            "sequence": self.sequence,
            "time_ns": self.time_ns,
            "session": self.session,
            "symbol": self.symbol,
            "data": self.data,
        }
        try:
            return _encoder.encode(event)
        except (TypeError, ValueError, OverflowError) as error:  # half a surrogate pair from a venue's text, say
            log.warning("%s %d cannot be written as JSON: %s", self.topic, self.sequence, error)
            return _encoder.encode(event | {"session": None, "symbol": None, "data": {"unwritten": ascii(self.data)}})


class Backlog(NamedTuple):
    """What came after a sequence: the first and last that are kept no more (None: nothing is missing), and the rest."""

    missed: tuple[int, int] | None
    events: list[Published]


Subscriber = Callable[[Published], None]
Wants = Callable[[Topic, str | None], bool]
"""Whether events of a topic, about a symbol or any, are wanted now."""


class Bus:
    """Counts from 1 in each life of the engine; keeps the last `capacity` events, those of passing topics aside."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < 1:
            raise BadInput(f"bus capacity {capacity}: expected 1 event or more")
        self._ring: deque[Published] = deque(maxlen=capacity)
        self._subscribers: tuple[tuple[Subscriber, Wants], ...] = ()
        self._gone = 0
        """The newest that was kept and is no more."""
        self.sequence = 0
        """Of the newest event."""

    def publish(
        self,
        topic: Topic,
        data: Mapping[str, Any] | BaseModel,
        *,
        time_ns: int,
        session: str | None = None,
        symbol: str | None = None,
    ) -> Published:
        """One event to all subscribers; one that raises is not called again, and publishing goes on."""
        self.sequence += 1
        event = Published(topic, self.sequence, time_ns, session, symbol, data)
        if topic not in PASSING:
            self._keep(event)
        for subscriber, _ in self._subscribers:
            try:
                subscriber(event)
            except Exception:  # who looks must not stop what trades
                log.exception("a subscriber failed on %s %d and is not called again", topic, event.sequence)
                self._drop(subscriber)
        return event

    def subscribe(self, subscriber: Subscriber, wants: Wants = lambda topic, symbol: True) -> Callable[[], None]:
        """Calls it for each event from now on, until what is returned is called. `wants` spares making events of
        passing topics: who publishes them asks `is_wanted` first."""
        self._subscribers = (*self._subscribers, (subscriber, wants))
        return lambda: self._drop(subscriber)

    def is_wanted(self, topic: Topic, symbol: str | None = None) -> bool:
        """Whether any subscriber wants it now; None: of any symbol."""
        return any(wants(topic, symbol) for _, wants in self._subscribers)

    def since(self, sequence: int) -> Backlog:
        """What came after `sequence`, as far as it is kept."""
        missed = (sequence + 1, self._gone) if sequence < self._gone else None
        newest_first = takewhile(lambda event: event.sequence > sequence, reversed(self._ring))
        return Backlog(missed, list(newest_first)[::-1])

    def _keep(self, event: Published) -> None:
        if len(self._ring) == self._ring.maxlen:
            self._gone = self._ring[0].sequence
        self._ring.append(event)

    def _drop(self, subscriber: Subscriber) -> None:
        self._subscribers = tuple(pair for pair in self._subscribers if pair[0] is not subscriber)


def _plain(value: object) -> object:
    """What msgspec does not know by itself."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r}")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
