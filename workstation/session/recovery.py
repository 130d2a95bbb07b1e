"""Start = recovery: a session's state from its ledger, by the last snapshot and the facts behind it."""

from workstation.ledger.journal import Ledger
from workstation.model.ids import SessionId
from workstation.session import identity
from workstation.session.state import SessionState, fold, restore, snapshot


def recovered_state(ledger: Ledger, session_id: SessionId) -> SessionState:
    """The fold of all facts. A snapshot made by other code is passed over: it may fold otherwise today."""
    saved = ledger.latest_snapshot(session_id)
    mark = identity.code_hash().encode()
    if saved is None or not saved[1].startswith(mark):
        return fold(ledger.facts(session_id))
    position, data = saved
    return fold(ledger.facts(session_id, start=position + 1), restore(data[len(mark) :]))


def save_state(ledger: Ledger, session_id: SessionId, state: SessionState) -> None:
    """Keeps the state as the fold of everything journaled so far; returns once it is durable."""
    if state.facts:
        ledger.save_snapshot(session_id, state.facts - 1, identity.code_hash().encode() + snapshot(state)).wait()
