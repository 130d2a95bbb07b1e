"""The fields of the form that starts a session, and what stands in them."""

from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from workstation.dashboard.declaring import parameter_help
from workstation.dashboard.look import flow
from workstation.dashboard.text_field import TextField


def shown(widget: Any) -> str:
    """What its field shows."""
    return (widget.value_input or "").strip()


def row(*widgets: Any) -> pn.Row:
    return flow(*widgets, gap="0 4px")


def text_field(label: str, width: int, placeholder: str = "") -> Any:
    return TextField(label=label, placeholder=placeholder, size="small", width=width)


def parameter_field(name: str, declared: param.Parameter[Any], words: str) -> Any:
    """A checkbox for yes or no, a choice among those that are declared, else a field for words."""
    label = name.replace("_", " ")
    if isinstance(declared, param.Boolean):
        return pmui.Checkbox(label=label, value=words == "true", description=declared.doc, margin=(14, 10))
    if isinstance(declared, param.Selector):
        options = [str(one) for one in declared.objects]
        return pmui.Select(
            label=label, options=options, value=words if words in options else options[0], size="small", width=170,
            helper_text=parameter_help(declared), tags=[parameter_help(declared)],
        )  # fmt: skip
    help_text = parameter_help(declared)
    return TextField(
        label=label,
        value=words,
        size="small",
        width=200,
        helper_text=help_text,
        tags=[help_text],
        placeholder=str(declared.default),
    )


def help_of(widget: Any) -> str:
    """What stands under a field that is right."""
    return widget.tags[0] if widget.tags else ""


def words_in(widget: Any) -> str:
    return str(widget.value).lower() if isinstance(widget.value, bool) else widget.value or ""
