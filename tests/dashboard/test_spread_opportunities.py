"""Opportunities of a pair as its page lists them: recorded and told, each once."""

from typing import Any

from workstation.client.messages import OpportunityView
from workstation.dashboard.opportunity_log import Opportunity, OpportunityLog
from workstation.model.sides import checked_sides, named_key

MS = 1_000_000
SYMBOL = "BTC/USDT"
PLAIN = checked_sides(named_key(f"nova:{SYMBOL}"), named_key(f"orion:{SYMBOL}"))


def a_log(**changes: Any) -> OpportunityLog:
    return OpportunityLog(PLAIN, **changes)


def an_opportunity(opened_ms: int, closed_ms: int | None = None, **changes: Any) -> OpportunityView:
    fields = {
        "symbol": SYMBOL, "sell_at": "nova", "buy_at": "orion", "buy_symbol": changes.get("symbol", SYMBOL),
        "basis": None, "opened_ns": opened_ms * MS,
        "closed_ns": None if closed_ms is None else closed_ms * MS, "peak_ns": opened_ms * MS, "peak_bps": 4.126,
        "quantity": 0.5, "left_bps": -1.004,
    }  # fmt: skip
    return OpportunityView.model_validate(fields | changes)


def test_one_lasts_until_its_closing_is_told() -> None:
    log = a_log()
    log.put(an_opportunity(1_000, left_bps=None))
    assert [one.row for one in log.lasting] == [("ab", 1_000, None, 4.13, 0.5, None)]
    log.put(an_opportunity(1_000, 2_500))
    assert [one.row for one in log.ended] == [("ab", 1_000, 2_500, 4.13, 0.5, -1.0)]
    assert log.lasting == [] and [one.closed_ns for one in log.news()] == [2_500 * MS] and log.news() == []


def test_the_other_way_is_another_and_another_pair_none_of_ours() -> None:
    log = a_log()
    log.put(an_opportunity(1, sell_at="orion", buy_at="nova"))
    log.put(an_opportunity(2))
    log.put(an_opportunity(3, buy_at="vega"))
    log.put(an_opportunity(4, symbol="ETH/USDT"))
    assert [(one.way, one.opened_ns // MS) for one in log.lasting] == [("ba", 1), ("ab", 2)]


def test_of_a_declared_pair_symbols_and_basis_must_be_its_own() -> None:
    log = OpportunityLog(checked_sides(*map(named_key, ("nova:BTC/USDT", "orion:BTC/USDC", "nova:USDC/USDT"))))
    told = {"buy_symbol": "BTC/USDC", "basis": "nova:USDC/USDT"}
    log.put(an_opportunity(1, **told))
    log.put(
        an_opportunity(2, symbol="BTC/USDC", sell_at="orion", buy_at="nova", buy_symbol=SYMBOL, basis=told["basis"])
    )
    log.put(an_opportunity(3))
    log.put(an_opportunity(4, **(told | {"basis": "orion:USDC/USDT"})))
    log.put(an_opportunity(5, **(told | {"basis": None})))
    assert [(one.way, one.opened_ns // MS) for one in log.lasting] == [("ab", 1), ("ba", 2)]


def test_what_the_recording_has_and_the_engine_tells_is_one() -> None:
    log = a_log()
    recorded = [Opportunity("ab", 1 * MS, 2 * MS, 3.0, 1.0, None), Opportunity("ab", 5 * MS, 6 * MS, 3.0, 1.0, None)]
    log.begin(recorded, [an_opportunity(5, 6), an_opportunity(3, 4), an_opportunity(7)])
    assert [one.opened_ns // MS for one in log.ended] == [1, 3, 5]
    assert [one.opened_ns // MS for one in log.lasting] == [7] and log.news() == []
    assert log.ended[-1].left_bps == -1.004


def test_only_the_last_ones_are_kept() -> None:
    log = a_log(most=3)
    log.begin([Opportunity("ab", t * MS, t * MS + 1, 1.0, 1.0, None) for t in range(10)], [])
    assert [one.opened_ns // MS for one in log.ended] == [7, 8, 9]
    log.put(an_opportunity(10, 11))
    assert [one.opened_ns // MS for one in log.ended] == [8, 9, 10]


def test_nothing_lasts_while_a_side_is_stale() -> None:
    log = a_log()
    log.put(an_opportunity(1))
    log.silence()
    assert log.lasting == []
    log.put(an_opportunity(1, 9))
    assert len(log.ended) == 1
