"""What a person chooses, in words, as the values that research works with; each refusal says what there is instead."""

import difflib
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import param

from workstation.errors import BadInput, HistoryMissing
from workstation.history.layout import Series, checked_key
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.instrument import InstrumentKey
from workstation.strategies.base import Strategy, make_strategy
from workstation.strategies.catalog import STRATEGIES, strategy_named
from workstation.trading.paper import FillAt
from workstation.trading.sizing import SizingMode, SizingSettings

When = str | date | datetime | np.datetime64 | int
"""A date or time in ISO 8601 (UTC where no zone is given), one of Python or numpy, or nanoseconds since 1970."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_YEAR = 2261  # int64 nanoseconds end in April 2262
FIRST_NS, LAST_NS = 10**17, 2**63 - 1
"""Of times given as nanoseconds: from 1973 on; a time in seconds, milliseconds or microseconds is below."""
LONGEST_MS = 86_400_000
"""A day, as for the settings in milliseconds."""
SIZING_MODES = {mode.name.lower().replace("_", "-"): mode for mode in SizingMode}
MOST_NAMED = 6
"""Series that a refusal names."""


def time_ns(when: When) -> int:
    """ "2024-05-01" -> 1 714 521 600 000 000 000. Raises BadInput."""
    if isinstance(when, int | np.integer) and not isinstance(when, bool | np.timedelta64):
        if not FIRST_NS <= when <= LAST_NS:
            raise BadInput(f"time {when}: nanoseconds expected, from {FIRST_NS} (1973) to {LAST_NS} (2262)")
        return int(when)
    moment = _moment(when)
    if not EPOCH.year <= moment.year <= LAST_YEAR:
        raise BadInput(f"time {when}: expected a year from {EPOCH.year} to {LAST_YEAR}")
    if isinstance(when, np.datetime64):
        return int(when.astype("datetime64[ns]").astype(np.int64))
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(microseconds=1) * 1_000


def span_of(start: When | None, end: When | None) -> Span:
    """[start, end) in nanoseconds; None is no bound. Raises BadInput for one that ends before it begins."""
    span = Span(start_ns=None if start is None else time_ns(start), end_ns=None if end is None else time_ns(end))
    if span.start_ns is not None and span.end_ns is not None and span.start_ns >= span.end_ns:
        raise BadInput(f"span from {start} to {end}: expected a start before the end")
    return span


def sizing_of(words: str, *, leverage: float, slippage_rate: float) -> SizingSettings:
    """ "equity-fraction=0.95" as settings; the slippage is set aside from what is bought. Raises BadInput."""
    name, equals, value = text_of("sizing", words).partition("=")
    if not equals or name not in SIZING_MODES:
        raise BadInput(f"sizing {words!r}: expected MODE=NUMBER, MODE one of {', '.join(SIZING_MODES)}")
    number = _number(value, f"sizing {name}")
    lever = number_of("leverage", leverage)
    return SizingSettings(mode=SIZING_MODES[name], value=number, leverage=lever, slippage_rate=slippage_rate)


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
    """The number that a notebook gave as the argument of that name. Raises BadInput for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | np.integer | np.floating):
        raise BadInput(f"{name} {value!r}: expected a number, not {type(value).__name__}")
    return float(value)


def milliseconds_of(name: str, value: object) -> int:
    """A whole number of milliseconds, at most a day. Raises BadInput."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= LONGEST_MS:
        raise BadInput(f"{name} {value}: expected a whole number from 0 to {LONGEST_MS}, a day")
    return int(value)


def require_catalogued(strategy: Strategy) -> None:
    """Returns if the strategy's name leads back to its class: a session knows its strategy by name. Raises BadInput."""
    name, kind = strategy.name_in_cli, type(strategy)
    if STRATEGIES.get(name) is not kind:
        raise BadInput(
            f"strategy {kind.__name__} ({name}): not the one of that name in workstation/strategies/catalog.py, where "
            "a replay finds a strategy by its name; strategies of your own work in ws.backtest"
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
    return make_strategy(kind, {parameter: _parameter(kind, parameter, text) for parameter, text in words.items()})


def keys_of(venues: tuple[str, ...], symbol: str) -> tuple[InstrumentKey, ...]:
    """One symbol at each venue. Raises BadInput for an impossible name or a venue named twice."""
    keys = tuple(checked_key(text_of("venue", venue), text_of("symbol", symbol)) for venue in venues)
    twice = sorted({venue for venue in venues if venues.count(venue) > 1})
    if twice:
        raise BadInput(f"venue {', '.join(twice)}: named twice, expected each once")
    return keys


def require_stored(store: HistoryStore, series: Series, span: Span) -> None:
    """Returns if there are rows of the series in the span. Raises HistoryMissing with what is stored instead."""
    stored = store.series()
    if not stored:
        raise HistoryMissing(f"history {store.root}: holds nothing; see `workstation data import --help`")
    if series not in stored:
        raise HistoryMissing(f"{series}: not stored; {_nearest(series, stored)}")
    if not store.count(series, span):  # store.count itself raises where not even a file touches the span
        raise HistoryMissing(f"{series}: nothing between {_shown(span.start_ns)} and {_shown(span.end_ns)}")


def _moment(when: object) -> datetime:
    """To the microsecond. Raises BadInput."""
    refusal = BadInput(f"time {when!r}: expected a date such as 2024-05-01, or 2024-05-01T13:30 (UTC)")
    try:
        moment = datetime.fromisoformat(when) if isinstance(when, str) else when
    except ValueError:
        raise refusal from None
    if isinstance(moment, np.datetime64):
        moment = moment.astype("datetime64[us]").item()
    if isinstance(moment, datetime) and moment == moment:  # pandas' NaT is a datetime unlike itself
        return moment
    if isinstance(moment, date) and not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day)
    raise refusal


def _nearest(series: Series, stored: list[Series]) -> str:
    same_kind = [str(one) for one in stored if one.kind is series.kind]
    near = difflib.get_close_matches(str(series), same_kind, n=MOST_NAMED, cutoff=0.0)
    rest = len(same_kind) - len(near)
    more = f" and {rest} more" if rest else ""
    return f"stored are: {', '.join(near)}{more}" if near else f"no {series.kind} are stored"


def _parameter(kind: type[Strategy], name: str, text: str) -> Any:
    if name not in kind.param or name == "name":
        return text  # make_strategy refuses the name, and says which are known
    declared, subject = kind.param[name], f"strategy {kind.name_in_cli}: {name}"
    if declared.allow_None and text.lower() == "none":
        return None
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


def _shown(ts_ns: int | None) -> str:
    return "…" if ts_ns is None else f"{EPOCH + timedelta(microseconds=ts_ns // 1_000):%Y-%m-%dT%H:%M:%SZ}"
