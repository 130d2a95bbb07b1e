"""What may be set: every section and key, with type, range, unit and default."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_data_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo


def default_home() -> Path:
    """The platform's folder for a user's data."""
    return user_data_path("workstation")


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _below_home(path: Path, info: ValidationInfo) -> Path:
    # home is absent here when it was itself refused; its own error is the one to report
    home: Path = info.data.get("home", Path())
    return home / path.expanduser()


def _in_home(name: str) -> Callable[[dict[str, Any]], Path]:
    return lambda validated: Path(validated["home"]) / name


BelowHome = Annotated[Path, AfterValidator(_below_home)]
FeeRate = Annotated[Decimal, Field(le=Decimal("0.05"))]  # above 5 % somebody wrote percent for a fraction


class Section(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Paths(Section):
    """Where things are kept; a relative path lies below `home`."""

    home: Annotated[Path, AfterValidator(_absolute)] = Field(default_factory=default_home)
    history: BelowHome = Field(default_factory=_in_home("history"))
    ledger: BelowHome = Field(default_factory=_in_home("ledger.db"))
    runs: BelowHome = Field(default_factory=_in_home("runs"))


class Compression(StrEnum):
    """How Parquet segments are compressed."""

    ZSTD = "zstd"
    NONE = "none"


class History(Section):
    """The Parquet history; `compression_level` is read for zstd only, a segment holds at most `segment_rows`."""

    compression: Compression = Compression.ZSTD
    compression_level: int = Field(default=1, ge=1, le=22)
    segment_rows: int = Field(default=1_000_000, gt=0)


class Market(Section):
    """Windows and staleness; a resolution of 0 keeps every quote."""

    resolution_ms: int = Field(default=100, ge=0)
    stale_after_ms: int = Field(default=5_000, gt=0)
    assumed_delay_ms: int = Field(default=0, ge=0)


class Paper(Section):
    """The simulated venue; a negative maker fee is a rebate, slippage is worse than the price by so many bps."""

    latency_ms: int = Field(default=100, ge=0)
    taker_fee_rate: Annotated[FeeRate, Field(ge=0)] = Decimal("0.001")
    maker_fee_rate: Annotated[FeeRate, Field(ge=Decimal("-0.05"))] = Decimal("0.001")
    slippage_bps: Decimal = Field(default=Decimal(0), ge=0, le=1_000)


class Risk(Section):
    """Limits of a session; the notional is in the session's base currency."""

    max_position_notional: Decimal = Field(default=Decimal(1_000), gt=0)
    max_open_positions: int = Field(default=5, gt=0)
    max_quote_age_ms: int = Field(default=5_000, gt=0)


class Settings(Section):
    """Every section."""

    paths: Paths = Field(default_factory=Paths)
    history: History = Field(default_factory=History)
    market: Market = Field(default_factory=Market)
    paper: Paper = Field(default_factory=Paper)
    risk: Risk = Field(default_factory=Risk)


SECTIONS: dict[str, type[Section]] = {
    "paths": Paths,
    "history": History,
    "market": Market,
    "paper": Paper,
    "risk": Risk,
}
