"""The engine: its parts, from start to end, and the answers to whoever asks."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from workstation.client.collection import CollectionDetail, CollectionRequest, CollectionView
from workstation.client.control import USUAL_INTERVAL, USUAL_PAGE
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
    Topic,
)
from workstation.client.now import SessionNow
from workstation.client.ticket import OrderTicket, Placed
from workstation.engine.bus import Bus
from workstation.engine.clock import Clock
from workstation.engine.collection_keeper import Collections
from workstation.engine.collection_recovery import join, recover
from workstation.engine.days import open_days
from workstation.engine.feeds import Feeds
from workstation.engine.hand import Hand
from workstation.engine.health import HealthAnswers
from workstation.engine.jobs import Jobs
from workstation.engine.kill_flag import Kill
from workstation.engine.live_session import LiveSession
from workstation.engine.market_answers import MarketAnswers
from workstation.engine.now import now_of
from workstation.engine.paging import page_of
from workstation.engine.sessions import Sessions
from workstation.engine.summaries import detail_of, summary_of
from workstation.engine.turns import Turns
from workstation.engine.views import group_views, order_view, position_views
from workstation.engine.wish import Wish
from workstation.errors import BadInput, WorkstationError
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.durations import SECOND_NS
from workstation.model.events import SessionPaused, SessionResumed, SessionStopped
from workstation.model.ids import SessionId, Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.sides import Sides
from workstation.ports.feed import FeedStatus
from workstation.windows.opportunities import OpportunitySpec

HOUSEKEEPING_S = 1.0
MEND_EVERY_S = 10.0
"""Between attempts to write a journal that had failed."""
WATCH_RETRY_S = 5.0
MOST_WATCH_RETRY_S = 300.0
"""Between attempts to find a symbol that its venue does not list, first and in the end."""
RULES_EVERY_S = 60.0
LOOK_ROUND_S = 0.1
MOST_JOURNAL_LAG_S = 1.0

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


class Engine:
    """Answers as `client.control.Control`; `run` until cancelled, then `close`."""

    def __init__(
        self,
        *,
        clock: Clock,
        turns: Turns,
        sessions: Sessions,
        feeds: Feeds,
        jobs: Jobs,
        collections: Collections,
        ledger: Ledger,
        bus: Bus,
        store: HistoryStore,
        watched: Sequence[str],
        wish: Wish,
        opportunities: OpportunitySpec,
        pairs: Sequence[Sides] = (),
    ) -> None:
        self._clock, self._turns, self._sessions, self._feeds = clock, turns, sessions, feeds
        self._jobs, self._ledger, self._bus = jobs, ledger, bus
        self._watched, self._pairs, self._wish = [Symbol(symbol) for symbol in watched], pairs, wish
        self._market = MarketAnswers(turns, feeds, store, bus, clock, opportunities, pairs)
        self._hand = Hand(sessions, turns)
        self._collections = collections
        self._health = HealthAnswers(clock, turns, feeds, sessions, collections, ledger)

    # -- its life

    async def run(self) -> None:
        """Serves until cancelled. What comes is recorded from the first row on, while sessions are recovered."""
        collecting = await recover(self._collections)
        self._feeds.start(self._turns.market.registry)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._turns.run(), name="turns")
            tasks.create_task(self._keep_house(), name="housekeeping")
            tasks.create_task(self._market.run(), name="market data")
            tasks.create_task(self._look_round(), name="kill switch and days")
            tasks.create_task(self._collections.run(), name="collections")
            for one in collecting:
                tasks.create_task(join(self._collections, one), name=f"collection {one.name}")
            for venue in self._feeds.venues:
                tasks.create_task(self._watch(venue), name=f"watch {venue}")
                tasks.create_task(self._refresh_rules(venue), name=f"rules {venue}")
            await self._sessions.recover()

    async def close(self) -> None:
        """Ends cleanly: no more rows, every state kept."""
        try:
            await self._collections.close()
            await self._market.close()
            await self._feeds.stop()
            self._turns.turn()
            for live in self._sessions.all():
                await self._sessions.save(live)
        finally:
            if self._turns.recorder is not None:
                await asyncio.to_thread(self._turns.recorder.close)
            await self._jobs.close()

    def told(self, status: FeedStatus) -> None:
        """A feed says how it fares."""
        self._collections.told(status)
        if self._feeds.told(status):
            data = {"venue": status.venue, "state": status.state, "reason": status.reason}
            symbol = None if status.key is None else status.key.symbol
            self._bus.publish(Topic.DATA_QUALITY, data, time_ns=self._clock.now_ns(), symbol=symbol)

    async def _watch(self, venue: Venue) -> None:
        """Asks for the watched symbols of one venue, ever more rarely, until it has told the rules of all."""
        paired = [key.symbol for sides in self._pairs for key in sides.instruments if key.venue == venue]
        wanted, pause_s = list(dict.fromkeys([*self._watched, *paired])), WATCH_RETRY_S
        while wanted:
            found, why = await self._feeds.look_up(venue, wanted)
            for instrument in found:
                wanted.remove(instrument.symbol)
                self._health.unlisted.pop(f"{venue}:{instrument.symbol}", None)
                self._turns.market.list_instrument(instrument)
            self._health.unlisted |= {f"{venue}:{symbol}": reason for symbol, reason in why.items()}
            self._want([one.key for one in found])
            self._market.watch_spreads(self._listed())
            await asyncio.sleep(pause_s if wanted else 0)
            pause_s = min(2 * pause_s, MOST_WATCH_RETRY_S)

    def _want(self, keys: Sequence[InstrumentKey]) -> None:
        """All at once, which is what venues like; where one of them cannot be, each by itself."""
        try:
            self._feeds.want(dict.fromkeys(keys, self._wish))
        except WorkstationError as error:
            if len(keys) == 1:
                self._health.not_fed[str(keys[0])] = str(error)
            else:
                for key in keys:
                    self._want([key])

    async def _refresh_rules(self, venue: Venue) -> None:
        """Asks for the rules of one venue every minute; a session that trades by others is told the new ones."""
        while True:
            await asyncio.sleep(RULES_EVERY_S)
            found, why = await self._feeds.look_up(venue)
            self._health.unlisted |= {f"{venue}:{symbol}": reason for symbol, reason in why.items()}
            for instrument in found:
                self._health.unlisted.pop(f"{venue}:{instrument.symbol}", None)
                self._sessions.rules_are(instrument)
                if self._turns.recorder is not None:
                    self._turns.recorder.declare(instrument)

    def _listed(self) -> Iterator[InstrumentKey]:
        return (one.key for one in self._turns.market.registry if one.symbol in self._watched)

    async def _keep_house(self) -> None:
        """What need not happen in a turn: snapshots, ended sessions, a journal that failed."""
        mend_after_ns = 0
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            self._turns.is_journal_late = self._ledger.oldest_pending_s > MOST_JOURNAL_LAG_S
            for live in self._sessions.all():
                if live.is_ready and live.is_over:
                    await self._sessions.end(live)
                else:
                    await self._sessions.save_if_due(live)
            if self._sessions.needs_mending and self._clock.now_ns() >= mend_after_ns:
                mend_after_ns = self._clock.now_ns() + round(MEND_EVERY_S * SECOND_NS)
                with suppress(WorkstationError):  # the disk is still full: its sentence stands in each session's fault
                    await self._sessions.mend()

    async def _look_round(self) -> None:
        """What another process, or the calendar, asks of every session."""
        while True:
            await asyncio.sleep(LOOK_ROUND_S)
            self._sessions.kill_switch.heed()
            open_days(self._turns, self._clock.now_ns())

    # -- what is asked

    def health(self) -> Health:
        return self._health.view(self.kill_state())

    async def reset_feed(self, venue: str, by: str) -> FeedView:
        self._feeds.retry_now(venue)
        log.info("feed %s: reset by %s", venue, by)
        return next(one for one in self._feeds.views() if one.venue == venue)

    def sessions(self) -> Sequence[SessionSummary]:
        return [self._summary(live) for live in self._sessions.all()]

    def session(self, session: str) -> SessionDetail:
        live = self._sessions.of(session)
        return detail_of(live, self._clock.now_ns(), self._ledger.run_ids(live.session_id))

    async def start_session(self, declaration: SessionDeclaration, by: str) -> SessionSummary:
        started = await self._sessions.start(declaration)
        log.info("session %s: started by %s", declaration.session, by)
        return self._summary(started)

    async def pause_session(self, session: str, by: str, reason: str = "") -> SessionSummary:
        live = self._sessions.of(session)
        self._turns.inject(live, SessionPaused(by=by, reason=reason))
        return self._summary(live)

    async def resume_session(self, session: str, by: str) -> SessionSummary:
        """Also lifts a halt; a broken session goes on from its journal."""
        live = self._sessions.of(session)
        if live.fault is not None:  # also a stopped one: it has to close what it holds
            self._turns.remove(live)
            live = await self._sessions.revive(live.manifest)
        elif live.session.state.is_stopped:
            raise BadInput(f"session {session}: it was stopped; start another one")
        if live.session.state.is_paused or live.session.state.halted is not None:
            self._turns.inject(live, SessionResumed(by=by))
        return self._summary(live)

    async def stop_session(self, session: str, by: str, *, flatten: bool = False) -> SessionSummary:
        live = self._sessions.of(session)
        self._turns.inject(live, SessionStopped(by=by, flatten=flatten))
        return self._summary(live)

    def orders(
        self,
        session: str | None = None,
        *,
        open_only: bool = False,
        limit: int = USUAL_PAGE,
        after: str | None = None,
    ) -> Sequence[OrderView]:
        orders = [(live.session_id, one) for live in self._asked(session) for one in live.session.state.orders.values()]
        page = page_of(
            orders,
            limit,
            after,
            name_of=lambda entry: entry[1].request.client_order_id,
            is_wanted=lambda entry: not (open_only and entry[1].is_final),
        )
        return [order_view(session_id, order) for session_id, order in page]

    def positions(self, session: str | None = None) -> Sequence[PositionView]:
        now_ns = self._clock.now_ns()
        return [view for live in self._asked(session) for view in position_views(live.session, now_ns)]

    def groups(self, session: str | None = None) -> Sequence[GroupView]:
        now_ns = self._clock.now_ns()
        return [
            view
            for live in self._asked(session)
            for view in group_views(live.session, live.session.state.groups.values(), now_ns)
        ]

    def signals(
        self, session: str | None = None, *, limit: int = USUAL_PAGE, after: str | None = None
    ) -> Sequence[SignalView]:
        signals = [signal for live in self._asked(session) for signal in live.signals]
        return page_of(signals, limit, after, name_of=lambda one: one.signal)

    def spreads(self, symbol: str | None = None) -> Sequence[SpreadView]:
        return self._market.spreads(symbol)

    def opportunities(self, symbol: str | None = None, *, limit: int = USUAL_PAGE) -> Sequence[OpportunityView]:
        return self._market.opportunities(symbol, limit)

    def quotes(self, symbol: str | None = None) -> Sequence[QuoteView]:
        return self._market.quotes(symbol)

    def book(self, venue: str, symbol: str) -> BookView:
        return self._market.book(venue, symbol)

    def instruments(self) -> Sequence[InstrumentView]:
        return self._market.instruments()

    async def bars(self, venue: str, symbol: str, interval: str = USUAL_INTERVAL, limit: int = USUAL_PAGE) -> BarsView:
        return await self._market.bars(venue, symbol, interval, limit)

    def session_now(self, session: str) -> SessionNow:
        return now_of(self._sessions.of(session), self._clock.now_ns())

    async def place_order(self, ticket: OrderTicket, by: str) -> Placed:
        return await self._kept(self._hand.place(ticket, by))

    async def cancel_order(self, client_order_id: str, by: str) -> OrderView:
        return await self._kept(self._hand.cancel(client_order_id, by))

    async def close_group(self, group: str, by: str, session: str | None = None) -> GroupView:
        return await self._kept(self._hand.close_group(group, by, session))

    async def close_position(self, session: str, venue: str, symbol: str, by: str) -> Sequence[GroupView]:
        return await self._kept(self._hand.close_position(session, venue, symbol, by))

    async def _kept(self, answer: Answer) -> Answer:
        """The answer to an act by hand, once the act is durable. Raises JournalWriteFailed: then it never was."""
        await asyncio.to_thread(self._ledger.flush)
        return answer

    def kill_state(self) -> KillView:
        return self._sessions.kill_switch.view()

    async def kill(self, order: KillOrder, by: str) -> KillView:
        session = None if order.session is None else self._sessions.known(order.session)
        now_ns = self._clock.now_ns()
        kill = Kill(session=session, by=by, since_ns=now_ns, reason=order.reason, flatten=order.flatten)
        await self._sessions.kill_switch.switch_on(kill)
        return self.kill_state()

    async def lift_kill(self, reset: KillReset, by: str) -> KillView:
        session = None if reset.session is None else SessionId(reset.session)
        await self._sessions.kill_switch.lift(session, by)
        return self.kill_state()

    def jobs(self) -> Sequence[JobView]:
        return self._jobs.all()

    def job(self, job: str) -> JobDetail:
        return self._jobs.of(job)

    async def start_job(self, request: JobRequest, by: str) -> JobView:
        return await self._jobs.start(request, by)

    async def cancel_job(self, job: str, by: str) -> JobView:
        return await self._jobs.cancel(job, by)

    def collections(self) -> Sequence[CollectionView]:
        return self._collections.all()

    def collection(self, name: str) -> CollectionDetail:
        return self._collections.of(name)

    async def start_collection(self, request: CollectionRequest, by: str) -> CollectionView:
        return await self._collections.start(request, by)

    async def stop_collection(self, name: str, by: str) -> CollectionView:
        return await self._collections.stop(name, by)

    def _asked(self, session: str | None) -> Sequence[LiveSession]:
        return self._sessions.all() if session is None else [self._sessions.of(session)]

    def _summary(self, live: LiveSession) -> SessionSummary:
        return summary_of(live, self._clock.now_ns())
