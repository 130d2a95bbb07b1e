"""What a report is of, in words: the parameters of its notebook."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workstation.config.own_strategies import take_in_own_strategies
from workstation.config.settings import Settings
from workstation.errors import BadInput
from workstation.history.store import HistoryStore
from workstation.research import notebook
from workstation.research.replay_result import ReplayResult
from workstation.research.results import BacktestResult
from workstation.strategies.base import make_strategy
from workstation.strategies.catalog import strategy_named
from workstation.trading.limits import NO_LIMITS

BACKTEST, REPLAY = "backtest", "replay"
KINDS = (BACKTEST, REPLAY)

Result = BacktestResult | ReplayResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """Plain values, as JSON holds them. `options` are further arguments of `ws.backtest` or `ws.replay`."""

    kind: str
    strategy: str
    venues: tuple[str, ...]
    symbol: str
    interval: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    start: str | None = None
    end: str | None = None
    has_limits: bool = True
    """Of a replay: the settings' limits hold."""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"kind {self.kind!r}: expected {' or '.join(KINDS)}")
        if self.kind == BACKTEST and len(self.venues) != 1:
            raise BadInput(f"venues {', '.join(self.venues) or 'none'}: a back-test has one")
        if self.kind == BACKTEST and self.interval is None:
            raise BadInput('interval: not given; expected the length of the bars, such as "1h"')

    def arguments(self) -> dict[str, Any]:
        """For the notebook's parameters cell."""
        return asdict(self) | {"venues": list(self.venues)}


def check(request: ReportRequest, settings: Settings) -> None:
    """Raises BadInput for a strategy or a parameter that there is not, before a kernel is started for it."""
    take_in_own_strategies(settings.paths.strategies)
    make_strategy(strategy_named(request.strategy), request.parameters)


def make(request: ReportRequest, settings: Settings, history: Path | None) -> Result:
    """The back-test or replay; nothing is journaled. Raises what these raise."""
    common: dict[str, Any] = {
        "symbol": request.symbol,
        "interval": request.interval,
        "start": request.start,
        "end": request.end,
        "history": HistoryStore(settings.paths.history if history is None else history),
        "settings": settings,
        **request.options,
    }
    strategy = notebook.strategy_of(request.strategy, request.parameters, settings)
    if request.kind == BACKTEST:
        return notebook.backtest(strategy, venue=request.venues[0], **common)
    limits = None if request.has_limits else NO_LIMITS
    return notebook.replay(strategy, venue=request.venues, limits=limits, **common)
