"""Each instrument's rules as snapshots in time: `instruments/<venue>/<symbol>.json`, decimals as text."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec

from workstation.errors import HistoryMissing
from workstation.history.durable import json_file, one_writer, read_versioned, remove_leftovers, write_all_durably
from workstation.model.instrument import Instrument, InstrumentKey, checked_key

INSTRUMENTS_VERSION = 1


class InstrumentFile(msgspec.Struct, frozen=True, kw_only=True):
    version: int = INSTRUMENTS_VERSION
    snapshots: tuple[Instrument, ...]


def put_instrument(root: Path, instrument: Instrument) -> None:
    """Stores a snapshot; one with the same `valid_from_ns` is replaced."""
    put_instruments(root, [instrument])


def put_instruments(root: Path, instruments: Iterable[Instrument]) -> None:
    """As put_instrument, of many at once; what is stored as it is costs no writing."""
    for venue, group in groupby(sorted(instruments, key=_key), key=lambda one: checked_key(*one.key)[0]):
        folder = root / "instruments" / venue
        with one_writer(folder):
            remove_leftovers(folder)
            write_all_durably(dict(_changed(root, group)))


def _key(instrument: Instrument) -> InstrumentKey:
    return instrument.key


def _changed(root: Path, instruments: Iterable[Instrument]) -> Iterator[tuple[Path, bytes]]:
    """Instruments in the order of their keys."""
    for key, group in groupby(instruments, key=_key):
        before = {one.valid_from_ns: one for one in snapshots(root, key)}
        after = before | {one.valid_from_ns: one for one in group}
        if after != before:
            ordered = tuple(after[valid_from_ns] for valid_from_ns in sorted(after))
            yield _path(root, key), json_file(InstrumentFile(snapshots=ordered))


def snapshots(root: Path, key: InstrumentKey) -> tuple[Instrument, ...]:
    """All snapshots by time; empty where there are none. Raises HistoryCorrupt, naming the file."""
    kept = read_versioned(_path(root, key), InstrumentFile, INSTRUMENTS_VERSION)
    return () if kept is None else kept.snapshots


def instrument_at(root: Path, key: InstrumentKey, known: Sequence[Instrument], at_ns: int | None = None) -> Instrument:
    """Of the known rules, by time, those in force at `at_ns`, the newest by default.

    Raises HistoryMissing: what is there, what to run.
    """
    valid = known if at_ns is None else [one for one in known if one.valid_from_ns <= at_ns]
    if valid:
        return valid[-1]
    if known:
        raise HistoryMissing(
            f"instrument {key}: no rules at {at_ns} ns, the first are from {known[0].valid_from_ns} ns"
        )
    folder = root / "instruments" / key.venue
    others = ", ".join(sorted(unquote(path.stem) for path in folder.glob("*.json"))[:5]) or "none"
    raise HistoryMissing(
        f"instrument {key}: no rules stored (at {key.venue} there are: {others}). They come with a recording "
        f"(workstation data record --symbols {key.symbol}) or with a file "
        f"(workstation data import FILE --kind bars --venue {key.venue} --symbol {key.symbol})"
    )


def _path(root: Path, key: InstrumentKey) -> Path:
    venue, symbol = checked_key(*key)
    return root / "instruments" / venue / f"{quote(symbol, safe='')}.json"
