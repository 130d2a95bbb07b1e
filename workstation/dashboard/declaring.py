"""A form's words as a declaration of a session, or of a replay; each field that cannot be has its own sentence.

All is text, as it was typed; an empty field is not said, and takes what the settings or the strategy say.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import param
from pydantic import ValidationError

from workstation.client.declaration import SessionDeclaration
from workstation.client.jobs import ReplayJob
from workstation.config.words import SIZING_MODES, keys_of, parameter_of, sizing_of
from workstation.errors import BadInput
from workstation.model.market import interval_ns
from workstation.research.choices import span_of, time_ns
from workstation.strategies.base import BarStrategy, Strategy, make_strategy
from workstation.strategies.catalog import strategy_named

LIMITS = ("max_position_notional", "max_open_positions", "max_quote_age_ms")
MONEY = ("leverage", "balance", "coins", "slippage_bps", "latency_ms", "entry_timeout_ms")
FIRST_SIZES = {"equity-fraction": "0.95", "fixed-quantity": "0.01", "fixed-notional": "500", "risk-fraction": "0.01"}
PARAMETER = "parameters."
"""Before the name of a strategy's parameter, where fields are named."""
WHOLE = "form"
"""What no one field is to blame for."""
EXPECTED = {
    "session": "letters, digits, '.', '_' and '-', a letter or digit first, at most 60",
    "sizing": "a number over 0",
    "leverage": "a number over 0, at most 1000",
    "balance": "a number over 0, such as 10000",
    "coins": "a number, 0 or more",
    "slippage_bps": "a number from 0 to below 10000",
    "latency_ms": "a whole number from 0 to 86400000, a day",
    "entry_timeout_ms": "a whole number from 1 to 86400000, a day",
    "max_position_notional": "a number over 0, or none",
    "max_open_positions": "a whole number over 0, or none",
    "max_quote_age_ms": "a whole number from 1 to 86400000, or none",
}


class FormMode(StrEnum):
    PAPER = "paper"
    """On live market data."""
    REPLAY = "replay"
    """Over stored history, as a job."""


class FormRefused(BadInput):
    """`problems` has a sentence for each field that cannot be, by its name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name} {sentence}" for name, sentence in problems.items()))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was typed. `span` is of a replay; `limits` and `figures` are by the names of the declaration."""

    mode: FormMode = FormMode.PAPER
    strategy: str
    session: str = ""
    venues: tuple[str, ...] = ()
    symbol: str = ""
    interval: str = ""
    sizing_mode: str = "fixed-notional"
    sizing: str = FIRST_SIZES["fixed-notional"]
    parameters: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    with_trades: bool = True
    span: tuple[str, str] = ("", "")


def declaration_of(form: Form, taken: Iterable[str] = ()) -> SessionDeclaration | ReplayJob:
    """Raises FormRefused; `taken` are names that cannot be given again."""
    problems: dict[str, str] = {}
    kind = _told(problems, "strategy", lambda: strategy_named(form.strategy))
    if kind is None:
        raise FormRefused(problems)
    problems |= dict(_place_problems(form, kind))
    parameters = _parameters(form, kind, problems)
    if form.session in taken:
        problems["session"] = f"{form.session!r}: a session of that name is there already; expected another"
    fields = _fields(form, kind) | {"parameters": parameters}
    if form.mode is FormMode.REPLAY:
        fields |= _span(form, problems)
    try:
        declared = (ReplayJob if form.mode is FormMode.REPLAY else SessionDeclaration).model_validate(fields)
    except ValidationError as error:
        raise FormRefused(_of_validation(error) | problems) from error
    if problems:
        raise FormRefused(problems)
    return declared


def field_of(sentence: str, names: Iterable[str]) -> str:
    """Which field a refusal of the engine begins with; WHOLE where it names none."""
    words = sentence.replace(":", " ").split()[:4]
    said = {word.rpartition(".")[2].strip("'\"") for word in words}
    return next((name for name in names if name.removeprefix(PARAMETER) in said), WHOLE)


def parameter_help(declared: param.Parameter[Any]) -> str:
    """The doc of a parameter, and what it may be."""
    bounds = getattr(declared, "bounds", None)
    if bounds is None or isinstance(declared, param.Selector):
        return declared.doc or ""
    low, high = bounds
    span = f"{low:g} to {high:g}" if None not in bounds else f"from {low:g}" if high is None else f"to {high:g}"
    return f"{declared.doc} ({span})" if declared.doc else span


def words_of_value(value: Any) -> str:
    """As `parameter_of` reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else repr(value) if isinstance(value, float) else str(value)


def first_form(name: str) -> Form:
    """A strategy's own defaults. Raises BadInput for a strategy that is not known."""
    kind = strategy_named(name)
    return Form(
        strategy=name,
        interval="1m" if issubclass(kind, BarStrategy) else "",
        parameters={one: words_of_value(kind.param[one].default) for one in kind.param if one != "name"},
    )


def of_mode(form: Form, mode: FormMode) -> Form:
    """The same for live data or history; public trades are taken from history only where somebody says so."""
    return form if form.mode is mode else replace(form, mode=mode, with_trades=mode is FormMode.PAPER)


def _told(problems: dict[str, str], name: str, make: Callable[[], Any]) -> Any:
    """What it makes; None where it is refused, and then why is kept."""
    try:
        return make()
    except BadInput as error:
        problems[name] = str(error)
        return None


def _place_problems(form: Form, kind: type[Strategy]) -> Iterator[tuple[str, str]]:
    """Venues, symbol, interval and size: what the engine would say, before it is asked."""
    wanted = " or ".join(map(str, kind.venues))
    if len(form.venues) not in kind.venues:
        yield "venues", f"{', '.join(form.venues) or 'none'}: {kind.name_in_cli} trades at {wanted}"
    if not form.symbol:
        yield "symbol", "expected BASE/QUOTE, such as BTC/USDT"
    elif form.venues:
        try:
            keys_of(form.venues, form.symbol)
        except BadInput as error:
            yield ("venues" if "venue" in str(error).split(":")[0] else "symbol"), str(error)
    if issubclass(kind, BarStrategy):
        try:
            interval_ns(form.interval)
        except BadInput as error:
            yield "interval", str(error)
    if form.sizing_mode not in SIZING_MODES:
        yield "sizing", f"{form.sizing_mode!r}: expected one of {', '.join(SIZING_MODES)}"
        return
    try:
        sizing_of(f"{form.sizing_mode}={plain(form.sizing)}", leverage=1.0, slippage_rate=0.0)
    except BadInput:
        yield "sizing", f"{form.sizing!r}: expected {EXPECTED['sizing']}"


def _parameters(form: Form, kind: type[Strategy], problems: dict[str, str]) -> Mapping[str, Any]:
    """Each by itself, so that every wrong one is told; then all together, for what they say of each other."""
    values: dict[str, Any] = {}
    for name in (one for one in kind.param if one != "name"):
        text = form.parameters.get(name, "").strip()
        if not text:
            continue
        is_figure = isinstance(kind.param[name], param.Number)
        try:
            values[name] = parameter_of(kind, name, plain(text) if is_figure else text)
            kind().param.update(**{name: values[name]})
        except (BadInput, ValueError, TypeError):
            problems[PARAMETER + name] = f"{text!r}: expected {_expected(kind.param[name])}"
    if not any(name.startswith(PARAMETER) for name in problems):
        try:
            make_strategy(kind, values)
        except BadInput as error:
            said = str(error).removeprefix(f"strategy {kind.name_in_cli}: ")
            problems[field_of(said, [PARAMETER + name for name in values])] = said
    return values


def _expected(declared: param.Parameter[Any]) -> str:
    if isinstance(declared, param.Selector):
        return f"one of {', '.join(map(str, declared.objects))}"
    bounds = getattr(declared, "bounds", None)
    kind = "a whole number" if isinstance(declared, param.Integer) else "a number"
    if isinstance(declared, param.Boolean) or not isinstance(declared, param.Number):
        kind = f"a {type(declared).__name__.lower()}"
    span = (
        ""
        if bounds is None
        else "".join(f" {word} {edge:g}" for word, edge in zip(("from", "to"), bounds, strict=True) if edge is not None)
    )
    return f"{kind}{span}{', or none' if declared.allow_None else ''}"


def _fields(form: Form, kind: type[Strategy]) -> dict[str, Any]:
    """What is said, in the declaration's names."""
    fields: dict[str, Any] = {
        "session": form.session,
        "strategy": form.strategy,
        "venues": form.venues,
        "symbol": form.symbol,
        "sizing": f"{form.sizing_mode}={plain(form.sizing)}",
        "with_trades": form.with_trades,
    }
    if issubclass(kind, BarStrategy):
        fields["interval"] = form.interval
    fields |= {name: plain(text) for name in MONEY if (text := form.figures.get(name, "")).strip()}
    limits = {name: plain(text) for name in LIMITS if (text := form.limits.get(name, "")).strip()}
    return fields | ({"limits": limits} if limits else {})


def _span(form: Form, problems: dict[str, str]) -> dict[str, int]:
    """The bounds that are said."""
    bounds = {}
    for name, text in zip(("start", "end"), form.span, strict=True):
        if text.strip():
            bounds[name] = _told(problems, name, lambda text=text: time_ns(text.strip()))  # type: ignore[misc]
    if "start" not in problems and "end" not in problems:
        _told(problems, "end", lambda: span_of(bounds.get("start"), bounds.get("end")))
    return {f"{name}_ns": at for name, at in bounds.items() if at is not None and name not in problems}


def _of_validation(error: ValidationError) -> dict[str, str]:
    """The first sentence for each field."""
    problems: dict[str, str] = {}
    for one in error.errors():
        place = [str(part) for part in one["loc"]]
        name = place[1] if place[0] == "limits" and len(place) > 1 else (place or [WHOLE])[0]
        if name in EXPECTED:
            problems.setdefault(name, f"{one['input']!r}: expected {EXPECTED[name]}")
        else:
            problems.setdefault(name, f"{one['msg'][:1].lower()}{one['msg'][1:]}; it is {one['input']!r}"[:200])
    return problems


def plain(text: str) -> str:
    """A figure without thousands separators."""
    return "".join(text.split()).replace(",", "").replace("\N{NARROW NO-BREAK SPACE}", "")
