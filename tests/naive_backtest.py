"""The bar fill rules once more: slow, obvious and written apart from the package; tests compare the two."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal


@dataclass(kw_only=True)
class Rules:
    tick: Decimal
    lot: Decimal
    min_quantity: float = 0.0
    min_notional: float = 0.0
    maker: float = 0.0
    taker: float = 0.0
    slippage: float = 0.0
    sizing: str = "EQUITY_FRACTION"
    value: float = 0.95
    sizing_slippage: float = 0.0
    leverage: float = 1.0
    balance: float = 10_000.0
    spot: bool = False
    at_close: bool = False
    finalize: bool = False


@dataclass(kw_only=True)
class Trade:
    side: int
    quantity: float
    entry_bar: int
    entry_price: float
    exit_bar: int = -1
    exit_price: float = math.nan
    reason: str = "open"
    fees: float = 0.0
    stop: float | None = None
    target: float | None = None


@dataclass(kw_only=True)
class Outcome:
    trades: list[Trade] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REFUSALS, 0))


REFUSALS = ("below minimum", "insufficient balance", "insufficient cash")


def rounded(value: float, step: Decimal, rounding: str) -> float:
    """`value` as a whole number of steps; what is within a billionth of a step of one is meant to be on it."""
    steps = Decimal(value) / step
    nearest = steps.to_integral_value()
    if abs(steps - nearest) > Decimal("1e-9") + abs(steps) * Decimal("4e-16"):
        nearest = steps.to_integral_value(rounding)
    return float(nearest * step)


@dataclass(kw_only=True)
class Run:
    """Bars are (open, high, low, close); signals (entry, exit long, exit short, stop distance, target distance)."""

    rules: Rules
    bars: Sequence[tuple[float, float, float, float]]
    signals: Sequence[tuple[int, bool, bool, float, float]]
    out: Outcome = field(default_factory=Outcome)
    cash: float = 0.0
    held: Trade | None = None
    seen: float | None = None

    def go(self) -> Outcome:
        self.cash = self.rules.balance
        pending: list[tuple[str, int, float | None]] = []
        for bar, (open_, high, low, close) in enumerate(self.bars):
            self.seen = None
            for order in pending:
                self.fill(order, bar, open_, self.signals[bar - 1])
            self.protect(bar, open_, high, low)
            pending = self.wanted(bar, close)
            if self.rules.at_close:
                for order in pending:
                    self.fill(order, bar, close, self.signals[bar])
                pending = []
            if bar == len(self.bars) - 1 and self.held is not None:
                self.end(bar, close)
            self.out.equity.append(self.worth(close))
        return self.out

    def wanted(self, bar: int, close: float) -> list[tuple[str, int, float | None]]:
        entry, exit_long, exit_short, stop, _ = self.signals[bar]
        if self.held is None:
            if entry == 0:
                return []
            if self.rules.at_close:
                return [("enter", entry, None)]
            quantity = self.size(close, stop)
            return [("enter", entry, quantity)] if quantity > 0 else []
        if entry == -self.held.side:
            return [("close", 0, None), ("enter", entry, None)]
        if entry == 0 and (exit_long if self.held.side > 0 else exit_short):
            return [("close", 0, None)]
        return []

    def fill(
        self,
        order: tuple[str, int, float | None],
        bar: int,
        reference: float,
        signal: tuple[int, bool, bool, float, float],
    ) -> None:
        what, side, quantity = order
        if what == "close":
            assert self.held is not None
            self.seen = self.paid(reference, -self.held.side)
            self.leave(bar, self.seen, self.rules.taker, "signal")
            return
        if quantity is None:
            quantity = self.size(reference if self.seen is None else self.seen, signal[3])
        self.seen = None
        if quantity > 0:
            self.enter(bar, side, quantity, self.paid(reference, side), signal)

    def enter(
        self, bar: int, side: int, quantity: float, price: float, signal: tuple[int, bool, bool, float, float]
    ) -> None:
        fee = quantity * price * self.rules.taker
        if self.rules.spot and quantity * price + fee > self.cash * (1 + 1e-12):
            self.out.refused["insufficient cash"] += 1
            return
        self.cash -= fee + (quantity * price if self.rules.spot else 0.0)
        trade = Trade(side=side, quantity=quantity, entry_bar=bar, entry_price=price, fees=fee)
        trade.stop = self.level(price - side * signal[3], side)
        trade.target = self.level(price + side * signal[4], side)
        self.held = trade

    def level(self, price: float, side: int) -> float | None:
        if math.isnan(price):
            return None
        level = rounded(price, self.rules.tick, ROUND_CEILING if side > 0 else ROUND_FLOOR)
        return level if level >= float(self.rules.tick) else None

    def paid(self, reference: float, side: int) -> float:
        if side > 0:
            return max(
                rounded(reference * (1 + self.rules.slippage), self.rules.tick, ROUND_CEILING), float(self.rules.tick)
            )
        return max(rounded(reference * (1 - self.rules.slippage), self.rules.tick, ROUND_FLOOR), float(self.rules.tick))

    def size(self, price: float, stop_distance: float) -> float:
        rules, equity = self.rules, self.cash
        raw = 0.0
        if equity > 0:
            if rules.sizing == "FIXED_QUANTITY":
                raw = rules.value
            elif rules.sizing == "FIXED_NOTIONAL":
                raw = rules.value / price
            elif rules.sizing == "EQUITY_FRACTION":
                raw = equity * rules.value / (price * (1 + rules.sizing_slippage) * (1 + rules.taker))
            elif not math.isnan(stop_distance):
                raw = equity * rules.value / stop_distance
        quantity = rounded(raw, rules.lot, ROUND_FLOOR)
        if quantity == 0 or quantity < rules.min_quantity or quantity * price * (1 + 1e-12) < rules.min_notional:
            self.out.refused["below minimum"] += 1
            return 0.0
        if quantity * price > equity * rules.leverage * (1 + 1e-12):
            self.out.refused["insufficient balance"] += 1
            return 0.0
        return quantity

    def protect(self, bar: int, open_: float, high: float, low: float) -> None:
        held = self.held
        if held is None:
            return
        # a short is a long in a mirror
        sign = held.side
        first, worst, best = (open_, low, high) if sign > 0 else (-open_, -high, -low)
        if held.stop is not None and worst <= sign * held.stop:
            reference = open_ if first <= sign * held.stop else held.stop
            self.leave(bar, self.paid(reference, -sign), self.rules.taker, "stop")
        elif held.target is not None and best >= sign * held.target:
            self.leave(bar, open_ if first >= sign * held.target else held.target, self.rules.maker, "target")

    def leave(self, bar: int, price: float, rate: float, reason: str) -> None:
        held = self.held
        assert held is not None
        fee = held.quantity * price * rate
        self.cash += (
            held.quantity * price if self.rules.spot else held.side * held.quantity * (price - held.entry_price)
        )
        self.cash -= fee
        held.exit_bar, held.exit_price, held.reason, held.fees = bar, price, reason, held.fees + fee
        self.out.trades.append(held)
        self.held = None

    def end(self, bar: int, close: float) -> None:
        held = self.held
        assert held is not None
        if self.rules.finalize:
            self.leave(bar, self.paid(close, -held.side), self.rules.taker, "end")
            return
        held.exit_bar, held.exit_price = bar, close
        self.out.trades.append(held)

    def worth(self, close: float) -> float:
        held = self.held
        if held is None:
            return self.cash
        if self.rules.spot:
            return self.cash + held.quantity * close
        return self.cash + held.side * held.quantity * (close - held.entry_price)
