"""A field for words that keeps what was typed."""

from typing import Any

import panel_material_ui as pmui


class TextField(pmui.TextInput):
    """`value_input` is what stands in it; `value` what stood there when it was left, which is told to the server later.

    The library puts the one to the other whenever it hears of it: who left a field and at once typed in it again found
    the old words there (both come in one message). What was typed since the field was left is the newer one.
    """

    def _process_events(self, events: dict[str, Any]) -> None:
        is_older = "value_input" in events and events.get("value", events["value_input"]) != events["value_input"]
        super()._process_events({name: told for name, told in events.items() if not (is_older and name == "value")})
