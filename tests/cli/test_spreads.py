"""`workstation spreads`: the best first, what is unknown last, a line for each look where there is no terminal."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.engines import running
from tests.cli.histories import refusal, run
from tests.server.desk import Desk
from workstation.cli import opportunity_table, spread_tables
from workstation.cli.spread_tables import cells, ranked
from workstation.client.messages import OpportunityView, SpreadView


def a_spread(symbol: str, **figures: Any) -> SpreadView:
    unknown = dict.fromkeys(SpreadView.model_fields)
    named = {
        "symbol": symbol,
        "venue_a": "nova",
        "venue_b": "orion",
        "symbol_b": symbol,
        "points": 3,
        "is_truncated": False,
    }
    return SpreadView.model_validate(unknown | named | figures)


SPREADS = (
    a_spread("A/USDT"),
    a_spread("B/USDT", z=-4.0, net_edge_ab_bps=-21.0, net_edge_ba_bps=-3.0, age_a_ms=1200.0, age_b_ms=7.0),
    a_spread("C/USDT", z=1.0, net_edge_ab_bps=5.0, net_edge_ba_bps=-40.0),
)


CLOSED = OpportunityView(
    symbol="A/USDT", sell_at="nova", buy_at="orion", buy_symbol="A/USDT", basis=None, opened_ns=1_700_000_000 * 10**9,
    closed_ns=1_700_000_001_500_000_000, peak_ns=1_700_000_000 * 10**9, peak_bps=7.125, quantity=0.25, left_bps=-1.5,
)  # fmt: skip
LASTING = CLOSED.model_copy(update={"symbol": "B/USDT", "buy_symbol": "B/USDT", "closed_ns": None, "left_bps": None})


class SpreadDesk(Desk):
    def opportunities(self, symbol: str | None = None, *, limit: int = 500) -> Sequence[OpportunityView]:
        return [one for one in (CLOSED, LASTING) if symbol in (None, one.symbol)][-limit:]

    def spreads(self, symbol: str | None = None) -> Sequence[SpreadView]:
        return [one for one in SPREADS if symbol in (None, one.symbol)]


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    desk = SpreadDesk()
    with running(desk, home):
        yield desk


@pytest.mark.parametrize(("by", "order"), [("edge", "CBA"), ("z", "BCA")])
def test_the_best_is_first_and_the_unknown_last(by: str, order: str) -> None:
    assert "".join(view.symbol[0] for view in ranked(SPREADS, by)) == order


def test_a_row_says_where_to_buy_and_how_old_the_older_quote_is() -> None:
    assert cells(SPREADS[2])[6:8] == ("5.00", "orion")  # A is dear: bought at B
    assert cells(SPREADS[1])[6:9] == ("-3.00", "nova", "1,200")
    assert cells(SPREADS[0])[3:9] == ("-",) * 6


def test_top_prints_a_table_or_json(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("spreads", "top") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["SYMBOL", "C/USDT", "B/USDT", "A/USDT"]
    assert run("spreads", "top", "--by", "z", "--limit", "1", "--json") == 0
    assert [one["symbol"] for one in json.loads(capsys.readouterr().out)] == ["B/USDT"]


def test_watch_ends_after_its_looks_with_plain_lines(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("spreads", "watch", "C/USDT", "--count", "2", "--every", "0.05") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all("C/USDT nova/orion: spread - bps, z 1.00, net edge 5.00 bps" in one for one in lines)


def test_watch_refuses_a_symbol_that_nobody_watches(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, "spreads", "watch", "D/USDT")
    assert said == "symbol D/USDT: not in a pair of this engine (watched: A/USDT, B/USDT, C/USDT)\n"
    assert run("spreads", "watch") == run("spreads", "watch", "C/USDT", "--all") == 2


def test_opportunities_are_told_with_what_a_late_order_found(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("spreads", "opportunities") == 0
    head, closed, lasting = capsys.readouterr().out.splitlines()
    assert head.split() == ["OPENED", "SYMBOL", "SELL", "AT", "BUY", "AT", "LASTED", "PEAK", "QUANTITY", "LEFT"]
    day = ["2023-11-14", "22:13:20"]
    assert closed.split() == [*day, "A/USDT", "nova", "orion", "1.50", "s", "7.12", "0.25", "-1.50"]
    assert lasting.split() == [*day, "B/USDT", "nova", "orion", "lasts", "7.12", "0.25", "-"]
    assert run("spreads", "opportunities", "--limit", "1", "--json") == 0
    assert [one["symbol"] for one in json.loads(capsys.readouterr().out)] == ["B/USDT"]
    assert run("spreads", "opportunities", "C/USDT") == 0
    assert capsys.readouterr().out.startswith("none since the engine started")
    assert run("spreads", "opportunities", "--limit", "0") == 2


OVER = a_spread(
    "A/USDT", symbol_b="A/USDC", basis="nova:USDC/USDT", net_edge_ab_bps=3.0, net_edge_ba_bps=-9.0, age_a_ms=1.0,
    age_b_ms=2.0, age_basis_ms=900.0,
)  # fmt: skip
CARRIED = a_spread("A/USDT", symbol_b="A/USDT:USDT", venue_b="nova", net_edge_ab_bps=-7.0, net_edge_ba_bps=-1.0)
BOUGHT = CLOSED.model_copy(update={"buy_symbol": "A/USDC", "basis": "nova:USDC/USDT"})


def test_a_declared_pair_says_both_symbols_and_what_it_is_compared_over() -> None:
    head, (over, carried) = spread_tables.table_of([OVER, CARRIED])
    assert head[-1] == "OVER" and (over[-1], carried[-1]) == ("nova:USDC/USDT", "-")
    assert over[:3] == ("A/USDT", "nova A/USDT", "orion A/USDC") and over[6:9] == ("3.00", "orion A/USDC", "900")
    assert carried[1:3] == ("nova A/USDT", "nova A/USDT:USDT") and carried[7] == "nova A/USDT"
    assert spread_tables.table_of(SPREADS)[0] == spread_tables.HEADER
    line = spread_tables.as_line(OVER)
    assert "nova A/USDT with orion A/USDC over nova:USDC/USDT: spread -" in line


def test_an_opportunity_of_a_declared_pair_says_what_was_bought_and_over_what() -> None:
    head, (plain, over) = opportunity_table.table_of([CLOSED, BOUGHT])
    assert head[-1] == "OVER" and (plain[-1], over[-1]) == ("-", "nova:USDC/USDT")
    assert (plain[2:4], over[2:4]) == (("nova", "orion"), ("nova A/USDT", "orion A/USDC"))
    assert opportunity_table.table_of([CLOSED])[0] == opportunity_table.HEADER
