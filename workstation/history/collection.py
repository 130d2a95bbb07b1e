"""Collections: what was recorded on request, each under a name of its own, with what came of it.

    collections/<name>.json     what is wanted, from when to when, and the rows, drops and gaps so far
    collections/stop/<name>     somebody asks the recording process to end it

The process that records is the only one that writes the first; any other reads them, and learns from the recorder's
lock whether there still is such a process. Times are ns UTC.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import msgspec

from workstation.errors import BadInput
from workstation.history.durable import (
    TEMPORARY,
    HistoryCorrupt,
    is_owned,
    json_file,
    read_versioned,
    sync_folder,
    write_durably,
)

COLLECTIONS_FOLDER = "collections"
LIVE_FOLDER = "live"
COLLECTION_VERSION = 1
COLLECTION_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")
KEPT_GAPS = 200
"""Newest gaps that are kept one by one; older ones go on counting."""
STOP_FOLDER = "stop"


class CollectionState(StrEnum):
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    """Its engine is not there; it goes on with the next one, while its time is not over."""
    ENDED = "ended"
    """Its time was over."""
    STOPPED = "stopped"
    """Somebody ended it, before its time was over."""
    FAILED = "failed"
    """It could not go on; `reason` says why."""
    LOST = "lost"
    """Its process ended without ending it."""


OPEN_STATES = frozenset({CollectionState.RUNNING, CollectionState.INTERRUPTED})
"""In which there may be rows to come."""


class CollectedSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One series of a collection. `lost` rows were told by the venue, and let go before the disk had them."""

    kind: str
    venue: str
    symbol: str
    interval: str | None = None
    rows: int = 0
    lost: int = 0
    last_ns: int | None = None
    """When its last row was received."""


class CollectionGap(msgspec.Struct, frozen=True, kw_only=True):
    """A time without rows, or with fewer than were told. `venue` None: all of them; `to_ns` None: it lasts."""

    from_ns: int
    to_ns: int | None
    why: str
    venue: str | None = None
    rows: int | None = None
    """How many are missing; None: unknown."""


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """`is_of_engine`: asked of an engine, with which it goes on; else of a process of its own, with which it ends."""

    version: int = COLLECTION_VERSION
    name: str
    by: str
    is_of_engine: bool
    instruments: tuple[tuple[str, str], ...]
    """Venue and symbol of each."""
    trades: bool
    intervals: tuple[str, ...]
    funding: bool
    book_levels: int
    begun_ns: int
    planned_end_ns: int | None = None
    ended_ns: int | None = None
    saved_ns: int
    """When these figures were true."""
    state: CollectionState = CollectionState.RUNNING
    reason: str = ""
    series: tuple[CollectedSeries, ...] = ()
    conflated: int = 0
    """Quotes and levels of books that gave way to newer ones, unrecorded: the engine was behind."""
    gaps: tuple[CollectionGap, ...] = ()
    gap_count: int = 0

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.series)

    @property
    def lost(self) -> int:
        return sum(one.lost for one in self.series)

    @property
    def last_ns(self) -> int | None:
        return max((one.last_ns for one in self.series if one.last_ns is not None), default=None)

    def with_gap(self, gap: CollectionGap) -> "Collection":
        return msgspec.structs.replace(self, gaps=(*self.gaps, gap)[-KEPT_GAPS:], gap_count=self.gap_count + 1)


class CollectionShelf:
    """The files of one history."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / COLLECTIONS_FOLDER

    def names(self) -> list[str]:
        """All that are taken, those of damaged files too."""
        return sorted(path.stem for path in self._folder.glob("*.json") if not path.name.startswith(TEMPORARY))

    def load(self, name: str) -> Collection | None:
        """As it was written last; None where there is none. Raises HistoryCorrupt, BadInput."""
        path, advice = self._path(name), "delete it: the figures of this collection are lost, no row is"
        try:
            found = read_versioned(path, Collection, COLLECTION_VERSION, advice)
        except (OSError, UnicodeDecodeError) as error:
            raise HistoryCorrupt(f"{path}: cannot be read: {error}") from error
        if found is not None and found.name != name:  # a copy: two records of one name would both go on
            raise HistoryCorrupt(
                f"{path}: the record of collection {found.name[:80]!r}: expected {name!r}: move it away"
            )
        return found

    def load_all(self) -> tuple[list[Collection], list[str]]:
        """Those that can be read, by their beginning, and what is wrong with the others."""
        found, faults = list[Collection](), list[str]()
        for name in self.names():
            try:
                one = self.load(name)
            except (HistoryCorrupt, BadInput) as error:
                faults.append(str(error))
                continue
            found += [] if one is None else [one]
        return sorted(found, key=lambda one: (one.begun_ns, one.name)), faults

    def save(self, collection: Collection) -> None:
        """Durable when this returns. Raises OSError where the disk refuses."""
        write_durably(self._path(collection.name), json_file(collection))

    # -- from another process

    @property
    def is_recorded(self) -> bool:
        """Whether a process records into this history now."""
        return is_owned(self.root / LIVE_FOLDER)

    def ask_to_stop(self, name: str, by: str) -> None:
        """For the process that records. Raises OSError."""
        write_durably(self._folder / STOP_FOLDER / checked_name(name), by.encode())

    def asked_to_stop(self) -> dict[str, str]:
        """Names, and who asks."""
        asked = (self._folder / STOP_FOLDER).glob("[A-Za-z0-9]*")
        return {
            path.name: path.read_text("utf-8", errors="replace")[:60]
            for path in sorted(asked)
            if COLLECTION_NAME.fullmatch(path.name)
        }

    def forget_request(self, name: str) -> None:
        """It was heeded."""
        path = self._folder / STOP_FOLDER / checked_name(name)
        if path.exists():
            path.unlink()
            sync_folder(path.parent)

    def _path(self, name: str) -> Path:
        return self._folder / f"{checked_name(name)}.json"


def checked_name(name: str) -> str:
    """Raises BadInput for what cannot be a collection's name, and a file's."""
    if not COLLECTION_NAME.fullmatch(name):
        raise BadInput(f"collection {name[:80]!r}: expected a name of letters, digits, '.', '_' and '-', at most 60")
    return name


def without_process(collection: Collection, now_ns: int) -> Collection:
    """What one is whose process is gone without ending it."""
    if not collection.is_open:
        return collection
    if collection.is_of_engine and (collection.planned_end_ns is None or now_ns < collection.planned_end_ns):
        reason = "no engine records; it goes on when one starts"
        return msgspec.structs.replace(collection, state=CollectionState.INTERRUPTED, reason=reason)
    reason = "the recording process ended without ending it"
    last_ns = max(collection.saved_ns, collection.last_ns or 0)
    return msgspec.structs.replace(collection, state=CollectionState.LOST, reason=reason, ended_ns=last_ns)


def collections_of(root: Path, now_ns: int) -> tuple[list[Collection], list[str]]:
    """As any process sees them: one that is said to run while nobody records does not. And what cannot be read."""
    shelf = CollectionShelf(root)
    found, faults = shelf.load_all()
    if shelf.is_recorded:
        return found, faults
    return [without_process(one, now_ns) for one in found], faults


def free_collection_name(taken: Iterable[str]) -> str:
    """The first of "collection-1", "collection-2", … that nobody has."""
    known = {name.casefold() for name in taken}
    number = 1
    while f"collection-{number}" in known:
        number += 1
    return f"collection-{number}"
