"""The kill switch, as it is asked for and told."""

from typing import Annotated, Literal

from pydantic import Field

from workstation.client.declaration import Message, SessionName

RESET = "reset"
"""The word that lifts it, typed."""


class KillOrder(Message):
    """Nothing is opened any more, in one session or in every session; entries that wait are cancelled."""

    session: SessionName | None = None
    flatten: bool = False
    """Also close what is open, at the market."""
    reason: Annotated[str, Field(max_length=200)] = ""


class KillReset(Message):
    """Lifts the kill of one scope: of a session, or the one of every session."""

    confirm: Literal["reset"]
    session: SessionName | None = None


class KillScope(Message):
    """The kill switch of one session, or of every session (None)."""

    session: str | None
    by: str
    since_ns: int
    reason: str
    flatten: bool
    is_durable: bool
    """Its flag is on the disk: it outlives the engine."""
    waiting_entries: int
    """Entries that are being cancelled."""
    open_groups: int


class KillView(Message):
    is_on: bool = False
    scopes: tuple[KillScope, ...] = ()
