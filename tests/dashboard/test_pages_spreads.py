"""The Spreads page: which pair is shown, what its address keeps, and what it says where there is none."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.dashboard.spread_views import a_spread
from tests.dashboard.test_spread_source import a_state
from tests.dashboard.views import a_summary
from workstation.client.messages import SpreadView
from workstation.dashboard.pages.spreads import LESSON, UNHEARD, SpreadsPage, nearest, pairs_of
from workstation.dashboard.state import EngineState

SOL, BTC = "SOL/USDT", "BTC/USDT"
THREE = (("orion", "vega"), ("nova", "orion"), ("nova", "vega"))


@dataclass
class Watching:
    """A visit, as far as this page needs one: it sends no commands."""

    state: EngineState


def spreads(*symbols: str) -> tuple[SpreadView, ...]:
    return tuple(a_spread(symbol=symbol, venue_a=a, venue_b=b) for symbol in symbols for a, b in THREE)


def a_page(state: EngineState | None = None, **place: str) -> SpreadsPage:
    known = a_state(spreads=spreads(SOL, BTC), heard_s=1.0) if state is None else state
    return SpreadsPage(Watching(known), place)  # type: ignore[arg-type]


def shown(page: SpreadsPage) -> tuple[str, str, str]:
    return page.side.symbol, page.side.venue_a, page.side.venue_b


def test_the_pair_of_the_address_is_shown_in_whichever_order_it_names_the_venues() -> None:
    assert shown(a_page(symbol=SOL, a="vega", b="nova", span="2h")) == (SOL, "nova", "vega")


def test_without_an_address_the_pair_that_a_session_trades_is_shown() -> None:
    trading = a_summary(instruments=(f"nova:{SOL}", f"vega:{SOL}"))
    state = a_state(spreads=spreads(BTC, SOL), sessions=(trading,), heard_s=1.0)
    assert shown(a_page(state)) == (SOL, "nova", "vega")


def test_without_address_and_session_the_first_pair_is_shown() -> None:
    assert shown(a_page()) == (BTC, "nova", "orion")


def test_the_address_keeps_the_pair_and_the_span() -> None:
    page, told = a_page(symbol=SOL, span="2h"), list[dict[str, str]]()
    page.on_place = told.append
    page.span.value = "5m"
    page.choose(BTC, "orion", "vega")
    assert told == [
        {"symbol": SOL, "a": "nova", "b": "orion", "span": "5m"},
        {"symbol": BTC, "a": "orion", "b": "vega", "span": "5m"},
    ]
    assert page.side.span_ms == 300_000


def test_a_span_that_there_is_not_is_the_usual_one() -> None:
    assert a_page(span="7d").span.value == "15m"


def test_picking_the_other_venue_makes_room_for_it() -> None:
    page = a_page(symbol=BTC, a="nova", b="orion")
    page.venue_a.value = "orion"
    assert shown(page) == (BTC, "nova", "orion")
    page.venue_b.value = "vega"
    assert shown(page) == (BTC, "nova", "vega")


def test_another_symbol_keeps_the_venues() -> None:
    page = a_page(symbol=BTC, a="orion", b="vega")
    page.symbol.value = SOL
    assert shown(page) == (SOL, "orion", "vega")


def test_a_cell_of_the_matrix_chooses_its_pair_and_nothing_else_does() -> None:
    page = a_page()
    page.matrix._handle_msg({"choose": [SOL, "nova", "vega"]})
    assert shown(page) == (SOL, "nova", "vega")
    said: tuple[Any, ...] = ("choose", {"choose": [SOL]}, {"choose": [SOL, 1, 2]}, {"other": 1}, None)
    for one in said:
        page.matrix._handle_msg(one)
    assert shown(page) == (SOL, "nova", "vega")
    assert page.venue_b.value == "vega"


def test_a_pair_that_is_chosen_stays_when_another_comes() -> None:
    page = a_page(symbol=SOL, a="nova", b="vega")
    page.show(a_state(spreads=spreads("ADA/USDT", BTC, SOL), heard_s=1.0))
    assert shown(page) == (SOL, "nova", "vega")
    assert page.symbol.options == ["ADA/USDT", BTC, SOL]


def test_many_symbols_can_be_searched() -> None:
    assert a_page().symbol.searchable is False
    page = a_page(a_state(spreads=spreads(*(f"C{number}/USDT" for number in range(40))), heard_s=1.0))
    assert page.symbol.searchable is True


def test_where_no_symbol_is_at_two_venues_the_page_says_which_setting_to_change() -> None:
    page = a_page(a_state(heard_s=1.0))
    assert page._lesson.visible and page._lesson.object == LESSON
    assert not page._body.visible
    page.show(a_state(spreads=spreads(BTC), heard_s=1.0))
    assert not page._lesson.visible and page._body.visible


def test_before_the_engine_has_spoken_the_page_does_not_blame_the_settings() -> None:
    assert a_page(replace(a_state(), heard_s=None))._lesson.object == UNHEARD


def test_the_order_of_the_engines_answer_changes_no_choice() -> None:
    there = spreads(BTC, SOL)
    assert pairs_of(there) == pairs_of(reversed(there))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ((BTC, "vega", "orion"), (BTC, "orion", "vega")),
        ((BTC, "vega", "gone"), (BTC, "nova", "vega")),
        (("GONE/USDT", "orion", "vega"), (BTC, "orion", "vega")),
    ],
)
def test_a_pair_that_there_is_not_leads_to_the_nearest(
    asked: tuple[str, str, str], found: tuple[str, str, str]
) -> None:
    assert nearest(pairs_of(spreads(BTC, SOL)), *asked) == found


def test_the_chart_follows_the_theme() -> None:
    page = a_page()
    page.restyle(is_dark=True)
    assert page.chart.bands.background_fill_color == "#14181e"
    assert page.side.inks == ["#91a7ff", "#e599f7"]
