"""How pages look: the Material theme from the charts' palette, and the sheet of the frame."""

from html import escape
from typing import Any

import panel as pn

from workstation.charts.theme import DARK, LIGHT, Theme
from workstation.dashboard.components import sheet_of

RAIL_WIDTH = 152
BAR_HEIGHT = 48
FONT = "Roboto, system-ui, 'Segoe UI', sans-serif"


def palette(theme: Theme, ground: str) -> dict[str, Any]:
    """A theme of Material's; up and down become --mui-palette-up-main and -down-main, which tables and scripts use."""
    return {
        "palette": {
            "primary": {"main": theme.accent},
            "background": {"default": ground, "paper": theme.paper},
            "text": {"primary": theme.text, "secondary": theme.muted},
            "divider": theme.grid,
            "up": {"main": theme.up},
            "down": {"main": theme.down},
        },
        "typography": {"fontFamily": FONT, "fontSize": 13, "button": {"textTransform": "none"}},
        "shape": {"borderRadius": 6},
    }


THEME_CONFIG = {"light": palette(LIGHT, "#f4f5f7"), "dark": palette(DARK, "#0e1116")}

PAGE_SX = {
    ".MuiAppBar-root": {"backgroundColor": "var(--bar-bg, #4b5563)", "backgroundImage": "var(--bar-image, none)"},
    ".MuiToolbar-root": {"minHeight": f"{BAR_HEIGHT}px !important", "gap": "4px"},
    ".MuiToolbar-root > .MuiIconButton-root": {"color": "#fff"},
    ".MuiToggleButton-root": {"textTransform": "none"},
    ".main-content": {"overflowY": "auto !important"},
}

RAISED = {
    "border": "1px solid var(--mui-palette-divider)",
    "border-radius": "6px",
    "padding": "4px 8px",
    "box-sizing": "border-box",
    "min-width": "0",
}
"""The frame of what is folded out in a page."""
RAW_CSS = sheet_of("page")


AS_LARGE_AS_IT_IS = {"max-width": "100%", "max-height": "none"}
"""Never wider than the window, and as high as what is in it: Panel would end it at the window's height, and what comes
below would lie over the rest."""


def title_of(question: str, margin: tuple[int, ...] = (4, 8)) -> pn.pane.HTML:
    """A page's title: the question that it answers."""
    return pn.pane.HTML(
        f"<h1>{escape(question)}</h1>", margin=margin, stylesheets=[sheet_of("title")], styles={"white-space": "nowrap"}
    )


def flow(*objects: Any, gap: str = "8px", align: str = "flex-start", **params: Any) -> pn.Row:
    """Side by side where there is room, below one another where there is not.

    Panel's own FlexBox would do, but components of Material never report that they are drawn inside of it, and then
    Panel holds back whatever Python changes.
    """
    styles = {"flex-wrap": "wrap", "gap": gap, "justify-content": align, "min-width": "0", **AS_LARGE_AS_IT_IS}
    styles |= params.pop("styles", {})
    return pn.Row(*objects, styles=styles, **({"sizing_mode": "stretch_width", "margin": 0} | params))


def stack(*objects: Any, **params: Any) -> pn.Column:
    """Below one another, and as narrow as the window: Panel would not let it be narrower than its widest row."""
    styles = {"min-width": "0", **AS_LARGE_AS_IT_IS} | params.pop("styles", {})
    return pn.Column(*objects, styles=styles, **({"sizing_mode": "stretch_width", "margin": 0} | params))


def head_of(question: str, *choices: Any) -> pn.Row:
    """A page's title, and beside it what may be chosen; below it where it is narrow."""
    picks = flow(*choices, align="flex-end", styles={"flex": "1 1 480px", "width": "auto", "min-width": "0"})
    return flow(title_of(question), picks, align="space-between", margin=(8, 0, 0, 0))
