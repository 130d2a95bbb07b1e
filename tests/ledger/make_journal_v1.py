"""Writes tests/recordings/journal_v1.json: `python -m tests.ledger.make_journal_v1`.

The recording is what later versions must be able to fold: rows may be added at its end, none may ever change. So this
refuses to replace a recording whose rows it cannot reproduce.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.ledger.examples import RUN, SESSION, every_fact
from workstation.ledger.codec import JournalRow
from workstation.ledger.journal import Ledger

RECORDING = Path(__file__).resolve().parent.parent / "recordings" / "journal_v1.json"
BYTES = ("market_row", "previous_hash", "hash")


def as_text(row: JournalRow) -> dict[str, Any]:
    """The row as JSON holds it: hashes and the market row in hex, the body as text."""
    texts = {name: None if value is None else value.hex() for name in BYTES for value in [getattr(row, name)]}
    return {**row._asdict(), **texts, "body": row.body.decode()}


def as_row(stored: dict[str, Any]) -> JournalRow:
    """The way back."""
    values = {name: None if stored[name] is None else bytes.fromhex(stored[name]) for name in BYTES}
    return JournalRow(**{**stored, **values, "body": stored["body"].encode()})


def recorded_rows() -> list[JournalRow]:
    return [as_row(stored) for stored in json.loads(RECORDING.read_text("utf-8"))]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.sqlite") as ledger:
        ledger.begin_run(SESSION, RUN, b"{}")
        ledger.append(SESSION, every_fact()).wait()
        rows = list(ledger.rows(SESSION))
    known = recorded_rows() if RECORDING.exists() else []
    if rows[: len(known)] != known:
        sys.exit(f"{RECORDING}: its {len(known)} rows would change; add events at the end only")
    lines = ",\n".join(json.dumps(as_text(row), ensure_ascii=False) for row in rows)
    RECORDING.write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    main()
