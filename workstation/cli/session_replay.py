"""`workstation session replay`, and what the other commands of `workstation session` do with jobs of the engine."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from workstation.cli import strategy_options as options
from workstation.cli.connection import engine_of
from workstation.cli.progress import Progress
from workstation.cli.session_acts import priced, shown
from workstation.cli.session_start import checked, declared, free_name
from workstation.cli.tables import aligned
from workstation.client.client import Client
from workstation.client.jobs import (
    ENDED,
    JOB_NAME,
    DownloadJob,
    DownloadResult,
    JobDetail,
    JobResult,
    JobState,
    JobView,
    ReplayJob,
    figures_of,
)
from workstation.config.loading import load_configuration
from workstation.config.own_strategies import take_in_own_strategies
from workstation.errors import OperatorError
from workstation.research.choices import span_of
from workstation.research.results import METRICS, UNKNOWN

LOOK_S = 0.2
HEADER = ("JOB", "STATE", "SESSION", "STRATEGY", "INSTRUMENTS", "DONE", "LEFT", "TRADES", "PROFIT", "DRAWDOWN")
FIGURES = frozenset(range(5, 10))


class JobFailed(OperatorError):
    """A job that was followed to its end did not do what was asked."""


def replay(
    given: Mapping[str, Any],
    limits: Mapping[str, str | None],
    pairs: Sequence[str],
    file: Path | None,
    span: tuple[str | None, str | None],
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Starts a replay in the engine and follows it to its end. Raises JobFailed with the engine's sentence."""
    take_in_own_strategies(load_configuration(config).settings.paths.strategies)
    fields = declared(given, limits, pairs, file)
    fields.pop("mode", None)  # a session's file says in which mode it runs otherwise; this command is the mode
    bounds = span_of(*span)
    fields |= {name: at for name, at in (("start_ns", bounds.start_ns), ("end_ns", bounds.end_ns)) if at is not None}
    with engine_of(config) as engine:
        if "session" not in fields:
            taken = [one.session for one in engine.jobs()]
            fields["session"] = free_name(engine, str(fields["strategy"]), config, taken)
        view = follow(engine, engine.start_job(checked(ReplayJob, fields)))
    if view.state is JobState.DONE or as_json:
        print_job(view, as_json=as_json)
    if view.state is not JobState.DONE:
        raise JobFailed(f"job {view.job}: {view.state}: {view.reason}")


def follow(engine: Client, view: JobView) -> JobView:
    """Shows how far it is until it has ended; Ctrl-C leaves it to the engine."""
    try:
        while view.state not in ENDED and not view.rows_total:
            view = _looked_again(engine, view)
        with Progress(view.job) as progress:  # only now: while it waits and loads, no pace can be told
            while view.state not in ENDED:
                progress.show(view.rows, view.rows_total or view.rows)
                view = _looked_again(engine, view)
    except KeyboardInterrupt:
        options.note(f"\njob {view.job} goes on in the engine; `workstation session stop {view.job}` ends it")
        raise  # the command line exits with 130, as shells have it
    return view


def _looked_again(engine: Client, view: JobView) -> JobView:
    time.sleep(LOOK_S)
    return engine.job(view.job)


def job_named(name: str, config: Path | None) -> JobDetail | None:
    """The job of that name; None where there is none, or a session has that name."""
    if not JOB_NAME.fullmatch(name):
        return None
    with engine_of(config) as engine:
        if any(one.session == name for one in engine.sessions()) or all(one.job != name for one in engine.jobs()):
            return None
        return engine.job(name)


def list_jobs(config: Path | None, kind: str, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        jobs = [one for one in engine.jobs() if one.kind == kind]
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in jobs], indent=2))
    else:
        typer.echo(job_table(jobs) if jobs else f"no {kind}; `workstation session replay` …")


def cancel(job: str, config: Path | None, *, as_json: bool) -> None:
    """Prints how it ended."""
    with engine_of(config) as engine:
        view = engine.cancel_job(job)
    reason = f" ({view.reason})" if view.reason else ""
    typer.echo(view.model_dump_json(indent=2) if as_json else f"job {view.job}: {view.state}{reason}")


def print_job(view: JobView, *, as_json: bool) -> None:
    """All that is known of it, and how its run is verified."""
    if as_json:
        typer.echo(view.model_dump_json(indent=2))
        return
    typer.echo(aligned(("FIGURE", "VALUE"), job_figures(view)))
    if isinstance(view.result, JobResult) and view.result.run is not None:
        sys.stdout.flush()
        options.note(f"\njournaled in {view.result.ledger}. To verify it:")
        command = options.command_line_of("verify", view.result.run, "--ledger", view.result.ledger)
        options.note(f"  {command}")


def job_figures(view: JobView) -> list[tuple[str, str]]:
    """One line for each thing that is known of it."""
    reason = f" ({view.reason})" if view.reason else ""
    ended = "" if view.ended_ns is None else f", ended {shown(view.ended_ns)}"
    rows = {
        "job": f"{view.job}, {view.state}{reason}",
        "asked": f"{shown(view.asked_ns)} by {view.by}{ended}",
        "session": view.session or "-",
        "series" if view.strategy is None else "strategy": ", ".join([what_of(view), *_parameters(view)]),
        "instruments": ", ".join(view.instruments),
        "rows": f"{view.rows:,}" if view.rows_total is None else f"{view.rows:,} of {view.rows_total:,}",
    }
    return [*rows.items(), *([] if view.result is None else _result_lines(view.result))]


def what_of(view: JobView) -> str:
    """The strategy, or the series that is downloaded."""
    return view.strategy or view.series or "-"


def _parameters(view: JobView) -> list[str]:
    if not isinstance(view, JobDetail) or isinstance(view.request, DownloadJob):
        return []
    return [f"{name}={value}" for name, value in view.request.parameters.items()]


def _result_lines(result: JobResult | DownloadResult) -> list[tuple[str, str]]:
    if isinstance(result, DownloadResult):
        return _download_lines(result)
    lines = []
    for name, value in result.figures.items():
        label, unit = (METRICS[name].label, METRICS[name].unit) if name in METRICS else ("Profit", "quote")
        lines.append((label.lower(), UNKNOWN if value is None else _figure(value, unit, result.currency)))
    refused = ", ".join(f"{number:,} by {limit}" for limit, number in result.refused.items())
    lines.append(("entries refused", refused or "none"))
    return lines if result.halted is None else [*lines, ("halted", result.halted)]


def _download_lines(result: DownloadResult) -> list[tuple[str, str]]:
    lines = [("rows stored", f"{result.rows_stored:,}"), ("stored before", f"{result.rows_known:,}")]
    if result.bars_missing is not None:
        lines.append(("bars missing", f"{result.bars_missing:,} in {result.gap_count:,} gaps"))
    return lines


def _figure(value: float, unit: str, currency: str) -> str:
    shapes = {"fraction": f"{value:.2%}", "count": f"{value:,.0f}", "quote": f"{value:,.2f} {currency}"}
    return shapes.get(unit, f"{value:.3f}")


def job_table(jobs: Sequence[JobView]) -> str:
    return aligned(HEADER, [_row(one) for one in jobs], right=FIGURES)


def _row(one: JobView) -> tuple[str, ...]:
    figures = figures_of(one)
    drawdown = figures.get("max_drawdown")
    return (
        one.job,
        one.state,
        one.session or "-",
        what_of(one),
        ", ".join(one.instruments),
        f"{one.progress:.0%}",
        "-" if one.left_s is None else f"{one.left_s:.0f} s",
        "-" if "trades" not in figures else f"{figures['trades']:.0f}",
        priced(figures.get("profit_quote"), 2),
        "-" if drawdown is None else f"{drawdown:.2%}",
    )
