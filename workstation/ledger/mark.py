"""The high-water mark: a second file that says how far each session's journal was durable.

SQLite silently drops a damaged tail of its log; the hash chain of what is left still holds. The mark tells.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from workstation.errors import JournalCorrupt
from workstation.model.ids import SessionId

Tail = tuple[int, bytes]
"""Position and hash of a session's last row; (-1, GENESIS) before the first."""


def mark_path(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.mark")


def read_mark(ledger: Path) -> dict[SessionId, Tail]:
    """Session -> tail as last marked; empty without a mark. Raises JournalCorrupt for an unreadable one."""
    path = mark_path(ledger)
    if not path.exists():
        return {}
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=dict[SessionId, tuple[int, str]])
        return {session_id: (position, bytes.fromhex(digest)) for session_id, (position, digest) in stored.items()}
    except (msgspec.DecodeError, ValueError) as error:
        raise JournalCorrupt(
            f"high-water mark {path}: {error}; check the ledger against a backup, then remove this file"
        ) from error


def write_mark(ledger: Path, tails: Mapping[SessionId, Tail]) -> None:
    """Replaces the mark; durable on return. Raises OSError."""
    path = mark_path(ledger)
    body = msgspec.json.encode({session_id: (last, digest.hex()) for session_id, (last, digest) in tails.items()})
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def check_mark(ledger: Path, marked: Mapping[SessionId, Tail], stored: Mapping[SessionId, Tail]) -> None:
    """Raises JournalCorrupt where the journal ends before a mark, or has another row at its place.

    `stored` gives each marked session's last row at or before the mark.
    """
    for session_id, (position, digest) in marked.items():
        last, stored_digest = stored[session_id]
        if last < position:
            raise JournalCorrupt(
                f"ledger {ledger}, session {session_id}: the journal ends at position {last}, "
                f"but {position} was durable; "
                f"{position - last} rows are missing: restore the ledger from a backup, or remove {mark_path(ledger)} "
                "to accept the loss and reconcile with the venue"
            )
        if stored_digest != digest:
            raise JournalCorrupt(
                f"ledger {ledger}, session {session_id}, position {position}: hash {stored_digest.hex()}, but the mark "
                f"says {digest.hex()}: the row was changed; restore the ledger from a backup"
            )
