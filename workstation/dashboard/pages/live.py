"""Live: What is it doing? One session, or one instrument, on one page: chart, Now, positions, orders, signals."""

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import panel as pn
import panel_material_ui as pmui
from bokeh.events import MouseLeave, MouseMove
from bokeh.models import CustomJS

from workstation.charts.candles import candles
from workstation.charts.theme import DARK, LIGHT
from workstation.client.messages import SessionStatus, SessionSummary
from workstation.dashboard.chart_box import ChartBox, chart_text
from workstation.dashboard.live_side import LiveSide, ResultCards
from workstation.dashboard.look import flow, head_of, stack
from workstation.dashboard.pages.live_tables import LiveTables
from workstation.dashboard.pages.ticket import Ticket
from workstation.dashboard.state import EngineState, closing_lines
from workstation.dashboard.users import Role
from workstation.dashboard.visit import OnPlace, Visit
from workstation.model.market import Bars, interval_ns

NAME = "live"
INTERVALS = ("1m", "5m", "15m", "1h", "4h", "1d")
MARKET = ""
"""The choice of no session: the market alone."""
HEIGHT = 540
CROSS = "window.dispatchEvent(new CustomEvent('workstation-cross', {detail: EVENT}))"


class LivePage:
    """`place` is what the address keeps: session, venue, symbol, interval."""

    question: ClassVar[str] = "What is it doing?"

    def __init__(self, visit: Visit, place: dict[str, str]) -> None:
        self._visit = visit
        self.on_place: OnPlace = lambda place: None
        self.side = LiveSide(margin=0, sizing_mode="stretch_width")
        self.cards = ResultCards(margin=0, sizing_mode="stretch_width")
        self.session = pmui.Select(label="Session", options={"market only": MARKET}, width=220, size="small", margin=4)
        self.instrument = pmui.Select(label="Instrument", options={}, width=220, size="small", margin=4)
        self.interval = pmui.RadioButtonGroup(options=list(INTERVALS), value="1m", size="small", margin=4)
        self._wanted = dict(place)
        self.tables = LiveTables(visit)
        self.ticket = Ticket(visit)
        self.box = ChartBox(
            is_dark=visit.is_dark, sizing_mode="stretch_width", min_height=HEIGHT, margin=0,
            styles={"flex": "1 1 560px", "min-width": "0"},
        )  # fmt: skip
        self._acts = self._buttons()
        self.interval.value = place.get("interval", "1m") if place.get("interval") in INTERVALS else "1m"
        self.session.param.watch(self._on_session, "value")
        for widget in (self.instrument, self.interval):
            widget.param.watch(self._on_chart, "value")
        self.show(visit.state)

    @property
    def place(self) -> dict[str, str]:
        return {
            "session": self.session.value or "",
            "instrument": self.instrument.value or "",
            "interval": self.interval.value,
        }

    def view(self) -> pn.viewable.Viewable:
        head = head_of(self.question, self.session, self.instrument, self.interval)
        chart = flow(
            self.box,
            pn.Column(
                self.side,
                self._acts,
                self.ticket.opener,
                styles={"flex": "0 1 236px"},
                margin=0,
                css_classes=["live-side"],
            ),
        )
        return stack(head, self.cards, chart, self.ticket.view(), self.tables.view(), margin=(0, 8))

    # -- what the engine says

    def show(self, state: EngineState) -> None:
        """After each look: choices that came or went, what the buttons may do. The rest comes over the channel."""
        self._offer_sessions(state.sessions)
        self._offer_instruments(state)
        self.ticket.show(state, self.session.value)
        self._allow(self._chosen(state))
        if not self.box.number and self.instrument.value:
            self._draw()

    def _offer_sessions(self, sessions: Sequence[SessionSummary]) -> None:
        options = {"market only": MARKET} | {f"{one.session} · {one.status}": one.session for one in sessions}
        if options == self.session.options:
            return
        self.session.param.update(options=options, value=self._session_among(sessions))
        self.session.param.trigger("value")  # the browser knows a choice by its words, and they tell the status

    def _session_among(self, sessions: Sequence[SessionSummary]) -> str:
        """What the address names, and no other one until that is there; else the one chosen, or the last that runs."""
        names = {one.session for one in sessions}
        if (wanted := self._wanted.get("session")) is not None:
            return wanted if wanted in names else MARKET
        if len(self.session.options) > 1 or "instrument" in self._wanted:
            return self.session.value if self.session.value in names else MARKET
        return next((one.session for one in reversed(sessions) if one.status is SessionStatus.RUNNING), MARKET)

    def _offer_instruments(self, state: EngineState) -> None:
        chosen = self._chosen(state)
        keys = sorted(f"{venue}:{symbol}" for venue, symbol in state.instruments)
        if chosen is not None:
            keys = [*chosen.instruments, *(key for key in keys if key not in chosen.instruments)]
        options = {_words(key): key for key in keys}
        if not keys or options == self.instrument.options:
            return
        wanted = self._wanted.pop("instrument", self.instrument.value)
        self.instrument.param.update(options=options, value=wanted if wanted in keys else keys[0])

    def _chosen(self, state: EngineState) -> SessionSummary | None:
        return next((one for one in state.sessions if one.session == self.session.value), None)

    # -- the chart

    def _on_session(self, _: Any) -> None:
        if self.session.value:
            self._wanted.pop("session", None)
        chosen = self._chosen(self._visit.state)
        if (
            chosen is not None
            and self.instrument.value not in chosen.instruments
            and chosen.instruments[0] in (self.instrument.options.values())
        ):
            self.instrument.value = chosen.instruments[0]
        self.side.session = self.cards.session = self.session.value
        self.tables.choose(self.session.value)
        self.show(self._visit.state)
        self.on_place(self.place)

    def _on_chart(self, _: Any) -> None:
        self._draw()
        self.on_place(self.place)

    def _draw(self) -> None:
        """Another chart: its decimals and the length of its bars are built in. The channel fills it."""
        if not self.instrument.value:
            return
        venue, _, symbol = self.instrument.value.partition(":")
        rules = self._visit.state.instruments.get((venue, symbol))
        decimals = 2 if rules is None else rules.price_decimals
        self.side.param.update(
            venue=venue,
            symbol=symbol,
            interval=self.interval.value,
            session=self.session.value or "",
            price_decimals=decimals,
            chart=self.box.show(empty_chart(self.interval.value, decimals, is_dark=self.box.is_dark)),
        )

    def restyle(self, *, is_dark: bool) -> None:
        self.box.is_dark = is_dark

    # -- what may be done

    def _buttons(self) -> pn.Row:
        self._pause = _button("Pause", "primary", self._on_pause)
        self._stop = _button("Stop", "primary", self._on_stop)
        self._flatten = _button("Close", "error", self._on_flatten)
        return pn.Row(self._pause, self._stop, self._flatten, margin=(4, 12, 4, 0), visible=False)

    def _allow(self, chosen: SessionSummary | None) -> None:
        is_over = chosen is None or chosen.status in (SessionStatus.STOPPED, SessionStatus.BROKEN)
        self._acts.visible = not is_over
        may = self._visit.controls.may(Role.TRADER)
        for button in (self._pause, self._stop, self._flatten):
            button.disabled = not may
        if chosen is not None:
            self._pause.label = "Resume" if chosen.status is SessionStatus.PAUSED else "Pause"

    async def _on_pause(self, _: Any) -> None:
        session, is_paused = self.session.value, self._pause.label == "Resume"
        if is_paused:
            await self._visit.do(lambda client, by: client.resume_session(session, by), f"{session} enters again.")
        else:
            await self._visit.do(lambda client, by: client.pause_session(session, by), f"{session} is paused.")

    async def _on_stop(self, _: Any) -> None:
        session = self.session.value
        await self._visit.do(lambda client, by: client.stop_session(session, by), f"{session} is stopped.")

    async def _on_flatten(self, _: Any) -> None:
        session = self.session.value
        if await self._visit.confirm(
            f"Stop {session} and close what it holds?", closing_lines(self._visit.state, session), "Stop and close"
        ):
            await self._visit.do(
                lambda client, by: client.stop_session(session, by, flatten=True), f"{session} is stopped and closes."
            )


@lru_cache(maxsize=64)
def empty_chart(interval: str, decimals: int, *, is_dark: bool) -> str:
    """The text of a chart of no bars yet, which scripts find by its models' names and fill."""
    none = np.zeros(0)
    bars = Bars(
        interval_ns=interval_ns(interval), ts_open=np.zeros(0, np.int64), open=none, high=none, low=none, close=none,
        volume=none,
    )  # fmt: skip
    chart = candles(bars, theme=DARK if is_dark else LIGHT, decimals=decimals, legend=False, height=HEIGHT)
    chart.price.name = "price"
    chart.price.js_on_event(MouseMove, CustomJS(code=CROSS.replace("EVENT", "cb_obj.x")))
    chart.price.js_on_event(MouseLeave, CustomJS(code=CROSS.replace("EVENT", "null")))
    return chart_text(chart)


def _words(key: str) -> str:
    venue, _, symbol = key.partition(":")
    return f"{symbol} · {venue}"


def _button(label: str, color: str, on_click: Callable[[Any], Awaitable[None]]) -> pmui.Button:
    return pmui.Button(
        label=label,
        variant="outlined",
        color=color,
        size="small",
        on_click=on_click,
        sizing_mode="stretch_width",
        margin=(0, 4, 0, 0),
    )
