"""The live log: what the gate took, appended to one file for all instruments until it is rolled into Parquet.

    magic, then frames:   kind u8 | three zero bytes | length u32 | crc32 u32 | payload

A frame's checksum goes on from the one before it, so a torn, flipped or misplaced frame ends what is valid, and all
before it stays valid. The first frame is the header; an instrument is declared before its first row; rows are raw
MARKET_ROWs with the gate's `sequence` and the log's own instrument numbers; notes say when recording began, what it
missed and when it ended; opportunities of two venues come each in a frame of its own, and one that cannot be read costs
no other. Integers are little-endian.
"""

import os
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum, StrEnum
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from workstation.errors import BadInput
from workstation.history.opportunities import KeptOpportunity
from workstation.model.instrument import Instrument
from workstation.model.market import MARKET_ROW, Rows

FORMAT_VERSION = 2
"""Version 2 has opportunities beside the rows; one of version 1 is read as well."""
READ_VERSIONS = frozenset({1, 2})
MAGIC = b"wslivelg"
LIVE_FOLDER = "live"
LOG_SUFFIX = ".log"
LARGEST_FRAME = 64 * 2**20
"""Bytes; a length above it is damage, not a frame to wait for."""
_HEAD = struct.Struct("<B3xI")
_CHECK = struct.Struct("<I")
_HEAD_BYTES = _HEAD.size + _CHECK.size
RAW_ROW = np.dtype((np.void, MARKET_ROW.itemsize))
"""A row as bytes: numpy copies rows field by field, which takes eight times as long."""
_STORED_ROW = MARKET_ROW.newbyteorder("<")
Pieces = list[bytes]
"""A frame, to be written one piece after the other."""


class FrameKind(IntEnum):
    HEADER = 1
    INSTRUMENT = 2
    ROWS = 3
    NOTE = 4
    OPPORTUNITY = 5


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """`log_id` is random: a rolled log is known by it, whatever its name."""

    version: int
    log_id: str
    row_bytes: int
    created_ns: int
    written_by: str


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """From here on `number` is this instrument, under these rules."""

    number: int
    instrument: Instrument


class NoteKind(StrEnum):
    STARTED = "started"
    GAP = "gap"
    STOPPED = "stopped"


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to the recording. A gap: received from `from_ns` to `to_ns`, `rows` of them (None: unknown)."""

    what: NoteKind
    at_ns: int
    from_ns: int | None = None
    to_ns: int | None = None
    rows: int | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Where the valid part ends. `is_torn`: the file ends within a frame, as it does while one is being written."""

    offset: int
    reason: str
    is_torn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A frame that is as it was written, of which nothing can be made."""

    reason: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """What the valid part of one log says, but for its rows."""

    path: Path
    header: Header | None
    """None where not even the first frame is whole."""
    instruments: dict[int, Instrument]
    """By number, with the rules that were declared last."""
    rules: tuple[Instrument, ...]
    """All that were declared, in order."""
    notes: tuple[Note, ...]
    opportunities: tuple[KeptOpportunity, ...]
    unread: tuple[Unread, ...]
    """Opportunities; what follows them is read."""
    valid_bytes: int
    damage: Damage | None

    def fault(self, *, is_written: bool = False) -> str | None:
        """What cannot be read; while a log is written, a torn end is none."""
        reasons = [f"{len(self.unread)} opportunities, {self.unread[0].reason}"] if self.unread else []
        if self.damage is not None and not (is_written and self.damage.is_torn):
            reasons.append(self.damage.reason)
        return "; ".join(reasons) or None

    @property
    def source_hash(self) -> str:
        """What the segments made of this log name as their source's content."""
        return sha256(f"live log {self.header.log_id if self.header else self.path.name}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContents(LogFacts):
    """The valid part of one log. `rows` is one array of MARKET_ROW in the gate's order."""

    rows: Rows


class FrameEncoder:
    """Frames of one log, each with a checksum that goes on from the one before."""

    def __init__(self) -> None:
        self._check = zlib.crc32(MAGIC)

    def frame(self, kind: FrameKind, payload: bytes) -> Pieces:
        head = _HEAD.pack(kind, len(payload))
        self._check = zlib.crc32(payload, zlib.crc32(head, self._check))
        return [head + _CHECK.pack(self._check), payload]

    def rows(self, rows: Rows) -> Pieces:
        return self.frame(FrameKind.ROWS, rows.astype(_STORED_ROW, copy=False).tobytes())

    def json(self, kind: FrameKind, value: msgspec.Struct) -> Pieces:
        """A frame of canonical JSON: sorted keys, decimals as text."""
        return self.frame(kind, _JSON.encode(value))


_JSON = msgspec.json.Encoder(order="sorted", decimal_format="string")


def log_name(number: int) -> str:
    """A later log has a higher number: as a rule the time of its creation in ns UTC."""
    return f"{number:020d}{LOG_SUFFIX}"


def log_number(name: str) -> int:
    return int(name.removesuffix(LOG_SUFFIX))


def logs_in(folder: Path) -> list[Path]:
    """The logs in a folder, oldest first."""
    return sorted(folder.glob(f"[0-9]*{LOG_SUFFIX}"))


TakeRows = Callable[[Rows, int], None]
"""Given each frame's rows as RAW_ROW bytes, and at which byte of the file they begin."""


@dataclass(slots=True)
class _Found:
    take_rows: TakeRows
    header: Header | None = None
    instruments: dict[int, Instrument] = field(default_factory=dict)
    rules: list[Instrument] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    opportunities: list[KeptOpportunity] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    sides: set[tuple[tuple[str, str], tuple[str, str]]] = field(default_factory=set)
    """Of opportunities, that name a series."""

    def take(self, kind: int, payload: bytes, start: int) -> str | None:
        """Adds a frame whose checksum holds; else why it cannot be."""
        if (self.header is None) != (kind == FrameKind.HEADER):
            return "the header is not the first frame, or comes twice"
        try:
            if kind == FrameKind.HEADER:
                return self._take_header(msgspec.json.decode(payload, type=Header))
            if kind == FrameKind.INSTRUMENT:
                declared = msgspec.json.decode(payload, type=Declared)
                self.instruments[declared.number] = declared.instrument
                self.rules.append(declared.instrument)
            elif kind == FrameKind.NOTE:
                self.notes.append(msgspec.json.decode(payload, type=Note))
            elif kind == FrameKind.OPPORTUNITY:
                self._take_opportunity(payload, start)
            elif kind == FrameKind.ROWS and len(payload) % MARKET_ROW.itemsize == 0:
                self.take_rows(np.frombuffer(payload, RAW_ROW), start)
            else:
                return f"a frame of kind {kind} and {len(payload)} bytes"
        except msgspec.MsgspecError as error:
            return f"a frame of kind {kind}: {error}"
        return None

    def _take_opportunity(self, payload: bytes, start: int) -> None:
        try:
            found = msgspec.json.decode(payload, type=KeptOpportunity)
            if (found.sold, found.bought) not in self.sides:
                _ = found.series
                self.sides.add((found.sold, found.bought))
        except (msgspec.MsgspecError, BadInput) as error:
            self.unread.append(Unread(reason=f"byte {start}: {error}", payload=payload))
            return
        self.opportunities.append(found)

    def _take_header(self, header: Header) -> str | None:
        if header.version not in READ_VERSIONS or header.row_bytes != MARKET_ROW.itemsize:
            return (
                f"format version {header.version} with rows of {header.row_bytes} bytes: "
                f"this package reads versions up to {FORMAT_VERSION} with {MARKET_ROW.itemsize}"
            )
        self.header = header
        return None


def read_log(path: Path) -> LogContents:
    """All frames up to the first damage. Never waits, locks or changes; raises OSError where there is no such file."""
    blocks: list[Rows] = [np.zeros(0, RAW_ROW)]
    facts = scan_log(path, lambda rows, _: blocks.append(rows))
    return LogContents(**{one.name: getattr(facts, one.name) for one in fields(facts)}, rows=as_rows(blocks))


def scan_log(path: Path, take_rows: TakeRows) -> LogFacts:
    """As read_log, one frame in memory at a time: its rows go to `take_rows`."""
    found = _Found(take_rows)
    with path.open("rb") as file:
        offset, damage = _walk(file, os.fstat(file.fileno()).st_size, found)
    return LogFacts(
        path=path,
        header=found.header,
        instruments=found.instruments,
        rules=tuple(found.rules),
        notes=tuple(found.notes),
        opportunities=tuple(found.opportunities),
        unread=tuple(found.unread),
        valid_bytes=offset,
        damage=damage,
    )


def as_rows(blocks: Sequence[Rows]) -> Rows:
    """Frames of RAW_ROW as one array of MARKET_ROW in this machine's byte order; a single one is not copied."""
    rows: Rows = (
        (blocks[0] if len(blocks) == 1 else np.concatenate(blocks)).view(_STORED_ROW).astype(MARKET_ROW, copy=False)
    )
    return rows


def _walk(file: BinaryIO, size: int, found: _Found) -> tuple[int, Damage | None]:
    """Where the valid part of `size` bytes ends, and why it does before the last of them."""
    magic = file.read(min(len(MAGIC), size))
    offset, check = len(MAGIC), zlib.crc32(MAGIC)
    if magic != MAGIC:
        return 0, Damage(offset=0, reason="does not begin as a live log does", is_torn=MAGIC.startswith(magic))
    while offset < size:
        if size - offset < _HEAD_BYTES:
            return offset, _damage(offset, "ends within the head of a frame", is_torn=True)
        head = file.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            return offset, _damage(offset, "was cut off while it was read", is_torn=True)
        kind, length = _HEAD.unpack_from(head)
        start = offset + _HEAD_BYTES
        if length > LARGEST_FRAME:
            return offset, _damage(offset, f"a frame of {length} bytes: {LARGEST_FRAME} is the most")
        if size - start < length:
            return offset, _damage(offset, f"ends {length - (size - start)} bytes before its frame does", is_torn=True)
        payload = file.read(length)
        if len(payload) < length:
            return offset, _damage(offset, "was cut off while it was read", is_torn=True)
        check = zlib.crc32(payload, zlib.crc32(head[: _HEAD.size], check))
        if check != _CHECK.unpack_from(head, _HEAD.size)[0]:
            return offset, _damage(offset, "the checksum of a frame does not hold")
        fault = found.take(kind, payload, start)
        if fault is not None:
            return offset, _damage(offset, fault)
        offset = start + length
    return offset, None


def _damage(offset: int, reason: str, *, is_torn: bool = False) -> Damage:
    return Damage(offset=offset, reason=f"byte {offset}: {reason}", is_torn=is_torn)
