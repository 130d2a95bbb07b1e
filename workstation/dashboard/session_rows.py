"""The Sessions page's tables as rows: every session, and every job, on one line each."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from workstation.client.jobs import JobResult, JobView, figures_of
from workstation.client.messages import SessionStatus, SessionSummary
from workstation.dashboard.tables import PRICE_DIGITS, QUANTITY_DIGITS, Column, Row
from workstation.model.durations import MS_NS

MARKS = {
    "running": "●", "starting": "◌", "paused": "❚❚", "stopped": "■", "killed": "✕", "halted": "▲", "broken": "▲",
    "queued": "◌", "done": "✓", "failed": "▲", "cancelled": "■",
}  # fmt: skip
"""Before the word of a state: told by shape too."""
OPEN_JOBS = [f"{MARKS[one]} {one}" for one in ("queued", "running")]
FIRST, LAST = (SessionStatus.RUNNING, SessionStatus.STARTING), (SessionStatus.STOPPED,)
"""What trades stands above what waits for somebody, and both above what is over."""

SESSIONS = (
    Column(name="session", title="Session", width=150),
    Column(name="mode", title="Mode", rank=3, width=70),
    Column(name="status", title="Status", width=110),
    Column(name="strategy", title="Strategy", rank=4),
    Column(name="instruments", title="Instruments", rank=2, least=190),
    Column(name="equity", title="Equity, quote", kind="price", rank=2),
    Column(name="day", title="Day", kind="signed", width=95, rank=1),
    Column(name="result", title="Result", kind="signed", width=95),
    Column(name="realized", title="Realized", kind="signed", width=95, rank=3),
    Column(name="fees", title="Fees", kind="price", width=80, rank=4),
    Column(name="groups", title="Groups", kind="quantity", rank=3),
    Column(name="orders", title="Orders", kind="quantity", rank=3),
    Column(name="signals", title="Signals", kind="quantity", rank=4),
    Column(name="refusals", title="Refused", kind="quantity", rank=4),
    Column(name="age", title="Since start", kind="age", rank=5),
)
JOBS = (
    Column(name="job", title="Job"),
    Column(name="state", title="State", width=110),
    Column(name="strategy", title="Strategy", rank=3),
    Column(name="instruments", title="Instruments", rank=2, least=190),
    Column(name="done", title="Done, %", kind="quantity"),
    Column(name="left", title="Left", kind="span", rank=1),
    Column(name="trades", title="Trades", kind="quantity", rank=1),
    Column(name="profit", title="Profit, quote", kind="signed", rank=1),
    Column(name="drawdown", title="Drawdown, %", kind="signed", rank=2, least=94),
    Column(name="reason", title="Why", rank=3),
    Column(name="age", title="Asked", kind="age", rank=4),
)


def in_order(sessions: Iterable[SessionSummary]) -> list[SessionSummary]:
    """Those that run, then those that are paused, halted, killed or broken, then the stopped ones; newest first."""
    return sorted(
        sessions,
        key=lambda one: (0 if one.status in FIRST else 2 if one.status in LAST else 1, -one.started_ns, one.session),
    )


def session_row(one: SessionSummary) -> Row:
    return {
        "session": one.session,
        "mode": one.mode,
        "status": f"{MARKS[one.status]} {one.status}" + (f": {one.reason}" if one.reason else ""),
        "strategy": one.strategy,
        "instruments": places(one.instruments),
        "equity": one.equity,
        "day": one.day_pnl,
        "result": result_of(one),
        "realized": one.realized_pnl,
        "fees": one.fees.get(one.currency, Decimal(0)),
        "groups": one.open_groups,
        "orders": one.open_orders,
        "signals": one.signals,
        "refusals": one.refusals,
        "age": one.started_ns // MS_NS,
        PRICE_DIGITS: 2,
        QUANTITY_DIGITS: 0,
    }


def places(instruments: Sequence[str]) -> str:
    """ "nova:BTC/USDT" and "orion:BTC/USDT" as "BTC/USDT · nova, orion"."""
    symbols: dict[str, list[str]] = {}
    for venue, _, symbol in (one.partition(":") for one in instruments):
        symbols.setdefault(symbol, []).append(venue)
    return "; ".join(f"{symbol} · {', '.join(venues)}" for symbol, venues in symbols.items())


def result_of(one: SessionSummary) -> Decimal | None:
    """What trading made since the session began; None before every leg has a price."""
    return None if one.equity is None else one.equity - one.opening_equity


def job_row(one: JobView) -> Row:
    figures, halted = figures_of(one), one.result.halted if isinstance(one.result, JobResult) else None
    drawdown = figures.get("max_drawdown")
    return {
        "job": one.job,
        "state": f"{MARKS[one.state]} {one.state}",
        "strategy": one.strategy if one.series is None else f"download {one.series.partition(' ')[0]}",
        "instruments": places(one.instruments),
        "done": int(one.progress * 100),
        "left": None if one.left_s is None else round(one.left_s),
        "trades": figures.get("trades"),
        "profit": figures.get("profit_quote"),
        "drawdown": None if drawdown is None else drawdown * 100,
        "reason": one.reason or halted or "",
        "age": one.asked_ns // MS_NS,
        QUANTITY_DIGITS: 0,
    }
