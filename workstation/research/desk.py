"""What replay and verify share: a market and a session set up from a manifest, and its rows from history."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypedDict

import numpy as np

from workstation.errors import BadInput, HistoryChanged
from workstation.history.blocks import Selection, count_rows, merged_blocks, received_bars, recorded_selections
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.events import Fact, RunStarted
from workstation.model.ids import InstrumentIndex
from workstation.model.instrument import InstrumentKey, Registry
from workstation.model.market import STEP_BITS, Rows, rows_taken
from workstation.research.strategy_calls import code_of
from workstation.session.manifest import RunManifest
from workstation.session.market import Market
from workstation.session.rebuild import rebuild_from_ns, warm_up
from workstation.session.session import Session
from workstation.session.state import SessionState
from workstation.session.wake import Wake
from workstation.strategies.base import BarStrategy, Strategy, make_strategy
from workstation.strategies.catalog import strategy_named
from workstation.windows.bars import close_due_bars

NOBODY = InstrumentIndex(-1)


class Desk(NamedTuple):
    """A market with one session in it; nobody has subscribed yet."""

    market: Market
    session: Session


def set_up(manifest: RunManifest, state: SessionState, strategy: Strategy | None = None) -> Desk:
    """Registry, strategy and session as the manifest declares them; or the strategy in hand, which has no name yet."""
    market = Market()
    for instrument in manifest.instruments:
        market.list_instrument(instrument)
    settings = manifest.session
    if strategy is None:
        strategy = make_strategy(strategy_named(settings.strategy), settings.parameters)
    return Desk(market, Session(settings, strategy, market, state))


def selections(manifest: RunManifest) -> list[Selection]:
    return [
        Selection(key=source.key, kind=HistoryKind(source.kind), interval_ns=source.interval_ns)
        for source in manifest.sources
    ]


class ReceivedSpan(TypedDict):
    """As the functions of history.blocks take it."""

    start_ns: int | None
    end_ns: int | None
    assumed_delay_ns: int


def span_of(manifest: RunManifest) -> ReceivedSpan:
    """From when to when rows are received; of rows without a receipt time, how long after their own."""
    return ReceivedSpan(start_ns=manifest.start_ns, end_ns=manifest.end_ns, assumed_delay_ns=manifest.assumed_delay_ns)


def blocks(store: HistoryStore, manifest: RunManifest, market: Market) -> Iterator[Rows]:
    """All rows of the manifest's sources in their order; a block is valid until the next."""
    return merged_blocks(store, selections(manifest), market.registry, **span_of(manifest))


def foresee_bars(store: HistoryStore, manifest: RunManifest, session: Session) -> None:
    """Lets a bar strategy evaluate the whole file as one block."""
    settings = manifest.session
    if isinstance(session.strategy, BarStrategy) and session.bars is not None and not settings.bars_from_trades:
        if settings.interval_ns is None:
            raise BadInput(f"session {settings.session_id}: interval_ns None: a bar strategy needs one")
        bars = received_bars(store, settings.instruments[0], settings.interval_ns, **span_of(manifest))
        with code_of(session.strategy):
            session.bars.foresee(bars)


class Start(NamedTuple):
    """Where a run begins: behind `sequence`, at `now_ns`; windows are rebuilt from `rebuild_ns` on (None: all rows)."""

    sequence: int
    now_ns: int
    rebuild_ns: int | None
    row_again: int | None
    """Number of the last row that an earlier run had taken, if it is taken again: its own wake may be missing."""


def walk(
    store: HistoryStore,
    manifest: RunManifest,
    desk: Desk,
    begin: Callable[[Start], None],
    watch: Callable[[int, int], bool],
) -> int:
    """Takes the manifest's rows, those that earlier runs had taken for windows only; returns how many were new.

    `begin` is called between the two. `watch` is told after each block how many rows of how many were seen, and ends
    the walk by answering True.
    """
    state, market = desk.session.state, desk.market
    had, now_ns, acted_row = rows_taken(state.last_sequence), state.last_ns, state.acted_row
    sequence = state.last_sequence
    rebuild_ns = rebuild_from_ns(desk.session, now_ns) if had else None
    total = count_rows(store, selections(manifest), **span_of(manifest))
    seen, has_begun = 0, False
    for block in blocks(store, manifest, market):
        last = had - 1 - seen
        if 0 <= last < len(block) and int(block["ts_received"][last]) > now_ns:
            raise HistoryChanged(_changed(manifest, had, f"row {had} was received later than the session's last fact"))
        is_again = 0 <= last < len(block) and acted_row != had and int(block["ts_received"][last]) == now_ns
        if is_again:
            had -= 1
        cut = min(max(had - seen, 0), len(block))
        _rebuild(desk, _since(block[:cut], rebuild_ns))
        seen += len(block)
        if not has_begun and (cut < len(block) or had == seen == total):
            has_begun = True
            _end_bars(desk, now_ns)
            row_again = had + 1 if is_again else None
            begin(Start(sequence, now_ns or int(block["ts_received"][0]), rebuild_ns, row_again))
            if is_again:
                market.gate.take_again(had)
        desk.session.expect(block[cut:])
        if is_again and not manifest.paper.on_bars:  # within a bar, what was sent is there at once: before it
            _deliver(market.advance_again(block[cut : cut + 1]))
            cut += 1
        _deliver(market.advance(block[cut:]))
        if watch(seen, total):
            return seen - had
    if not has_begun:
        raise HistoryChanged(_changed(manifest, had, f"there are {total} rows now"))
    _deliver(market.advance_time(market.gate.now_ns))
    return seen - had


def walk_recording(
    store: HistoryStore,
    manifest: RunManifest,
    desk: Desk,
    started: Fact,
    begin: Callable[[], None],
    is_over: Callable[[], bool],
) -> int:
    """Takes the rows that a live run had taken, each with the number that it had, and those that its windows were
    rebuilt from; until `is_over`, or the first row that the recording lacks. Returns the number of the last one taken.

    All that was recorded is taken: also what the session did not look at moved its numbers.
    """
    market, run = desk.market, started.event
    assert isinstance(run, RunStarted)
    market.gate.keep_numbers()
    if isinstance(run.warm_until_ns, int) and manifest.session.interval_ns is not None:
        key, length = manifest.session.instruments[0], manifest.session.interval_ns
        warm_up(desk.session, store.bars(key, length, run.anchor_ns, run.warm_until_ns - length + 1))
    since_ns = started.ts_received if run.rebuild_from_ns is None else run.rebuild_from_ns
    first, last, has_begun = run.sequence >> STEP_BITS << STEP_BITS, rows_taken(run.sequence), False
    recorded = recorded_selections(store, since_ns)
    for block in merged_blocks(store, recorded, _Numbers(market.registry), start_ns=since_ns, as_recorded=True):
        cut = int(block["sequence"].searchsorted(first, side="right"))
        if run.rebuild_from_ns is not None:
            _rebuild(desk, block[:cut])
        rows = block[cut : cut + _unbroken(block[cut:], last)]
        if not has_begun and cut < len(block):
            has_begun = True
            begin()
        _deliver(market.advance(rows))
        last += len(rows)
        if cut + len(rows) < len(block) or is_over():
            break
    if not has_begun:
        begin()
    return last


class _Numbers(Registry):
    """A registry as it is; what it does not know has a number that nobody has, so that its rows only count."""

    def __init__(self, known: Registry) -> None:
        super().__init__()
        self._known = {instrument.key: known.index(instrument.key) for instrument in known}

    def index(self, key: InstrumentKey) -> InstrumentIndex:
        return self._known.get(key, NOBODY)


def _unbroken(rows: Rows, last: int) -> int:
    """How many rows follow number `last` without one missing."""
    missing = np.flatnonzero((rows["sequence"] >> STEP_BITS) - last != np.arange(1, len(rows) + 1))
    return int(missing[0]) if missing.size else len(rows)


def _changed(manifest: RunManifest, had: int, what: str) -> str:
    session = manifest.session.session_id
    return (
        f"session {session}: its journal knows {had} market rows, and {what}: history before {session}'s last fact has "
        "changed, or another span was asked for. Start a new session"
    )


def _deliver(wakes: Iterator[Wake]) -> None:
    for wake in wakes:
        wake.subscriber.handle(wake)


def _since(rows: Rows, start_ns: int | None) -> Rows:
    return rows if start_ns is None else rows[int(rows["ts_received"].searchsorted(start_ns)) :]


def _rebuild(desk: Desk, rows: Rows) -> None:
    """Takes rows for windows and bars only: nobody decides on them, and nothing that rests is tested against them."""
    for wake in desk.market.advance(rows):
        if wake.bar is not None and desk.session.bars is not None:
            desk.session.bars.take(wake.bar, is_muted=True)


def _end_bars(desk: Desk, now_ns: int) -> None:
    """Bars in the making that had ended when the run before was cut off: it had decided on them."""
    tables, series = desk.market.tables, desk.session.bars
    while int(tables.clock[0]["bar_due"]) <= now_ns:
        for bar in close_due_bars(tables, int(tables.clock[0]["bar_due"])):
            if series is not None:
                series.take(bar, is_muted=True)
