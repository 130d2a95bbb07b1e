"""The form of a collection: what is recorded under a name, from now on, until somebody ends it or its time is over."""

from collections.abc import Callable
from typing import Any

import panel_material_ui as pmui

from workstation.client.client import Client
from workstation.dashboard.downloading import CollectionWords, collection_of
from workstation.dashboard.pages.asking import Asking
from workstation.dashboard.pages.session_fields import text_field
from workstation.dashboard.state import EngineState
from workstation.dashboard.visit import Visit


class CollectionForm(Asking):
    """What stands in brackets is what an empty field means."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(visit, "Collect", "Start the collection")
        engine = visit.settings.engine
        self.name = self._put("name", text_field("Name (collection-1, -2, …)", 220))
        self.venues = self._put("venues", pmui.CheckButtonGroup(options=[], value=[], size="small", margin=(14, 10)))
        self.symbols = self._put("symbols", text_field("Symbols", 260, "BTC/USDT, ETH/USDT"))
        self.trades = self._put(
            "trades", pmui.Checkbox(label="Public trades", value=engine.with_trades, margin=(14, 10))
        )
        self.funding = self._put("funding", pmui.Checkbox(label="Funding", value=engine.with_funding, margin=(14, 10)))
        self.intervals = self._put("intervals", text_field("Bars (none)", 140, "1m, 1h"))
        self.book_levels = self._put("book_levels", text_field("Levels of books (0)", 150, "0 to 50"))
        self.length = self._put("length", text_field("For how long (until it is stopped)", 240, "90s, 10m, 2h, 1d"))
        self._is_filling = True
        self.intervals.value = ", ".join(engine.bar_intervals)
        self.book_levels.value = str(engine.book_levels)
        self.symbols.value = ", ".join(engine.symbols)
        self._is_filling = False
        self._lay_out(
            [self.name, self.symbols, self.venues],
            [self.trades, self.funding, self.intervals, self.book_levels, self.length],
            name="collection-form",
        )

    def show(self, state: EngineState) -> None:
        super().show(state)
        venues = [] if state.health is None else [one.venue for one in state.health.feeds]
        if venues and venues != self.venues.options:
            self.venues.param.update(options=venues, value=venues)

    def words(self) -> CollectionWords:
        """As the fields show them."""
        return CollectionWords(
            name=_typed(self.name),
            venues=tuple(self.venues.value or ()),
            symbols=_typed(self.symbols),
            trades=self.trades.value,
            funding=self.funding.value,
            intervals=_typed(self.intervals),
            book_levels=_typed(self.book_levels),
            length=_typed(self.length),
        )

    def _asked(self) -> tuple[Callable[[Client, str], object], list[list[Any]], str]:
        request = collection_of(self.words())
        where = ", ".join(request.venues) or "all venues"
        kinds = ["quotes", *(["public trades"] if request.trades else []), *(["funding"] if request.funding else [])]
        kinds += [f"bars of {one}" for one in request.intervals or ()]
        kinds += [f"books of {request.book_levels} levels"] if request.book_levels else []
        until = "until it is stopped" if request.seconds is None else f"for {_typed(self.length)}"
        line = f"Records {', '.join(kinds)} of {', '.join(request.symbols)} at {where}, {until}."
        done = f"The collection {request.name} runs." if request.name else "The collection runs."
        return lambda client, by: client.start_collection(request, by), [[line]], done


def _typed(widget: Any) -> str:
    return (widget.value_input or "").strip()
