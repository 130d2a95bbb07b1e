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


class Words(FactSheet):
    """Lines of plain words, which is not there while there is nothing to say.

    Not a pane of Panel's: one that is to be shown while the browser still makes it fails there.
    """

    def __init__(self, text: str = "", **params: Any) -> None:
        super().__init__(**({"margin": (4, 8), "sizing_mode": "stretch_width"} | params))
        self.say(text)

    @property
    def text(self) -> str:
        return "\n".join("".join(line) for line in self.lines)

    def say(self, text: str) -> None:
        self.param.update(lines=[[line] for line in text.splitlines()], visible=bool(text))
