"""The page of a report: one file with its script and its style, that asks nobody for anything."""

import html
from pathlib import Path
from string import Template

from workstation.charts.shown import library

SHELL = Path(__file__).with_name("page.html")


def page(title: str, body: str) -> str:
    """`body` is HTML; the title is text, whatever it holds.

    The page's own policy forbids every request, so that a file that is sent around tells nobody who reads it.
    """
    shell = Template(SHELL.read_text("utf-8"))
    return shell.substitute(title=html.escape(title), library=library(), body=body)
