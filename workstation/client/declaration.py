"""A session as a person declares it: in a TOML file, in a form, in a notebook; the same in every mode.

Words and plain numbers only; `engine.build` makes settings of them. Unknown fields are refused.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from workstation.model.durations import MS_NS
from workstation.trading.limits import Limits

SESSION_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")
"""With its ends: pydantic searches, it does not match the whole."""

SessionName = Annotated[str, Field(pattern=SESSION_NAME.pattern, max_length=60)]
Word = Annotated[str, Field(min_length=1, max_length=60)]
Parameter = Annotated[str, Field(max_length=200)] | int | float | bool | None
LONGEST_MS = 86_400_000
Milliseconds = Annotated[int, Field(ge=0, le=LONGEST_MS)]
MOST_MONEY = Decimal(10) ** 15
"""More was meant in another unit; and an exponent in the millions would be written out in full somewhere."""
DECIMAL_TEXT = WithJsonSchema(
    {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,18})?$"}]}, mode="validation"
)
"""For the description of the API, which would otherwise promise that any text is a number."""
Money = Annotated[Decimal, Field(gt=0, le=MOST_MONEY, decimal_places=18), DECIMAL_TEXT]
NoLimit = Literal["none"]
NONE = "none"


class Mode(StrEnum):
    """A session's in the engine; to collect needs no session (`[engine] symbols`, or `data record`), a replay is a job
    (`client.jobs`).
    """

    PAPER = "paper"
    """Live market data, orders to the paper venue."""


class Message(BaseModel):
    """Base of everything that passes between engine and client."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LimitsDeclaration(Message):
    """Each limit's value; None takes the setting, the word "none" means that there is no such limit."""

    max_position_notional: Money | NoLimit | None = None
    max_open_positions: Annotated[int, Field(gt=0, le=1_000_000)] | NoLimit | None = None
    max_quote_age_ms: Annotated[int, Field(gt=0, le=LONGEST_MS)] | NoLimit | None = None

    def over(self, default: Limits) -> Limits:
        """The declared limits, and `default` where nothing is said."""
        notional, positions, age_ms = self.max_position_notional, self.max_open_positions, self.max_quote_age_ms
        return Limits(
            max_position_notional_quote=default.max_position_notional_quote if notional is None else _or_none(notional),
            max_open_positions=default.max_open_positions if positions is None else _or_none(positions),
            max_quote_age_ns=default.max_quote_age_ns if age_ms is None else _or_none(age_ms, MS_NS),
        )


def _or_none(value: Any, unit: int = 1) -> Any:
    """The word "none" is no such limit."""
    return None if value == NONE else value * unit


class StrategyDeclaration(Message):
    """One strategy on one symbol at one venue (bar strategies) or at two (spreads)."""

    session: SessionName
    strategy: Word
    parameters: Annotated[Mapping[Word, Parameter], Field(max_length=100)] = Field(default_factory=dict)
    venues: Annotated[tuple[Word, ...], Field(min_length=1, max_length=2)]
    symbol: Word
    interval: Word | None = None
    """Length of a bar strategy's bars, such as "1m"."""
    sizing: Word = "fixed-notional=500"
    leverage: Annotated[float, Field(gt=0, le=1000)] = 1.0
    balance: Money = Decimal(10_000)
    """Opening balance of the quote currency at each venue; spot sessions may also open with coins."""
    coins: Annotated[Decimal, Field(ge=0, le=MOST_MONEY, decimal_places=18), DECIMAL_TEXT] = Decimal(0)
    """Opening balance of the base currency at each venue."""
    slippage_bps: Annotated[Decimal, Field(ge=0, lt=10_000, decimal_places=18), DECIMAL_TEXT] | None = None
    latency_ms: Milliseconds | None = None
    entry_timeout_ms: Annotated[int, Field(gt=0, le=LONGEST_MS)] | None = None
    limits: LimitsDeclaration = Field(default_factory=LimitsDeclaration)


class SessionDeclaration(StrategyDeclaration):
    """On live market data, in the engine."""

    mode: Mode = Mode.PAPER
    with_trades: bool = True
    """Public trades fill resting orders too."""


def free_name(strategy: str, taken: Iterable[str]) -> str:
    """The first of "ma-cross-1", "ma-cross-2", … that is not taken."""
    known = set(taken)
    return next(name for number in count(1) if (name := f"{strategy}-{number}") not in known)
