"""A sheet of facts: names and values in groups, and lines of words. What comes from outside is text in the browser."""

from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from workstation.dashboard.components import code_of, sheet_of


class FactSheet(JSComponent):
    """`groups` are [title, [[name, value], …]]; a value is text, or ["id", text] to be copied by a click, or
    ["up" | "down" | "b", text]. `lines` are of the block "Now": lists of such parts.
    """

    heading = param.String(doc="Above the lines.")
    groups = param.List(default=[], doc="Names and values.")
    lines = param.List(default=[], doc="Words, a list of parts each.")

    _esm = code_of("sheet")
    _stylesheets: ClassVar[list[str]] = [sheet_of("sheet")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
