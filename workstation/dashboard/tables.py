"""Tables of pages: Tabulator with the house's columns, patched by slice and only where something changed."""

import csv
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any, Literal

import pandas as pd
import panel as pn
from bokeh.models.widgets.tables import HTMLTemplateFormatter
from panel.widgets import Tabulator

from workstation.dashboard.components import sheet_of
from workstation.dashboard.look import stack

Kind = Literal["text", "price", "quantity", "signed", "side", "age"]
PRICE_DIGITS, QUANTITY_DIGITS = "price_digits", "quantity_digits"
"""Hidden columns: how many decimals that row's prices and quantities have."""
HIDDEN = (PRICE_DIGITS, QUANTITY_DIGITS)

NUMBER = """<% if (value === null || !isFinite(value)) { %>–<% } else { %><%-
  value.toLocaleString(undefined, {minimumFractionDigits: DIGITS, maximumFractionDigits: DIGITS}).replace('-', '−')
  %><% } %>"""
SIGNED = """<% if (value === null || !isFinite(value)) { %>–<% } else { %><span style="color: var(--mui-palette-<%-
  value < 0 ? 'down' : value > 0 ? 'up' : 'text' %>-main, inherit)"><%- (value > 0 ? '+' : '') +
  value.toLocaleString(undefined, {minimumFractionDigits: DIGITS, maximumFractionDigits: DIGITS}).replace('-', '−')
  %></span><% } %>"""
SIDE = """<% const isUp = value === 'buy' || value === 'long' %><span style="color: var(--mui-palette-<%- isUp ? 'up' :
  'down' %>-main)"><%- isUp ? '▲' : '▼' %> <%- value %></span>"""
AGE = """<% if (value === null || !isFinite(value)) { %>–<% } else { %><span style="<%- value > 10 ? 'opacity:.55' : ''
  %>"><%- value < 60 ? Math.round(value) + ' s' : value < 3600 ? Math.floor(value / 60) + ' min' : value < 86400 ?
  Math.floor(value / 3600) + ' h' : Math.floor(value / 86400) + ' d' %></span><% } %>"""
TEXT = """<span title="<%- value %>"><%- value === null || value === '' ? '–' : value %></span>"""

TEMPLATES = {"text": TEXT, "price": NUMBER, "quantity": NUMBER, "signed": SIGNED, "side": SIDE, "age": AGE}
LEAST = {"text": 56, "price": 82, "quantity": 72, "signed": 72, "side": 62, "age": 58}
"""Pixels that the usual values of a kind need."""
SYMBOL_LEAST = 118
"""Of BTC/USDT:USDT."""
UNHEARD = "unheard"
"""A table that nothing was told of yet: its place says that it loads, and not that there is nothing."""
BUTTON_WIDTH = 72
"""Panel sets no width of a column of buttons: it takes that of columns which say nothing."""
FIGURES = frozenset(("price", "quantity", "signed", "age"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`name` in the frame, `title` with its unit on the page; `rank` 0 stays on a phone, higher ones go first."""

    name: str
    title: str
    kind: Kind = "text"
    digits: int = 2
    """Of a signed figure; prices and quantities have as many as their row says."""
    rank: int = 0
    width: int | None = None
    least: int | None = None
    """Pixels that its usual words need; it grows where there is room, `width` does not."""


class LiveTable:
    """One table with its heading, the number of its rows, and its CSV."""

    def __init__(
        self, title: str, columns: Sequence[Column], *, empty: str, buttons: Mapping[str, str] | None = None
    ) -> None:
        self.columns = columns
        self._title, self._rows = title, 0
        self.heading = pn.pane.HTML(self._headline(), margin=(0, 0, 0, 8), sizing_mode="stretch_width")
        self.table = Tabulator(
            _frame(columns, []),
            theme="simple",
            show_index=False,
            disabled=True,
            layout="fit_columns",
            row_height=28,
            selectable=False,
            sizing_mode="stretch_width",
            hidden_columns=list(HIDDEN),
            titles={one.name: one.title for one in columns},
            formatters={one.name: _formatter(one) for one in columns},
            text_align={one.name: _align(one) for one in columns},
            header_align={one.name: _align(one) for one in columns},
            widths={one.name: one.width for one in columns if one.width is not None},
            buttons=dict(buttons or {}),
            stylesheets=[sheet_of("table")],
            configuration={
                "responsiveLayout": "hide",
                "placeholder": escape(empty),
                "columnDefaults": {"headerSortTristate": True, "minWidth": BUTTON_WIDTH},
                "columns": [_room(one) for one in columns],
            },
            min_height=92,
        )
        self.csv = pn.widgets.FileDownload(
            callback=self._written, filename=f"{title.lower().replace(' ', '_')}.csv", label="CSV", button_type="light",
            height=24, width=56, margin=0, embed=False, auto=True, stylesheets=[sheet_of("csv")],
        )  # fmt: skip

    def show(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """The rows as they are now: patched where their number is the same, by the columns that changed."""
        frame = _frame(self.columns, rows)
        if len(rows) != self._rows:
            self._rows = len(rows)
            self.heading.object = self._headline()
            self.table.value = frame
            return
        changed = {
            name: [(slice(0, len(frame)), frame[name].to_numpy())]
            for name in frame
            if not frame[name].equals(self.table.value[name])
        }
        if changed and len(frame):
            self.table.patch(changed)

    def hear(self, *, is_heard: bool) -> None:
        """Whether rows are known at all; before that none is not the same as no row."""
        classes = [] if is_heard else [UNHEARD]
        if self.table.css_classes != classes:
            self.table.css_classes = classes

    def on_button(self, name: str, act: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        """Calls `act` with the row whose button was pressed."""

        async def pressed(event: Any) -> None:
            if event.column == name and event.row < len(self.table.value):
                await act(self.table.value.iloc[event.row].to_dict())

        self.table.on_click(pressed, column=name)

    def on_row(self, act: Callable[[Mapping[str, Any]], None]) -> None:
        """Calls `act` with the row that was clicked on, beside its buttons."""

        def clicked(event: Any) -> None:
            if event.column in {one.name for one in self.columns} and event.row < len(self.table.value):
                act(self.table.value.iloc[event.row].to_dict())

        self.table.on_click(clicked)

    def view(self) -> pn.Column:
        return stack(
            pn.Row(self.heading, self.csv, sizing_mode="stretch_width", margin=0),
            self.table,
            sizing_mode="stretch_width",
            margin=0,
        )

    def _headline(self) -> str:
        return f'<b style="font: 700 13px Roboto, sans-serif">{self._title} {self._rows or ""}</b>'

    def _written(self) -> StringIO:
        frame = self.table.value.drop(columns=list(HIDDEN))
        texts = {one.name: frame[one.name].map(_as_text) for one in self.columns if one.kind not in FIGURES}
        return StringIO(frame.assign(**texts).to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC))


def _as_text(value: str) -> str:
    """A spreadsheet takes what begins so for a formula; reasons may be a venue's words."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _frame(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    data = {one.name: [row.get(one.name) for row in rows] for one in columns}
    frame = pd.DataFrame(data, columns=[one.name for one in columns])
    for one in columns:
        if one.kind in FIGURES:
            frame[one.name] = pd.to_numeric(frame[one.name], errors="coerce").astype(float)
        else:
            frame[one.name] = frame[one.name].fillna("").astype(str)
    for name in HIDDEN:
        frame[name] = pd.Series([int(row.get(name, 2)) for row in rows], dtype=int)
    return frame


def _formatter(column: Column) -> HTMLTemplateFormatter:
    digits = {"price": PRICE_DIGITS, "quantity": QUANTITY_DIGITS}.get(column.kind, str(column.digits))
    return HTMLTemplateFormatter(template=TEMPLATES[column.kind].replace("DIGITS", digits))


def _room(column: Column) -> Mapping[str, Any]:
    """As wide as its title needs at least, more where it is text; what does not fit is hidden by rank."""
    titled = max(LEAST.get(column.kind, 56), round(6.2 * len(column.title)) + 16, column.least or 0)
    least = titled if column.width is None else column.width
    return {
        "field": column.name,
        "minWidth": least,
        "widthGrow": 2 if column.kind == "text" else 1,
        "responsive": column.rank,
    }


def _align(column: Column) -> str:
    return "right" if column.kind in FIGURES else "left"
