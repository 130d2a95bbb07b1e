"""A chart as the page is told it: whole, in the colours of both themes, and the same for all who look."""

import json
from typing import Any

import pytest
from bokeh.plotting import figure

from workstation.charts.shown import Chart
from workstation.charts.theme import DARK, LIGHT, painted
from workstation.dashboard.chart_box import ChartBox, chart_text
from workstation.dashboard.pages import live, spreads


def models_of(told: Any) -> dict[str, dict[str, Any]]:
    """Every model in the text by its id, as deep as it stands."""
    found: dict[str, dict[str, Any]] = {}
    rest = [told]
    while rest:
        match rest.pop():
            case {"type": "object", "id": str(key), **more} as one:
                found[key] = one.get("attributes", {})
                rest += more.values()
            case dict() as one:
                rest += one.values()
            case list() as some:
                rest += some
    return found


@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize(
    "make", [spreads.empty_chart, lambda is_dark: live.empty_chart("5m", 2, is_dark=is_dark)], ids=["spreads", "live"]
)
def test_each_colour_of_a_chart_is_told_for_both_themes(make: Any, is_dark: bool) -> None:
    told = json.loads(make(is_dark=is_dark))
    models = models_of(told["item"])
    assert told["item"]["root_id"] in models and len(told["paints"]) > 20
    for model, attribute, light, dark in told["paints"]:
        drawn = models[model].get(attribute, "#ffffff")  # Bokeh's own ground is not said
        plain = drawn["value"] if isinstance(drawn, dict) and "value" in drawn else drawn
        assert plain == (dark if is_dark else light)
    names = {attributes.get("name") for attributes in models.values()}
    assert {"candles", "fills", "orders", "price"} <= names or {"spread", "opportunities", "spread_bands"} <= names


def test_the_paints_are_those_of_the_palettes() -> None:
    told = json.loads(spreads.empty_chart(is_dark=False))
    colours = {(light, dark) for _, _, light, dark in told["paints"] if isinstance(light, str)}
    assert (LIGHT.paper, DARK.paper) in colours and (painted(LIGHT, "series.1"), painted(DARK, "series.1")) in colours


def test_two_viewers_are_told_the_same_text_under_numbers_of_their_own() -> None:
    one, other = ChartBox(), ChartBox()
    text = live.empty_chart("1m", 2, is_dark=False)
    assert text is live.empty_chart("1m", 2, is_dark=False)
    assert one.number == other.number == 0
    assert one.show(text) != other.show(text) and one.text is other.text
    before = one.number
    assert one.show(text) != before  # the same text once more is another chart


def test_a_name_cannot_leave_the_text() -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    told = json.loads(chart_text(Chart(layout=figure(name=hostile), paints=())))
    assert hostile in {attributes.get("name") for attributes in models_of(told["item"]).values()}
