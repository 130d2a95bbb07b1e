"""Where research calls a strategy: what its code raises becomes one sentence with the file and line that raised it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workstation.config.own_strategies import last_line
from workstation.errors import StrategyRaised, WorkstationError
from workstation.model.market import Bars
from workstation.strategies.base import BarStrategy, Signals, Strategy


@contextmanager
def code_of(strategy: Strategy) -> Iterator[None]:
    """Raises StrategyRaised for what the strategy's file raises, which stays its cause with the whole traceback.

    What never passed that file is no fault of the strategy and goes on as it is, as does what a notebook's cell raised.
    """
    try:
        yield
    except WorkstationError:
        raise
    except Exception as error:
        file = getattr(sys.modules.get(type(strategy).__module__), "__file__", None)
        line = None if file is None else last_line(error, Path(file))
        if line is None:
            raise
        place = f"strategy {strategy.name_in_cli}: {file}:{line}"
        raise StrategyRaised(f"{place}: {type(error).__name__}: {error}") from error


def signals_of(strategy: BarStrategy, bars: Bars) -> Signals:
    """Its decisions for the bars, checked. Raises StrategyRaised, StrategyNonsense."""
    with code_of(strategy):
        return strategy.signals(bars).checked(len(bars), strategy.name_in_cli)
