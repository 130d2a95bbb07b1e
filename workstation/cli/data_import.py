"""What `workstation data import` and `data list` print: a report as lines, series as a table, and how far it is."""

import sys
import time

import numpy as np
import typer
from tqdm import tqdm

from workstation.history.importing import ImportReport
from workstation.history.store import Dataset

PATIENCE_S = 2.0
"""What is done sooner needs no progress, unless somebody looks at a terminal."""


def as_text(report: ImportReport) -> str:
    """The report as lines that a person reads."""
    lines = [f"{report.file} -> {report.series}"]
    lines += [f"  {ours:<14} from {', '.join(theirs)}" for ours, theirs in report.mapping.items()]
    if report.ignored:
        lines.append(f"  not used       {', '.join(report.ignored)}")
    lines += [f"  {note}" for note in report.notes]
    lines.append(
        f"rows: {report.rows_read:,} read, {report.rows_good:,} good, {sum(report.rejected_by_reason.values()):,} bad"
    )
    lines += [f"  {count:,} bad: {reason}" for reason, count in report.rejected_by_reason.items()]
    lines += [f"  line {one.line}: {one.reason}: {one.text}" for one in report.rejected]
    if report.rejects_path is not None:
        lines.append(f"bad rows: {report.rejects_path}")
    if report.written is None:
        lines += ["first rows:", report.first_rows.to_pandas().to_string(index=False), "dry run: nothing was stored"]
    elif report.written.is_repeat:
        lines.append("this very file was imported before: nothing to do")
    else:
        lines.append(f"stored: {report.written.rows_stored:,} rows; {report.written.rows_known:,} were stored before")
        if report.written.rows_differing:
            lines.append(f"warning: {report.written.rows_differing:,} of those have other values here; the stored stay")
    return "\n".join(lines)


def as_table(datasets: list[Dataset]) -> str:
    """Aligned columns without borders, so that a terminal and `grep` read the same."""
    cells: list[tuple[str, ...]] = [("KIND", "VENUE", "SYMBOL", "INTERVAL", "FROM", "TO", "ROWS", "MB", "FILES")]
    for one in datasets:
        span = (str(np.datetime64(ns, "ns").astype("datetime64[s]")) + "Z" for ns in (one.start_ns, one.end_ns))
        size = (f"{one.rows:,}", f"{one.bytes / 1e6:.1f}", str(one.segments))
        cells.append((one.kind, one.venue, one.symbol, one.interval or "-", *span, *size))
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


class ImportProgress:
    """A bar on a terminal; elsewhere a line for each step once it takes longer than PATIENCE_S."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_terminal = sys.stderr.isatty()
        self._bar = tqdm(unit="row", unit_scale=True, disable=not self._is_terminal, leave=False)
        self._started_s = time.monotonic()
        self._step = ""

    def __enter__(self) -> "ImportProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, step: str, done: int, total: int) -> None:
        """`step` is "reading", "checking" or "writing"; rows done and rows in all."""
        if self._is_terminal:
            self._bar.set_description(f"{step} {self._name}")
            self._bar.total, self._bar.n = total, done
            self._bar.refresh()
        elif step != self._step and time.monotonic() - self._started_s > PATIENCE_S:
            typer.echo(f"{step} {self._name}: {total:,} rows", err=True)
        self._step = step
