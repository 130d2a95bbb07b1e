"""Facts as bytes: canonical JSON bodies, their versions, and the hash chain over them.

A body is JSON with sorted keys, Decimals as strings and enums by value: the same event gives the same bytes. What is
written is what will be read: a body that does not decode to an equal event is refused before it is queued.

The chain: hash = sha256(previous hash, all of the row), per session, from GENESIS; every text has its length before it,
so no two rows are hashed alike. The run, the venue's ids and the time of writing stand outside it: the same inputs give
the same chain in every run.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator
from decimal import Decimal
from operator import index
from typing import Any, NamedTuple, cast

import msgspec

from workstation.errors import BadInput, JournalCorrupt, OperatorError
from workstation.model.events import KINDS, Event, Fact, OrderSubmitted
from workstation.model.ids import ClientOrderId, RunId, SessionId

GENESIS = bytes(32)
"""The previous hash of a session's first row."""

VERSIONS: dict[str, int] = {}
"""The present version of each event whose version is not 1."""

UPCASTERS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""(name, version) -> the body of that version as the body of the next; entries are added, never removed."""

_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {type_.__name__: msgspec.json.Decoder(type_) for type_ in KINDS}
_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="string")
_HEADER = struct.Struct(">qiqqqqqB5I")
_FIVE_INTEGERS = struct.Struct("=5q")


class JournalRow(NamedTuple):
    """One stored fact; a NamedTuple, as a fold reads 100,000 of them. Times are ns UTC, hashes 32 bytes."""

    run_id: RunId
    session_id: SessionId
    position: int
    kind: str
    name: str
    version: int
    body: bytes
    sequence: int
    ts_received: int
    ts_event: int | None
    ts_decided: int | None
    ts_due: int | None
    market_row: bytes | None
    previous_hash: bytes
    hash: bytes

    def fact(self) -> Fact:
        """The fact this row keeps. Raises as `decode_event` does."""
        return Fact(
            decode_event(self.name, self.version, self.body),
            self.sequence,
            self.ts_received,
            self.ts_event,
            self.ts_decided,
            self.ts_due,
            self.market_row,
        )

    def expected_hash(self) -> bytes:
        """What `hash` must be, by all that stands inside the chain."""
        return chain_hash(self.previous_hash, *self[1:13])


class PreparedFact(NamedTuple):
    """A fact as bytes, before it has a place: what `chain_hash` wants after the position, and an intent's order id."""

    values: tuple[str, str, int, bytes, int, int, int | None, int | None, int | None, bytes | None]
    client_order_id: ClientOrderId | None


def prepare_fact(fact: Fact) -> PreparedFact:
    """Raises BadInput as `encode_event` does, and for a time or sequence that is no integer of 64 bits."""
    event = fact.event
    name, version, body = encode_event(event)
    try:
        sequence, received = index(fact.sequence), index(fact.ts_received)
        event_ns, decided_ns, due_ns = _time(fact.ts_event), _time(fact.ts_decided), _time(fact.ts_due)
        _FIVE_INTEGERS.pack(sequence, received, event_ns or 0, decided_ns or 0, due_ns or 0)
    except (struct.error, TypeError) as error:
        raise BadInput(f"fact {fact}: sequence and times are integers of 64 bits: {error}") from error
    kind = KINDS[type(event)].value
    values = (kind, name, version, body, sequence, received, event_ns, decided_ns, due_ns, fact.market_row)
    return PreparedFact(values, event.request.client_order_id if isinstance(event, OrderSubmitted) else None)


def encode_event(event: Event) -> tuple[str, int, bytes]:
    """Name, version and canonical body.

    Raises BadInput for what is no event, for NaN and infinities, and for a value that is not of its field's type.
    """
    name = type(event).__name__
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise BadInput(f"{name}: not an event of the journal (known: {', '.join(_DECODERS)})")
    try:
        body = _ENCODER.encode(event)
        is_same = decoder.decode(body) == event
    except (TypeError, ValueError, ArithmeticError) as error:  # a signalling NaN raises where it is compared
        raise BadInput(f"{name}: {error}") from error
    if not is_same:
        raise BadInput(f"{name}: {_first_wrong_field(event, decoder.decode(body), name)}")
    if b'Infinity"' in body:  # may be honest text, so look
        for path, number in _decimals(event, name):
            if not number.is_finite():
                raise BadInput(f"{path} {number}: expected a finite number")
    return name, VERSIONS.get(name, 1), body


def decode_event(name: str, version: int, body: bytes) -> Event:
    """The event of a stored body, brought to the present version first.

    Raises OperatorError for a name or version this program does not know yet, JournalCorrupt for an unreadable body.
    """
    present = VERSIONS.get(name, 1)
    decoder = _DECODERS.get(name)
    if decoder is None or version > present:
        known = "no such event" if decoder is None else f"versions up to {present}"
        raise OperatorError(
            f"event {name} version {version}: this program knows {known}; "
            "read the ledger with the version that wrote it, or a newer one"
        )
    try:
        if version < present:
            raw = msgspec.json.decode(body)
            for older in range(version, present):
                raw = UPCASTERS[name, older](raw)
            body = msgspec.json.encode(raw)
        return cast("Event", decoder.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise JournalCorrupt(f"event {name} version {version}: {error}; body {body[:200]!r}") from error


def chain_hash(
    previous_hash: bytes,
    session_id: str,
    position: int,
    kind: str,
    name: str,
    version: int,
    body: bytes,
    sequence: int,
    ts_received: int,
    ts_event: int | None,
    ts_decided: int | None,
    ts_due: int | None,
    market_row: bytes | None,
) -> bytes:
    """The 32-byte link of a row to the one before it."""
    present = (
        (ts_event is not None)
        | (ts_decided is not None) << 1
        | (ts_due is not None) << 2
        | (market_row is not None) << 3
    )
    session, kind_, name_, row = session_id.encode(), kind.encode(), name.encode(), market_row or b""
    numbers = (position, version, sequence, ts_received, ts_event or 0, ts_decided or 0, ts_due or 0, present)
    header = _HEADER.pack(*numbers, len(session), len(kind_), len(name_), len(body), len(row))
    return hashlib.sha256(b"".join((previous_hash, header, session, kind_, name_, body, row))).digest()


def _time(time_ns: int | None) -> int | None:
    return None if time_ns is None else index(time_ns)  # a numpy integer would be stored as bytes


def _first_wrong_field(value: object, read_back: object, path: str) -> str:
    """Which field does not survive: "OrderFilled.fill.fee 0.1 (float) reads back as 0.1 (Decimal)"."""
    if type(value) is type(read_back):
        for name in _field_names(value):
            inner, inner_back = getattr(value, name), getattr(read_back, name)
            if inner != inner_back:
                return _first_wrong_field(inner, inner_back, f"{path}.{name}")
    return f"{path} {value!r} ({type(value).__name__}) would read back as {read_back!r} ({type(read_back).__name__})"


def _decimals(value: object, path: str) -> Iterator[tuple[str, Decimal]]:
    if isinstance(value, Decimal):
        yield path, value
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield from _decimals(inner, f"{path}[{number}]")
    for name in _field_names(value):
        yield from _decimals(getattr(value, name), f"{path}.{name}")


def _field_names(value: object) -> tuple[str, ...]:
    """Of a Struct; none of anything else. (An Instrument has no Decimal that is not finite: it refuses them itself.)"""
    return value.__struct_fields__ if isinstance(value, msgspec.Struct) else ()
