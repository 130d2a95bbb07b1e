"""The engine's sessions: how one comes to life, new or from its journal, and how it ends.

Start = recovery: fold the journal, rebuild the windows from the recording, and then, in one step between two turns,
begin the run. While it rebuilds the market goes on without it.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from msgspec import UNSET

from workstation.client.declaration import SessionDeclaration
from workstation.config.own_strategies import load_own_strategies
from workstation.config.settings import Settings
from workstation.engine.build import first_manifest, keys_declared, wishes_of
from workstation.engine.bus import Bus
from workstation.engine.feeds import Feeds
from workstation.engine.kill_flag import KillFlag
from workstation.engine.kill_switch import KillSwitch
from workstation.engine.live_session import LiveSession
from workstation.engine.telling import TellingJournal
from workstation.engine.turns import Turns
from workstation.engine.warm_bars import LaterBars, warm_bars
from workstation.engine.window_fill import WindowFill
from workstation.errors import (
    BadInput,
    HaltError,
    JournalWriteFailed,
    RetryError,
    SessionExists,
    SessionNotFound,
    WorkstationError,
)
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.events import Fact, FeedLagChanged, InstrumentListed, RunStarted
from workstation.model.ids import RunId, SessionId
from workstation.model.instrument import Instrument, InstrumentKey, require_contract_of_one
from workstation.model.market import Bars
from workstation.session import identity
from workstation.session.manifest import PAPER, RunManifest, manifest_bytes, manifest_hash, read_manifest
from workstation.session.outbox import WriteBehindOutbox
from workstation.session.paper_host import PaperHost
from workstation.session.rebuild import rebuild_from_ns, warm_up
from workstation.session.recovery import recovered_state, saved_pieces
from workstation.session.session import Session
from workstation.session.state import SessionState
from workstation.strategies.base import make_strategy
from workstation.strategies.catalog import strategy_named, take_in

SAVE_EVERY_FACTS = 5_000
FACTS_SHOWN_AGAIN = 1_000
"""Of each session, after a start: what they tell of its last signals."""

log = logging.getLogger(__name__)


class Sessions:
    """All sessions of one engine, those that have ended too."""

    def __init__(
        self, turns: Turns, ledger: Ledger, store: HistoryStore, feeds: Feeds, bus: Bus, settings: Settings
    ) -> None:
        self._turns, self._ledger, self._store, self._feeds = turns, ledger, store, feeds
        self._bus, self._settings = bus, settings
        self.kill_switch = KillSwitch(KillFlag(settings.paths.home), turns)
        identity.take_note()
        self._reviving: set[SessionId] = set()
        self._has_recovered = False
        self.lost: dict[SessionId, str] = {}
        """Sessions of the ledger that could not go on at the start, and why."""

    def of(self, session: str) -> LiveSession:
        """Raises SessionNotFound with the known ones, RetryError for one that is being recovered."""
        live = self._turns.sessions.get(SessionId(session))
        if live is None:
            if self._is_awaited(session):
                raise RetryError(f"session {session}: it is being recovered from its journal: ask again in a moment")
            known = ", ".join(self._turns.sessions) or "none"
            if (why := self.lost.get(SessionId(session))) is not None:
                raise SessionNotFound(f"session {session}: it could not go on at the engine's start: {why}")
            raise SessionNotFound(f"session {session}: not in this engine (known: {known})")
        return live

    def known(self, session: str) -> SessionId:
        """Of one that is here, or will be once it is recovered: a kill does not wait. Raises SessionNotFound."""
        return SessionId(session) if self._is_awaited(session) else self.of(session).session_id

    def _is_awaited(self, session: str) -> bool:
        return not self._has_recovered and bool(self._ledger.run_ids(SessionId(session)))

    def all(self) -> Sequence[LiveSession]:
        return list(self._turns.sessions.values())

    async def start(self, declaration: SessionDeclaration) -> LiveSession:
        """A new session, running when this returns. Raises BadInput, UnknownInstrument, VenueUnavailable."""
        session = SessionId(declaration.session)
        if session in self._turns.sessions or self._ledger.run_ids(session):
            raise SessionExists(f"session {session}: there is one of that name; expected another name")
        await self.take_in_strategies()
        keys = keys_declared(declaration)
        for key in keys:
            self._check_venue(key)
        instruments = [one for key in keys for one in await self._feeds.instruments(key.venue, [key.symbol])]
        if session in self._turns.sessions:  # the same was asked twice while the venue answered
            raise SessionExists(f"session {session}: it is being started already")
        manifest = first_manifest(declaration, instruments, self._settings, self._store.root)
        try:
            return await self._begin(manifest, SessionState())
        except WorkstationError:
            self._turns.sessions.pop(session, None)  # it never was: the same name may be tried again
            raise

    async def take_in_strategies(self) -> None:
        """Files of one's own as they are now: who starts a session runs what he has just written.

        They are run in a thread, since one may import for seconds; turns go on meanwhile.
        """
        found = await asyncio.to_thread(load_own_strategies, self._settings.paths.strategies)
        for fault in found.faults:
            log.warning("strategy not loaded: %s", fault)
        take_in(found)

    async def recover(self) -> None:
        """Every session of the ledger: those that were not stopped go on, the others are shown."""
        await self.take_in_strategies()
        manifests = [read_manifest(run.manifest) for run in self._ledger.latest_runs()]
        await asyncio.gather(*(self._revive_alone(manifest) for manifest in manifests if manifest.mode == PAPER))
        self._has_recovered = True

    async def _revive_alone(self, manifest: RunManifest) -> None:
        """One that cannot go on keeps no other from it."""
        try:
            await self.revive(manifest)
        except WorkstationError as error:
            log.error("session %s does not go on: %s", manifest.session.session_id, error)
            if manifest.session.session_id not in self._turns.sessions:
                self.lost[manifest.session.session_id] = str(error)

    async def revive(self, manifest: RunManifest) -> LiveSession:
        """A session goes on from its journal, as a new run; one that is over is only shown."""
        session_id = manifest.session.session_id
        if session_id in self._reviving:
            raise SessionExists(f"session {session_id}: it is being started already")
        self._reviving.add(session_id)
        try:
            state, last = await asyncio.to_thread(self._recovered, session_id)
            return await self._begin(manifest, state, last)
        finally:
            self._reviving.discard(session_id)

    def _recovered(self, session_id: SessionId) -> tuple[SessionState, Sequence[Fact]]:
        """The state, and the last facts that it came from."""
        state = recovered_state(self._ledger, session_id)
        return state, list(self._ledger.facts(session_id, start=max(state.facts - FACTS_SHOWN_AGAIN, 0)))

    def _of_next_run(self, manifest: RunManifest, state: SessionState) -> RunManifest:
        """The same by today's code, for the run behind those that the ledger knows; of the first run as it is."""
        session_id = manifest.session.session_id
        runs = len(self._ledger.run_ids(session_id))
        if not runs:
            return manifest
        return replace(
            manifest,
            run_id=RunId(f"{session_id}.{runs + 1}"),
            instruments=tuple(state.instruments.get(one.key, one) for one in manifest.instruments),
            history=str(self._store.root),
            code_hash=identity.code_hash(),
            kernel_hash=identity.kernels(),
            versions=identity.versions(),
            gap_ns=(state.last_ns, self._turns.clock.now_ns()) if state.facts else None,
        )

    async def end(self, live: LiveSession) -> None:
        """What is over needs no market any more; its state is kept."""
        self._turns.remove(live)
        await self.save(live)

    async def save_if_due(self, live: LiveSession) -> None:
        """A snapshot from time to time: the next start folds what came behind it.

        One with much in it is made as much more rarely, so that a fact costs no more in a busy session.
        """
        state = live.session.state
        if state.facts - live.saved_facts >= max(SAVE_EVERY_FACTS, len(state.orders)):
            await self.save(live)

    async def save(self, live: LiveSession) -> None:
        """A snapshot, if anything came since the last one. It is made in pieces, turns between them, and written behind
        the facts that it holds; nothing waits for the disk."""
        facts = live.session.state.facts
        if facts <= live.saved_facts or not live.is_ready:
            return
        pieces = []
        for piece in saved_pieces(live.session.state):
            pieces.append(piece)
            await asyncio.sleep(0)
        if live.fault is not None or facts <= live.saved_facts:  # what a broken one believes may not be in the journal
            return
        try:
            self._ledger.save_snapshot(live.session_id, facts - 1, b"".join(pieces))
        except HaltError as error:
            live.break_off(error)
        else:
            live.saved_facts = facts

    @property
    def needs_mending(self) -> bool:
        return self._ledger.failure is not None or any(live.was_journal_fault for live in self.all())

    async def mend(self) -> None:
        """Where the journal had failed and can be written again, its sessions go on from it.

        All of them: who has not noticed yet may have lost what it wrote last. Raises what the journal still raises.
        """
        failure = self._ledger.failure
        if failure is not None:
            for live in self.all():
                if live.fault is None:
                    live.break_off(JournalWriteFailed(failure))
        self._ledger.resume()
        for live in self.all():
            if live.was_journal_fault and live.session_id not in self._reviving:
                self._turns.remove(live)
                log.warning("session %s: goes on from its journal", live.session_id)
                await self.revive(live.manifest)

    def rules_are(self, instrument: Instrument) -> None:
        """Each session that trades it by other rules is told these. Its taker fee and contract size stay those of the
        run's start: windows and positions are reckoned by them."""
        for live in self.all():
            has = live.session.state.instruments.get(instrument.key)
            if has is None or live.fault is not None or not live.is_ready or live.is_over:
                continue
            kept = replace(
                instrument, kind=has.kind, contract_size=has.contract_size, taker_fee_rate=has.taker_fee_rate
            )
            if kept != replace(has, valid_from_ns=kept.valid_from_ns):
                log.warning("session %s: other rules of %s: %s", live.session_id, instrument.key, kept)
                self._turns.inject(live, InstrumentListed(instrument=kept))

    def _check_venue(self, key: InstrumentKey) -> None:
        if key.venue not in self._feeds.venues:
            known = ", ".join(self._feeds.venues) or "none"
            raise BadInput(f"venue {key.venue}: not in this engine's configuration (known: {known})")

    # -- the beginning of a run

    async def _begin(self, manifest: RunManifest, state: SessionState, last: Sequence[Fact] = ()) -> LiveSession:
        market = self._turns.market
        for instrument in manifest.instruments:
            self._check_venue(instrument.key)
            market.list_instrument(instrument)
        settings = manifest.session
        strategy = make_strategy(strategy_named(settings.strategy), settings.parameters)
        host = PaperHost(
            market,
            Session(settings, strategy, market, state),
            manifest.paper,
            watched_since=self._feeds.watched_since,
            is_killed=partial(self.kill_switch.is_on, settings.session_id),
        )
        live = LiveSession(manifest, host)
        live.observe(last)
        self._turns.sessions[settings.session_id] = live
        if live.is_over:
            live.is_ready = True
            return live
        manifest = replace(self._of_next_run(manifest, state), strategy_hash=strategy.file_hash)
        live.manifest = manifest
        try:
            for instrument in manifest.instruments:
                require_contract_of_one(instrument)
            self._feeds.want(wishes_of(manifest))
            await self._prepare(live, manifest)
        except WorkstationError as error:
            live.break_off(error)
            self._turns.remove(live)
            raise
        return live

    async def _prepare(self, live: LiveSession, manifest: RunManifest) -> None:
        """Windows and bars as they were, then the run."""
        turns, session = self._turns, live.session
        rebuild_ns = rebuild_from_ns(session, turns.clock.now_ns())
        if rebuild_ns is not None:
            fill = WindowFill(turns.market, live.windows)
            with turns.preparing(fill):
                await asyncio.to_thread(self._load, fill, rebuild_ns)
            live.subscribe()
            fill.finish(turns.market)
            self._run(live, rebuild_ns, None)
        else:
            later = LaterBars(turns.market.registry, manifest.session)
            with turns.preparing(later):
                warm = await warm_bars(self._store, self._feeds, manifest.session, turns.clock.now_ns())
            bars = later.behind(warm)
            warm_up(session, bars)
            live.subscribe()
            self._run(live, None, bars)

    def _load(self, fill: WindowFill, since_ns: int) -> None:
        if self._turns.recorder is not None:
            self._turns.recorder.sync()
            fill.load(self._store, since_ns)

    def _run(self, live: LiveSession, rebuild_ns: int | None, bars: Bars | None) -> None:
        """Begins the run: from here on the session is served."""
        manifest, host, state = live.manifest, live.host, live.session.state
        data, market = manifest_bytes(manifest), self._turns.market
        now_ns = market.gate.now_ns  # nothing is due before it: no other session acts on the way
        self._ledger.begin_run(live.session_id, manifest.run_id, data)
        host.outbox = WriteBehindOutbox(TellingJournal(live, self._ledger, self._bus), host)
        sequence = max(state.last_sequence, market.gate.sequence)
        market.start_after(host, sequence, now_ns)
        self._turns.add(live)
        started = RunStarted(
            run_id=manifest.run_id,
            manifest_hash=manifest_hash(data),
            sequence=sequence,
            rebuild_from_ns=rebuild_ns,
            anchor_ns=int(bars.ts_open[0]) if bars is not None and len(bars) else None,
            warm_until_ns=int(bars.ts_open[-1]) + bars.interval_ns if bars is not None and len(bars) else UNSET,
        )
        live.inject(started, now_ns)
        for instrument in manifest.instruments:
            live.inject(InstrumentListed(instrument=instrument), now_ns)
        for balance in manifest.balances:
            if (balance.venue, balance.currency) not in state.book.balances:
                live.inject(balance, now_ns)
        if state.is_lagging != self._turns.is_lagging:
            live.inject(FeedLagChanged(is_lagging=self._turns.is_lagging), now_ns)
        live.guarded(host.recover)
        live.started_ns, live.is_ready = now_ns, True
        if self._turns.serves(live):
            self.kill_switch.heed_in(live)
