"""What can be asked of an engine: the engine itself answers in its process, a Client over HTTP, in the same words."""

from collections.abc import Sequence
from typing import Final, Protocol

from workstation.client.collection import CollectionDetail, CollectionRequest, CollectionView
from workstation.client.declaration import SessionDeclaration
from workstation.client.jobs import JobDetail, JobRequest, JobView
from workstation.client.kill import KillOrder, KillReset, KillView
from workstation.client.messages import (
    BarsView,
    BookView,
    FeedView,
    GroupView,
    Health,
    InstrumentView,
    OpportunityView,
    OrderView,
    PositionView,
    QuoteView,
    SessionDetail,
    SessionSummary,
    SignalView,
    SpreadView,
)
from workstation.client.now import SessionNow
from workstation.client.ticket import OrderTicket, Placed

USUAL_PAGE = 500
LARGEST_PAGE = 5_000
USUAL_INTERVAL: Final = "1m"


class Control(Protocol):
    """Errors are those of `workstation.errors`: BadInput for what cannot be, SessionNotFound, JobNotFound or
    CollectionNotFound for an unknown name.

    `by` is who asks, for the journal.
    """

    def health(self) -> Health: ...

    async def reset_feed(self, venue: str, by: str) -> FeedView:
        """Closes its circuit breaker and tries again now; the end of a ban is waited for still. BadInput."""

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

    def opportunities(self, symbol: str | None = None, *, limit: int = USUAL_PAGE) -> Sequence[OpportunityView]:
        """The last `limit`: those that closed, in earlier lives of the engine too, by their closing, then those that
        last."""

    def quotes(self, symbol: str | None = None) -> Sequence[QuoteView]: ...

    def book(self, venue: str, symbol: str) -> BookView:
        """UnknownInstrument for what is not watched, BadInput while it has no book."""

    def instruments(self) -> Sequence[InstrumentView]: ...

    async def bars(self, venue: str, symbol: str, interval: str = USUAL_INTERVAL, limit: int = USUAL_PAGE) -> BarsView:
        """The last `limit` closed bars, and the one in the making. UnknownInstrument for what is not watched."""

    def session_now(self, session: str) -> SessionNow:
        """What it holds, waits for, and is held back by."""

    async def place_order(self, ticket: OrderTicket, by: str) -> Placed:
        """The order, or why risk refused it; BadInput for what cannot be asked."""

    async def cancel_order(self, client_order_id: str, by: str) -> OrderView:
        """Of an entry that waits. OrderNotFound; BadInput for one that is final, or that protects what is held."""

    async def close_group(self, group: str, by: str, session: str | None = None) -> GroupView:
        """At the market; `session` where several have a group of that name. GroupNotFound where none has."""

    async def close_position(self, session: str, venue: str, symbol: str, by: str) -> Sequence[GroupView]:
        """Every group with a leg there. GroupNotFound where nothing is held."""

    def kill_state(self) -> KillView: ...

    async def kill(self, order: KillOrder, by: str) -> KillView:
        """Durable, and told to every session in its scope, when it returns. KillFlagFailed: until the engine ends."""

    async def lift_kill(self, reset: KillReset, by: str) -> KillView: ...

    def jobs(self) -> Sequence[JobView]: ...

    def job(self, job: str) -> JobDetail: ...

    async def start_job(self, request: JobRequest, by: str) -> JobView: ...

    async def cancel_job(self, job: str, by: str) -> JobView: ...

    def collections(self) -> Sequence[CollectionView]:
        """Those that run and those that ended, by their beginning."""

    def collection(self, name: str) -> CollectionDetail: ...

    async def start_collection(self, request: CollectionRequest, by: str) -> CollectionView:
        """Recording when it returns. CollectionExists; UnknownInstrument for what no venue lists; ConfigError in an
        engine that does not record."""

    async def stop_collection(self, name: str, by: str) -> CollectionView:
        """Its rows are on the disk when it returns. BadInput for one that has ended."""
