"""A declaration in words: what it will do, and the command that does the same."""

import shlex
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from workstation.client.declaration import SessionDeclaration
from workstation.client.jobs import ReplayJob
from workstation.config.settings import Settings
from workstation.dashboard.declaring import words_of_value
from workstation.research.choices import EPOCH
from workstation.strategies.catalog import strategy_named

Declaration = SessionDeclaration | ReplayJob
SIZES: dict[str, Callable[[Decimal, str, str], str]] = {
    "equity-fraction": lambda value, _, __: f"{value * 100:f} % of the equity at each entry",
    "fixed-quantity": lambda value, base, _: f"{value:,f} {base} a leg",
    "fixed-notional": lambda value, _, quote: f"{value:,f} {quote} a leg",
    "risk-fraction": lambda value, _, __: f"{value * 100:f} % of the equity between entry and stop",
}
OPTIONS = {
    "symbol": "--symbol",
    "interval": "--interval",
    "sizing": "--sizing",
    "balance": "--balance",
    "coins": "--coins",
    "leverage": "--leverage",
    "slippage_bps": "--slippage-bps",
    "latency_ms": "--latency-ms",
    "entry_timeout_ms": "--entry-timeout-ms",
    "fill_at": "--fill-at",
}
"""Fields of a declaration, and what they are called in a terminal."""
LIMIT_OPTIONS = {
    "max_position_notional": "--max-notional",
    "max_open_positions": "--max-positions",
    "max_quote_age_ms": "--max-quote-age-ms",
}


def preview(declared: Declaration, settings: Settings) -> list[str]:
    """What it will do, a sentence for each thing that a person would want to have known before."""
    base, _, rest = declared.symbol.partition("/")
    quote = rest.partition(":")[0]
    mode, _, size = declared.sizing.partition("=")
    bars = "" if declared.interval is None else f" {declared.interval} bars"
    where = f"over history{_span(declared)}" if isinstance(declared, ReplayJob) else "on paper, with live market data"
    return [
        f"{declared.strategy} on{bars} {declared.symbol} at {' and '.join(declared.venues)}, "
        f"{SIZES[mode](_exact(size), base, quote)}, {where}.",
        f"It opens with {_exact(declared.balance):,f} {quote}{_coins(declared, base)} at each venue; notional up to "
        f"{declared.leverage:g} × equity.",
        f"Limits: {'; '.join(_limits(declared, settings, quote))}.",
        _paper(declared, settings),
    ]


def command_of(declared: Declaration) -> str:
    """To be pasted into a shell; what is the usual value is left out."""
    is_replay = isinstance(declared, ReplayJob)
    words = ["workstation", "session", "replay" if is_replay else "start", declared.strategy]
    words += [word for venue in declared.venues for word in ("--venue", venue)]
    fields = type(declared).model_fields
    for name, option in OPTIONS.items():
        value = getattr(declared, name, None)
        if value is not None and (name == "symbol" or value != fields[name].default):
            words += [option, f"{value:f}" if isinstance(value, Decimal) else str(value)]
    words += [word for pair in _changed_parameters(declared) for word in ("--param", pair)]
    for name, option in LIMIT_OPTIONS.items():
        if (limit := getattr(declared.limits, name)) is not None:
            words += [option, str(limit)]
    if declared.with_trades != fields["with_trades"].default:
        words.append("--with-trades" if is_replay else "--no-trades")
    for option, at in (("--from", _start(declared)), ("--to", _end(declared))):
        words += [] if at is None else [option, _moment(at)]
    return shlex.join([*words, "--session", declared.session])


def _changed_parameters(declared: Declaration) -> Iterator[str]:
    kind = strategy_named(declared.strategy)
    for name, value in declared.parameters.items():
        if value != kind.param[name].default:
            yield f"{name}={words_of_value(value)}"


def _start(declared: Declaration) -> int | None:
    return declared.start_ns if isinstance(declared, ReplayJob) else None


def _end(declared: Declaration) -> int | None:
    return declared.end_ns if isinstance(declared, ReplayJob) else None


def _span(job: ReplayJob) -> str:
    words = [f" {word} {_moment(at)}" for word, at in (("from", job.start_ns), ("to", job.end_ns)) if at is not None]
    return "".join(words) or ", all that is stored"


def _moment(ts_ns: int) -> str:
    """UTC, as a person would type it."""
    return (EPOCH + timedelta(microseconds=ts_ns // 1_000)).replace(tzinfo=None).isoformat()


def _exact(value: Decimal | str | int) -> Decimal:
    """Without zeros that say nothing, and without an exponent."""
    number = Decimal(value).normalize()
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


def _coins(declared: Declaration, base: str) -> str:
    return f" and {_exact(declared.coins):,f} {base}" if declared.coins else ""


def _limits(declared: Declaration, settings: Settings, quote: str) -> Iterator[str]:
    risk = settings.risk
    notional, count, age_ms = (
        usual if said is None else said
        for said, usual in (
            (declared.limits.max_position_notional, risk.max_position_notional),
            (declared.limits.max_open_positions, risk.max_open_positions),
            (declared.limits.max_quote_age_ms, risk.max_quote_age_ms),
        )
    )
    yield "positions of any size" if notional == "none" else f"a position of at most {_exact(notional):,f} {quote}"
    yield "any number of positions" if count == "none" else f"{count} open positions at most"
    yield "quotes of any age" if age_ms == "none" else f"no entry on quotes older than {age_ms:,} ms"


def _paper(declared: Declaration, settings: Settings) -> str:
    latency_ms: Any = settings.paper.latency_ms if declared.latency_ms is None else declared.latency_ms
    bps = settings.paper.slippage_bps if declared.slippage_bps is None else declared.slippage_bps
    trades = "public trades fill resting orders too" if declared.with_trades else "quotes alone fill orders"
    timeout = declared.entry_timeout_ms
    given_up = "" if timeout is None else f"; an entry that is not filled is given up after {timeout:,} ms"
    price = f"{_exact(bps):f} bps worse than the price"
    return f"Orders trade {latency_ms:,} ms after their decision, {price}; {trades}{given_up}."
