"""Keys of a link that is used once and soon: whoever can read where it was printed owns this home anyway."""

import hashlib
import secrets
from collections.abc import Callable

KEY_BYTES = 32
LASTS_S = 600.0
MOST_KEYS = 16
"""Unused at a time; the oldest gives way."""


class OneTimeKeys:
    """`now_s` is any clock that goes forward. Kept as hashes: what is looked up tells nothing about what is kept."""

    def __init__(self, now_s: Callable[[], float], lasts_s: float = LASTS_S) -> None:
        self._now_s, self._lasts_s = now_s, lasts_s
        self._ends_s: dict[bytes, float] = {}

    def __len__(self) -> int:
        return len(self._ends_s)

    def new(self) -> str:
        """A key of 256 random bits, as a link can hold it."""
        key = secrets.token_urlsafe(KEY_BYTES)
        self._ends_s[_digest(key)] = self._now_s() + self._lasts_s
        while len(self._ends_s) > MOST_KEYS:
            del self._ends_s[next(iter(self._ends_s))]
        return key

    def take(self, key: str) -> bool:
        """Whether it was a key of ours in its time. It is none any more."""
        ends_s = self._ends_s.pop(_digest(key), None)
        return ends_s is not None and self._now_s() < ends_s


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
