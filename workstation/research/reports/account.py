"""What a report tells of a result, of a back-test as of a replay: plain values, no HTML yet."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import pandas as pd

from workstation.model.instrument import Instrument
from workstation.model.market import Bars, interval_label
from workstation.model.units import to_float
from workstation.research.replay_result import ReplayResult
from workstation.research.reports.request import BACKTEST, REPLAY, Result
from workstation.research.results import BacktestResult
from workstation.session import identity
from workstation.session.manifest import manifest_bytes, manifest_hash
from workstation.strategies.catalog import known_strategies
from workstation.trading.paper import FillAt, PaperSettings
from workstation.trading.sizing import SizingSettings

SHIPPED = "shipped: the code's hash covers it"
AT = {
    FillAt.NEXT_OPEN: "Orders decided at a bar's close trade at the next bar's open.",
    FillAt.THIS_CLOSE: "Orders trade at the very close that they were decided on. Nobody can: use it to compare only.",
}
IN_A_BAR = "A bar that reaches both stop and target counts as stopped out; a target fills when the bar touches it."
MISSING = "No market impact, no queue, no funding, no interest, no margin call, no outage."


@dataclass(frozen=True, kw_only=True)
class Account:
    """One result, told to people."""

    result: Result

    @property
    def kind(self) -> str:
        return BACKTEST if isinstance(self.result, BacktestResult) else REPLAY

    @property
    def strategy(self) -> str:
        return (
            self.result.strategy if isinstance(self.result, BacktestResult) else self.result.manifest.session.strategy
        )

    @property
    def parameters(self) -> Mapping[str, Any]:
        result = self.result
        return result.parameters if isinstance(result, BacktestResult) else result.manifest.session.parameters

    @property
    def instruments(self) -> Sequence[Instrument]:
        result = self.result
        return (result.instrument,) if isinstance(result, BacktestResult) else result.manifest.instruments

    @property
    def currency(self) -> str:
        result = self.result
        return str(result.instrument.quote if isinstance(result, BacktestResult) else result.manifest.session.currency)

    @cached_property
    def bars(self) -> Bars | None:
        """The bars that were decided on; None where quotes were."""
        if isinstance(self.result, BacktestResult):
            return self.result.bars
        return None if self.result.bars is None else self.result.bars.bars()

    @property
    def interval(self) -> str | None:
        return None if self.bars is None else interval_label(self.bars.interval_ns)

    @property
    def initial_balance(self) -> float:
        result = self.result
        return result.settings.initial_balance if isinstance(result, BacktestResult) else result.initial_balance

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        return self.result.metrics

    @cached_property
    def equity(self) -> "pd.Series[float]":
        """By time (UTC); of a replay on quotes a value after each fill."""
        if isinstance(self.result, BacktestResult):
            times, values = self.result.bars.ts_open + self.result.bars.interval_ns, self.result.equity
        else:
            times, values = self.result.equity()
        return pd.Series(values, index=pd.to_datetime(times, utc=True), name="equity")

    @cached_property
    def trades(self) -> Sequence[Mapping[str, Any]]:
        """A row for each trade, of a replay for each leg, as `to_dict` has them."""
        trades: Sequence[Mapping[str, Any]] = self.result.to_dict()["trades"]
        return trades

    @property
    def span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """From the first to the last moment that is told of; None where nothing happened."""
        if self.bars is not None and len(self.bars):
            ends = self.bars.ts_open[0], self.bars.ts_open[-1] + self.bars.interval_ns
            return pd.Timestamp(ends[0], tz="UTC"), pd.Timestamp(ends[1], tz="UTC")
        return (self.equity.index[0], self.equity.index[-1]) if len(self.equity) else None

    @property
    def held_return(self) -> float | None:
        """What buying at the first open and holding to the last close made, without fees."""
        bars = self.bars
        return None if bars is None or not len(bars) else float(bars.close[-1] / bars.open[0]) - 1

    @property
    def refused(self) -> Mapping[str, int]:
        """Entries by what refused them."""
        if isinstance(self.result, BacktestResult):
            return {str(reason): count for reason, count in self.result.refused.items() if count}
        return {limit: entries.number for limit, entries in self.result.log.refused.items()}

    def monthly(self) -> pd.DataFrame:
        """Returns by calendar month (UTC): a row a year, columns 1 … 12 and "year"; NaN where there was no equity."""
        times = pd.DatetimeIndex(self.equity.index)
        ends = self.equity.groupby([times.year, times.month]).last()
        returns = ends / ends.shift(fill_value=self.initial_balance) - 1
        table = returns.unstack().reindex(columns=range(1, 13))
        table["year"] = (1 + table).prod(axis=1, skipna=True) - 1
        return table

    def assumptions(self) -> list[str]:
        """What the figures take for granted, in sentences."""
        told = [*self._filling(), *(_fees(one) for one in self.instruments), self._size()]
        return [*told, MISSING]

    def _filling(self) -> list[str]:
        if isinstance(self.result, BacktestResult):
            return [AT[self.result.settings.fill_at], _slippage(self.result.settings.slippage_rate), IN_A_BAR]
        paper: PaperSettings = self.result.manifest.paper
        if paper.on_bars:
            return [AT[paper.fill_at], _slippage(paper.slippage_rate), IN_A_BAR]
        latency = (
            f"An order reaches the venue {paper.latency_ns / 1e6:g} ms after its decision and meets the last quote."
        )
        return [latency, _slippage(paper.slippage_rate), "Each new quote shows its whole quantity again."]

    def _size(self) -> str:
        result = self.result
        sizing: SizingSettings = (
            result.settings.sizing if isinstance(result, BacktestResult) else result.manifest.session.sizing
        )
        mode = sizing.mode.name.lower().replace("_", " ")
        return f"Size of an entry: {mode} {sizing.value:g}, leverage at most {sizing.leverage:g}."

    def provenance(self) -> list[tuple[str, str]]:
        """Hashes and versions: what it takes to make the same figures again."""
        kind = known_strategies().get(self.strategy)
        strategy = SHIPPED if kind is None or kind.file_hash is None else kind.file_hash
        told = [("code", identity.code_hash()), ("kernels", identity.kernels()), ("strategy", strategy)]
        if isinstance(self.result, ReplayResult):
            data = manifest_bytes(self.result.manifest)
            told += [("run manifest", manifest_hash(data)), ("history", self.result.manifest.history)]
        else:
            told += [("configuration", _configuration_hash(self.result)), ("bars", _bars_hash(self.result.bars))]
        return [*told, ("versions", ", ".join(f"{name} {number}" for name, number in identity.versions().items()))]


def _fees(instrument: Instrument) -> str:
    maker, taker = (to_float(rate) * 10_000 for rate in (instrument.maker_fee_rate, instrument.taker_fee_rate))
    return f"Fees of {instrument.key}: {maker:g} bps as maker, {taker:g} bps as taker; tick {instrument.tick_size}."


def _slippage(rate: float) -> str:
    if rate == 0.0:
        return "No slippage: market and stop orders pay the price they see. Real ones pay more."
    return f"Market and stop orders pay {rate * 10_000:g} bps more than the price they see."


def _configuration_hash(result: BacktestResult) -> str:
    told = {
        "strategy": result.strategy,
        "parameters": dict(result.parameters),
        "instrument": msgspec.to_builtins(result.instrument),
        "settings": msgspec.to_builtins(result.settings),
    }
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def _bars_hash(bars: Bars) -> str:
    digest = hashlib.sha256(str(bars.interval_ns).encode())
    for name in ("ts_open", "open", "high", "low", "close", "volume"):
        digest.update(getattr(bars, name).tobytes())
    return digest.hexdigest()
