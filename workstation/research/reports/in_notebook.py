"""`ws.report`: a result in hand as an HTML file."""

import html
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workstation.config.loading import load_configuration
from workstation.config.settings import Settings
from workstation.errors import BadInput
from workstation.research.replay_result import ReplayResult
from workstation.research.reports.making import report_of
from workstation.research.reports.request import Result
from workstation.research.reports.shelf import ReportEntry
from workstation.research.results import BacktestResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report that was made; a notebook shows where it lies."""

    entry: ReportEntry

    @property
    def file(self) -> Path:
        return self.entry.file

    def __str__(self) -> str:
        return f"{self.entry.title}: {self.entry.file}"

    def _repr_html_(self) -> str:
        link = html.escape(self.entry.file.as_uri(), quote=True)
        return f'<a href="{link}" target="_blank">{html.escape(str(self))}</a>'


def report(result: Result, *, out: Path | str | None = None, settings: Settings | None = None) -> Report:
    """Writes what `ws.backtest` or `ws.replay` gave as one HTML file that opens without a network.

    Without `out` it lies in the folder of the setting paths.reports, and is listed. Raises BadInput.
    """
    if not isinstance(result, BacktestResult | ReplayResult):
        raise BadInput(f"result {type(result).__name__}: expected what ws.backtest or ws.replay gives")
    if out is not None and (not isinstance(out, str | Path) or not str(out)):
        raise BadInput(f"out {out!r}: expected a path, such as report.html")
    settings = load_configuration().settings if settings is None else settings
    return Report(entry=report_of(result, settings, None if out is None else Path(out), datetime.now(UTC)))
