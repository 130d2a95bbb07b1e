"""The fault menu: what a simulated venue does wrong, declared as data. Same seed and requests, same faults.

A fault waits for requests (`method`, `path`) or stream messages (`stream`) that match its patterns (`*` stands for
anything), passes over the first `skip`, and strikes `count` times, each with `probability`.
"""

import json
import random
import tomllib
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workstation.errors import BadInput, ConfigError


class FaultKind(StrEnum):
    LATENCY = "latency"
    """The answer comes `seconds` late."""
    TIMEOUT_BEFORE = "timeout_before"
    """Nothing is done, and no answer comes."""
    TIMEOUT_AFTER = "timeout_after"
    """It is done, and no answer comes."""
    LATE_ACCEPT = "late_accept"
    """It is done only after `seconds`, when the client may have given up; then it is answered."""
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    """The connection is reset, before or after it is done."""
    HTML_502 = "html_502"
    """It is done, and answered with a proxy's page."""
    UNKNOWN_504 = "unknown_504"
    """It is done, and answered in the venue's words for: execution status unknown."""
    BUSY_503 = "busy_503"
    """Nothing is done; the venue is busy."""
    RATE_429 = "rate_429"
    BAN_418 = "ban_418"
    """Nothing is done; too many requests, or banned for them, `seconds` long, as the venue says it."""
    MALFORMED = "malformed"
    """It is done, and the answer is not JSON."""
    TRUNCATED = "truncated"
    """It is done, and the answer breaks off in the middle."""
    NOT_FOUND = "not_found"
    """The order that is asked for is not there yet."""
    SKEW = "skew"
    """The venue's clock is `seconds` ahead (or behind, if negative), while the fault is listed."""
    DROP_SOCKET = "drop_socket"
    """The stream's sockets are closed instead of the message."""
    SILENT_SOCKET = "silent_socket"
    """From this message on its sockets stay open and say nothing, not even to a ping."""
    SEQUENCE_GAP = "sequence_gap"
    """The message is left out."""
    DUPLICATE = "duplicate"
    """The message is sent twice: a fill reported twice."""
    LATE = "late"
    """The message is sent `seconds` later: a fill reported after the cancel."""
    GARBLED = "garbled"
    """The message breaks off in the middle: no JSON."""
    HUGE = "huge"
    """The message comes in a frame of `size` kB, up to 100 MB, filled up with blanks."""
    ABSURD = "absurd"
    """Its prices and quantities are NaN, infinite, negative, absurdly large, zero or null, in turn."""
    BURST = "burst"
    """`size` trades and quotes at once on the market `market`, when the fault is added."""


STREAM_KINDS = frozenset(
    {
        FaultKind.DROP_SOCKET,
        FaultKind.SILENT_SOCKET,
        FaultKind.SEQUENCE_GAP,
        FaultKind.DUPLICATE,
        FaultKind.LATE,
        FaultKind.GARBLED,
        FaultKind.ABSURD,
        FaultKind.HUGE,
    }
)
REQUEST_KINDS = frozenset(FaultKind) - STREAM_KINDS - {FaultKind.SKEW, FaultKind.BURST}


class Fault(BaseModel):
    """One entry of the menu."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    venue: str = "*"
    method: str = "*"
    path: str = "*"
    """Of a request, such as "/api/v3/order"; of one by WebSocket, whose method is WS, what it asks for."""
    stream: str = "*"
    """Of a message, as the venue names it; of an account's, "user" with the venue's word for it and for the state."""
    count: Annotated[int, Field(gt=0)] | None = None
    """None: until it is cleared."""
    skip: Annotated[int, Field(ge=0)] = 0
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 0
    seconds: Annotated[float, Field(ge=-3600, le=3600)] = 1.0
    market: str = ""
    size: Annotated[int, Field(gt=0, le=1_000_000)] = 1000


class _Armed:
    """A fault with its draws and what is left of it."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.number = number
        self.fault = fault
        self._draw = random.Random(fault.seed)
        self._to_skip = fault.skip
        self.struck = 0

    @property
    def is_spent(self) -> bool:
        return self.fault.count is not None and self.struck >= self.fault.count

    def strikes(self) -> bool:
        """Whether it strikes at this match."""
        if self._to_skip > 0:
            self._to_skip -= 1
            return False
        if self.is_spent or self._draw.random() >= self.fault.probability:
            return False
        self.struck += 1
        return True


class FaultMenu:
    """The faults in force, oldest first; the first that strikes is taken."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._next_number = 1

    def add(self, fault: Fault) -> int:
        """Its number, by which it is listed."""
        self._armed.append(_Armed(self._next_number, fault))
        self._next_number += 1
        return self._next_number - 1

    def clear(self, number: int | None = None) -> None:
        """Takes out one, or all."""
        self._armed = [one for one in self._armed if number is not None and one.number != number]

    def listed(self) -> list[dict[str, Any]]:
        """Each fault as data, with its number and how often it struck."""
        return [
            {"number": one.number, "struck": one.struck} | one.fault.model_dump(mode="json", exclude_defaults=True)
            for one in self._armed
        ]

    def on_request(self, venue: str, method: str, path: str) -> Fault | None:
        """The fault that strikes a request."""
        for one in self._armed:
            fault = one.fault
            if (
                fault.kind in REQUEST_KINDS
                and fnmatchcase(venue, fault.venue)
                and fnmatchcase(method, fault.method)
                and fnmatchcase(path, fault.path)
                and one.strikes()
            ):
                return fault
        return None

    def on_message(self, venue: str, stream: str) -> Fault | None:
        """The fault that strikes a stream's message."""
        for one in self._armed:
            fault = one.fault
            if (
                fault.kind in STREAM_KINDS
                and fnmatchcase(venue, fault.venue)
                and fnmatchcase(stream, fault.stream)
                and one.strikes()
            ):
                return fault
        return None

    @property
    def has_stream_faults(self) -> bool:
        """Whether a stream's messages must be looked at at all."""
        return bool(self._armed) and any(one.fault.kind in STREAM_KINDS and not one.is_spent for one in self._armed)

    def skew_ns(self, venue: str) -> int:
        """How far the venue's clock is ahead."""
        skews = (one.fault for one in self._armed if one.fault.kind is FaultKind.SKEW)
        return sum(round(fault.seconds * 1e9) for fault in skews if fnmatchcase(venue, fault.venue))


def parse_fault(fields: object) -> Fault:
    """A fault from JSON or TOML. Raises BadInput, which names the field."""
    try:
        return Fault.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "entry"
        raise BadInput(f"fault {where} {first.get('input')!r}: {first['msg']}") from None


def read_faults(path: Path) -> list[Fault]:
    """The faults of a file: `[[faults]]` in TOML, {"faults": [...]} in JSON. Raises ConfigError."""
    try:
        text = path.read_text("utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        return [parse_fault(fields) for fields in content["faults"]]
    except OSError as error:
        raise ConfigError(f"fault file {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"fault file {path}: {error}: expected a list `faults` of kind, path, count …") from None
