"""What `workstation report run` does once its options are read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workstation.config.own_strategies import take_in_own_strategies
from workstation.config.settings import Settings
from workstation.config.words import strategy_from_words
from workstation.errors import BadInput
from workstation.research.reports.request import BACKTEST, ReportRequest
from workstation.research.reports.running import Progress, run_report
from workstation.research.reports.shelf import ReportEntry


def request_of(settings: Settings, *, strategy: str, pairs: Sequence[str], **fields: Any) -> ReportRequest:
    """The request of the options. Raises BadInput for a strategy or a parameter that there is not."""
    take_in_own_strategies(settings.paths.strategies)
    given = [pair.partition("=")[0] for pair in pairs]
    declared = strategy_from_words(strategy, pairs).parameters()
    if fields["kind"] == BACKTEST and "latency_ms" in fields["options"]:
        raise BadInput("--latency-ms: a back-test has none; it is of a replay on quotes")
    return ReportRequest(strategy=strategy, parameters={name: declared[name] for name in given}, **fields)


def run(
    request: ReportRequest,
    settings: Settings,
    *,
    out: Path | None,
    history: Path | None,
    config: Path | None,
    progress: Progress,
) -> ReportEntry:
    """Makes the report now."""
    return run_report(
        request, settings, out=out, history=history, config=config, now=datetime.now(UTC), progress=progress
    )
