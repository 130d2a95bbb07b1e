"""Spreads: Where is the edge? One symbol at two venues: the spread in its band, what crossing leaves, and all pairs."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.events import MouseLeave, MouseMove
from bokeh.models import CustomJS

from workstation.charts.shown import restyle
from workstation.charts.spread import NEEDED, SpreadChart, spread
from workstation.charts.theme import DARK, LIGHT
from workstation.client.messages import SpreadView
from workstation.dashboard.look import flow, head_of, stack
from workstation.dashboard.spread_side import Opportunities, SpreadMatrix, SpreadSide
from workstation.dashboard.state import EngineState
from workstation.dashboard.visit import OnPlace, Visit

MINUTE_MS = 60_000
SPANS = {"5m": 5 * MINUTE_MS, "15m": 15 * MINUTE_MS, "30m": 30 * MINUTE_MS, "2h": 120 * MINUTE_MS}
DEFAULT_SPAN = "15m"
MANY = 12
"""Choices from which on a list is searched."""
HEIGHT = 520
CROSS = "window.dispatchEvent(new CustomEvent('workstation-spread-cross', {detail: EVENT}))"
LESSON = """A spread needs one symbol at two venues, and the engine watches none at two.
Name a second venue in workstation.toml as [venues.NAME], its exchange below it, and the symbol in [engine] symbols;
then start the engine again. `workstation demo` shows three venues without keys or internet."""
UNHEARD = "The engine has not answered yet. `workstation engine` starts it; this page fills by itself."

Pair = tuple[str, str, str]
"""Symbol, venue A, venue B, as the engine orders them."""


class SpreadsPage:
    """`place` is what the address keeps: symbol, a, b, span."""

    question: ClassVar[str] = "Where is the edge?"

    def __init__(self, visit: Visit, place: dict[str, str]) -> None:
        self._visit = visit
        self.on_place: OnPlace = lambda place: None
        self._pairs: dict[str, list[Pair]] = {}
        self._pair: Pair | None = None
        self._is_offering = False
        self._wanted = (place.get("symbol", ""), place.get("a", ""), place.get("b", ""))
        self.symbol = _select("Symbol", 200, "spread-symbol")
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
        self.chart = empty_chart()
        self._lesson = pn.pane.Str(LESSON, visible=False, margin=(24, 8), css_classes=["spread-lesson"])
        self._body = self._laid_out()
        for widget in (self.symbol, self.venue_a, self.venue_b):
            widget.param.watch(self._on_pick, "value")
        self.span.param.watch(self._on_span, "value")
        self.show(visit.state)

    @property
    def place(self) -> dict[str, str]:
        symbol, a, b = self._pair or self._wanted
        return {"symbol": symbol, "a": a, "b": b, "span": self.span.value}

    def view(self) -> pn.viewable.Viewable:
        head = head_of(self.question, self.symbol, self.venue_a, self.venue_b, self.span)
        return stack(head, self._lesson, self._body, margin=(0, 8))

    def _laid_out(self) -> pn.Column:
        figure = pn.pane.Bokeh(self.chart.layout, sizing_mode="stretch_width", min_height=HEIGHT, margin=0)
        return stack(
            flow(
                # beside the chart the words leave it the room; below it, on a phone, they have the whole line
                pn.Column(figure, styles={"flex": "1000 1 560px", "min-width": "0"}, margin=0),
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
        theme = DARK if is_dark else LIGHT
        restyle(self.chart, theme)
        self.side.inks = list(theme.series[:2])

    # -- which pair

    def show(self, state: EngineState) -> None:
        """After each look: symbols and venues that came."""
        pairs = pairs_of(state.spreads)
        self._lesson.visible = not pairs
        self._lesson.object = LESSON if state.heard_s is not None else UNHEARD
        if not pairs or pairs == self._pairs:
            return
        self._pairs = pairs
        self._body.visible = True
        wanted = self._wanted if any(self._wanted) else traded_pair(state) or self._wanted
        self.choose(*wanted if self._pair is None else self._pair)

    def choose(self, symbol: str, a: str, b: str) -> None:
        """The pair named, or the nearest one that there is."""
        pair = nearest(self._pairs, symbol, a, b)
        if pair is None:
            return
        self._offer(pair)
        if pair == self._pair:
            return
        self._pair = pair
        named = dict(zip(("symbol", "venue_a", "venue_b"), pair, strict=True))
        for component in (self.side, self.matrix, self.opportunities):
            component.param.update(**named)
        self.on_place(self.place)

    def _offer(self, pair: Pair) -> None:
        symbol, a, b = pair
        venues = sorted({venue for one in self._pairs[symbol] for venue in one[1:]})
        self._is_offering = True
        for widget, options, value in (
            (self.symbol, sorted(self._pairs), symbol), (self.venue_a, venues, a), (self.venue_b, venues, b),
        ):  # fmt: skip
            widget.param.update(options=options, value=value, searchable=len(options) >= MANY)
        self._is_offering = False

    def _on_pick(self, event: Any) -> None:
        if self._is_offering:
            return
        picked = {"symbol": self.symbol.value, "a": self.venue_a.value, "b": self.venue_b.value}
        if picked["a"] == picked["b"] and self._pair is not None:  # the one picked stays, the other makes room
            _, a, b = self._pair
            picked["b" if event.obj is self.venue_a else "a"] = a if event.obj is self.venue_a else b
        self.choose(**picked)

    def _on_span(self, _: Any) -> None:
        self.side.span_ms = SPANS[self.span.value]
        self.on_place(self.place)


def pairs_of(spreads: Iterable[SpreadView]) -> dict[str, list[Pair]]:
    """By symbol; the engine tells the best edge first, and choices are to keep their places."""
    pairs: dict[str, list[Pair]] = {}
    for pair in sorted((one.symbol, one.venue_a, one.venue_b) for one in spreads):
        pairs.setdefault(pair[0], []).append(pair)
    return pairs


def traded_pair(state: EngineState) -> Pair | None:
    """Of the first session that trades one symbol at two venues."""
    for session in state.alive:
        keys = [tuple(key.split(":", 1)) for key in session.instruments]
        if len(keys) == 2 and keys[0][1] == keys[1][1]:
            return keys[0][1], keys[0][0], keys[1][0]
    return None


def nearest(pairs: Mapping[str, list[Pair]], symbol: str, a: str, b: str) -> Pair | None:
    """The pair of these venues in whichever order; else one of the symbol with most of them; else the first of all."""
    of_symbol = pairs.get(symbol) or next(iter(pairs.values()), [])
    return max(of_symbol, key=lambda one: len({a, b} & set(one[1:])), default=None)


def empty_chart() -> SpreadChart:
    """A chart of nothing yet, which the browser's script finds by its names and fills."""
    frame = pd.DataFrame({name: [] for name in NEEDED}, index=pd.DatetimeIndex([], tz="UTC"), dtype=float)
    chart = spread(frame, legend=False, zone="local", height=HEIGHT)
    chart.bands.name = "spread_bands"
    for plot in (chart.bands, chart.edges, chart.z):
        plot.js_on_event(MouseMove, CustomJS(code=CROSS.replace("EVENT", "cb_obj.x")))
        plot.js_on_event(MouseLeave, CustomJS(code=CROSS.replace("EVENT", "null")))
    return chart


def _select(label: str, width: int, hook: str) -> pmui.Select:
    return pmui.Select(label=label, options=[], width=width, size="small", margin=4, css_classes=[hook])
