"""The Live page's side: the chart's values, the quote, and the block "Now"; it feeds the chart from the channel."""

from typing import ClassVar

import param
from panel.custom import JSComponent

from workstation.dashboard.components import code_of, sheet_of


class LiveSide(JSComponent):
    """`chart` is the number of the one that it fills: another one for each instrument and interval."""

    venue = param.String()
    symbol = param.String()
    interval = param.String(default="1m")
    session = param.String()
    price_decimals = param.Integer(default=2)
    chart = param.Integer(default=0)

    _esm = code_of("live")
    _stylesheets: ClassVar[list[str]] = [sheet_of("live")]


class ResultCards(JSComponent):
    """Equity, day, results, fees and counts of one session, or of all that are not over."""

    session = param.String()

    _esm = code_of("cards")
    _stylesheets: ClassVar[list[str]] = [sheet_of("cards")]
