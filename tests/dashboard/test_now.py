"""The block "Now", as sentences."""

from decimal import Decimal
from typing import Any

from tests.dashboard.views import T0_NS, a_group, a_leg, a_summary
from workstation.client.messages import GroupView, SessionStatus
from workstation.client.now import ConditionView, GuardView, SessionNow
from workstation.dashboard.now import MOST_CONDITIONS, Line, now_lines


def text(line: Line) -> str:
    return "".join(part if isinstance(part, str) else part[1] for part in line)


def a_now(*groups: GroupView, **told: Any) -> SessionNow:
    given: dict[str, Any] = {
        "session": "one",
        "time_ns": T0_NS,
        "status": SessionStatus.RUNNING,
        "reason": "",
        "groups": groups,
        "conditions": (),
        "guards": (),
        "next_bar_ns": None,
    }
    return SessionNow(**(given | told))


def a_condition(**told: Any) -> ConditionView:
    given: dict[str, Any] = {
        "name": "entry",
        "window": "spread",
        "field": "Z",
        "operator": ">",
        "threshold": 1.5,
        "rearm": None,
        "value": 1.0,
        "is_true": False,
        "distance": 0.5,
    }
    return ConditionView(**(given | told))


def lines_of(now: SessionNow, **told: Any) -> list[str]:
    return [text(line) for line in now_lines(a_summary(**told), now)]


def test_a_session_that_waits_says_for_what_and_how_far_away_it_is() -> None:
    assert lines_of(a_now(conditions=(a_condition(),))) == [
        "Running · ma-cross",
        "Holds nothing.",
        "Waits for z above 1.5; it is 1, 0.5 away",
        "Guards: all pass",
    ]


def test_what_is_held_is_told_with_its_stop_and_what_that_would_cost() -> None:
    leg = a_leg(stop_price=Decimal(90), target_price=Decimal("120.50"))
    assert lines_of(a_now(a_group(leg)))[1:4] == [
        "Holds ▲ long 0.5 BTC/USDT at nova from 100, +5.00 USDT",
        "Stop at 90, then −5.00 USDT before fees",
        "Target at 120.5",
    ]


def test_a_short_s_stop_lies_above_and_costs_as_much() -> None:
    leg = a_leg(side="sell", stop_price=Decimal(110), unrealized_pnl=None)
    held, stop = lines_of(a_now(a_group(leg)))[1:3]
    assert held.startswith("Holds ▼ short") and held.endswith("not priced yet")
    assert stop == "Stop at 110, then −5.00 USDT before fees"


def test_guards_that_fail_are_told_in_sentences_with_their_numbers() -> None:
    guards = (
        GuardView(name="max_open_positions", allowed="at most 5", figure="5 open", passes=False),
        GuardView(name="max_quote_age_ms nova:BTC/USDT", allowed="at most 5000 ms", figure="age 7000 ms", passes=False),
        GuardView(name="max_quote_age_ms orion:BTC/USDT", allowed="none", figure="no quote", passes=False),
        GuardView(name="kill switch", allowed="off", figure="off", passes=True),
    )
    assert lines_of(a_now(guards=guards))[-1] == (
        "Guards: no entry now. 5 open positions, at most 5 allowed. "
        "nova:BTC/USDT: age 7000 ms, at most 5000 ms allowed. orion:BTC/USDT: no quote."
    )


def test_a_paused_session_says_so_once() -> None:
    guards = (
        GuardView(name="session", allowed="running", figure="paused", passes=False),
        GuardView(name="paused", allowed="off", figure="on", passes=False),
    )
    assert lines_of(a_now(guards=guards))[-1] == "Guards: no entry now. The session is paused."


def test_a_bar_strategy_says_when_it_decides_next() -> None:
    assert "Next decision when the bar closes, in 1:05" in lines_of(a_now(next_bar_ns=T0_NS + 64_200_000_000))


def test_the_nearest_conditions_come_first_and_the_others_are_counted() -> None:
    far = [a_condition(threshold=n, distance=float(n)) for n in range(9, 2, -1)]
    told = [line for line in lines_of(a_now(conditions=tuple(far))) if line.startswith(("Waits", "and"))]
    assert len(told) == MOST_CONDITIONS + 1
    assert told[0].startswith("Waits for z above 3")
    assert told[-1] == "and 3 more conditions"


def test_a_stopped_session_waits_for_nothing() -> None:
    lines = lines_of(a_now(conditions=(a_condition(),)), status=SessionStatus.STOPPED, reason="by ann")
    assert lines == ["Stopped · ma-cross: by ann", "Holds nothing."]


def test_figures_are_short_and_their_signs_are_signs() -> None:
    told = lines_of(a_now(conditions=(a_condition(operator="<", threshold=-1.5, value=-0.09977, distance=1.4),)))
    assert told[2] == "Waits for z below −1.5; it is −0.1, 1.4 away"
