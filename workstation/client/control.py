"""What can be asked of an engine: the engine itself answers in its process, a Client over HTTP, in the same words."""

from collections.abc import Sequence
from typing import Protocol

from workstation.client.declaration import SessionDeclaration
from workstation.client.messages import (
    GroupView,
    Health,
    OrderView,
    PositionView,
    SessionDetail,
    SessionSummary,
    SignalView,
    SpreadView,
)


class Control(Protocol):
    """Errors are those of `workstation.errors`: BadInput for what cannot be, SessionNotFound for an unknown name.

    `by` is who asks, for the journal.
    """

    def health(self) -> Health: ...

    def sessions(self) -> Sequence[SessionSummary]: ...

    def session(self, session: str) -> SessionDetail: ...

    async def start_session(self, declaration: SessionDeclaration, by: str) -> SessionSummary: ...

    async def pause_session(self, session: str, by: str, reason: str = "") -> SessionSummary: ...

    async def resume_session(self, session: str, by: str) -> SessionSummary: ...

    async def stop_session(self, session: str, by: str, *, flatten: bool = False) -> SessionSummary: ...

    def orders(self, session: str | None = None, *, open_only: bool = False) -> Sequence[OrderView]: ...

    def positions(self, session: str | None = None) -> Sequence[PositionView]: ...

    def groups(self, session: str | None = None) -> Sequence[GroupView]: ...

    def signals(self, session: str | None = None) -> Sequence[SignalView]: ...

    def spreads(self, symbol: str | None = None) -> Sequence[SpreadView]: ...
