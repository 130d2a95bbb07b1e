"""The strategies by the word that a person types: the shipped ones, and those taken in from files of one's own.

Reading those files is the business of `config/own_strategies.py`; here they only have their names.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workstation.errors import BadInput
from workstation.strategies.base import Strategy
from workstation.strategies.by_hand import ByHand
from workstation.strategies.ma_cross import MACross
from workstation.strategies.spread_reversion import SpreadReversion

STRATEGIES: dict[str, type[Strategy]] = {kind.name_in_cli: kind for kind in (ByHand, MACross, SpreadReversion)}
"""The shipped ones."""


@dataclass(slots=True, kw_only=True)
class OwnStrategies:
    """What was found in the folder of one's own strategies.

    `kinds` by name, `files` the names and paths of where they came from; `faults` has a sentence for each file that
    could not be taken in.
    """

    kinds: Mapping[str, type[Strategy]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    faults: Sequence[str] = ()


OWN = OwnStrategies()
"""Of this process, as Python's own table of modules is: a class that is run belongs to a process."""


def take_in(found: OwnStrategies) -> None:
    """From here on these are the strategies of one's own. What is running keeps the class that it was made with."""
    OWN.kinds, OWN.files, OWN.faults = found.kinds, found.files, found.faults


def known_strategies() -> dict[str, type[Strategy]]:
    """All that can be named, one's own behind the shipped ones."""
    return STRATEGIES | dict(OWN.kinds)


def strategy_named(name: str) -> type[Strategy]:
    """Raises BadInput that names the nearest known one, and the files that could not be taken in."""
    known = known_strategies()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
        lost = "".join(f"; not loaded: {fault}" for fault in OWN.faults)
        raise BadInput(f"strategy {name!r}: not known, {hint}{lost}")
    return known[name]
