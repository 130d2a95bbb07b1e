"""The engine's state as the pages' own components read it: plain JSON, money as text, times in ms."""

from collections.abc import Mapping
from typing import Any

from workstation.client.messages import SessionStatus
from workstation.dashboard.download_rows import (
    COLLECTIONS,
    DOWNLOADS,
    collection_row,
    collections_in_order,
    download_row,
    downloads_of,
)
from workstation.dashboard.live_rows import (
    FILLS,
    ORDERS,
    POSITIONS,
    SIGNALS,
    fill_row,
    order_rows,
    position_rows,
    signal_row,
)
from workstation.dashboard.now import now_lines
from workstation.dashboard.session_rows import JOBS, SESSIONS, in_order, job_row, session_row
from workstation.dashboard.state import EngineState, Money, closing_of, money_of
from workstation.dashboard.tables import rows_told
from workstation.model.durations import MS_NS

ALIVE_FEED = "live"
FALLEN = frozenset((SessionStatus.HALTED, SessionStatus.BROKEN))


def told_of(state: EngineState, now_s: float) -> Mapping[str, Any]:
    """One snapshot of the channel "state"."""
    return {
        **told_to_bar(state, now_s),
        "now_ms": None if state.health is None else state.health.now_ns // MS_NS,
        "now": {one.session: now_lines(one, state.now.get(one.session)) for one in state.sessions},
        "sessions": [one.model_dump(mode="json") for one in state.sessions],
        "positions": [one.model_dump(mode="json") for one in state.positions],
        "orders": [one.model_dump(mode="json") for one in state.orders],
        "groups": [one.model_dump(mode="json") for one in state.groups if one.status != "closed"],
        "fills": [one.model_dump(mode="json") for one in state.fills],
        **_rows(state),
    }


def told_to_bar(state: EngineState, now_s: float) -> Mapping[str, Any]:
    """What the bar shows. `silent_s` is None where the engine has never answered."""
    health = state.health
    feeds = () if health is None else health.feeds
    return {
        "silent_s": state.silent_s(now_s),
        "loss": state.loss,
        "mode": state.mode,
        "money": [_money(one) for one in money_of(state.alive)],
        "feeds": [
            {
                "venue": one.venue,
                "state": one.state,
                "reason": one.reason,
                "is_alive": one.state == ALIVE_FEED and not one.stale,
                "stale": one.stale,
            }
            for one in feeds
        ],
        "problems": () if health is None else health.problems,
        "kill": None if health is None else health.kill.model_dump(mode="json"),
        "closing": _closing(state),
        "fallen": [
            {"session": one.session, "status": one.status, "reason": one.reason}
            for one in state.sessions
            if one.status in FALLEN
        ],
    }


def _rows(state: EngineState) -> Mapping[str, Any]:
    """Of the pages' tables, made once for all who look; each by itself, as most do not change at a look."""
    rules = state.instruments
    return {
        "positions_rows": rows_told(POSITIONS, position_rows(state.positions, rules)),
        "orders_rows": rows_told(ORDERS, order_rows(state.orders, rules)),
        "signals_rows": rows_told(SIGNALS, (signal_row(one) for one in reversed(state.signals))),
        "fills_rows": rows_told(FILLS, (fill_row(one, rules) for one in reversed(state.fills))),
        "sessions_rows": rows_told(SESSIONS, (session_row(one) for one in in_order(state.sessions))),
        "jobs_rows": rows_told(JOBS, (job_row(one) for one in reversed(state.jobs))),
        "downloads_rows": rows_told(DOWNLOADS, (download_row(one) for one in downloads_of(state.jobs))),
        "collections_rows": rows_told(COLLECTIONS, map(collection_row, collections_in_order(state.collections))),
    }


def _money(one: Money) -> Mapping[str, Any]:
    return {
        "currency": one.currency,
        "sessions": one.sessions,
        "equity": one.equity,
        "day": one.day,
        "day_return": one.day_return,
    }


def _closing(state: EngineState) -> Mapping[str, Any]:
    closing = closing_of(state)
    return {
        "entries": closing.entries,
        "notional": closing.notional_quote,
        "unpriced": closing.unpriced,
        "waiting": closing.waiting_entries,
        "exits": closing.exits,
        "sessions": closing.sessions,
    }
