"""A report by running the notebook that stands beside this file, with the request as its parameters.

It is run by papermill's rules, in a process of its own; what its cells show becomes the page. No file is there before
all cells have run.
"""

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from traitlets.config import Config

from workstation.config.settings import Settings
from workstation.errors import OperatorError
from workstation.research.reports.request import ReportRequest, check
from workstation.research.reports.shelf import ENTRY, ReportEntry, put_away

TEMPLATE = Path(__file__).with_name("template.ipynb")
HTML = "text/html"
KERNEL = Config() if sys.platform == "win32" else Config({"KernelManager": {"transport": "ipc"}})
"""Who else is on this machine cannot listen to sockets of the file system."""
START_S = 300
"""For the process to answer: on a busy machine its imports alone take a minute."""
Progress = Callable[[int, int], None]
"""Told after each cell: cells done, cells in all."""


class ReportFailed(OperatorError):
    """A cell of a report's notebook failed; nothing was written."""


def run_report(
    request: ReportRequest,
    settings: Settings,
    *,
    out: Path | None,
    history: Path | None,
    config: Path | None,
    now: datetime,
    progress: Progress,
) -> ReportEntry:
    """Runs the notebook with the request as its parameters. Raises BadInput, ReportFailed naming the cell."""
    check(request, settings)
    arguments = request.arguments() | {name: _text(path) for name, path in (("history", history), ("config", config))}
    notebook = parameterize_notebook(load_notebook_node(str(TEMPLATE)), arguments)
    _execute(notebook, f"report of {request.strategy}", progress)
    shown = [output["data"] for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]
    facts = next(data[ENTRY] for data in shown if ENTRY in data)
    return put_away(settings.paths.reports, out, now, facts, [data[HTML] for data in shown if HTML in data])


def _execute(notebook: Any, subject: str, progress: Progress) -> None:
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    done = 0

    def count(**event: Any) -> None:
        nonlocal done
        done += event["cell"].cell_type == "code"
        progress(done, total)

    client = NotebookClient(
        notebook,
        timeout=None,
        startup_timeout=START_S,
        kernel_name="python3",
        config=KERNEL,
        on_cell_executed=count,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise ReportFailed(
            f"{subject}: cell {done} ({_name(notebook, done)}): {error.ename}: {error.evalue}"
        ) from error
    except RuntimeError as error:  # a DeadKernelError too
        where = f"cell {done + 1} ({_name(notebook, done + 1)})"
        raise ReportFailed(
            f"{subject}: its process ended before {where} was done: {error}; where memory is short, take a shorter span"
        ) from error
    except (asyncio.CancelledError, AssertionError) as stopped:  # nbclient clears up twice after Ctrl-C, and asserts
        raise KeyboardInterrupt from stopped


def _name(notebook: Any, number: int) -> str:
    """Of the code cell of that number, counted from 1: its first line, a comment."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return str(cells[min(number, len(cells)) - 1].partition("\n")[0].lstrip("# "))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())
