"""Each instrument's rules as snapshots in time: `instruments/<venue>/<symbol>.json`, decimals as text."""

from pathlib import Path
from urllib.parse import quote, unquote

import msgspec

from workstation.errors import HistoryMissing
from workstation.history.durable import HistoryCorrupt, one_writer, write_durably
from workstation.model.instrument import Instrument, InstrumentKey, checked_key


class InstrumentFile(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    snapshots: tuple[Instrument, ...]


def put_instrument(root: Path, instrument: Instrument) -> None:
    """Stores a snapshot; one with the same `valid_from_ns` is replaced."""
    path = _path(root, instrument.key)
    with one_writer(path.parent):
        kept = [one for one in snapshots(root, instrument.key) if one.valid_from_ns != instrument.valid_from_ns]
        ordered = sorted([*kept, instrument], key=lambda one: one.valid_from_ns)
        content = msgspec.json.encode(InstrumentFile(snapshots=tuple(ordered)))
        write_durably(path, msgspec.json.format(content, indent=1) + b"\n")


def snapshots(root: Path, key: InstrumentKey) -> tuple[Instrument, ...]:
    """All snapshots by time; empty where there are none. Raises HistoryCorrupt, naming the file."""
    path = _path(root, key)
    try:
        return msgspec.json.decode(path.read_bytes(), type=InstrumentFile).snapshots
    except FileNotFoundError:
        return ()
    except msgspec.MsgspecError as error:
        raise HistoryCorrupt(f"{path}: {error}") from error


def instrument_at(root: Path, key: InstrumentKey, at_ns: int | None = None) -> Instrument:
    """The rules in force at `at_ns`, the newest by default. Raises HistoryMissing: what is there, what to run."""
    known = snapshots(root, key)
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
        f"instrument {key}: no rules stored (at {key.venue} there are: {others}). "
        f"Run: workstation data import FILE --kind bars --venue {key.venue} --symbol {key.symbol}"
    )


def _path(root: Path, key: InstrumentKey) -> Path:
    venue, symbol = checked_key(*key)
    return root / "instruments" / venue / f"{quote(symbol, safe='')}.json"
