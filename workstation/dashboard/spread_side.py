"""The Spreads page's own components: the side that feeds the chart, the matrix of all pairs, and the opportunities."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from workstation.dashboard.components import code_of, sheet_of
from workstation.dashboard.pairs import sides_named
from workstation.model.sides import Sides

Choose = Callable[[Sides], None]


class SpreadSide(JSComponent):
    """Values at the crosshair or of now, both quotes, and where the edge is in words."""

    pair = param.String(doc="As `pairs.name_of` writes it.")
    span_ms = param.Integer(default=900_000)
    chart = param.Integer(doc="The number of the chart that it fills.")
    inks = param.List(item_type=str, doc="Of the lines of both net edges.")

    _esm = code_of("pair", "spreads")
    _stylesheets: ClassVar = [sheet_of("spreads")]


class SpreadMatrix(JSComponent):
    """Net edges of every pair; a cell that is pressed chooses its pair."""

    pair = param.String(doc="As `pairs.name_of` writes it.")

    _esm = code_of("pair", "spread_matrix")
    _stylesheets: ClassVar = [sheet_of("spread_matrix")]

    def __init__(self, choose: Choose, **params: Any) -> None:
        self._choose = choose
        super().__init__(**params)

    def _handle_msg(self, data: Any) -> None:
        chosen = data.get("choose") if isinstance(data, Mapping) else None
        sides = sides_named(chosen) if isinstance(chosen, str) else None
        if sides is not None:
            self._choose(sides)


class Opportunities(JSComponent):
    """Spans in which crossing would have paid, the newest first."""

    pair = param.String(doc="As `pairs.name_of` writes it.")

    _esm = code_of("pair", "opportunities")
    _stylesheets: ClassVar = [sheet_of("opportunities")]
