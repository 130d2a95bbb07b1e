"""What a strategy is: a declaration (param) and one pure function.

A bar strategy turns arrays of closed bars into arrays of decisions, causally: element i may use bars 0 … i and nothing
later. A tick strategy declares windows and conditions, sleeps, and answers a change of truth with intents. Neither
keeps state of its own: what is held, and since when, is folded from the journal and handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import param
from msgspec import Struct

from workstation.errors import BadInput, StrategyNonsense
from workstation.model.instrument import InstrumentKey
from workstation.model.market import Bars, FloatArray
from workstation.model.signal import SignalAction, SignalLeg
from workstation.model.units import Side
from workstation.windows.specs import ConditionSpec, WindowSpec

STRATEGY_API = 1
"""Of what stands here: a file of one's own says for which it was written, and another one is refused at load."""
_ARRAYS = {"entries": "i", "exit_long": "b", "exit_short": "b", "stop_distance": "f", "target_distance": "f"}
"""Of Signals, each with the kind of its dtype."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Decisions at the close of each bar; arrays of shape (n,), n = number of bars.

    entries: int8, +1 go long, -1 go short, 0 nothing; an entry against what is held closes it first.
    exit_long, exit_short: bool, leave a position of that side.
    stop_distance, target_distance: quote currency from the entry price, read where entries != 0; NaN is no such order.
    """

    entries: npt.NDArray[np.int8]
    exit_long: npt.NDArray[np.bool_]
    exit_short: npt.NDArray[np.bool_]
    stop_distance: FloatArray
    target_distance: FloatArray

    def checked(self, length: int, strategy: str) -> "Signals":
        """Itself, or StrategyNonsense that names the array, what it is and what was expected."""
        for name, kind in _ARRAYS.items():
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.shape != (length,) or array.dtype.kind != kind:
                got = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
                expected = f"shape ({length},) of kind {kind!r}"
                raise StrategyNonsense(f"strategy {strategy}: {name} is {got}, expected {expected}")
        if length and not -1 <= self.entries.min() <= self.entries.max() <= 1:
            found = np.unique(self.entries)[:5]
            raise StrategyNonsense(f"strategy {strategy}: entries hold {found}, expected -1, 0 or 1")
        entered = np.flatnonzero(self.entries != 0)  # of flags, an eighth of the time (measured)
        for name in ("stop_distance", "target_distance"):
            distances = getattr(self, name)[entered]
            wrong = distances[(distances <= 0) | np.isinf(distances)]
            if wrong.size:
                raise StrategyNonsense(f"strategy {strategy}: {name} at an entry is {wrong[0]}, expected > 0 or NaN")
        return self


class Intent(Struct, frozen=True, kw_only=True):
    """A tick strategy's answer; the session makes a Signal of it, with an id."""

    action: SignalAction
    legs: tuple[SignalLeg, ...] = ()
    exit_side: Side | None = None
    stop_distance: float | None = None
    target_distance: float | None = None
    reason: str = ""


class View(Protocol):
    """What a strategy may look at while it is awake; all of it as of the row that woke it."""

    def field(self, window: str, field: str) -> float:
        """A window's field by name (see windows/specs.py); NaN where it is not known."""

    def held(self) -> tuple[SignalLeg, ...]:
        """The legs of the strategy's active group; empty when flat."""


class Strategy(param.Parameterized):
    """Root of all strategies. `name_in_cli` is the word that a person types."""

    name_in_cli: ClassVar[str]
    venues: ClassVar[tuple[int, ...]]
    """At how many venues it may trade its symbol."""
    file_hash: ClassVar[str | None] = None
    """SHA-256 of the file of one's own that the class came from; None: shipped, or of no file."""

    def parameters(self) -> dict[str, Any]:
        """The declared values, for a manifest; the same dict makes the same strategy."""
        return {k: v for k, v in self.param.values().items() if k != "name"}


class BarStrategy(Strategy):
    venues: ClassVar[tuple[int, ...]] = (1,)

    def signals(self, bars: Bars) -> Signals:
        """Decisions for each bar, causal."""
        raise StrategyNonsense(f"strategy {type(self).__name__}: signals() is not written")


class TickStrategy(Strategy):
    venues: ClassVar[tuple[int, ...]] = (2,)
    is_woken_by_every_row: ClassVar[bool] = False
    """For what no condition can say; then `changes` is mostly empty, and replay is fifty times slower."""

    def windows(self, instruments: Sequence[InstrumentKey]) -> Mapping[str, WindowSpec]:
        """The windows it watches, by a name of its own."""
        raise StrategyNonsense(f"strategy {type(self).__name__}: windows() is not written")

    def conditions(self) -> Sequence[ConditionSpec]:
        """What wakes it."""
        raise StrategyNonsense(f"strategy {type(self).__name__}: conditions() is not written")

    def on_wake(self, changes: Mapping[str, bool], view: View) -> Sequence[Intent]:
        """Intents for the conditions whose truth changed, by name. Asked with no changes, it answers with none."""
        raise StrategyNonsense(f"strategy {type(self).__name__}: on_wake() is not written")


def make_strategy(kind: type[Strategy], parameters: Mapping[str, Any]) -> Strategy:
    """A strategy from its declaration; raises BadInput that names the parameter, the value and what was expected."""
    known = {name for name in kind.param if name != "name"}
    for name, value in parameters.items():
        if name not in known:
            names = ", ".join(sorted(known))
            raise BadInput(f"strategy {kind.name_in_cli}: parameter {name!r} is not declared (known: {names})")
        if isinstance(value, bool) and isinstance(kind.param[name], param.Number):  # param takes True for 1
            raise BadInput(f"strategy {kind.name_in_cli}: parameter {name!r} {value}: expected a number")
    try:
        return kind(**parameters)
    except (ValueError, TypeError) as error:
        raise BadInput(f"strategy {kind.name_in_cli}: {error}") from error
