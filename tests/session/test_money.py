"""Money is conserved after every event, to the last digit, by a sum that the book does not use."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.session.desks import NOVA, ORION, DeskInMemory, a_desk, linear, random_bars, random_quotes, run
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.events import Fact, OrderAccepted, OrderFilled
from workstation.model.market import (
    bar_rows,
)
from workstation.strategies.ma_cross import MACross
from workstation.strategies.spread_reversion import SpreadReversion
from workstation.trading.paper import PaperSettings

MARK = Decimal("98.76")


class Auditor:
    """Sums cash and positions from fills alone and compares with the book at each fact."""

    def __init__(self, initial: int) -> None:
        self.cash, self.held = Fraction(initial), dict.fromkeys((NOVA, ORION), Fraction(0))
        self.desk: DeskInMemory | None = None
        self.checked = 0

    def watch(self, fact: Fact) -> None:
        if isinstance(fact.event, OrderFilled):
            fill = fact.event.fill
            signed = fill.side.value * Fraction(fill.quantity)
            self.cash -= signed * Fraction(fill.price) + Fraction(fill.fee)
            self.held[fill.instrument] += signed
        if self.desk is None or isinstance(fact.event, OrderAccepted):
            return  # an acceptance is journaled together with the fill that follows it at once
        book = self.desk.session.state.book
        equity = book.equity_quote(dict.fromkeys((NOVA, ORION), MARK))
        assert Fraction(equity) == self.cash + sum(self.held.values()) * Fraction(MARK)
        for key, quantity in self.held.items():
            position = book.position(key)
            assert Fraction(0 if position is None else position.signed_quantity) == quantity
        self.checked += 1


@given(st.integers(0, 10_000), st.integers(0, 200_000_000))
@settings(max_examples=20)
def test_balances_fees_and_profit_add_up_after_every_event_of_a_spread_session(seed, latency_ns):
    auditor = Auditor(20_000)
    desk = a_desk(
        SpreadReversion(entry_z=1.5, exit_z=0.2, window_minutes=1, min_points=5, min_net_edge_bps=None),
        [linear(NOVA), linear(ORION)],
        paper=PaperSettings(latency_ns=latency_ns, slippage_rate=0.0001),
        entry_timeout_ns=SECOND_NS,
        watch=auditor.watch,
    )
    auditor.desk = desk
    run(desk, random_quotes(seed, 600))
    assert auditor.checked > 50


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_balances_fees_and_profit_add_up_after_every_event_of_a_bar_session(seed):
    auditor, bars = Auditor(10_000), random_bars(seed, 400)
    desk = a_desk(
        MACross(fast=3, slow=8, atr_window=5),
        [linear()],
        paper=PaperSettings(on_bars=True, slippage_rate=0.0002),
        interval_ns=MINUTE_NS,
        now_ns=int(bars.ts_open[0]),
        watch=auditor.watch,
    )
    auditor.desk = desk
    run(desk, bar_rows(bars, 0))
    assert auditor.checked > 50
