"""What a person writes of a session, in words, as the values it is made of; a refusal says what there is instead."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import param

from workstation.config.settings import LONGEST_MS, Settings
from workstation.errors import BadInput
from workstation.model.durations import MS_NS
from workstation.model.instrument import InstrumentKey, checked_key
from workstation.strategies.base import Strategy, make_strategy
from workstation.strategies.catalog import known_strategies, strategy_named
from workstation.trading.limits import Limits
from workstation.trading.paper import FillAt
from workstation.trading.sizing import SizingMode, SizingSettings
from workstation.windows.opportunities import OpportunitySpec

TRUTHS = {"true": True, "false": False}
SIZING_MODES = {mode.name.lower().replace("_", "-"): mode for mode in SizingMode}


def sizing_of(words: str, *, leverage: float, slippage_rate: float) -> SizingSettings:
    """ "equity-fraction=0.95" as settings; the slippage is set aside from what is bought. Raises BadInput."""
    name, equals, value = text_of("sizing", words).partition("=")
    if not equals or name not in SIZING_MODES:
        raise BadInput(f"sizing {words!r}: expected MODE=NUMBER, MODE one of {', '.join(SIZING_MODES)}")
    number = _number(value, f"sizing {name}")
    lever = number_of("leverage", leverage)
    return SizingSettings(mode=SIZING_MODES[name], value=number, leverage=lever, slippage_rate=slippage_rate)


def words_of(sizing: SizingSettings) -> str:
    """The words that `sizing_of` reads."""
    return f"{sizing.mode.name.lower().replace('_', '-')}={sizing.value:.15g}"


def fill_at_of(words: FillAt | str) -> FillAt:
    """ "next-open" or "this-close". Raises BadInput."""
    try:
        return FillAt(words)
    except ValueError:
        raise BadInput(f"fill at {words!r}: expected one of {', '.join(FillAt)}") from None


def balance_of(amount: float | Decimal) -> Decimal:
    """An opening balance, exactly as it is written. Raises BadInput unless it is finite and over 0."""
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(number_of("balance", amount)))
    if not exact.is_finite() or exact <= 0:
        raise BadInput(f"balance {amount}: expected a finite number over 0")
    return exact


def text_of(name: str, value: object) -> str:
    """The text that a notebook gave as the argument of that name. Raises BadInput for anything else."""
    if not isinstance(value, str):
        raise BadInput(f"{name} {value!r}: expected text, not {type(value).__name__}")
    return value


def number_of(name: str, value: object) -> float:
    """The finite number that a notebook gave as the argument of that name. Raises BadInput for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | np.integer | np.floating):
        raise BadInput(f"{name} {value!r}: expected a number, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:  # an int of hundreds of digits
        number = math.inf
    if not math.isfinite(number):
        raise BadInput(f"{name} {number}: expected a finite number")
    return number


def duration_of(name: str, value: object, unit_ns: int, most_ns: int) -> int:
    """ns of so many units, from none to `most_ns`. Raises BadInput."""
    number = number_of(name, value)
    if not 0 <= number <= most_ns / unit_ns:
        raise BadInput(f"{name} {value}: expected 0 to {most_ns // unit_ns:,}")
    return round(number * unit_ns)


def milliseconds_of(name: str, value: object) -> int:
    """A whole number of milliseconds, at most a day. Raises BadInput."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= LONGEST_MS:
        raise BadInput(f"{name} {value}: expected a whole number from 0 to {LONGEST_MS}, a day")
    return int(value)


def require_catalogued(strategy: Strategy) -> None:
    """Returns if the strategy's name leads back to its class: a session knows its strategy by name. Raises BadInput."""
    name, kind = strategy.name_in_cli, type(strategy)
    if known_strategies().get(name) is not kind:
        raise BadInput(
            f"strategy {kind.__name__} ({name}): not what {name!r} names here, and a session that is kept is found "
            "again by that name; put the class into a file of the folder paths.strategies (`workstation new-strategy "
            "NAME` makes one there), or make it again after the file has changed"
        )


def strategy_from_words(name: str, pairs: Sequence[str] = ()) -> Strategy:
    """The strategy of that name with parameters such as "fast=10", each read as it is declared; "none" is None.

    Raises BadInput.
    """
    kind, words = strategy_named(name), dict[str, str]()
    for pair in pairs:
        parameter, equals, text = pair.partition("=")
        if not equals or not parameter:
            raise BadInput(f"parameter {pair!r}: expected NAME=VALUE, such as fast=10")
        if parameter in words:
            raise BadInput(f"parameter {parameter}: given as {words[parameter]} and as {text}, expected once")
        words[parameter] = text
    return make_strategy(kind, {parameter: parameter_of(kind, parameter, text) for parameter, text in words.items()})


def keys_of(venues: tuple[str, ...], symbol: str) -> tuple[InstrumentKey, ...]:
    """One symbol at each venue. Raises BadInput for an impossible name or a venue named twice."""
    keys = tuple(checked_key(text_of("venue", venue), text_of("symbol", symbol)) for venue in venues)
    twice = sorted({venue for venue in venues if venues.count(venue) > 1})
    if twice:
        raise BadInput(f"venue {', '.join(twice)}: named twice, expected each once")
    return keys


def parameter_of(kind: type[Strategy], name: str, text: str) -> Any:
    """The text as the strategy declares its parameter of that name; "none" is None. Raises BadInput."""
    if name not in kind.param or name == "name":
        return text  # make_strategy refuses the name, and says which are known
    declared, subject = kind.param[name], f"strategy {kind.name_in_cli}: {name}"
    if declared.allow_None and text.lower() == "none":
        return None
    if isinstance(declared, param.Boolean):
        if text.lower() not in TRUTHS:
            raise BadInput(f"{subject} {text!r}: expected one of {', '.join(TRUTHS)}")
        return TRUTHS[text.lower()]
    if isinstance(declared, param.Integer):
        try:
            return int(text)
        except ValueError:
            raise BadInput(f"{subject} {text!r}: expected a whole number") from None
    if isinstance(declared, param.Number):
        return _number(text, subject)
    if isinstance(declared, param.Selector):
        by_word = {str(value): value for value in declared.objects}
        if text not in by_word:
            raise BadInput(f"{subject} {text!r}: expected one of {', '.join(by_word)}")
        return by_word[text]
    return text


def _number(text: str, subject: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise BadInput(f"{subject} {text!r}: expected a number") from None
    if not math.isfinite(number):
        raise BadInput(f"{subject} {text!r}: expected a finite number")
    return number


def opportunities_of(settings: Settings) -> OpportunitySpec:
    """What the section [opportunities] says counts as one."""
    return OpportunitySpec(
        least_bps=settings.opportunities.least_bps,
        least_value=settings.opportunities.least_value,
        least_ns=settings.opportunities.least_ms * MS_NS,
        latency_ns=settings.opportunities.latency_ms * MS_NS,
    )


def limits_of(settings: Settings) -> Limits:
    """The limits of the settings' section [risk]."""
    risk = settings.risk
    return Limits(
        max_position_notional_quote=risk.max_position_notional,
        max_open_positions=risk.max_open_positions,
        max_quote_age_ns=risk.max_quote_age_ms * 1_000_000,
    )


def slippage_rate_of(slippage_bps: float | None, settings: Settings) -> float:
    """As a fraction of the price; None takes the setting. Raises BadInput outside [0, 10 000)."""
    bps = float(settings.paper.slippage_bps) if slippage_bps is None else number_of("slippage_bps", slippage_bps)
    if not 0.0 <= bps < 10_000.0:
        raise BadInput(f"slippage {bps:g} bps: expected from 0 to below 10000")
    return bps / 10_000.0
