"""What replay and verify share: a market and a session set up from a manifest, and its rows from history."""

from collections.abc import Iterator
from typing import NamedTuple

from workstation.errors import BadInput
from workstation.history.blocks import Selection, merged_blocks
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.market import SECOND_NS, Rows, rows_taken
from workstation.session.manifest import RunManifest
from workstation.session.market import Market
from workstation.session.session import Session
from workstation.session.state import SessionState
from workstation.strategies.base import BarStrategy, TickStrategy, make_strategy
from workstation.strategies.catalog import strategy_named


class Desk(NamedTuple):
    """A market with one session in it; nobody has subscribed yet."""

    market: Market
    session: Session


def set_up(manifest: RunManifest, state: SessionState) -> Desk:
    """Registry, strategy and session as the manifest declares them."""
    market = Market()
    for instrument in manifest.instruments:
        market.list_instrument(instrument)
    settings = manifest.session
    strategy = make_strategy(strategy_named(settings.strategy), settings.parameters)
    return Desk(market, Session(settings, strategy, market, state))


def selections(manifest: RunManifest) -> list[Selection]:
    return [
        Selection(key=source.key, kind=HistoryKind(source.kind), interval_ns=source.interval_ns)
        for source in manifest.sources
    ]


def blocks(store: HistoryStore, manifest: RunManifest, market: Market) -> Iterator[Rows]:
    """All rows of the manifest's sources in their order; a block is valid until the next."""
    return merged_blocks(
        store,
        selections(manifest),
        market.registry,
        start_ns=manifest.start_ns,
        end_ns=manifest.end_ns,
        assumed_delay_ns=manifest.assumed_delay_ns,
    )


def foresee_bars(store: HistoryStore, manifest: RunManifest, session: Session) -> None:
    """Lets a bar strategy evaluate the whole file as one block."""
    settings = manifest.session
    if isinstance(session.strategy, BarStrategy) and session.bars is not None and not settings.bars_from_trades:
        if settings.interval_ns is None:
            raise BadInput(f"session {settings.session_id}: interval_ns None: a bar strategy needs one")
        bars = store.bars(settings.instruments[0], settings.interval_ns, manifest.start_ns, manifest.end_ns)
        session.bars.foresee(bars)


def rebuild_from_ns(session: Session, now_ns: int) -> int | None:
    """From when rows must be read again so that every window is as if it had never stopped; None: from the beginning.

    At the last anchor statistics are recomputed from the points of one span; these need quotes of one staleness more.
    """
    if not isinstance(session.strategy, TickStrategy):
        return None
    windows = session.strategy.windows(session.settings.instruments).values()
    starts = [now_ns // w.anchor_ns * w.anchor_ns - w.span_ns - w.stale_after_ns - SECOND_NS for w in windows]
    return min(starts, default=now_ns)


def rebuild(desk: Desk, rows: Rows) -> None:
    """Takes rows for windows and bars only: nobody decides on them, and nothing that rests is tested against them."""
    for wake in desk.market.advance(rows):
        if wake.bar is not None and desk.session.bars is not None:
            desk.session.bars.take(wake.bar, is_muted=True)


def split(rows: Rows, seen: int, consumed: int, rebuild_ns: int | None) -> tuple[Rows, Rows]:
    """Rows to rebuild from and rows to go on with, of a block that begins behind `seen` rows; `consumed` were had."""
    had = min(max(consumed - seen, 0), len(rows))
    before = rows[:had]
    if rebuild_ns is not None:
        before = before[int(before["ts_received"].searchsorted(rebuild_ns)) :]
    return before, rows[had:]


def consumed_rows(sequence: int) -> int:
    """How many market rows an earlier run had taken."""
    return rows_taken(sequence)
