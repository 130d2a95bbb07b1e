"""What a page leaves open, and what is put there while the site is built.

    <!-- generated: settings -->            the text that GENERATED has for it, made from the code
    <!-- pages: 0* -->                      the pages below this one in the side bar, by a pattern
    <!-- picture: pictures/live.png | … --> a picture with its description, once there is one

Elsewhere a reader sees nothing of them.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docs.site import command_line, figures, operations, python_names, settings, topics

PLACE = re.compile(r"^<!-- (generated|pages|picture): (.+?) -->$", re.MULTILINE)

GENERATED: dict[str, Callable[[], str]] = {
    "command line": command_line.text,
    "figures": figures.text,
    "kernels": python_names.kernels,
    "operations": operations.text,
    "python": python_names.public,
    "settings": settings.text,
    "topics": topics.text,
}


def filled(text: str, folder: Path) -> str:
    """A page's text with every place filled. Raises KeyError for a name that GENERATED does not know."""
    return PLACE.sub(lambda place: _filling(place[1], place[2], folder), text)


def _filling(kind: str, wanted: str, folder: Path) -> str:
    if kind == "generated":
        return GENERATED[wanted]()
    if kind == "pages":
        return f"```{{toctree}}\n:hidden:\n:glob:\n\n{wanted}\n```"
    file, _, description = wanted.partition("|")
    return f"![{description.strip()}]({file.strip()})" if (folder / file.strip()).exists() else ""


def connect(app: Any) -> None:
    """Fills each page before Sphinx parses it."""
    app.connect("source-read", _fill)


def _fill(app: Any, page: str, source: list[str]) -> None:
    source[0] = filled(source[0], Path(app.srcdir, page).parent)
