"""The document as it is sent: the bar and the pages' names are drawn before Bokeh's and Panel's scripts have come."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bokeh.document import Document
from panel_material_ui import Page
from panel_material_ui.base import BASE_TEMPLATE

from workstation.charts.theme import DARK, LIGHT
from workstation.dashboard.components import code_of, sheet_of
from workstation.dashboard.hub import encoded

TEMPLATE = BASE_TEMPLATE.environment.from_string(
    Path(__file__).with_name("pages_html").joinpath("page.html").read_text("utf-8")
)
UNUSED = ("es-module-shims", "bokeh-gl")
"""A shim for browsers older than our pages ask for, and drawing by a graphics card, which no plot here uses."""
SHEET, CODE = sheet_of("bar") + sheet_of("first"), code_of("bar")


def begin_with_frame(document: Document, name: str, facts: Mapping[str, Any], *, is_dark: bool) -> None:
    """`facts` are the bar's own and, as `told`, what it shows; `name` is the page that is turned to."""
    document.template_variables["first"] = {
        "name": name, "pages": facts["pages"], "facts": _script_safe(facts), "theme": DARK if is_dark else LIGHT,
        "sheet": SHEET, "code": CODE, "addresses": _addresses, "bundle": Page._render_esm(server=True),
    }  # fmt: skip


def _script_safe(facts: Mapping[str, Any]) -> str:
    """As the channel tells it, in words that cannot end the script they stand in."""
    return encoded(facts).decode().replace("<", "\\u003c")


def _addresses(scripts: str) -> list[str]:
    """Of Bokeh's and Panel's scripts, in their order."""
    found: list[str] = re.findall(r'<script[^>]*\ssrc="([^"]+)"', scripts)
    return [address for address in found if not any(part in address for part in UNUSED)]
