"""What a job over history does, by its kind: looked through before it is taken, and done in its own process.

A new kind is one message in `client/jobs.py` and one line in KINDS. A download, which reaches a venue, is
`cli/job_download.py`'s.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from workstation.client.jobs import BacktestJob, JobKind, JobResult, ReplayJob
from workstation.config.own_strategies import take_in_own_strategies
from workstation.config.settings import Settings
from workstation.config.words import fill_at_of, keys_of, limits_of, sizing_of, slippage_rate_of
from workstation.errors import BadInput
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.market import interval_ns
from workstation.research.choices import require_stored
from workstation.research.replay import Progress, replay
from workstation.research.session_request import Choices, open_ledger, replay_request, stored_request
from workstation.strategies.base import BarStrategy, make_strategy
from workstation.strategies.catalog import strategy_named

LEDGER = "ledger.db"
"""In a job's folder: the engine's own ledger has one writer, the engine."""


class Place(NamedTuple):
    """Where a job finds and leaves things."""

    store: HistoryStore
    settings: Settings
    folder: Path


def check_job(request: ReplayJob | BacktestJob, settings: Settings) -> None:
    """Raises BadInput, HistoryMissing and the like for what cannot be done. Reads metadata of history alone."""
    take_in_own_strategies(settings.paths.strategies)
    KINDS[request.kind].check(request, HistoryStore(settings.paths.history), settings)


def run_job(request: ReplayJob | BacktestJob, settings: Settings, folder: Path, progress: Progress) -> JobResult:
    """Does it, in this process. Raises what replay and back-test raise."""
    take_in_own_strategies(settings.paths.strategies)
    return KINDS[request.kind].run(request, Place(HistoryStore(settings.paths.history), settings, folder), progress)


def _choices(job: ReplayJob, settings: Settings) -> Choices:
    return Choices(
        strategy=make_strategy(strategy_named(job.strategy), job.parameters),
        venues=job.venues,
        symbol=job.symbol,
        span=Span(start_ns=job.start_ns, end_ns=job.end_ns),
        interval=job.interval,
        sizing=job.sizing,
        balance=job.balance,
        coins=job.coins,
        leverage=job.leverage,
        fill_at=None if job.fill_at is None else fill_at_of(job.fill_at),
        slippage_bps=None if job.slippage_bps is None else float(job.slippage_bps),
        latency_ms=job.latency_ms,
        entry_timeout_ms=job.entry_timeout_ms,
        limits=job.limits.over(limits_of(settings)),
        with_trades=job.with_trades,
    )


def _check_replay(job: ReplayJob, store: HistoryStore, settings: Settings) -> None:
    stored_request(store, _choices(job, settings), job.session, settings)


def _replay(job: ReplayJob, place: Place, progress: Progress) -> JobResult:
    request = replay_request(place.store, _choices(job, place.settings), job.session, place.settings)
    file = place.folder / LEDGER
    with open_ledger(file) as ledger:
        result = replay(place.store, request, ledger=ledger, progress=progress)
    return JobResult(
        currency=request.session.currency,
        figures=_figures(result.metrics, result.initial_balance),
        rows=result.rows,
        refused={limit: entries.number for limit, entries in result.log.refused.items()},
        run=result.manifest.run_id,
        ledger=str(file),
        halted=result.state.halted,
    )


def _check_backtest(job: BacktestJob, store: HistoryStore, settings: Settings) -> None:
    strategy = make_strategy(strategy_named(job.strategy), job.parameters)
    if not isinstance(strategy, BarStrategy):
        raise BadInput(f"{job.strategy}: trades on quotes, which only a replay has: ask for kind replay")
    slippage_rate = slippage_rate_of(None if job.slippage_bps is None else float(job.slippage_bps), settings)
    sizing_of(job.sizing, leverage=job.leverage, slippage_rate=slippage_rate)
    key = keys_of((job.venue,), job.symbol)[0]
    series = Series(kind=HistoryKind.BARS, key=key, interval_ns=interval_ns(job.interval))
    require_stored(store, series, Span(start_ns=job.start_ns, end_ns=job.end_ns))


def _backtest(job: BacktestJob, place: Place, progress: Progress) -> JobResult:
    from workstation.research import notebook  # with pandas: the engine, which checks what is asked, has none

    progress(0, 1)  # one compiled pass: it says no more on its way
    result = notebook.backtest(
        make_strategy(strategy_named(job.strategy), job.parameters),
        venue=job.venue,
        symbol=job.symbol,
        interval=job.interval,
        start=job.start_ns,
        end=job.end_ns,
        sizing=job.sizing,
        balance=job.balance,
        leverage=job.leverage,
        fill_at=job.fill_at,
        slippage_bps=None if job.slippage_bps is None else float(job.slippage_bps),
        history=place.store,
        settings=place.settings,
    )
    return JobResult(
        currency=result.instrument.quote,
        figures=_figures(result.metrics, float(job.balance)),
        rows=len(result.bars),
        refused={str(reason): number for reason, number in result.refused.items() if number},
        run=None,
        ledger=None,
        halted=None,
    )


def _figures(metrics: Mapping[str, float], opening: float) -> dict[str, float | None]:
    """As JSON can hold them."""
    profit = {"profit_quote": metrics["final_equity_quote"] - opening}
    return {name: value if math.isfinite(value) else None for name, value in (profit | dict(metrics)).items()}


class Work(NamedTuple):
    """`check` is asked in the engine's process, where nothing may be computed; `run` is the job."""

    check: Callable[[Any, HistoryStore, Settings], None]
    run: Callable[[Any, Place, Progress], JobResult]


KINDS: Mapping[JobKind, Work] = {
    JobKind.REPLAY: Work(_check_replay, _replay),
    JobKind.BACKTEST: Work(_check_backtest, _backtest),
}
