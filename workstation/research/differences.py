"""Where a fact that was made again differs from its journal row: each field with both values, in a short sentence."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from workstation.ledger.codec import JournalRow, encode_event
from workstation.model.events import Fact
from workstation.model.market import MARKET_ROW

STAMPS = ("sequence", "ts_received", "ts_decided", "ts_due")
MOST_NAMED = 6
LONGEST_VALUE = 80

Difference = tuple[str, Any, Any]
"""A field's path; its value in the journal, and now."""


def differences(row: JournalRow, fact: Fact) -> list[Difference]:
    """None of them where the fact gives the row again. The time of writing and the venue's ids are not compared."""
    name, version, body = encode_event(fact.event)
    if (name, version) != (row.name, row.version):
        found: list[Difference] = [("event", _event(row.name, row.version), _event(name, version))]
    elif body != row.body:
        before, now = msgspec.json.decode(row.body), msgspec.json.decode(body)
        found = list(_in_values("", before, now)) or [("body", row.body.decode(), body.decode())]
    else:
        found = []
    stamps = ((stamp, getattr(row, stamp), getattr(fact, stamp)) for stamp in STAMPS)
    found += [(stamp, before, now) for stamp, before, now in stamps if before != now]
    if row.market_row != fact.market_row:
        found += _in_values("market_row", _plain_row(row.market_row), _plain_row(fact.market_row))
    return found


def in_words(found: list[Difference]) -> str:
    """ "fill.price 100.5 (journal: 100.4), ts_due 7 (journal: None)"; of many the first ones, and how many more."""
    words = [f"{path} {_short(now)} (journal: {_short(before)})" for path, before, now in found[:MOST_NAMED]]
    more = len(found) - MOST_NAMED
    return ", ".join(words) + (f", and {more} more" if more > 0 else "")


def _in_values(path: str, before: Any, now: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted(before.keys() | now.keys()):
            yield from _in_values(f"{path}.{name}" if path else name, before.get(name), now.get(name))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for place, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _in_values(f"{path}[{place}]", one, other)
    elif before != now:
        yield path, before, now


def _plain_row(data: bytes | None) -> Any:
    """Its fields by name; of what is no row, the bytes."""
    if data is None or len(data) != MARKET_ROW.itemsize:
        return data
    row = np.frombuffer(data, MARKET_ROW)[0]
    return {name: str(row[name]) for name in MARKET_ROW.names or ()}  # as text: a NaN equals itself


def _event(name: str, version: int) -> str:
    return name if version == 1 else f"{name} version {version}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
