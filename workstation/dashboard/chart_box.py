"""A chart on a page: told once as text, and made of it by each browser.

As models of a viewer's own document it would be two thirds of all that the server keeps for him.
"""

from itertools import count
from typing import ClassVar

import param
from bokeh.core.json_encoder import serialize_json
from bokeh.embed import json_item
from panel.custom import JSComponent

from workstation.charts.shown import Chart
from workstation.charts.theme import DARK, LIGHT, painted
from workstation.dashboard.components import code_of, sheet_of

NUMBERS = count(1)
"""Of the charts that this process has shown, so that no page takes one for another."""


def chart_text(chart: Chart) -> str:
    """All that a browser needs: the chart, and for each of its colours the model, the property and both themes' values.

    Of a chart that no document holds, whose scripts use nothing but what is in it.
    """
    paints = [(one.model.id, one.attribute, painted(LIGHT, one.role), painted(DARK, one.role)) for one in chart.paints]
    return serialize_json({"item": json_item(chart.layout), "paints": paints})


class ChartBox(JSComponent):
    """Others on the page find the chart's models by its number (`charts` of `scripts/channel.js`)."""

    text = param.String(doc="As chart_text writes it; empty: no chart.")
    number = param.Integer(doc="Of the chart; another one is another chart, also of the same text.")
    is_dark = param.Boolean(doc="The theme in force.")

    _esm = code_of("chart_box")
    _stylesheets: ClassVar[list[str]] = [sheet_of("chart_box")]

    def show(self, text: str) -> int:
        """Instead of the one before; returns the chart's number."""
        self.param.update(text=text, number=next(NUMBERS))
        return self.number
