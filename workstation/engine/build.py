"""The engine's composition root: from a declaration, or a manifest in the ledger, to a session that can run."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from workstation.client.declaration import SessionDeclaration
from workstation.config.settings import Settings
from workstation.config.words import balance_of, keys_of, limits_of, milliseconds_of, sizing_of, slippage_rate_of
from workstation.engine.wish import Wish
from workstation.errors import BadInput
from workstation.history.layout import HistoryKind
from workstation.model.durations import MS_NS
from workstation.model.events import BalanceSet
from workstation.model.ids import Currency, RunId, SessionId
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.market import (
    interval_ns,
)
from workstation.session import identity
from workstation.session.manifest import PAPER, RunManifest, SourceSelection
from workstation.session.settings import SessionSettings
from workstation.strategies.base import BarStrategy, make_strategy
from workstation.strategies.catalog import strategy_named
from workstation.trading.paper import PaperSettings


def keys_declared(declaration: SessionDeclaration) -> tuple[InstrumentKey, ...]:
    """The instruments that a declaration names. Raises BadInput for impossible names, or too few or many venues."""
    strategy = strategy_named(declaration.strategy)
    if len(declaration.venues) not in strategy.venues:
        named, wanted = ", ".join(declaration.venues), " or ".join(map(str, strategy.venues))
        raise BadInput(f"{declaration.strategy}: venues {named}: expected {wanted}")
    return keys_of(declaration.venues, declaration.symbol)


def session_settings(
    declaration: SessionDeclaration, instruments: Sequence[Instrument], settings: Settings
) -> SessionSettings:
    """Raises BadInput for what contradicts itself, naming the field."""
    strategy = make_strategy(strategy_named(declaration.strategy), declaration.parameters)
    is_on_bars = isinstance(strategy, BarStrategy)
    if is_on_bars and declaration.interval is None:
        raise BadInput(f"{declaration.strategy}: no interval: a bar strategy needs one, such as 1m")
    if not is_on_bars and declaration.interval is not None:
        raise BadInput(f"{declaration.strategy}: interval {declaration.interval} has no meaning: it trades on quotes")
    quotes = {instrument.quote for instrument in instruments}
    if len(quotes) != 1:
        raise BadInput(f"{declaration.symbol}: quoted in {', '.join(sorted(quotes))}: expected one currency")
    timeout_ms = declaration.entry_timeout_ms
    return SessionSettings(
        session_id=SessionId(declaration.session),
        strategy=declaration.strategy,
        parameters=strategy.parameters(),
        instruments=tuple(instrument.key for instrument in instruments),
        interval_ns=None if declaration.interval is None else interval_ns(declaration.interval),
        currency=quotes.pop(),
        sizing=sizing_of(
            declaration.sizing,
            leverage=declaration.leverage,
            slippage_rate=_slippage_rate(declaration, settings),
        ),
        limits=declaration.limits.over(limits_of(settings)),
        entry_timeout_ns=None if timeout_ms is None else timeout_ms * MS_NS,
    )


def paper_settings(declaration: SessionDeclaration, settings: Settings) -> PaperSettings:
    latency_ms = settings.paper.latency_ms if declaration.latency_ms is None else declaration.latency_ms
    return PaperSettings(
        latency_ns=milliseconds_of("latency_ms", latency_ms) * MS_NS,
        slippage_rate=_slippage_rate(declaration, settings),
    )


def opening_balances(declaration: SessionDeclaration, instruments: Sequence[Instrument]) -> tuple[BalanceSet, ...]:
    """The quote currency at each venue, and the coins of spot markets where the declaration has some."""
    amounts: dict[tuple[str, Currency], BalanceSet] = {}
    for one in instruments:
        held = {one.quote: balance_of(declaration.balance)}
        if declaration.coins and one.kind is InstrumentKind.SPOT:
            held[one.base] = Decimal(declaration.coins)
        for currency, amount in held.items():
            amounts[one.venue, currency] = BalanceSet(venue=one.venue, currency=currency, amount=amount)
    return tuple(amounts.values())


def first_manifest(
    declaration: SessionDeclaration, instruments: Sequence[Instrument], settings: Settings, history: Path
) -> RunManifest:
    """The manifest of a session's first run."""
    session = session_settings(declaration, instruments, settings)
    kinds = [HistoryKind.QUOTES, HistoryKind.TRADES] if declaration.with_trades else [HistoryKind.QUOTES]
    sources = [SourceSelection(key=one.key, kind=kind) for kind in kinds for one in instruments]
    if session.interval_ns is not None:
        bars = SourceSelection(key=instruments[0].key, kind=HistoryKind.BARS, interval_ns=session.interval_ns)
        sources.insert(0, bars)
    return RunManifest(
        run_id=RunId(f"{session.session_id}.1"),
        mode=PAPER,
        session=session,
        paper=paper_settings(declaration, settings),
        balances=opening_balances(declaration, instruments),
        instruments=tuple(instruments),
        sources=tuple(sources),
        history=str(history),
        code_hash=identity.code_hash(),
        kernel_hash=identity.kernels(),
        versions=identity.versions(),
    )


def wishes_of(manifest: RunManifest) -> Mapping[InstrumentKey, Wish]:
    """What a run needs of the feeds."""
    wishes: dict[InstrumentKey, Wish] = {}
    for source in manifest.sources:
        length = source.interval_ns
        wish = Wish(
            quotes=True,
            trades=source.kind == HistoryKind.TRADES,
            intervals_ns=frozenset() if length is None else frozenset((length,)),
        )
        wishes[source.key] = wish if source.key not in wishes else wishes[source.key] | wish
    return wishes


def _slippage_rate(declaration: SessionDeclaration, settings: Settings) -> float:
    return slippage_rate_of(None if declaration.slippage_bps is None else float(declaration.slippage_bps), settings)
