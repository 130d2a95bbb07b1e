"""Tables of pages: their columns are told once, their rows as they come; the browser draws, sorts and saves them.

Most rows come over the channel "state", written once for all who look. Only cells whose words changed are touched.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import param
from panel.custom import JSComponent

from workstation.dashboard.components import code_of, sheet_of

Kind = Literal["text", "id", "price", "quantity", "signed", "side", "age", "span", "share"]
"""An age is told as the time in ms UTC since which it grows, a span in seconds, a share from 0 to 1 as a bar."""
Row = Mapping[str, Any]
PRICE_DIGITS, QUANTITY_DIGITS, SESSION = "price_digits", "quantity_digits", "session"
"""Of a row, told behind its columns: how many decimals its prices and quantities have, and whose it is."""
LEAST = {"text": 56, "id": 56, "price": 82, "quantity": 72, "signed": 72, "side": 62, "age": 58, "span": 58,
         "share": 84}  # fmt: skip
"""Pixels that the usual values of a kind need."""
SYMBOL_LEAST = 118
"""Of BTC/USDT:USDT."""
LETTER = 6.2
PADDING = 16
"""Pixels of a head's letter, and beside each cell's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`name` in a row, `title` with its unit on the page; `rank` 0 stays on a phone, higher ones go first."""

    name: str
    title: str
    kind: Kind = "text"
    digits: int = 2
    """Of a signed figure; prices and quantities have as many as their row says."""
    rank: int = 0
    width: int | None = None
    least: int | None = None
    """Pixels that its usual words need; it grows where there is room, `width` does not."""

    def told(self) -> Mapping[str, Any]:
        """As the browser reads it: at least as wide as its title."""
        titled = max(LEAST[self.kind], round(LETTER * len(self.title)) + PADDING, self.least or 0)
        return {
            "name": self.name,
            "title": self.title,
            "kind": self.kind,
            "digits": self.digits,
            "rank": self.rank,
            "least": titled if self.width is None else self.width,
            "grow": 0 if self.width is not None else 2 if self.kind == "text" else 1,
        }


def rows_told(columns: Sequence[Column], rows: Iterable[Row]) -> list[list[Any]]:
    """As the browser reads them: the columns' values in their order, then both decimals and the session."""
    names = [one.name for one in columns]
    return [
        [*(row.get(name) for name in names), row.get(PRICE_DIGITS, 2), row.get(QUANTITY_DIGITS, 2), row.get(SESSION)]
        for row in rows
    ]


class LiveTable(JSComponent):
    """One table with its heading, the number of its rows, and its CSV.

    Its rows are those of `source` in the channel "state", of `session` alone where one is chosen; or, without a source,
    those that it was shown.
    """

    title = param.String()
    empty = param.String(doc="What is said where there is no row.")
    columns = param.List(doc="As Column.told says them.")
    buttons = param.Dict(
        default={}, doc="By the name of each: its word, what it does, and where: {column: words it says}."
    )
    acts = param.Boolean(default=True, doc="Whoever looks may press its buttons.")
    opens = param.Boolean(doc="A row can be pressed.")
    source = param.String(doc="Its rows in the channel, without their ending.")
    most = param.Integer(default=200, doc="Rows on the page; the CSV has all.")
    session = param.String(doc="Empty: of all.")
    rows = param.List(default=[], doc="As `rows_told` says them, of a table without a source.")

    _esm = code_of("table")
    _stylesheets: ClassVar[list[str]] = [sheet_of("table")]

    def __init__(self, title: str, columns: Sequence[Column], **params: Any) -> None:
        self._columns = columns
        self._on_button: dict[str, Callable[[Row], Awaitable[None]]] = {}
        self._on_row: Callable[[Row], None] | None = None
        told = [one.told() for one in columns]
        super().__init__(title=title, columns=told, **({"sizing_mode": "stretch_width", "margin": 0} | params))

    def show(self, rows: Iterable[Row]) -> None:
        """Of a table without a source."""
        self.rows = rows_told(self._columns, rows)

    def on_button(self, name: str, act: Callable[[Row], Awaitable[None]]) -> None:
        """Calls `act` with the row whose button was pressed, as the browser names it: nothing of it is certain."""
        self._on_button[name] = act

    def on_row(self, act: Callable[[Row], None]) -> None:
        """Calls `act` with the row that was pressed, likewise."""
        self._on_row, self.opens = act, True

    async def _handle_msg(self, data: Any) -> None:
        if not isinstance(data, Mapping) or not isinstance(data.get("row"), Mapping):
            return
        row = {one.name: str(data["row"].get(one.name, "")) for one in self._columns}
        if (act := self._on_button.get(str(data.get("button")))) is not None:
            await act(row)
        elif "button" not in data and self._on_row is not None:
            self._on_row(row)
