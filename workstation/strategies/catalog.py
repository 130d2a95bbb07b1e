"""The shipped strategies by the word that a person types."""

import difflib

from workstation.errors import BadInput
from workstation.strategies.base import Strategy
from workstation.strategies.ma_cross import MACross
from workstation.strategies.spread_reversion import SpreadReversion

STRATEGIES: dict[str, type[Strategy]] = {kind.name_in_cli: kind for kind in (MACross, SpreadReversion)}


def strategy_named(name: str) -> type[Strategy]:
    """Raises BadInput that names the nearest known one."""
    if name not in STRATEGIES:
        near = difflib.get_close_matches(name, STRATEGIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(STRATEGIES))}"
        raise BadInput(f"strategy {name!r}: not known, {hint}")
    return STRATEGIES[name]
