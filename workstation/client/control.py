"""What can be asked of an engine: the engine itself answers in its process, a Client over HTTP, in the same words."""

from collections.abc import Sequence
from typing import Protocol

from workstation.client.declaration import SessionDeclaration
from workstation.client.jobs import JobDetail, JobRequest, JobView
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

USUAL_PAGE = 500
LARGEST_PAGE = 5_000


class Control(Protocol):
    """Errors are those of `workstation.errors`: BadInput for what cannot be, SessionNotFound or JobNotFound for an
    unknown name.

    `by` is who asks, for the journal.
    """

    def health(self) -> Health: ...

    def sessions(self) -> Sequence[SessionSummary]: ...

    def session(self, session: str) -> SessionDetail: ...

    async def start_session(self, declaration: SessionDeclaration, by: str) -> SessionSummary: ...

    async def pause_session(self, session: str, by: str, reason: str = "") -> SessionSummary: ...

    async def resume_session(self, session: str, by: str) -> SessionSummary: ...

    async def stop_session(self, session: str, by: str, *, flatten: bool = False) -> SessionSummary: ...

    def orders(
        self,
        session: str | None = None,
        *,
        open_only: bool = False,
        limit: int = USUAL_PAGE,
        after: str | None = None,
    ) -> Sequence[OrderView]:
        """The last `limit`, oldest first; with `after`, the first behind that `client_order_id`, or of all for ""."""

    def positions(self, session: str | None = None) -> Sequence[PositionView]: ...

    def groups(self, session: str | None = None) -> Sequence[GroupView]: ...

    def signals(
        self, session: str | None = None, *, limit: int = USUAL_PAGE, after: str | None = None
    ) -> Sequence[SignalView]:
        """As `orders`, `after` being a `signal`."""

    def spreads(self, symbol: str | None = None) -> Sequence[SpreadView]: ...

    def jobs(self) -> Sequence[JobView]: ...

    def job(self, job: str) -> JobDetail: ...

    async def start_job(self, request: JobRequest, by: str) -> JobView: ...

    async def cancel_job(self, job: str, by: str) -> JobView: ...
