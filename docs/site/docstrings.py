"""Docstrings are plain text with code in backticks; Sphinx wants its own form of it."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

SPECIAL = re.compile(r"([\\*_|`])")
CODE = re.compile(r"(`[^`]+`)")
INDENT = "    "


def connect(app: Any) -> None:
    """Every docstring passes here before it is parsed."""
    app.connect("autodoc-process-docstring", _rewrite)


def _rewrite(app: Any, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    lines[:] = list(in_sphinx_form(lines))


def in_sphinx_form(lines: list[str]) -> Iterator[str]:
    """Paragraphs and lists as they are, with code as code; what is indented is shown as it stands."""
    for kind, block in groupby(lines, key=_kind):
        yield from _block(kind, list(block))
        yield ""


def _kind(line: str) -> str:
    if not line.strip():
        return "gap"
    return "shown" if line.startswith(INDENT) else "text"


def _block(kind: str, lines: list[str]) -> Iterator[str]:
    if kind == "shown":
        yield from (".. code-block:: text", "", *lines)
    elif kind == "text":
        for line in lines:
            item = line.startswith("- ")
            if item:
                yield ""
            # the escaped blank keeps the line from being read as a list, a field or a title
            yield ("- " if item else "  " if line.startswith("  ") else "") + "\\ " + _inline(line.removeprefix("- "))


def _inline(text: str) -> str:
    parts = CODE.split(text.strip())
    return "".join(f"\\ `{part}`\\ " if part.startswith("`") else SPECIAL.sub(r"\\\1", part) for part in parts)
