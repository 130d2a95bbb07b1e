"""Start = recovery: a session's state from its ledger, by the last snapshot and the facts behind it."""

from collections.abc import Iterator
from itertools import chain

from workstation.ledger.journal import Ledger
from workstation.model.ids import SessionId
from workstation.session import identity
from workstation.session.state import SessionState, fold, restore, snapshot_pieces


def recovered_state(ledger: Ledger, session_id: SessionId) -> SessionState:
    """The fold of all facts. A snapshot that other code folded is passed over: it may be another today."""
    saved = ledger.latest_snapshot(session_id)
    mark = identity.fold_hash().encode()
    if saved is None or not saved[1].startswith(mark):
        return fold(ledger.facts(session_id))
    position, data = saved
    return fold(ledger.facts(session_id, start=position + 1), restore(data[len(mark) :]))


def save_state(ledger: Ledger, session_id: SessionId, state: SessionState) -> None:
    """Keeps the state as the fold of everything journaled so far; returns once it is durable."""
    if state.facts:
        ledger.save_snapshot(session_id, state.facts - 1, b"".join(saved_pieces(state))).wait()


def saved_pieces(state: SessionState) -> Iterator[bytes]:
    """What `recovered_state` reads, of the state as it is now, piece by piece: see `snapshot_pieces`."""
    return chain([identity.fold_hash().encode()], snapshot_pieces(state))
