"""A trade is a position group: the figures count groups, with the sum of their legs, and not legs."""

from decimal import Decimal

from tests.session.desks import NOVA, ORION, a_desk, linear, random_quotes, run
from workstation.model.events import GroupOpened
from workstation.model.ids import GroupId
from workstation.model.units import Side
from workstation.research.trade_log import LegTrade, Trade, TradeLog
from workstation.strategies.spread_reversion import SpreadReversion
from workstation.trading.paper import PaperSettings


def a_leg(entry: str, exit_: str | None, *, side: Side = Side.BUY, entry_ns: int = 1, exit_ns: int = 5) -> LegTrade:
    leg = LegTrade(GroupId("g1"), NOVA if side is Side.BUY else ORION, side)
    leg.entry_ns, leg.entry_quantity, leg.entry_notional_quote = entry_ns, Decimal(1), Decimal(entry)
    if exit_ is not None:
        leg.exit_ns, leg.exit_quantity, leg.exit_notional_quote = exit_ns, Decimal(1), Decimal(exit_)
    return leg


def test_a_trade_is_the_sum_of_its_legs_from_the_first_entry_to_the_last_exit() -> None:
    losing = a_leg("100", "90", entry_ns=2, exit_ns=9)
    winning = a_leg("100", "85", side=Side.SELL, entry_ns=1, exit_ns=7)
    trade = Trade(GroupId("g1"), (losing, winning))
    assert (losing.pnl_quote, winning.pnl_quote, trade.pnl_quote) == (-10, 15, 5)
    assert (trade.entry_ns, trade.exit_ns, trade.is_open) == (1, 9, False)


def test_a_trade_is_open_while_one_leg_is() -> None:
    trade = Trade(GroupId("g1"), (a_leg("100", "90"), a_leg("100", None, side=Side.SELL)))
    assert trade.is_open and trade.exit_ns is None


def test_the_trades_of_a_spread_session_are_its_groups() -> None:
    log = TradeLog()
    desk = a_desk(
        SpreadReversion(entry_z=1.5, exit_z=0.2, window_minutes=1, min_points=5, min_net_edge_bps=None),
        [linear(NOVA), linear(ORION)],
        paper=PaperSettings(latency_ns=50_000_000),
        watch=lambda fact: log.watch([fact]),
    )
    facts = run(desk, random_quotes(3, 600))
    opened = [fact.event.group.group_id for fact in facts if isinstance(fact.event, GroupOpened)]
    assert [trade.group_id for trade in log.trades] == [one for one in opened if (one, 0) in log.legs] != []
    assert len(log.entered_legs) == 2 * len(log.trades)
    for trade in log.trades:
        assert [leg.group_id for leg in trade.legs] == [trade.group_id] * 2
        assert trade.pnl_quote == sum(leg.pnl_quote for leg in trade.legs)
