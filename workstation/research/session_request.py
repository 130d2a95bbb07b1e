"""What a person chose, as the request of a replay; and the session in a ledger that it starts or goes on with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from workstation.config.settings import Settings
from workstation.config.words import (
    balance_of,
    keys_of,
    limits_of,
    milliseconds_of,
    sizing_of,
    slippage_rate_of,
    text_of,
    words_of,
)
from workstation.errors import BadInput, OperatorError
from workstation.history.blocks import Selection
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore, shown_time
from workstation.ledger.database import refuse_folder
from workstation.ledger.journal import Ledger, RunRecord
from workstation.model.events import BalanceSet
from workstation.model.ids import SessionId
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.market import interval_ns
from workstation.research.backtest import check_sides
from workstation.research.choices import require_received
from workstation.research.replay import ReplayRequest, opening_balances
from workstation.research.strategy_calls import signals_of
from workstation.session.manifest import RunManifest, SourceSelection, read_manifest
from workstation.session.settings import SessionSettings
from workstation.strategies.base import BarStrategy, Strategy
from workstation.trading.limits import Limits
from workstation.trading.paper import FillAt, PaperSettings

SESSION_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
DEFAULT_SIZING = "fixed-notional=500"
"""Of each leg; within the default limits, which an entry with most of the equity is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """A replay in a person's words; None takes the setting, or means that it does not apply.

    A bar strategy has one venue and an interval, and its span names bars by their opening; a tick strategy has two
    venues and their quotes, and its span is of their receipt.
    """

    strategy: Strategy
    venues: tuple[str, ...]
    symbol: str
    span: Span
    interval: str | None = None
    sizing: str = DEFAULT_SIZING
    balance: float | Decimal = 10_000
    coins: Decimal = Decimal(0)
    """Opening balance of the base currency at each venue (spot)."""
    leverage: float = 1.0
    fill_at: FillAt | None = None
    slippage_bps: float | None = None
    latency_ms: int | None = None
    entry_timeout_ms: int | None = None
    limits: Limits | None = None
    with_trades: bool = False


def replay_request(store: HistoryStore, choices: Choices, session_id: str, settings: Settings) -> ReplayRequest:
    """As `stored_request`; raises BadInput also for what a bar strategy says on these bars and its venue cannot do."""
    request = stored_request(store, choices, session_id, settings)
    instrument = store.instrument(request.session.instruments[0], choices.span.start_ns)
    _check_spot(store, choices, instrument, request.sources[0])
    return request


def stored_request(store: HistoryStore, choices: Choices, session_id: str, settings: Settings) -> ReplayRequest:
    """Raises BadInput for choices that contradict each other, HistoryMissing for a series that is not stored.

    Nothing is computed: it may be asked where nobody may wait.
    """
    if not SESSION_FORM.fullmatch(text_of("session", session_id)):
        raise BadInput(f"session {session_id!r}: expected 1 to 60 letters, digits, . _ -, beginning with neither")
    _check_shape(choices)
    keys = keys_of(choices.venues, choices.symbol)
    sources = _sources(choices, keys)
    delay_ns = settings.market.assumed_delay_ms * 1_000_000
    span = choices.span.moved(_lag_ns(sources, delay_ns))
    for source in sources:
        selection = Selection(key=source.key, kind=HistoryKind(source.kind), interval_ns=source.interval_ns)
        require_received(store, selection, span, delay_ns)
    instruments = [store.instrument(key, choices.span.start_ns) for key in keys]
    slippage_rate = slippage_rate_of(choices.slippage_bps, settings)
    amount = BalanceSet(venue=keys[0].venue, currency=instruments[0].quote, amount=balance_of(choices.balance))
    return ReplayRequest(
        session=SessionSettings(
            session_id=SessionId(session_id),
            strategy=choices.strategy.name_in_cli,
            parameters=choices.strategy.parameters(),
            instruments=keys,
            interval_ns=sources[0].interval_ns,
            currency=instruments[0].quote,
            sizing=sizing_of(choices.sizing, leverage=choices.leverage, slippage_rate=slippage_rate),
            limits=limits_of(settings) if choices.limits is None else choices.limits,
            entry_timeout_ns=None if choices.entry_timeout_ms is None else choices.entry_timeout_ms * 1_000_000,
        ),
        paper=_paper(choices, settings, slippage_rate),
        balances=opening_balances(instruments, amount, choices.coins),
        sources=sources,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        assumed_delay_ns=delay_ns,
    )


def free_session(ledger: Ledger | None, strategy: Strategy) -> str:
    """The first of "ma-cross-1", "ma-cross-2", … that the ledger does not know."""
    known = set() if ledger is None else {run.session_id for run in ledger.runs()}
    names = (f"{strategy.name_in_cli}-{number}" for number in range(1, len(known) + 2))
    return next(name for name in names if name not in known)


def run_before(ledger: Ledger, request: ReplayRequest) -> RunRecord | None:
    """The last run of the session, which the request goes on from; None for a new session.

    Raises BadInput where the request differs from it in more than its end: the journal would be of neither.
    """
    runs = [run for run in ledger.runs() if run.session_id == request.session.session_id]
    if not runs:
        return None
    before = read_manifest(runs[-1].manifest)
    session_id, run_id = before.session.session_id, runs[-1].run_id
    way_out = "give the same options to go on, or another session to begin anew"
    was, now = in_words(before), in_words(request)
    for name in dict.fromkeys((*was, *now)):
        then, given = was.get(name, "not given"), now.get(name, "not given")
        if then != given:
            raise BadInput(f"session {session_id}: {name} was {then} in run {run_id}, now {given}: {way_out}")
    if (before.session, before.paper, before.sources) != (request.session, request.paper, request.sources):
        raise BadInput(f"session {session_id}: its settings are not quite those of run {run_id}: {way_out}")
    return runs[-1]


def in_words(chosen: ReplayRequest | RunManifest) -> dict[str, str]:
    """What a person can set, by the name and in the unit in which it is given; "--latency-ms" is latency_ms."""
    session, paper, limits = chosen.session, chosen.paper, chosen.session.limits
    lag_ns = _lag_ns(chosen.sources, chosen.assumed_delay_ns)
    sources = (Series(kind=HistoryKind(one.kind), key=one.key, interval_ns=one.interval_ns) for one in chosen.sources)
    return {
        "sources": ", ".join(map(str, sources)),
        "assumed_delay_ms": _milliseconds(chosen.assumed_delay_ns),
        "start": "the beginning" if chosen.start_ns is None else shown_time(chosen.start_ns - lag_ns),
        "strategy": session.strategy,
        **{f"parameter {name}": str(value) for name, value in session.parameters.items()},
        "sizing": words_of(session.sizing),
        "leverage": f"{session.sizing.leverage:g}",
        "slippage_bps": f"{paper.slippage_rate * 10_000:g}",
        "max_position_notional": _or_none(limits.max_position_notional_quote),
        "max_open_positions": _or_none(limits.max_open_positions),
        "max_quote_age_ms": "none" if limits.max_quote_age_ns is None else _milliseconds(limits.max_quote_age_ns),
        "latency_ms": _milliseconds(paper.latency_ns),
        "fill_at": paper.fill_at.value,
    }


def open_ledger(path: Path) -> Ledger:
    """As Ledger.open; a folder is BadInput, a place that cannot be written is OperatorError too."""
    refuse_folder(path)
    try:
        return Ledger.open(path)
    except OSError as error:
        raise OperatorError(f"ledger {path}: cannot be written there: {error.strerror}") from error


def _lag_ns(sources: Sequence[SourceSelection], assumed_delay_ns: int) -> int:
    """How long after the moment that a person names it by a row is received: a bar is named by its opening."""
    interval_ns = sources[0].interval_ns
    return 0 if interval_ns is None else interval_ns + assumed_delay_ns


def _milliseconds(length_ns: int) -> str:
    return f"{Decimal(length_ns).scaleb(-6).normalize():f}"


def _or_none(limit: Decimal | int | None) -> str:
    return "none" if limit is None else str(limit)


def _check_spot(store: HistoryStore, choices: Choices, instrument: Instrument, source: SourceSelection) -> None:
    """A bar strategy's whole intent is known before it starts, so a short entry on spot is refused here already."""
    strategy = choices.strategy
    if instrument.kind is not InstrumentKind.SPOT or not isinstance(strategy, BarStrategy):
        return
    assert source.interval_ns is not None
    bars = store.bars(instrument.key, source.interval_ns, choices.span.start_ns, choices.span.end_ns)
    check_sides(signals_of(strategy, bars), instrument)


def _check_shape(choices: Choices) -> None:
    name, venues = choices.strategy.name_in_cli, choices.venues
    if choices.limits is not None and not isinstance(choices.limits, Limits):
        raise BadInput(f"limits {choices.limits!r}: expected Limits, such as NO_LIMITS of workstation.trading.limits")
    if isinstance(choices.strategy, BarStrategy):
        if len(venues) != 1:
            raise BadInput(f"{name}: venues {', '.join(venues) or 'none'}: expected one")
        if choices.interval is None:
            raise BadInput(f"{name}: no interval: a bar strategy needs one, such as 1h")
        if choices.latency_ms is not None or choices.with_trades:
            raise BadInput(f"{name}: latency and trades have no meaning: its orders are filled at prices of bars")
        return
    if len(venues) != 2:
        raise BadInput(f"{name}: venues {', '.join(venues) or 'none'}: expected two")
    if choices.interval is not None or choices.fill_at is not None:
        raise BadInput(f"{name}: interval and fill-at have no meaning: it trades on quotes")


def _sources(choices: Choices, keys: tuple[InstrumentKey, ...]) -> tuple[SourceSelection, ...]:
    if choices.interval is not None:
        length_ns = interval_ns(choices.interval)
        return tuple(SourceSelection(key=key, kind=HistoryKind.BARS, interval_ns=length_ns) for key in keys)
    kinds = (HistoryKind.QUOTES, HistoryKind.TRADES) if choices.with_trades else (HistoryKind.QUOTES,)
    return tuple(SourceSelection(key=key, kind=kind) for kind in kinds for key in keys)


def _paper(choices: Choices, settings: Settings, slippage_rate: float) -> PaperSettings:
    if isinstance(choices.strategy, BarStrategy):
        fill_at = FillAt.NEXT_OPEN if choices.fill_at is None else choices.fill_at
        return PaperSettings(on_bars=True, slippage_rate=slippage_rate, fill_at=fill_at)
    latency_ms = settings.paper.latency_ms
    if choices.latency_ms is not None:
        latency_ms = milliseconds_of("latency_ms", choices.latency_ms)
    return PaperSettings(latency_ns=latency_ms * 1_000_000, slippage_rate=slippage_rate)
