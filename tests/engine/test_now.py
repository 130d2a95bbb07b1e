"""What a session holds, waits for and is held back by, told with figures."""

from decimal import Decimal
from pathlib import Path

from tests.engine.bench import QUICK, a_bench
from tests.engine.test_hand import NO_LIMITS, by_hand, placed, quote, state_of
from tests.session.desks import NOVA, ORION, random_quotes
from workstation.engine.now import now_of
from workstation.engine.views import group_views
from workstation.model.durations import MINUTE_NS
from workstation.model.events import SessionPaused


def test_a_group_is_told_leg_by_leg_with_entry_stop_target_and_profit(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        by_hand(bench, entry_timeout_ms=60_000)
        order = placed(bench, quantity="2", stop_price="95", target_price="120")
        (waiting,) = now_of(bench.sessions.of("s"), bench.clock.time_ns).groups
        assert (waiting.due_ns, waiting.unrealized_pnl) == (order.decided_ns + 60 * 10**9, None)
        assert (waiting.leg_views[0].held_quantity, waiting.leg_views[0].stop_price) == (0, Decimal(95))
        quote(bench)
        quote(bench, 109.0, 111.0)
        (group,) = group_views(bench.sessions.of("s").session, state_of(bench).groups.values(), bench.clock.time_ns)
        (leg,) = group.leg_views
        assert (leg.side, leg.quantity, leg.held_quantity, leg.entry_price) == ("buy", 2, 2, Decimal(101))
        assert (leg.mark, leg.stop_price, leg.target_price) == (110.0, Decimal("95.00"), Decimal("120.00"))
        assert leg.unrealized_pnl == group.unrealized_pnl == Decimal(18)
        assert group.legs == ("buy 2 nova:BTC/USDT:USDT",)


def test_both_legs_of_a_spread_are_told_and_their_profits_added(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        bench.start()
        rows = random_quotes(5, 3_000)
        for start in range(0, 3_000, 50):
            bench.play(rows[start : start + 50])
            if any(group.status == "open" for group in state_of(bench).groups.values()):
                break
        (group,) = now_of(bench.sessions.of("s"), bench.clock.time_ns).groups
        assert {leg.side for leg in group.leg_views} == {"buy", "sell"}
        parts = [leg.unrealized_pnl for leg in group.leg_views if leg.unrealized_pnl is not None]
        assert len(parts) == 2 and group.unrealized_pnl == sum(parts)
        state = state_of(bench)
        marks = {leg.venue: Decimal(str(leg.mark)) for leg in group.leg_views}
        exact = sum(state.book.position(key).unrealized_pnl_quote(marks[key.venue]) for key in (NOVA, ORION))
        assert len(state.closed_groups) > 0 or abs(exact - group.unrealized_pnl) < Decimal("1e-6")


def test_conditions_are_told_with_how_far_they_are(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        bench.start()
        told = now_of(bench.sessions.of("s"), bench.clock.time_ns).conditions
        assert [one.value for one in told] == [None] * 4
        bench.play(random_quotes(5, 700))
        told = now_of(bench.sessions.of("s"), bench.clock.time_ns).conditions
        rich, cheap, *_ = told
        assert (rich.name, rich.window, rich.field, rich.operator) == ("rich", "spread", "z", "above")
        assert (rich.threshold, rich.rearm, cheap.threshold) == (QUICK["entry_z"], QUICK["exit_z"], -QUICK["entry_z"])
        assert rich.value is not None and rich.distance == rich.threshold - rich.value
        assert cheap.distance == rich.value - cheap.threshold
        assert {one.name: one.is_true for one in told} == {
            one.name: state_of(bench).conditions.get(one.name, False) for one in told
        }


def test_guards_name_what_keeps_the_session_from_entering(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        by_hand(bench, limits=NO_LIMITS | {"max_open_positions": 1, "max_quote_age_ms": 1_000})

        def failing() -> dict[str, str]:
            guards = now_of(bench.sessions.of("s"), bench.clock.time_ns).guards
            return {one.name: one.figure for one in guards if not one.passes}

        assert failing() == {}
        placed(bench, quantity="1")
        assert failing() == {"max_open_positions": "1 open"}
        bench.wait(5)
        assert failing()[f"max_quote_age_ms {NOVA}"].startswith("age 5")
        bench.inject("s", SessionPaused(by="x"))
        assert failing()["paused"] == "on" and failing()["session"] == "paused"


def test_a_bar_strategy_tells_when_its_next_bar_closes(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        bench.start(strategy="ma-cross", parameters={}, venues=("nova",), interval="1m")
        now_ns = bench.clock.time_ns
        told = now_of(bench.sessions.of("s"), now_ns)
        assert told.next_bar_ns == (now_ns // MINUTE_NS + 1) * MINUTE_NS and told.conditions == ()
