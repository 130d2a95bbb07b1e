"""A session's declaration: what trades, on what, with how much, within which limits. The same in every mode."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workstation.errors import BadInput
from workstation.model.ids import Currency, SessionId
from workstation.model.instrument import InstrumentKey
from workstation.trading.limits import Limits
from workstation.trading.sizing import SizingMode, SizingSettings

DEFAULT_SIZING = SizingSettings(mode=SizingMode.EQUITY_FRACTION, value=0.95)
DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    session_id: SessionId
    strategy: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    instruments: tuple[InstrumentKey, ...]
    interval_ns: int | None = None
    """Length of the bars of a bar strategy."""
    bars_from_trades: bool = False
    currency: Currency
    """Of equity and limits."""
    sizing: SizingSettings = DEFAULT_SIZING
    limits: Limits = DEFAULT_LIMITS
    entry_timeout_ns: int | None = None
    """An entry that is not filled this long after its decision is given up; None waits."""

    def __post_init__(self) -> None:
        if not self.session_id:
            raise BadInput("session_id: expected a name")
        if not self.instruments or len(set(self.instruments)) != len(self.instruments):
            raise BadInput(
                f"session {self.session_id}: instruments {self.instruments}: expected at least one, each once"
            )
        if self.entry_timeout_ns is not None and self.entry_timeout_ns <= 0:
            raise BadInput(f"session {self.session_id}: entry_timeout_ns {self.entry_timeout_ns}: expected more than 0")
