"""How messages of streams are written, as far as faults must know to break them."""

from itertools import cycle
from typing import Any, Protocol

import msgspec

from workstation.simulator.socket_hub import Framing

NONSENSE = ("NaN", "Infinity", "-1", "1e308", "0", None, "", "1,5")
"""Figures that no market has."""


class Coding(Protocol):
    @property
    def framing(self) -> Framing | None:
        """How they are framed; None: as their connections do."""
        ...

    def filled_up(self, payload: bytes, size: int) -> bytes:
        """The same message, larger by about `size` bytes that mean nothing."""
        ...

    def absurd(self, payload: bytes) -> bytes:
        """The message with figures that no market has."""
        ...


class JsonCoding:
    """`figures`: the names of fields, at any depth of a message, that hold prices and quantities."""

    framing = None

    def __init__(self, figures: frozenset[str]) -> None:
        self._figures = figures
        self._nonsense = cycle(NONSENSE)

    def filled_up(self, payload: bytes, size: int) -> bytes:
        return payload + b" " * size

    def absurd(self, payload: bytes) -> bytes:
        return msgspec.json.encode(self._absurd(msgspec.json.decode(payload)))

    def _absurd(self, part: Any, *, is_figure: bool = False) -> Any:
        if isinstance(part, dict):
            return {name: self._absurd(value, is_figure=name in self._figures) for name, value in part.items()}
        if isinstance(part, list):
            return [self._absurd(value, is_figure=is_figure) for value in part]
        return next(self._nonsense) if is_figure else part
