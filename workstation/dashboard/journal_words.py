"""The end of a session's journal, row by row in words: what was told, decided, and answered."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workstation.ledger.codec import JournalRow
from workstation.ledger.journal import read_rows
from workstation.model.events import ConditionsChanged
from workstation.model.ids import SessionId
from workstation.model.units import Side

SHOWN_ROWS, READ_ROWS = 60, 400
MOST_WORDS = 240
LEFT_OUT = frozenset(("manifest_hash", "trade_id", "snapshot_id", "leg", "is_maker"))
UNTOLD = frozenset((ConditionsChanged.__name__,))
"""Of every change of truth there is one; what came of it is told."""
SIDES = {Side.BUY.value: "buy", Side.SELL.value: "sell"}


def journal_tail(ledger: Path, session: str, facts: int) -> Sequence[JournalRow]:
    """The last durable rows of a session that has about so many facts, newest first. Raises JournalCorrupt."""
    rows = read_rows(ledger, SessionId(session), start=max(0, facts - READ_ROWS))
    return [row for row in rows if row.name not in UNTOLD][-SHOWN_ROWS:][::-1]


def event_name(row: JournalRow) -> str:
    """ "OrderFilled" as "order filled"."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in row.name).strip()


def event_words(row: JournalRow) -> str:
    """What the row says, name by name, those first that are figures or words of their own."""
    body = msgspec.json.decode(row.body)
    text = ", ".join(_parts(body if isinstance(body, Mapping) else {"value": body}))
    return text if len(text) <= MOST_WORDS else f"{text[:MOST_WORDS]}…"


def _parts(body: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    nested = []
    for name, value in body.items():
        if name in LEFT_OUT or name.endswith("_ns") or value in (None, "", [], {}):
            continue
        if isinstance(value, Mapping):
            nested.append(value)
        elif isinstance(value, list):
            nested += [one for one in value if isinstance(one, Mapping)]
            plain = [str(one) for one in value if not isinstance(one, Mapping | list)]
            if plain:
                yield f"{name.replace('_', ' ')} {' '.join(plain)}"
        else:
            yield f"{name.replace('_', ' ')} {SIDES.get(value, value) if name == 'side' else value}"
    if depth < 2:
        for one in nested:
            yield from _parts(one, depth + 1)
