"""Data: Can I trust the data? What is on the disk, how much of its time it covers, and where each series came from."""

import time
from collections.abc import Iterable
from typing import Any, ClassVar

import panel as pn
import panel_material_ui as pmui

from workstation.client.jobs import ENDED
from workstation.dashboard.coverage_map import CoverageMap
from workstation.dashboard.data_rows import (
    GAPS,
    SERIES,
    SOURCES,
    fact_groups,
    gap_rows,
    map_of,
    series_rows,
    source_rows,
    what_of,
)
from workstation.dashboard.download_rows import downloads_of
from workstation.dashboard.downloading import DownloadWords, words_of_series
from workstation.dashboard.look import RAISED, flow, head_of, stack
from workstation.dashboard.pages.filling import Filling
from workstation.dashboard.sheet import FactSheet, Words
from workstation.dashboard.state import EngineState
from workstation.dashboard.tables import LiveTable, Row
from workstation.dashboard.visit import OnPlace, Visit
from workstation.history.survey import Figures, SeriesFacts

ALL = "all"
MANY = 12
"""Choices from which on a list is searched."""
LESSON = """Nothing is stored yet. What a venue had before, and what it has from now on:

    workstation data download binance BTC/USDT --interval 1m --start 2024-01-01
    workstation data record --symbols BTC/USDT --for 10m

A running engine records what it watches by itself, and `workstation data import FILE` takes in a file of your own."""
GAPLESS = "Nothing is missing between the first row and the last."
FILTERS = ("kind", "venue", "symbol")


class DataPage:
    """`place` is what the address keeps: kind, venue, symbol, and the series that is looked at."""

    question: ClassVar[str] = "Can I trust the data?"

    def __init__(self, visit: Visit, place: dict[str, str]) -> None:
        self._visit, self._surveyor = visit, visit.surveyor
        self.on_place: OnPlace = lambda place: None
        self._wanted = {name: place.get(name, "") for name in (*FILTERS, "series")}
        self._number, self._is_offering = -1, False
        self.filters = {name: _select(name) for name in FILTERS}
        self.table = LiveTable("Stored series", SERIES, empty="No series of this choice.", margin=(0, 0, 12, 0))
        self.map = CoverageMap(self.choose, sizing_mode="stretch_width", margin=(0, 0, 12, 0))
        self.sheet = FactSheet(margin=0, sizing_mode="stretch_width")
        self.close = pmui.Button(label="Close", variant="text", size="small", margin=0, on_click=self._on_close)
        self.told = Words(margin=(4, 8, 12, 8))
        self.progress = pmui.LinearProgress(
            value=0, variant="determinate", visible=False, sizing_mode="stretch_width", margin=(0, 8, 8, 8)
        )
        self.lesson = Words(margin=(24, 8))
        self.gaps = LiveTable("Longest gaps", GAPS, empty=GAPLESS)
        self.sources = LiveTable("Sources", SOURCES, empty="The rows are in the live log, and in no file yet.")
        self.filling = Filling(visit, self._missing)
        tables = flow(
            pn.Column(self.gaps, styles={"flex": "1 1 320px", "min-width": "0"}, margin=0),
            pn.Column(self.sources, styles={"flex": "2 1 420px", "min-width": "0"}, margin=0),
            gap="16px",
        )
        self._detail = stack(
            self.sheet,
            tables,
            self.close,
            styles=RAISED,
            margin=(0, 0, 12, 0),
            visible=False,
            css_classes=["series-panel"],
        )
        self._body = stack(self._detail, self.table, self.map, visible=False)
        for widget in self.filters.values():
            widget.param.watch(self._on_filter, "value")
        self.table.on_row(self._on_row)
        self.gaps.on_row(self._on_gap)
        self.show(visit.state)

    @property
    def place(self) -> dict[str, str]:
        return dict(self._wanted)

    def view(self) -> pn.viewable.Viewable:
        head = head_of(self.question, *self.filters.values(), self.filling.openers())
        return stack(
            head, self.filling.forms(), self.told, self.progress, self.lesson, self._body, self.filling.tables(),
            margin=(0, 8), css_classes=["data-page"],
        )  # fmt: skip

    def restyle(self, *, is_dark: bool) -> None:
        """Its colours are the theme's own."""

    def show(self, state: EngineState) -> None:
        """After each look at the engine, which need not answer: the history is read without it."""
        if self._visit.user_now() is None:
            return
        self.filling.show(state)
        if state.heard_s is not None:
            self._surveyor.heed(frozenset(one.job for one in downloads_of(state.jobs) if one.state in ENDED))
        self._surveyor.want()
        self._tell_progress()
        if self._surveyor.number != self._number:
            self._number = self._surveyor.number
            self._draw()

    def choose(self, name: str) -> None:
        """Its gaps and its lineage; the same once more, or one that is not there, closes them."""
        known = {one.name for one in self._surveyor.series or ()}
        self._wanted["series"] = "" if name == self._wanted["series"] or name not in known else name
        self._draw_detail()
        self.on_place(self.place)

    # -- drawn

    def _tell_progress(self) -> None:
        now = self._surveyor
        left_s, lines = now.left_s(), self.filling.lines(self._visit.state)
        if now.failure:
            lines.append(f"Not all could be looked at: {now.failure}")
        if now.series is None and not now.failure:
            lines.append("Looking at the history…")
        if now.total:
            rest = "" if left_s is None else f", about {left_s:,.0f} s left"
            lines.append(f"Looking at {now.total:,} rows: {now.done / now.total:.0%}{rest}")
        self.told.say("\n".join(lines))
        self.progress.param.update(value=int(100 * now.done / now.total) if now.total else 0, visible=bool(now.total))

    def _draw(self) -> None:
        series = self._surveyor.series
        self.lesson.say(LESSON if series == () else "")
        self._body.visible = bool(series)
        self._offer(series or ())
        shown = [one for one in series or () if self._has(one)]
        self.table.show(series_rows(shown, self._surveyor.figures))
        told = map_of([one.name for one in shown], self._surveyor.figures)
        if told != self.map.told:
            self.map.told = told
        self._draw_detail()

    def _draw_detail(self) -> None:
        one, found = self._chosen()
        name = "" if one is None else one.name
        self.map.chosen = name
        self._detail.visible = one is not None
        if one is not None:
            self.gaps.empty = GAPLESS if found is not None else "Not looked at yet."
            self.gaps.show(gap_rows(found))
            self.sources.show(source_rows(one))
            groups = fact_groups(one, found)
            if (self.sheet.heading, self.sheet.groups) != (name, groups):
                self.sheet.param.update(heading=name, groups=groups)

    def _offer(self, series: Iterable[SeriesFacts]) -> None:
        self._is_offering = True
        for name, widget in self.filters.items():
            values = sorted({getattr(one, name) for one in series} | ({self._wanted[name]} - {""}))
            options = {ALL: ""} | {value: value for value in values}
            if options != widget.options or widget.value != self._wanted[name]:
                widget.param.update(options=options, value=self._wanted[name], searchable=len(options) >= MANY)
        self._is_offering = False

    def _has(self, one: SeriesFacts) -> bool:
        return all(getattr(one, name) == value for name in FILTERS if (value := self._wanted[name]))

    # -- chosen

    def _on_filter(self, _: Any) -> None:
        if self._is_offering:
            return
        self._wanted |= {name: widget.value or "" for name, widget in self.filters.items()}
        self._draw()
        self.on_place(self.place)

    def _on_row(self, row: Row) -> None:
        wanted = (row["what"], row["venue"], row["symbol"])
        series = self._surveyor.series or ()
        found = next((one for one in series if (what_of(one), one.venue, one.symbol) == wanted), None)
        if found is not None:
            self.choose(found.name)

    def _on_gap(self, row: Row) -> None:
        """That gap alone is filled."""
        one, found = self._chosen()
        gaps = () if found is None else found.longest_gaps
        gap = next((gap for gap, told in zip(gaps, gap_rows(found), strict=True) if told == row), None)
        if one is not None and gap is not None:
            self.filling.download(words_of_series(one, found, time.time_ns(), (gap.start_ns, gap.end_ns)))

    def _missing(self) -> DownloadWords | None:
        """Of the chosen series; None where none is chosen."""
        one, found = self._chosen()
        return None if one is None else words_of_series(one, found, time.time_ns())

    def _chosen(self) -> tuple[SeriesFacts | None, Figures | None]:
        name = self._wanted["series"]
        one = next((one for one in self._surveyor.series or () if one.name == name), None)
        return one, self._surveyor.figures.get(name)

    def _on_close(self, _: Any) -> None:
        self.choose(self._wanted["series"])


def _select(name: str) -> pmui.Select:
    return pmui.Select(
        label=name.capitalize(), options={ALL: ""}, value="", width=170, size="small", margin=4,
        css_classes=[f"data-{name}"],
    )  # fmt: skip
