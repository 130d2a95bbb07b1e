"""Client order ids: a pure function of what the order is for, so that one intent is one order to the venue."""

import hashlib
from functools import lru_cache

from workstation.model.ids import ClientOrderId, SessionId, SignalId
from workstation.model.order import OrderPurpose

ID_LENGTH = 26
"""Hex digits after the first letter, 80 bits of them the intent's: within the strictest venue's 32 or 36 characters."""


@lru_cache(maxsize=4096)
def session_tag(session_id: SessionId) -> str:
    """The first 6 characters of each of a session's order ids: whose order it is."""
    return "w" + _digest(session_id)[:5]


def client_order_id(
    session_id: SessionId, signal_id: SignalId, leg: int, purpose: OrderPurpose, attempt: int
) -> ClientOrderId:
    """The id of the `attempt`-th order (from 0) that serves `purpose` on a leg of a signal of a session."""
    intent = f"{session_id}\0{signal_id}\0{leg}\0{purpose}\0{attempt}"
    return ClientOrderId((session_tag(session_id) + _digest(intent))[:ID_LENGTH])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
