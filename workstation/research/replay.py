"""Replay: a session on recorded history, through the same code that trades live. A composition root.

The gate is fed by history and by its own deadlines, effects go to the paper venue. With a ledger every fact is
journaled as a run of the session; a session that was cut off goes on where its journal ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from workstation.errors import BadInput
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.events import BalanceSet, Fact, InstrumentListed, RunStarted
from workstation.model.ids import Currency, RunId, SessionId
from workstation.model.instrument import Instrument, InstrumentKind, require_contract_of_one
from workstation.ports.broker import Broker
from workstation.ports.journal import Journal, Ticket
from workstation.research.collection import rare_collection
from workstation.research.desk import Desk, Start, foresee_bars, set_up, walk
from workstation.research.replay_result import ReplayResult
from workstation.research.strategy_calls import code_of
from workstation.research.trade_log import TradeLog
from workstation.session import identity
from workstation.session.manifest import REPLAY, RunManifest, SourceSelection, manifest_bytes, manifest_hash
from workstation.session.outbox import Outbox, WriteBehindOutbox
from workstation.session.paper_host import PaperHost
from workstation.session.recovery import recovered_state, save_state
from workstation.session.settings import SessionSettings
from workstation.session.state import SessionState
from workstation.strategies.base import Strategy, make_strategy
from workstation.strategies.catalog import strategy_named
from workstation.trading.paper import PaperSettings

Progress = Callable[[int, int], None]
"""Told after each block: rows taken, rows in all."""


PLAIN_PAPER = PaperSettings()
NO_COINS = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What to replay. `balances` open a new session; one that goes on has its own."""

    session: SessionSettings
    paper: PaperSettings = PLAIN_PAPER
    balances: tuple[BalanceSet, ...]
    sources: tuple[SourceSelection, ...]
    start_ns: int | None = None
    end_ns: int | None = None
    assumed_delay_ns: int = 0


class _Done:
    def wait(self, timeout_s: float | None = None) -> None:
        """There is nothing to wait for."""


class WatchedJournal:
    """Shows facts to a trade log on their way to the journal; without one they go no further."""

    def __init__(self, log: TradeLog, journal: Journal | None) -> None:
        self._log, self._journal = log, journal

    def append(self, session_id: SessionId, facts: Sequence[Fact]) -> Ticket:
        self._log.watch(facts)
        return _Done() if self._journal is None else self._journal.append(session_id, facts)


def replay(
    store: HistoryStore,
    request: ReplayRequest,
    *,
    strategy: Strategy | None = None,
    ledger: Ledger | None = None,
    is_durable: bool = False,
    wrap: Callable[[Broker], Broker] | None = None,
    progress: Progress | None = None,
) -> ReplayResult:
    """Runs a session over history; with a ledger it is journaled, and goes on if the ledger knows it.

    `is_durable` makes every effect wait for its facts to be on the disk, as a session whose venue is real does; `wrap`
    puts a broker of one's own before the paper venue, to watch what leaves. `strategy` stands for what the session's
    name would lead to, where nothing is kept that has to be found again by that name.
    Raises HistoryMissing, BadInput, StrategyRaised; JournalWriteFailed when the ledger's disk is full.
    """
    instruments = _instruments(store, request)
    if strategy is None:
        strategy = make_strategy(strategy_named(request.session.strategy), request.session.parameters)
    session_id = request.session.session_id
    state = SessionState() if ledger is None else recovered_state(ledger, session_id)
    manifest = _manifest(store, request, instruments, _next_run(ledger, session_id), strategy)
    desk = set_up(manifest, state, strategy)
    host = PaperHost(desk.market, desk.session, request.paper)
    log = TradeLog()
    if ledger is not None:
        log.watch(ledger.facts(session_id))
        ledger.begin_run(session_id, manifest.run_id, manifest_bytes(manifest))
    journal = WatchedJournal(log, ledger)
    broker = host if wrap is None else wrap(host)
    host.outbox = Outbox(journal, broker) if is_durable else WriteBehindOutbox(journal, broker)
    with code_of(strategy):  # it tells its windows and conditions
        host.subscribe()
    foresee_bars(store, manifest, desk.session)

    def watch(seen: int, total: int) -> bool:
        if progress is not None:
            progress(seen, total)
        return False

    with rare_collection():
        rows = walk(store, manifest, desk, lambda start: _start(manifest, desk, host, start), watch)
    if ledger is not None:
        ledger.flush()
        save_state(ledger, session_id, state)
    return ReplayResult(manifest=manifest, state=state, log=log, rows=rows, bars=desk.session.bars)


def _start(manifest: RunManifest, desk: Desk, host: PaperHost, start: Start) -> None:
    """The run's first facts, then what rested at the venue: only now may it trade."""
    desk.market.start_after(host, start.sequence, start.now_ns)
    started = RunStarted(
        run_id=manifest.run_id,
        manifest_hash=manifest_hash(manifest_bytes(manifest)),
        sequence=start.sequence,
        rebuild_from_ns=start.rebuild_ns,
    )
    host.inject(started, start.now_ns)
    for instrument in manifest.instruments:
        host.inject(InstrumentListed(instrument=instrument), start.now_ns)
    for balance in manifest.balances:
        if (balance.venue, balance.currency) not in desk.session.state.book.balances:
            host.inject(balance, start.now_ns)
    host.recover(start.row_again)


def _instruments(store: HistoryStore, request: ReplayRequest) -> tuple[Instrument, ...]:
    keys = dict.fromkeys([*request.session.instruments, *(source.key for source in request.sources)])
    wanted = "bars" if request.paper.on_bars else "quotes"
    for key in request.session.instruments:
        kinds = [source.kind for source in request.sources if source.key == key]
        if wanted not in kinds:
            has = ", ".join(kinds) or "nothing"
            name = request.session.session_id
            raise BadInput(f"session {name}: {key} is fed {has}; its orders fill on {wanted}, and never would")
    instruments = tuple(store.instrument(key, request.start_ns) for key in keys)
    for instrument in instruments:
        require_contract_of_one(instrument)
    return instruments


def _next_run(ledger: Ledger | None, session_id: SessionId) -> RunId:
    runs = 0 if ledger is None else sum(run.session_id == session_id for run in ledger.runs())
    return RunId(f"{session_id}.{runs + 1}")


def _manifest(
    store: HistoryStore,
    request: ReplayRequest,
    instruments: tuple[Instrument, ...],
    run_id: RunId,
    strategy: Strategy,
) -> RunManifest:
    return RunManifest(
        run_id=run_id,
        mode=REPLAY,
        session=request.session,
        paper=request.paper,
        balances=request.balances,
        instruments=instruments,
        sources=request.sources,
        history=str(store.root),
        start_ns=request.start_ns,
        end_ns=request.end_ns,
        assumed_delay_ns=request.assumed_delay_ns,
        code_hash=identity.code_hash(),
        kernel_hash=identity.kernels(),
        versions=identity.versions(),
        strategy_hash=strategy.file_hash,
    )


def opening_balances(
    instruments: Sequence[Instrument], amount: BalanceSet, coins: Decimal = NO_COINS
) -> tuple[BalanceSet, ...]:
    """The same amount of each instrument's quote currency at each venue, and so many coins where it is spot."""
    venues: dict[tuple[str, Currency], BalanceSet] = {}
    for one in instruments:
        held = {one.quote: amount.amount}
        if coins and one.kind is InstrumentKind.SPOT:
            held[one.base] = coins
        for currency, number in held.items():
            venues[one.venue, currency] = replace(amount, venue=one.venue, currency=currency, amount=number)
    return tuple(venues.values())
