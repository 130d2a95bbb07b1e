"""Spreads: Where is the edge? One symbol at two venues, or a declared pair: the spread in its band, what crossing
leaves, and all pairs."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.events import MouseLeave, MouseMove
from bokeh.models import CustomJS

from workstation.charts.spread import NEEDED, spread
from workstation.charts.theme import DARK, LIGHT
from workstation.dashboard.chart_box import ChartBox, chart_text
from workstation.dashboard.look import flow, head_of, stack
from workstation.dashboard.pairs import choices_of, name_of, nearest
from workstation.dashboard.sheet import Words
from workstation.dashboard.spread_side import Opportunities, SpreadMatrix, SpreadSide
from workstation.dashboard.state import EngineState
from workstation.dashboard.visit import OnPlace, Visit
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.sides import Sides

MINUTE_MS = 60_000
SPANS = {"5m": 5 * MINUTE_MS, "15m": 15 * MINUTE_MS, "30m": 30 * MINUTE_MS, "2h": 120 * MINUTE_MS}
DEFAULT_SPAN = "15m"
MANY = 12
"""Choices from which on a list is searched."""
SYMBOL_WIDTH, NAMED_WIDTH = 200, 262
"""Of the list of symbols, and of one that has pairs of two symbols in it."""
HEIGHT = 520
CROSS = "window.dispatchEvent(new CustomEvent('workstation-spread-cross', {detail: EVENT}))"
LESSON = """A spread needs one symbol at two venues, or a declared pair, and the engine watches neither.
Name a second venue in workstation.toml as [venues.NAME], its exchange below it, and the symbol in [engine] symbols;
or two instruments of one coin in [[engine.pairs]]. Then start the engine again.
`workstation demo` shows three venues without keys or internet."""
UNHEARD = "The engine has not answered yet. `workstation engine` starts it; this page fills by itself."


class SpreadsPage:
    """`place` is what the address keeps: symbol, a, b, span; of a declared pair symbol_b and basis besides."""

    question: ClassVar[str] = "Where is the edge?"

    def __init__(self, visit: Visit, place: dict[str, str]) -> None:
        self._visit = visit
        self.on_place: OnPlace = lambda place: None
        self._choices: dict[str, list[Sides]] = {}
        self._pair: Sides | None = None
        self._is_offering = False
        self._wanted = wanted_of(place)
        self.symbol = _select("Symbol", SYMBOL_WIDTH, "spread-symbol")
        self.venue_a, self.venue_b = _select("Venue A", 150, "spread-a"), _select("Venue B", 150, "spread-b")
        span = place.get("span", "")
        self.span = pmui.RadioButtonGroup(
            options=list(SPANS), value=span if span in SPANS else DEFAULT_SPAN, size="small", margin=4,
            css_classes=["spread-span"],
        )  # fmt: skip
        wide = {"sizing_mode": "stretch_width", "margin": 0}
        self.side = SpreadSide(span_ms=SPANS[self.span.value], **wide)
        self.matrix = SpreadMatrix(self.choose, **wide)
        self.opportunities = Opportunities(**wide)
        self.box = ChartBox(min_height=HEIGHT, **wide)
        self.restyle(is_dark=visit.is_dark)
        self._lesson = Words(margin=(24, 8))
        self._body = self._laid_out()
        for widget in (self.symbol, self.venue_a, self.venue_b):
            widget.param.watch(self._on_pick, "value")
        self.span.param.watch(self._on_span, "value")
        self.show(visit.state)

    @property
    def place(self) -> dict[str, str]:
        return place_of(self._pair or self._wanted) | {"span": self.span.value}

    def view(self) -> pn.viewable.Viewable:
        head = head_of(self.question, self.symbol, self.venue_a, self.venue_b, self.span)
        return stack(head, self._lesson, self._body, margin=(0, 8))

    def _laid_out(self) -> pn.Column:
        return stack(
            flow(
                # beside the chart the words leave it the room; below it, on a phone, they have the whole line
                pn.Column(self.box, styles={"flex": "1000 1 560px", "min-width": "0"}, margin=0),
                pn.Column(self.side, styles={"flex": "1 1 264px"}, margin=0, css_classes=["spread-side"]),
            ),
            flow(
                pn.Column(self.matrix, styles={"flex": "1 1 420px", "min-width": "0"}, margin=0),
                pn.Column(self.opportunities, styles={"flex": "1 1 420px", "min-width": "0"}, margin=0),
                gap="16px", margin=(8, 0),
            ),
            sizing_mode="stretch_width", margin=0, visible=False,
        )  # fmt: skip

    def restyle(self, *, is_dark: bool) -> None:
        self.box.is_dark = is_dark
        self.side.inks = list((DARK if is_dark else LIGHT).series[:2])

    # -- which pair

    def show(self, state: EngineState) -> None:
        """After each look: symbols and venues that came."""
        choices = choices_of(state.spreads)
        self._lesson.say("" if choices else UNHEARD if state.heard_s is None else LESSON)
        if not choices or choices == self._choices:
            return
        self._choices = choices
        if not self.box.number:
            self.side.chart = self.box.show(empty_chart(is_dark=self.box.is_dark))
        self._body.visible = True
        wanted = self._wanted if self._wanted != NOTHING else traded_pair(state) or self._wanted
        self.choose(self._pair or wanted)

    def choose(self, wanted: Sides) -> None:
        """The pair named, or the nearest one that there is."""
        pair = nearest((one for of_symbol in self._choices.values() for one in of_symbol), wanted)
        if pair is None:
            return
        self._offer(pair)
        if pair == self._pair:
            return
        self._pair = pair
        for component in (self.side, self.matrix, self.opportunities):
            component.pair = name_of(pair)
        self.on_place(self.place)

    def _offer(self, pair: Sides) -> None:
        label = next(label for label, of_symbol in self._choices.items() if pair in of_symbol)
        venues = venues_of(self._choices[label])
        self._is_offering = True
        for widget, options, value in (
            (self.symbol, list(self._choices), label),
            (self.venue_a, venues[0], pair.a.venue), (self.venue_b, venues[1], pair.b.venue),
        ):  # fmt: skip
            widget.param.update(options=options, value=value, searchable=len(options) >= MANY)
        has_long = any(one.a.symbol != one.b.symbol for of_symbol in self._choices.values() for one in of_symbol)
        self.symbol.width = NAMED_WIDTH if has_long else SYMBOL_WIDTH
        self._is_offering = False

    def _on_pick(self, event: Any) -> None:
        if self._is_offering or self._pair is None:
            return
        offered, a, b = self._choices[self.symbol.value], self.venue_a.value, self.venue_b.value
        first = offered[0]
        if first.a.symbol == first.b.symbol and a == b:  # the one picked stays, the other makes room
            a, b = (a, self._pair.a.venue) if event.obj is self.venue_a else (self._pair.b.venue, b)
        elif first.a.symbol != first.b.symbol and event.obj is not self.symbol:
            side = 0 if event.obj is self.venue_a else 1
            offered = [one for one in offered if (one.a, one.b)[side].venue == (a, b)[side]]
        wanted = first._replace(a=first.a._replace(venue=a), b=first.b._replace(venue=b))
        self.choose(nearest(offered, wanted) or wanted)

    def _on_span(self, _: Any) -> None:
        self.side.span_ms = SPANS[self.span.value]
        self.on_place(self.place)


def wanted_of(place: dict[str, str]) -> Sides:
    """What the address names, whether or not there is such a pair."""
    symbol = place.get("symbol", "")
    a, b = _key(place.get("a", ""), symbol), _key(place.get("b", ""), place.get("symbol_b") or symbol)
    venue, colon, turning = place.get("basis", "").partition(":")
    return Sides(a, b, _key(venue, turning) if colon else None)


def place_of(pair: Sides) -> dict[str, str]:
    """The other way round; what a pair of one symbol does without is not said."""
    place = {"symbol": pair.a.symbol, "a": pair.a.venue, "b": pair.b.venue}
    if pair.b.symbol != pair.a.symbol:
        place["symbol_b"] = pair.b.symbol
    return place if pair.basis is None else place | {"basis": str(pair.basis)}


def venues_of(offered: Sequence[Sides]) -> tuple[list[str], list[str]]:
    """To choose A and B from; of one symbol each may be any of them."""
    a, b = {str(one.a.venue) for one in offered}, {str(one.b.venue) for one in offered}
    if offered[0].a.symbol == offered[0].b.symbol:
        a = b = a | b
    return sorted(a), sorted(b)


def traded_pair(state: EngineState) -> Sides | None:
    """Of the first session that trades at two places."""
    for session in state.alive:
        keys = [key.partition(":") for key in session.instruments]
        if len(keys) == 2:
            a, b = (_key(venue, symbol) for venue, _, symbol in keys)
            return Sides(a, b)
    return None


@cache
def empty_chart(*, is_dark: bool) -> str:
    """The text of a chart of nothing yet, which the browser's script finds by its models' names and fills."""
    frame = pd.DataFrame({name: [] for name in NEEDED}, index=pd.DatetimeIndex([], tz="UTC"), dtype=float)
    chart = spread(frame, theme=DARK if is_dark else LIGHT, legend=False, zone="local", height=HEIGHT)
    chart.bands.name = "spread_bands"
    for plot in (chart.bands, chart.edges, chart.z):
        plot.js_on_event(MouseMove, CustomJS(code=CROSS.replace("EVENT", "cb_obj.x")))
        plot.js_on_event(MouseLeave, CustomJS(code=CROSS.replace("EVENT", "null")))
    return chart_text(chart)


def _key(venue: str, symbol: str) -> InstrumentKey:
    return InstrumentKey(Venue(venue), Symbol(symbol))


NOTHING = wanted_of({})


def _select(label: str, width: int, hook: str) -> pmui.Select:
    return pmui.Select(label=label, options=[], width=width, size="small", margin=4, css_classes=[hook])
