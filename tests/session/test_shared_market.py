"""One market, several sessions: they share windows, rows and levels, and do not disturb one another."""

from tests.session.desks import NOVA, ORION, DeskInMemory, a_desk, decisions, linear, random_bars, random_quotes
from workstation.model.durations import MINUTE_NS
from workstation.model.market import (
    Rows,
    bar_rows,
)
from workstation.session.market import Market
from workstation.strategies.ma_cross import MACross
from workstation.strategies.spread_reversion import SpreadReversion
from workstation.trading.paper import PaperSettings


def a_spread_session(market: Market, name: str, entry_z: float) -> DeskInMemory:
    strategy = SpreadReversion(entry_z=entry_z, exit_z=0.2, window_minutes=1, min_points=5, min_net_edge_bps=None)
    instruments = [linear(NOVA), linear(ORION)]
    paper = PaperSettings(latency_ns=50_000_000)
    return a_desk(strategy, instruments, paper=paper, market=market, session_id=name)


def a_bar_session(market: Market, now_ns: int, fast: int, target: float) -> DeskInMemory:
    strategy = MACross(fast=fast, slow=8, atr_window=5, atr_target=target)
    paper = PaperSettings(on_bars=True)
    name = f"{fast}-{target}"
    return a_desk(
        strategy, [linear()], paper=paper, interval_ns=MINUTE_NS, now_ns=now_ns, market=market, session_id=name
    )


def take(market: Market, rows: Rows) -> None:
    for wake in market.advance(rows.copy()):
        wake.subscriber.handle(wake)


def test_sessions_on_the_same_instruments_decide_as_if_alone():
    rows, alone = random_quotes(3, 800), []
    for name, entry_z in (("a", 1.2), ("b", 1.8)):
        market = Market()
        desk = a_spread_session(market, name, entry_z)
        take(market, rows)
        alone.append(decisions(desk.journal.facts))
    market = Market()
    desks = [a_spread_session(market, "a", 1.2), a_spread_session(market, "b", 1.8)]
    take(market, rows)
    assert [decisions(desk.journal.facts) for desk in desks] == alone
    assert all(len(each) > 50 for each in alone)
    assert len(market.windows.slots) == 1


def test_resting_orders_of_two_bar_sessions_are_both_reached():
    bars, alone = random_bars(5, 400), []
    rows, now_ns = bar_rows(bars, 0), int(bars.ts_open[0])
    for fast, target in ((2, 1.0), (4, 3.0)):
        market = Market()
        desk = a_bar_session(market, now_ns, fast, target)
        take(market, rows)
        alone.append(decisions(desk.journal.facts))
    market = Market()
    desks = [a_bar_session(market, now_ns, 2, 1.0), a_bar_session(market, now_ns, 4, 3.0)]
    take(market, rows)
    assert [decisions(desk.journal.facts) for desk in desks] == alone
    assert all(len(each) > 50 for each in alone)
