"""How a chart reaches a page: in a notebook by itself, in a file by `save`; both work without a network."""

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokeh.embed import components
from bokeh.io import output_notebook
from bokeh.io.state import curstate
from bokeh.models import Column, LayoutDOM
from bokeh.resources import Resources
from IPython import get_ipython

from workstation.charts.theme import Paint, Theme

LIBRARY = Resources(mode="inline", components=["bokeh", "bokeh-widgets"])
"""BokehJS within the page: what charts need of it, 1.6 MB."""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
{library}</head>
<body>
{body}
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`layout` is what is shown; `paints` are its colours, which `restyle` changes."""

    layout: LayoutDOM
    paints: tuple[Paint, ...]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return notebook_bundle(self.layout, type(self).__name__)

    def save(self, path: Path | str, title: str = "chart") -> Path:
        """Writes the chart as one file that opens without a network; returns where it stands."""
        file = Path(path)
        file.write_text(standalone_html(self, title), "utf-8")
        return file


def restyle(chart: Chart, theme: Theme) -> None:
    """Puts a chart into another theme; on a page that is served it is seen at once."""
    for paint in chart.paints:
        paint.apply(theme)


def standalone_html(chart: Chart, title: str) -> str:
    """A whole page of one chart, that opens without a network."""
    script, place = components(chart.layout)
    return PAGE.format(title=html.escape(title), library=library(), body=f"{place}{script}")


def library() -> str:
    """BokehJS as elements of a page's head.

    Not `Resources.render`: that one asks for the files of every model class that this process has imported, also of
    those no chart is made of.
    """
    return "".join(f"<script>{script}</script>\n" for script in LIBRARY.js_raw)


def notebook_bundle(layout: LayoutDOM, name: str) -> dict[str, str]:
    """What a notebook shows; the first chart of a kernel brings the library along."""
    shell = get_ipython()
    if hasattr(shell, "kernel") and not curstate().notebook:
        output_notebook(LIBRARY, hide_banner=True)
    script, place = components(layout)
    return {"text/plain": name, "text/html": f"{place}{script}"}


def stacked(*charts: Chart) -> Chart:
    """Charts below one another, as one."""
    layout = Column(children=[chart.layout for chart in charts], sizing_mode="stretch_width", spacing=0)
    return Chart(layout=layout, paints=tuple(paint for chart in charts for paint in chart.paints))
