"""Sessions that share one market write the journals that each would have written alone."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.replay import store_bars
from tests.faults.test_kill import write_quotes, write_trades
from tests.session.desks import NOVA, ORION, QUARTER, USDT, linear, random_bars, random_quotes
from workstation.history.store import HistoryStore
from workstation.ledger.codec import JournalRow
from workstation.ledger.journal import Ledger, read_rows
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.events import (
    BalanceSet,
    Event,
    InstrumentListed,
    OrderFilled,
    RunStarted,
    SessionPaused,
    SessionResumed,
    SessionStopped,
)
from workstation.model.ids import RunId, SessionId
from workstation.model.instrument import InstrumentKey
from workstation.research.desk import blocks, foresee_bars
from workstation.research.verify import verify
from workstation.session import identity
from workstation.session.manifest import RunManifest, SourceSelection, manifest_bytes, manifest_hash
from workstation.session.market import Market
from workstation.session.outbox import WriteBehindOutbox
from workstation.session.paper_host import PaperHost
from workstation.session.session import Session
from workstation.session.settings import SessionSettings
from workstation.session.state import SessionState
from workstation.strategies.base import make_strategy
from workstation.strategies.catalog import strategy_named
from workstation.trading.limits import NO_LIMITS
from workstation.trading.paper import PaperSettings

Inputs = Mapping[int, tuple[str, Event]]
"""Row count -> what comes behind so many rows, and for which session."""


def a_manifest(
    name: str,
    strategy: str,
    keys: Sequence[InstrumentKey],
    sources: Sequence[SourceSelection],
    paper: PaperSettings,
    parameters: dict[str, object],
    **settings: object,
) -> RunManifest:
    known = list(dict.fromkeys(source.key for source in sources))
    return RunManifest(
        run_id=RunId(f"{name}.1"),
        mode="replay",
        session=SessionSettings(
            session_id=SessionId(name),
            strategy=strategy,
            parameters=parameters,
            instruments=tuple(keys),
            currency=USDT,
            sizing=QUARTER,
            limits=NO_LIMITS,
            **settings,
        ),
        paper=paper,
        balances=tuple(BalanceSet(venue=key.venue, currency=USDT, amount=Decimal(10_000)) for key in known),
        instruments=tuple(linear(key) for key in known),
        sources=tuple(sources),
        history="",
        start_ns=None,
        end_ns=None,
        assumed_delay_ns=0,
        code_hash=identity.code_hash(),
        kernel_hash=identity.kernels(),
        versions=identity.versions(),
    )


def on_ticks(folder: Path) -> tuple[HistoryStore, list[RunManifest]]:
    """The spread of two venues, and bars built from the trades of one of them."""
    rows = random_quotes(11, 4000)
    store = write_quotes(folder, rows)
    write_trades(store, rows)
    sources = [SourceSelection(key=NOVA, kind="quotes"), SourceSelection(key=ORION, kind="quotes")]
    sources.append(SourceSelection(key=NOVA, kind="trades"))
    spread = {"entry_z": 1.5, "exit_z": 0.2, "window_minutes": 1, "min_points": 5, "min_net_edge_bps": None}
    cross = {"fast": 2, "slow": 5, "atr_window": 3}
    return store, [
        a_manifest(
            "spread",
            "spread-reversion",
            (NOVA, ORION),
            sources,
            PaperSettings(latency_ns=50_000_000),
            spread,
            entry_timeout_ns=SECOND_NS,
        ),
        a_manifest(
            "cross",
            "ma-cross",
            (NOVA,),
            sources,
            PaperSettings(latency_ns=20_000_000),
            cross,
            interval_ns=SECOND_NS,
            bars_from_trades=True,
        ),
    ]


def on_bars(folder: Path) -> tuple[HistoryStore, list[RunManifest]]:
    """Two strategies that sleep through the same bars, each until its own next signal."""
    store = store_bars(folder, random_bars(5, 600))
    sources = [SourceSelection(key=NOVA, kind="bars", interval_ns=MINUTE_NS)]
    return store, [
        a_manifest(
            name,
            "ma-cross",
            (NOVA,),
            sources,
            PaperSettings(on_bars=True),
            {"fast": fast, "slow": 8, "atr_window": 5, "atr_target": target},
            interval_ns=MINUTE_NS,
        )
        for name, fast, target in (("quick", 2, 1.0), ("slow", 4, 3.0))
    ]


def a_host(market: Market, store: HistoryStore, manifest: RunManifest, ledger: Ledger) -> PaperHost:
    settings = manifest.session
    strategy = make_strategy(strategy_named(settings.strategy), settings.parameters)
    host = PaperHost(market, Session(settings, strategy, market, SessionState()), manifest.paper)
    host.outbox = WriteBehindOutbox(ledger, host)
    host.subscribe()
    foresee_bars(store, manifest, host.session)
    ledger.begin_run(settings.session_id, manifest.run_id, manifest_bytes(manifest))
    return host


def begin(host: PaperHost, manifest: RunManifest, now_ns: int) -> None:
    hash_ = manifest_hash(manifest_bytes(manifest))
    listed = [InstrumentListed(instrument=instrument) for instrument in manifest.instruments]
    started = RunStarted(run_id=manifest.run_id, manifest_hash=hash_, sequence=0)
    for event in [started, *listed, *manifest.balances]:
        host.inject(event, now_ns)
    host.recover()


def record(path: Path, store: HistoryStore, manifests: Sequence[RunManifest], inputs: Inputs) -> None:
    """Runs the manifests' sessions on one market, each journaled."""
    market = Market()
    for instrument in manifests[0].instruments:
        market.list_instrument(instrument)
    with Ledger.open(path) as ledger:
        hosts = {m.session.session_id: a_host(market, store, m, ledger) for m in manifests}
        rows = np.concatenate([block.copy() for block in blocks(store, manifests[0], market)])
        for host, manifest in zip(hosts.values(), manifests, strict=True):
            begin(host, manifest, int(rows["ts_received"][0]))
        start = 0
        for stop in [*sorted(inputs), len(rows)]:
            for host in hosts.values():
                host.session.expect(rows[start:stop])
            for wake in market.advance(rows[start:stop]):
                wake.subscriber.handle(wake)
            name, event = inputs.get(stop, ("", None))
            if event is not None and name in hosts:
                hosts[SessionId(name)].inject(event, market.gate.now_ns)
            start = stop
        for wake in market.advance_time(market.gate.now_ns):
            wake.subscriber.handle(wake)
        ledger.flush()


def journal(path: Path, manifest: RunManifest) -> list[JournalRow]:
    return [row._replace(run_id=RunId("")) for row in read_rows(path, manifest.session.session_id)]


@pytest.mark.parametrize("of", [on_ticks, on_bars])
def test_sessions_on_one_market_write_byte_for_byte_what_each_writes_alone(tmp_path, of):
    store, manifests = of(tmp_path)
    first = str(manifests[0].session.session_id)
    inputs: Inputs = {
        100: (first, SessionPaused(by="tester")),
        131: (first, SessionResumed(by="tester")),
        **{count: (first, SessionResumed(by="tester")) for count in range(140, 240)},
        500: (first, SessionStopped(by="tester", flatten=True)),
    }
    record(tmp_path / "company.db", store, manifests, inputs)
    for manifest in manifests:
        alone = tmp_path / f"{manifest.run_id}.db"
        record(alone, store, [manifest], inputs)
        rows = journal(tmp_path / "company.db", manifest)
        assert rows == journal(alone, manifest)
        assert sum(row.name == OrderFilled.__name__ for row in rows) > 10
        assert verify(tmp_path / "company.db", manifest.run_id, store).decisions > 30


@pytest.mark.parametrize("of", [on_ticks, on_bars])
def test_the_order_of_sessions_on_a_market_changes_no_journal(tmp_path, of):
    store, manifests = of(tmp_path)
    inputs: Inputs = {300: (str(manifests[1].session.session_id), SessionPaused(by="tester"))}
    record(tmp_path / "one.db", store, manifests, inputs)
    record(tmp_path / "other.db", store, manifests[::-1], inputs)
    for manifest in manifests:
        assert journal(tmp_path / "one.db", manifest) == journal(tmp_path / "other.db", manifest)
