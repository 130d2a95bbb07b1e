"""What an engine tells, for the tests of pages."""

from decimal import Decimal
from typing import Any

from workstation.client.declaration import Mode
from workstation.client.messages import (
    BarView,
    GroupView,
    InstrumentView,
    LegView,
    OrderView,
    PositionView,
    QuoteView,
    SessionStatus,
    SessionSummary,
)

T0_NS = 1_700_000_000_000_000_000


def a_bar(**told: Any) -> BarView:
    given = {"ts_open": T0_NS, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1.0} | told
    return BarView(**given)


def a_quote_view(**told: Any) -> QuoteView:
    names = [name for name in QuoteView.model_fields if name not in ("venue", "symbol")]
    return QuoteView(**({"venue": "nova", "symbol": "BTC/USDT"} | dict.fromkeys(names) | told))


def a_summary(session: str = "one", **told: Any) -> SessionSummary:
    given: dict[str, Any] = {
        "session": session,
        "mode": Mode.PAPER,
        "strategy": "ma-cross",
        "instruments": ("nova:BTC/USDT",),
        "status": SessionStatus.RUNNING,
        "reason": "",
        "run": f"{session}.1",
        "started_ns": T0_NS,
        "currency": "USDT",
        "opening_equity": Decimal(10_000),
        "equity": Decimal(10_100),
        "realized_pnl": Decimal(0),
        "fees": {},
        "open_groups": 0,
        "open_orders": 0,
        "signals": 0,
        "refusals": 0,
        "facts": 1,
        "gap_ns": None,
        "day_pnl": Decimal(100),
    }
    return SessionSummary(**(given | told))


def a_position(**told: Any) -> PositionView:
    given: dict[str, Any] = {
        "session": "one",
        "venue": "nova",
        "symbol": "BTC/USDT",
        "quantity": Decimal("0.42"),
        "average_price": Decimal(60_000),
        "mark": 62_642.0,
        "unrealized_pnl": Decimal("-112"),
        "realized_pnl": Decimal(0),
        "fees": {},
    }
    return PositionView(**(given | told))


def an_order(**told: Any) -> OrderView:
    given: dict[str, Any] = {
        "client_order_id": "one-1",
        "session": "one",
        "group": "one-g1",
        "venue": "nova",
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "limit",
        "purpose": "entry",
        "status": "open",
        "quantity": Decimal(1),
        "filled_quantity": Decimal(0),
        "average_price": None,
        "limit_price": Decimal(100),
        "stop_price": None,
        "decision_price": None,
        "slippage_bps": None,
        "decided_ns": T0_NS,
        "updated_ns": T0_NS,
        "alarm": None,
    }
    return OrderView(**(given | told))


def a_leg(**told: Any) -> LegView:
    given: dict[str, Any] = {
        "venue": "nova",
        "symbol": "BTC/USDT",
        "side": "buy",
        "quantity": Decimal("0.5"),
        "held_quantity": Decimal("0.5"),
        "entry_price": Decimal(100),
        "mark": 110.0,
        "stop_price": None,
        "target_price": None,
        "unrealized_pnl": Decimal(5),
    }
    return LegView(**(given | told))


def a_group(*legs: LegView, **told: Any) -> GroupView:
    given: dict[str, Any] = {
        "group": "one-g1",
        "session": "one",
        "strategy": "ma-cross",
        "status": "open",
        "legs": (),
        "opened_ns": T0_NS,
        "reason": "",
        "leg_views": legs,
    }
    return GroupView(**(given | told))


def an_instrument(**told: Any) -> InstrumentView:
    given: dict[str, Any] = {
        "venue": "nova",
        "symbol": "BTC/USDT",
        "kind": "spot",
        "base": "BTC",
        "quote": "USDT",
        "tick_size": Decimal("0.1"),
        "lot_size": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "min_notional": Decimal(5),
        "contract_size": Decimal(1),
        "maker_fee_rate": Decimal("0.001"),
        "taker_fee_rate": Decimal("0.001"),
        "price_decimals": 1,
        "quantity_decimals": 3,
    }
    return InstrumentView(**(given | told))
