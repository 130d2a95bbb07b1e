"""Coverage by day of every series as a map: a line for each, and a name that is pressed chooses its series."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from workstation.dashboard.components import code_of, sheet_of


class CoverageMap(JSComponent):
    """`told` is as data_rows.map_of makes it."""

    told = param.Dict(default={"period": "day", "heads": [], "lines": []})
    chosen = param.String()

    _esm = code_of("coverage_map")
    _stylesheets: ClassVar[list[str]] = [sheet_of("coverage_map")]

    def __init__(self, choose: Callable[[str], None], **params: Any) -> None:
        self._choose = choose
        super().__init__(**params)

    def _handle_msg(self, data: Any) -> None:
        if isinstance(data, Mapping) and isinstance(data.get("choose"), str):
            self._choose(data["choose"])
