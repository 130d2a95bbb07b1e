"""The form of a download: a venue's past, from when to when; it begins with what is missing in the chosen series."""

import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any

import panel_material_ui as pmui

from workstation.client.client import Client
from workstation.dashboard.downloading import (
    DownloadWords,
    download_command,
    download_of,
    download_preview,
    first_words,
)
from workstation.dashboard.pages.asking import Asking
from workstation.dashboard.pages.session_fields import shown, text_field
from workstation.dashboard.state import EngineState
from workstation.dashboard.visit import Visit
from workstation.history.download_kind import DownloadKind
from workstation.model.market import INTERVALS_NS, interval_label

TIME = "2024-05-01 or 2024-05-01T13:30"


class DownloadForm(Asking):
    """Of the engine's venues, as far as it has told them."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(visit, "Download", "Download")
        small = {"size": "small"}
        self.venue = self._put("venue", pmui.Select(label="Venue", options=[], width=150, **small))
        kinds = [one.value for one in DownloadKind]
        self.data_kind = self._put(
            "data_kind", pmui.Select(label="Kind", options=kinds, value="bars", width=120, **small)
        )
        self.symbol = self._put(
            "symbol",
            pmui.AutocompleteInput(
                label="Symbol", options=[], restrict=False, min_characters=0, size="small", width=190
            ),
        )
        intervals = [interval_label(one) for one in INTERVALS_NS]
        self.interval = self._put(
            "interval", pmui.Select(label="Interval", options=intervals, value="1m", width=110, **small)
        )
        self.start = self._put("start", text_field("From, UTC", 200, TIME))
        self.end = self._put("end", text_field("To, UTC (now)", 200, TIME))
        self.data_kind.param.watch(self._on_kind, "value")
        self._lay_out([*self.fields.values()], name="download-form")

    def open_at(self, words: DownloadWords | None) -> None:
        """Filled with these, or with the first venue and symbol; what was typed before is gone."""
        state = self._visit.state
        self._is_filling = True  # not a word of what is missing until all is filled
        self.show(state)
        if words is None:
            venue = next(iter(self.venue.options), "")
            words = first_words(venue, next(iter(_symbols(state, venue)), ""), time.time_ns())
        if words.venue not in self.venue.options:
            self.venue.options = [*self.venue.options, words.venue]  # it is refused, and the sentence says why
        self.interval.visible = words.data_kind == DownloadKind.BARS
        options = sorted({*_symbols(state, words.venue), words.symbol} - {""})
        self.symbol.param.update(options=options, value_input=words.symbol)
        self._fill(asdict(words))
        self.open()

    def show(self, state: EngineState) -> None:
        super().show(state)
        venues = list(_venues(state))
        if venues and set(venues) - set(self.venue.options):
            self.venue.options = venues

    def words(self) -> DownloadWords:
        """As the fields show them."""
        return DownloadWords(
            venue=self.venue.value or "",
            data_kind=self.data_kind.value or "",
            symbol=shown(self.symbol) or self.symbol.value or "",
            interval=self.interval.value or "",
            start=(self.start.value_input or self.start.value or "").strip(),
            end=(self.end.value_input or "").strip(),
        )

    def _asked(self) -> tuple[Callable[[Client, str], object], list[list[Any]], str]:
        words, now_ns = self.words(), time.time_ns()
        job = download_of(words, _venues(self._visit.state), now_ns)
        lines: list[list[Any]] = [[download_preview(job, now_ns)]]
        lines.append(["The same in a terminal: ", ["id", download_command(job, words)]])
        return lambda client, by: client.start_job(job, by), lines, f"The download of {job.series} is asked for."

    def _on_kind(self, _: Any) -> None:
        self.interval.visible = self.data_kind.value == DownloadKind.BARS


def _venues(state: EngineState) -> Collection[str]:
    """Those of the engine's settings: each has a feed."""
    return () if state.health is None else [one.venue for one in state.health.feeds]


def _symbols(state: EngineState, venue: str) -> list[str]:
    return sorted(symbol for place, symbol in state.instruments if place == venue)
