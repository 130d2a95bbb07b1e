"""The broadcast channels: one message is written once, whoever looks.

A channel is a snapshot with a number, then deltas with the next ones. A viewer that misses a number, or that was too
slow to take what was sent, gets a snapshot again.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

MOST_WAITING = 64
"""Messages that one viewer may leave untaken: three seconds of a busy chart. Behind that it gets a snapshot."""
MOST_CHANNELS = 32
"""That one viewer may watch at a time."""
MOST_OPEN = 128
"""Channels that all viewers together may have open: each may ask the engine."""

encoded = msgspec.json.Encoder(decimal_format="string").encode


class Viewer(Protocol):
    """One open page's connection."""

    @property
    def waiting(self) -> int:
        """Messages that were sent to it and have not left yet."""

    def send(self, message: bytes) -> None: ...


class Source(Protocol):
    """What a channel tells: made when the first viewer comes, closed when the last one leaves."""

    def snapshot(self) -> Mapping[str, Any] | None:
        """All that a viewer needs to begin; None while it is not known yet, and `publish` sends it later."""

    def close(self) -> None: ...


class Channel:
    """One name that viewers watch. `sequence` counts its deltas."""

    def __init__(self, name: str) -> None:
        self.name, self.sequence = name, 0
        self.source: Source | None = None
        self._viewers: set[Viewer] = set()
        self._behind: set[Viewer] = set()
        self._snapshot: tuple[int, bytes] | None = None

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def add(self, viewer: Viewer) -> None:
        self._viewers.add(viewer)
        if viewer.waiting > MOST_WAITING:  # asking again and again makes nobody's queue longer
            self._behind.add(viewer)
            return
        self._behind.discard(viewer)
        if (message := self._encoded_snapshot()) is not None:
            viewer.send(message)

    def remove(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        self._behind.discard(viewer)

    def delta(self, changes: Mapping[str, Any]) -> None:
        """To everybody, written once; a viewer that is behind waits for a snapshot instead."""
        self.sequence += 1
        self._snapshot = None
        message = encoded({"channel": self.name, "sequence": self.sequence, "delta": changes})
        for viewer in self._viewers:
            if viewer.waiting > MOST_WAITING:
                self._behind.add(viewer)
            elif viewer not in self._behind:
                viewer.send(message)
        if self._behind:
            self._catch_up()

    def snapshot(self) -> None:
        """A new one to everybody."""
        self.sequence += 1
        self._snapshot = None
        if (message := self._encoded_snapshot()) is None:
            return
        self._behind.clear()
        for viewer in self._viewers:
            if viewer.waiting > MOST_WAITING:
                self._behind.add(viewer)
            else:
                viewer.send(message)

    def _catch_up(self) -> None:
        for viewer in [one for one in self._behind if one.waiting == 0]:
            self.add(viewer)

    def _encoded_snapshot(self) -> bytes | None:
        """Written once for all that come between two deltas."""
        if self._snapshot is None or self._snapshot[0] != self.sequence:
            told = None if self.source is None else self.source.snapshot()
            if told is None:
                return None
            message = encoded({"channel": self.name, "sequence": self.sequence, "snapshot": told})
            self._snapshot = (self.sequence, message)
        return self._snapshot[1]


class Hub:
    """All channels of one dashboard. `open_source` makes a channel's source by its name; None: there is no such one."""

    def __init__(self, open_source: Callable[[Channel], Source | None]) -> None:
        self._open_source = open_source
        self._channels: dict[str, Channel] = {}
        self._watched: dict[Viewer, set[str]] = {}

    @property
    def viewers(self) -> int:
        return len(self._watched)

    @property
    def channels(self) -> Mapping[str, Channel]:
        return self._channels

    def enter(self, viewer: Viewer) -> None:
        self._watched[viewer] = set()

    def leave(self, viewer: Viewer) -> None:
        for name in self._watched.pop(viewer, set()):
            self._let_go(viewer, name)

    def watch(self, viewer: Viewer, names: frozenset[str]) -> None:
        """These channels and no others; those it watches already go on undisturbed."""
        has = self._watched[viewer]
        for name in has - names:
            has.discard(name)
            self._let_go(viewer, name)
        for name in sorted(names - has)[: MOST_CHANNELS - len(has)]:
            if (channel := self._channel(name)) is not None:
                has.add(name)
                channel.add(viewer)

    def again(self, viewer: Viewer, name: str) -> None:
        """A snapshot for a viewer that missed a number."""
        if name in self._watched.get(viewer, ()):
            self._channels[name].add(viewer)

    def _channel(self, name: str) -> Channel | None:
        channel = self._channels.get(name)
        if channel is None:
            if len(self._channels) >= MOST_OPEN:
                return None
            channel = Channel(name)
            channel.source = self._open_source(channel)
            if channel.source is None:
                return None
            self._channels[name] = channel
        return channel

    def _let_go(self, viewer: Viewer, name: str) -> None:
        channel = self._channels[name]
        channel.remove(viewer)
        if not channel.viewers:
            del self._channels[name]
            assert channel.source is not None
            channel.source.close()
