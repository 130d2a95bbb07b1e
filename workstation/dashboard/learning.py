"""What a form begins with: the words of the last session of that strategy, from its manifest in the ledger."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from workstation.config.settings import Settings
from workstation.config.words import limits_of, slippage_rate_of, words_of
from workstation.dashboard.declaring import Form, first_form, words_of_value
from workstation.history.layout import HistoryKind
from workstation.ledger.journal import read_latest_runs
from workstation.model.durations import MS_NS
from workstation.model.market import (
    interval_label,
)
from workstation.session.manifest import PAPER, RunManifest, read_manifest
from workstation.strategies.catalog import strategy_named
from workstation.trading.limits import Limits


def manifests_of(ledger: Path) -> list[RunManifest]:
    """Of every session's last run, in the order of their first ones; none where there is no ledger yet."""
    return [read_manifest(one.manifest) for one in read_latest_runs(ledger)] if ledger.exists() else []


def learned_form(name: str, manifests: Iterable[RunManifest], settings: Settings) -> Form:
    """As the last session of that strategy was declared, under no name yet; else the strategy's own defaults.

    What is the setting's own is left to the setting. Of a replay, the strategy's parameters and place alone: sizes and
    limits that were tried on history are never proposed for what starts now. Raises BadInput for a strategy that is
    not known.
    """
    last = next((one for one in reversed(list(manifests)) if one.session.strategy == name), None)
    first = first_form(name)
    return first if last is None else _form_of(last, first, settings)


def _form_of(manifest: RunManifest, first: Form, settings: Settings) -> Form:
    session, paper = manifest.session, manifest.paper
    sizing_mode, _, sizing = words_of(session.sizing).partition("=")
    declared = set(strategy_named(first.strategy).param)
    said = {name: words_of_value(value) for name, value in session.parameters.items() if name in declared}
    place = replace(
        first,
        venues=tuple(key.venue for key in session.instruments),
        symbol=session.instruments[0].symbol,
        interval=first.interval if session.interval_ns is None else interval_label(session.interval_ns),
        parameters={**first.parameters, **said},
    )
    if manifest.mode != PAPER:
        return place
    figures = {"leverage": f"{session.sizing.leverage:g}", **_balances(manifest)}
    if paper.slippage_rate != slippage_rate_of(None, settings):
        figures["slippage_bps"] = f"{paper.slippage_rate * 10_000:.12g}"
    if paper.latency_ns != settings.paper.latency_ms * MS_NS:
        figures["latency_ms"] = str(paper.latency_ns // MS_NS)
    if session.entry_timeout_ns is not None:
        figures["entry_timeout_ms"] = str(session.entry_timeout_ns // MS_NS)
    return replace(
        place,
        sizing_mode=sizing_mode,
        sizing=sizing,
        figures=figures,
        limits=_limits(session.limits, limits_of(settings)),
        with_trades=any(one.kind == HistoryKind.TRADES for one in manifest.sources),
    )


def _balances(manifest: RunManifest) -> dict[str, str]:
    """The same at each venue, as they are declared."""
    venue, currency = manifest.session.instruments[0].venue, manifest.session.currency
    first = [one for one in manifest.balances if one.venue == venue]
    coins = sum((one.amount for one in first if one.currency != currency), Decimal(0))
    money = next((one.amount for one in first if one.currency == currency), None)
    words = {} if money is None else {"balance": _exact(money)}
    return {**words, "coins": _exact(coins)} if coins else words


def _exact(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _limits(limits: Limits, setting: Limits) -> dict[str, str]:
    """Those that are not the settings'."""
    age, usual_age = (
        None if one.max_quote_age_ns is None else one.max_quote_age_ns // MS_NS for one in (limits, setting)
    )
    pairs = {
        "max_position_notional": (limits.max_position_notional_quote, setting.max_position_notional_quote),
        "max_open_positions": (limits.max_open_positions, setting.max_open_positions),
        "max_quote_age_ms": (age, usual_age),
    }
    return {name: "none" if one is None else f"{one}" for name, (one, usual) in pairs.items() if one != usual}
