"""A session on one line, and on one page."""

from collections.abc import Sequence
from decimal import Decimal

from workstation.client.declaration import Mode
from workstation.client.messages import SessionDetail, SessionSummary
from workstation.config.words import words_of
from workstation.engine.live_session import LiveSession
from workstation.engine.views import equity_of, fees_of, marks_of, realized_of
from workstation.ledger.book import Book
from workstation.model.durations import DAY_NS
from workstation.model.market import (
    interval_label,
)
from workstation.model.units import MONEY
from workstation.trading.limits import Limits


def summary_of(live: LiveSession, now_ns: int) -> SessionSummary:
    """A session's figures as of now."""
    return SessionSummary(**_figures(live, now_ns))


def detail_of(live: LiveSession, now_ns: int, runs: Sequence[str]) -> SessionDetail:
    """The same with what it was declared with."""
    settings = live.manifest.session
    return SessionDetail(
        **_figures(live, now_ns),
        parameters=dict(settings.parameters),
        sizing=words_of(settings.sizing),
        limits=limits_in_words(settings.limits),
        runs=tuple(runs),
        interval=None if settings.interval_ns is None else interval_label(settings.interval_ns),
    )


def limits_in_words(limits: Limits) -> dict[str, str]:
    """Each limit's value as a person would write it."""
    age = limits.max_quote_age_ns
    values = {
        "max_position_notional": limits.max_position_notional_quote,
        "max_open_positions": limits.max_open_positions,
        "max_quote_age_ms": None if age is None else age // 1_000_000,
    }
    return {name: "none" if value is None else str(value) for name, value in values.items()}


def opening_equity_of(live: LiveSession, now_ns: int) -> Decimal:
    """What the session opened with, its coins at the price of now: the difference to its equity is its trading's.

    Coins without a price count nothing, as long as there is none.
    """
    session, book = live.session, Book()
    marks = marks_of(session, now_ns)
    priced = {(one.venue, one.base) for one in live.manifest.instruments if one.key in marks}
    for balance in live.manifest.balances:
        if balance.currency == session.settings.currency or (balance.venue, balance.currency) in priced:
            book.apply_balance(balance)
    return book.equity_quote(marks, session.settings.currency)


def made_of(live: LiveSession, now_ns: int) -> Decimal | None:
    """What trading made since the session began, open profits with it; None while something held has no price."""
    equity = equity_of(live.session, now_ns)
    return None if equity is None else MONEY.subtract(equity, opening_equity_of(live, now_ns))


def day_of(now_ns: int) -> int:
    """When the day began, UTC."""
    return now_ns // DAY_NS * DAY_NS


def day_pnl_of(live: LiveSession, now_ns: int) -> Decimal | None:
    """The same since 00:00 UTC; None before the session was priced on that day."""
    day, made = live.session.state.day, made_of(live, now_ns)
    if made is None or day is None or day.day_ns != day_of(now_ns):
        return None
    return MONEY.subtract(made, day.made_quote)


def _figures(live: LiveSession, now_ns: int) -> dict[str, object]:
    manifest, session = live.manifest, live.session
    state, settings = session.state, manifest.session
    status, reason = live.status
    currency = settings.currency
    return {
        "session": settings.session_id,
        "mode": Mode.PAPER,
        "strategy": settings.strategy,
        "instruments": tuple(map(str, settings.instruments)),
        "status": status,
        "reason": reason,
        "run": manifest.run_id,
        "started_ns": live.started_ns,
        "currency": currency,
        "opening_equity": opening_equity_of(live, now_ns),
        "equity": equity_of(session, now_ns),
        "day_pnl": day_pnl_of(live, now_ns),
        "realized_pnl": realized_of(state),
        "fees": fees_of(state),
        "open_groups": len(state.groups),
        "open_orders": sum(not order.is_final for order in state.orders.values()),
        "signals": state.signals,
        "refusals": state.refusals,
        "facts": state.facts,
        "gap_ns": manifest.gap_ns,
    }
