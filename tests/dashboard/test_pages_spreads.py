"""The Spreads page: which pair is shown, what its address keeps, and what it says where there is none."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.dashboard.spread_views import a_spread
from tests.dashboard.test_spread_source import a_state
from tests.dashboard.views import a_summary
from workstation.client.messages import SpreadView
from workstation.dashboard.pages.spreads import LESSON, UNHEARD, SpreadsPage, wanted_of
from workstation.dashboard.pairs import choices_of, name_of, nearest, sides_named
from workstation.dashboard.state import EngineState
from workstation.model.sides import Sides

SOL, BTC = "SOL/USDT", "BTC/USDT"
THREE = (("orion", "vega"), ("nova", "orion"), ("nova", "vega"))


@dataclass
class Watching:
    """A visit, as far as this page needs one: it sends no commands."""

    state: EngineState
    is_dark: bool = False


def spreads(*symbols: str) -> tuple[SpreadView, ...]:
    return tuple(a_spread(symbol=symbol, venue_a=a, venue_b=b) for symbol in symbols for a, b in THREE)


def a_page(state: EngineState | None = None, **place: str) -> SpreadsPage:
    known = a_state(spreads=spreads(SOL, BTC), heard_s=1.0) if state is None else state
    return SpreadsPage(Watching(known), place)  # type: ignore[arg-type]


def a_pair(symbol: str, a: str, b: str) -> Sides:
    return wanted_of({"symbol": symbol, "a": a, "b": b})


def shown(page: SpreadsPage) -> tuple[str, str, str]:
    sides = sides_named(page.side.pair)
    assert sides is not None and page.matrix.pair == page.opportunities.pair == page.side.pair
    return sides.a.symbol, sides.a.venue, sides.b.venue


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
    page.choose(a_pair(BTC, "orion", "vega"))
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
    page.matrix._handle_msg({"choose": f"nova:{SOL} vega:{SOL}"})
    assert shown(page) == (SOL, "nova", "vega")
    said: tuple[Any, ...] = (
        "choose",
        {"choose": SOL},
        {"choose": [SOL, 1, 2]},
        {"choose": "nova:A/B nova:A/B"},
        {"other": 1},
        None,
    )
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
    assert page._lesson.visible and page._lesson.text == LESSON
    assert not page._body.visible
    page.show(a_state(spreads=spreads(BTC), heard_s=1.0))
    assert not page._lesson.visible and page._body.visible


def test_before_the_engine_has_spoken_the_page_does_not_blame_the_settings() -> None:
    assert a_page(replace(a_state(), heard_s=None))._lesson.text == UNHEARD


def test_the_order_of_the_engines_answer_changes_no_choice() -> None:
    there = spreads(BTC, SOL)
    assert choices_of(there) == choices_of(reversed(there))


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
    offered = [one for of_symbol in choices_of(spreads(BTC, SOL)).values() for one in of_symbol]
    assert nearest(offered, a_pair(*asked)) == a_pair(*found)


# -- declared pairs

DOLLARS = {"symbol": BTC, "symbol_b": "BTC/USDC", "basis": "nova:USDC/USDT"}
CARRIED = {"symbol": BTC, "symbol_b": f"{BTC}:USDT", "venue_b": "nova"}


def declared(**fields: str) -> EngineState:
    """Besides BTC/USDT at three venues: over a basis at two pairs of venues, and a perpetual with its spot."""
    more = (a_spread(**DOLLARS), a_spread(**(DOLLARS | {"venue_b": "vega"})), a_spread(**CARRIED))
    return a_state(spreads=(*spreads(BTC), *more, *(a_spread(**(DOLLARS | fields)) for _ in fields)), heard_s=1.0)


def test_a_declared_pair_is_chosen_by_its_name_and_its_address_leads_back_to_it() -> None:
    page = a_page(declared())
    assert page.symbol.options == [BTC, f"{BTC} – BTC/USDC", f"{BTC} – {BTC}:USDT"]
    page.symbol.value = f"{BTC} – BTC/USDC"
    assert page.side.pair == "nova:BTC/USDT orion:BTC/USDC nova:USDC/USDT"
    assert (page.venue_a.options, page.venue_b.options) == (["nova"], ["orion", "vega"])
    place = {"symbol": BTC, "a": "nova", "b": "orion", "span": "15m", "symbol_b": "BTC/USDC", "basis": "nova:USDC/USDT"}
    assert page.place == place
    assert a_page(declared(), **place).side.pair == page.side.pair
    page.venue_b.value = "vega"
    assert page.side.pair == "nova:BTC/USDT vega:BTC/USDC nova:USDC/USDT"
    page.symbol.value = BTC
    assert shown(page) == (BTC, "nova", "vega") and set(page.place) == {"symbol", "a", "b", "span"}


def test_both_sides_of_a_declared_pair_may_be_at_one_venue() -> None:
    page = a_page(declared(), symbol=BTC, symbol_b=f"{BTC}:USDT", a="nova", b="nova")
    assert page.side.pair == f"nova:{BTC} nova:{BTC}:USDT"
    assert (page.venue_a.value, page.venue_b.value) == ("nova", "nova")


def test_a_venue_that_is_picked_stays_where_not_every_two_are_a_pair() -> None:
    more = a_spread(**(DOLLARS | {"venue_a": "vega", "venue_b": "lyra"}))
    page = a_page(a_state(spreads=(a_spread(**DOLLARS), more), heard_s=1.0))
    assert page.side.pair.startswith("nova:BTC/USDT orion:BTC/USDC")
    page.venue_a.value = "vega"
    assert page.side.pair.startswith("vega:BTC/USDT lyra:BTC/USDC")
    page.venue_b.value = "orion"
    assert page.side.pair.startswith("nova:BTC/USDT orion:BTC/USDC")


def test_two_bases_of_the_same_sides_are_told_apart_by_their_names() -> None:
    page = a_page(declared(basis="orion:USDC/USDT"))
    assert [one for one in page.symbol.options if "over" in one] == [
        f"{BTC} – BTC/USDC over nova:USDC/USDT", f"{BTC} – BTC/USDC over orion:USDC/USDT"
    ]  # fmt: skip
    page.symbol.value = f"{BTC} – BTC/USDC over orion:USDC/USDT"
    assert page.place["basis"] == "orion:USDC/USDT"


@pytest.mark.parametrize(
    "name", ["", "nova:BTC/USDT", "a b", "nova:A/B orion:A/C", "nova:A/B orion:A/B x:C/D", "a:A/B " * 4]
)
def test_a_name_that_is_no_pair_is_none(name: str) -> None:
    assert sides_named(name) is None


def test_a_pair_is_known_again_by_its_name() -> None:
    for of_label in choices_of(declared().spreads).values():
        assert [sides_named(name_of(one)) for one in of_label] == of_label


def test_the_chart_follows_the_theme() -> None:
    page = a_page()
    page.restyle(is_dark=True)
    assert page.box.is_dark
    assert page.side.inks == ["#91a7ff", "#e599f7"]
