"""A session in the engine: its host, its run, and what shows of it. A fault of its own stops it, and nothing else."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from workstation.client.messages import SessionStatus, SignalView
from workstation.engine.views import signal_view
from workstation.errors import HaltError, WorkstationError
from workstation.model.events import EntryRefused, Event, Fact, SessionPaused, SignalGenerated
from workstation.model.group import GroupStatus
from workstation.model.ids import SessionId
from workstation.session.manifest import RunManifest
from workstation.session.paper_host import PaperHost
from workstation.session.session import Session
from workstation.session.wake import Wake
from workstation.strategies.base import TickStrategy
from workstation.windows.specs import WindowSpec

KEPT_SIGNALS = 1_000
BUDGET_S = 0.25
"""A wake that takes longer holds up every other session: the first one is a warning, the second pauses."""

log = logging.getLogger(__name__)


class LiveSession:
    """Runs one host; `opening` is the equity that its run of the first start began with."""

    def __init__(self, manifest: RunManifest, host: PaperHost) -> None:
        self.manifest, self.host = manifest, host
        self.fault: str | None = None
        """Why it cannot go on in this process; None while it does."""
        self.was_journal_fault = False
        """The fault is the journal's: once that can be written, it goes on by itself."""
        self.is_ready = False
        """Its windows are rebuilt and its run has begun."""
        self.has_market = False
        """It is subscribed to the market, and holds windows there."""
        self.signals: deque[SignalView] = deque(maxlen=KEPT_SIGNALS)
        self.started_ns = 0
        """When its present run began."""
        self.saved_facts = 0
        """How many are in the last snapshot that this process made."""
        self._slow_wakes = 0

    @property
    def session_id(self) -> SessionId:
        return self.manifest.session.session_id

    @property
    def session(self) -> Session:
        return self.host.session

    @property
    def status(self) -> tuple[SessionStatus, str]:
        """What it does now, and why."""
        state = self.session.state
        if self.fault is not None:
            return SessionStatus.BROKEN, self.fault
        if not self.is_ready:
            return SessionStatus.STARTING, ""
        if state.killed is not None and not self.is_over:
            why = f": {state.killed.reason}" if state.killed.reason else ""
            return SessionStatus.KILLED, f"kill switch, by {state.killed.by}{why}"
        if state.halted is not None:
            return SessionStatus.HALTED, state.halted
        if state.is_stopped:
            return SessionStatus.STOPPED, self._what_is_open
        if state.is_paused:
            return SessionStatus.PAUSED, state.pause_reason
        return SessionStatus.RUNNING, "lagging: no entries" if state.is_lagging else ""

    @property
    def _what_is_open(self) -> str:
        groups = self.session.state.groups.values()
        if not groups:
            return ""
        is_closing = all(group.status is GroupStatus.CLOSING for group in groups)
        return "still closing" if is_closing else f"{len(groups)} open: stop it with flatten to close"

    @property
    def windows(self) -> list[WindowSpec]:
        """What it shares with others; a bar strategy has none."""
        strategy = self.session.strategy
        if not isinstance(strategy, TickStrategy):
            return []
        return list(strategy.windows(self.session.settings.instruments).values())

    @property
    def is_over(self) -> bool:
        """Stopped, with nothing open and nothing resting: it needs no market any more."""
        state = self.session.state
        return state.is_stopped and not state.groups and all(order.is_final for order in state.orders.values())

    def subscribe(self) -> None:
        """Asks the market for what strategy and venue need."""
        self.host.subscribe()
        self.has_market = True

    def unsubscribe(self) -> None:
        """Gives it back."""
        if not self.has_market:
            return
        self.has_market = False
        market = self.host.market
        market.unsubscribe(self.host)
        for spec in self.windows:
            market.windows.release(spec)

    def handle(self, wake: Wake) -> None:
        """One wake, guarded: what goes wrong in it breaks this session alone."""
        if self.fault is not None:
            return
        began = time.perf_counter()
        self.guarded(lambda: self.host.handle(wake))
        if time.perf_counter() - began > BUDGET_S:
            self._was_slow(time.perf_counter() - began, wake.time_ns)

    def inject(self, event: Event, now_ns: int) -> Sequence[Fact]:
        """An input from outside, before which all that was due has run; guarded as a wake is.

        Returns what was journaled for it, itself first; nothing where it broke the session.
        """
        facts: list[Fact] = []
        if self.fault is None:
            self.guarded(lambda: facts.extend(self.host.admit(event, now_ns)))
        return facts

    def observe(self, facts: Sequence[Fact]) -> None:
        """Keeps what pages ask for and the folded state does not hold."""
        for fact in facts:
            if isinstance(fact.event, SignalGenerated):
                self.signals.append(signal_view(self.session_id, fact.event.signal, fact.ts_received))
            elif isinstance(fact.event, EntryRefused):
                self._refused(fact.event)

    def guarded(self, act: Callable[[], None]) -> None:
        """Does it; what it raises breaks this session alone."""
        try:
            act()
        except WorkstationError as error:
            self.break_off(error)
        except Exception as error:
            self.fault = f"{type(error).__name__}: {error}; its journal is whole, start the engine again to go on"
            log.exception("session %s", self.session_id)

    def break_off(self, error: WorkstationError) -> None:
        """It cannot go on in this process; its journal is whole."""
        self.was_journal_fault = isinstance(error, HaltError)
        self.fault = str(error)
        if self.was_journal_fault:
            self.fault = f"{error}; it goes on from its journal when that can be written"
        log.error("session %s: %s", self.session_id, error)

    def _refused(self, event: EntryRefused) -> None:
        if self.signals and self.signals[-1].signal == event.signal_id:
            where = "" if event.instrument is None else f" on {event.instrument}"
            refusal = f"{event.limit}{where}: {event.figure}, allowed {event.allowed}"
            self.signals[-1] = self.signals[-1].model_copy(update={"refusal": refusal})

    def _was_slow(self, took_s: float, now_ns: int) -> None:
        self._slow_wakes += 1
        log.warning(
            "session %s: a wake took %.0f ms, its budget is %.0f", self.session_id, took_s * 1e3, BUDGET_S * 1e3
        )
        if self._slow_wakes > 1 and not self.session.state.is_paused:
            reason = f"{self._slow_wakes} wakes took over {BUDGET_S * 1e3:.0f} ms, the last one {took_s * 1e3:.0f}"
            self.inject(SessionPaused(by="engine", reason=reason), now_ns)
