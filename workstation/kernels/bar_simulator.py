"""The bar simulator: orders, fills and equity of one strategy on one instrument in one compiled pass.

The formulas are those of `fills` and `sizing`, which the paper broker calls one at a time; what stands here is the
order in which a bar uses them. With the compiler off it runs as plain Python.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workstation.kernels.compiled import compiled
from workstation.kernels.fills import paid_price, stop_fill, stop_level, target_fill, target_level
from workstation.kernels.sizing import (
    ACCEPTED,
    INSUFFICIENT_CASH,
    entry_refusal,
    is_affordable,
    size_quantity,
    whole_lots,
)

FloatArray = npt.NDArray[np.float64]
Settings = np.void
"""One record of SETTINGS."""
Trades = npt.NDArray[np.void]
"""A plain structured array of TRADE_ROW."""

SETTINGS = np.dtype(
    [
        ("initial_balance", np.float64),
        ("tick_numerator", np.float64),
        ("tick_scale", np.float64),
        ("lot_numerator", np.float64),
        ("lot_scale", np.float64),
        ("min_quantity", np.float64),
        ("min_notional_quote", np.float64),
        ("maker_fee_rate", np.float64),
        ("taker_fee_rate", np.float64),
        ("slippage_rate", np.float64),
        ("sizing_mode", np.int64),
        ("sizing_value", np.float64),
        ("sizing_slippage_rate", np.float64),
        ("leverage", np.float64),
        ("is_spot", np.bool_),
        ("fills_at_close", np.bool_),
        ("closes_at_end", np.bool_),
    ],
    align=True,
)
TRADE_ROW = np.dtype(
    [
        ("entry_bar", np.int64),
        ("exit_bar", np.int64),
        ("quantity", np.float64),
        ("entry_price", np.float64),
        ("exit_price", np.float64),
        ("fees", np.float64),
        ("pnl", np.float64),
        ("side", np.int8),
        ("exit_reason", np.int8),
    ],
    align=True,
)
"""A position from entry to exit: bars by index, price per unit of base, fees and pnl (after fees) in quote currency."""

SIGNAL, STOP, TARGET, END, STILL_OPEN = 1, 2, 3, 4, 5
"""Exit reasons. END: closed at the last close; STILL_OPEN: marked at the last close, no exit fee."""


class Position(NamedTuple):
    """What is held since the fill in bar `entry_bar`; side 0 is nothing."""

    side: int
    quantity: float
    entry_price: float
    entry_bar: int
    entry_fee: float
    stop: float
    target: float


class Orders(NamedTuple):
    """What waits for a fill: a close, then an entry of `side` (0: none); `quantity` NaN is sized when it is filled."""

    is_close: bool
    side: int
    quantity: float
    signal_bar: int


class Account(NamedTuple):
    cash: float
    trades: int
    held: Position


@compiled
def _flat() -> Position:
    return Position(0, 0.0, 0.0, 0, 0.0, math.nan, math.nan)


@compiled
def _wanted(held: int, entry: int, exit_long: bool, exit_short: bool, bar: int) -> Orders:
    """What the flags of a bar's close ask for: an entry wins over an exit, and on the held side it asks for nothing."""
    if entry != 0:
        return Orders(held == -entry, 0 if held == entry else entry, math.nan, bar)
    is_close = (held > 0 and exit_long) or (held < 0 and exit_short)
    return Orders(is_close, 0, math.nan, bar)


@compiled
def _sized(
    equity: float, price: float, stop_distance: float, settings: Settings, refused: npt.NDArray[np.int64]
) -> float:
    """The quantity of an entry in whole lots; 0 where it is refused, which is counted under the reason."""
    raw = size_quantity(
        settings["sizing_mode"],
        settings["sizing_value"],
        equity,
        price,
        settings["taker_fee_rate"],
        settings["sizing_slippage_rate"],
        stop_distance,
    )
    lot_numerator, lot_scale = settings["lot_numerator"], settings["lot_scale"]
    quantity = whole_lots(raw, lot_numerator, lot_scale)
    leverage, min_quantity = settings["leverage"], settings["min_quantity"]
    refusal = entry_refusal(quantity, price, equity, leverage, min_quantity, settings["min_notional_quote"])
    if refusal == ACCEPTED:
        return quantity
    refused[refusal] += 1
    return 0.0


@compiled
def _left(
    account: Account, bar: int, price: float, fee_rate: float, reason: int, settings: Settings, trades: Trades
) -> Account:
    """The account after its position was closed at `price`; writes the trade."""
    held = account.held
    fee = held.quantity * price * fee_rate
    gain = held.side * held.quantity * (price - held.entry_price)
    row = trades[account.trades]
    row["entry_bar"], row["exit_bar"] = held.entry_bar, bar
    row["side"], row["exit_reason"] = held.side, reason
    row["quantity"], row["entry_price"], row["exit_price"] = held.quantity, held.entry_price, price
    row["fees"], row["pnl"] = held.entry_fee + fee, gain - held.entry_fee - fee
    received = held.quantity * price if settings["is_spot"] else gain
    return Account(account.cash + received - fee, account.trades + 1, _flat())


@compiled
def _entered(
    account: Account,
    bar: int,
    reference: float,
    side: int,
    quantity: float,
    distances: tuple[float, float],
    settings: Settings,
    refused: npt.NDArray[np.int64],
) -> Account:
    """The account after an entry at the paid price, with stop and target at `distances` from it."""
    tick_numerator, tick_scale = settings["tick_numerator"], settings["tick_scale"]
    price = paid_price(reference, side, settings["slippage_rate"], tick_numerator, tick_scale)
    fee = quantity * price * settings["taker_fee_rate"]
    if settings["is_spot"] and not is_affordable(quantity, price, fee, account.cash):
        refused[INSUFFICIENT_CASH] += 1
        return account
    stop = stop_level(price, side, distances[0], tick_numerator, tick_scale)
    target = target_level(price, side, distances[1], tick_numerator, tick_scale)
    paid = quantity * price if settings["is_spot"] else 0.0
    held = Position(side, quantity, price, bar, fee, stop, target)
    return Account(account.cash - paid - fee, account.trades, held)


@compiled
def _executed(
    account: Account,
    orders: Orders,
    bar: int,
    reference: float,
    distances: tuple[float, float],
    settings: Settings,
    trades: Trades,
    refused: npt.NDArray[np.int64],
) -> Account:
    """Fills a close, and then an entry, sized now with what the close left, at its price, unless it has a quantity."""
    seen = reference
    if orders.is_close:
        tick_numerator, tick_scale = settings["tick_numerator"], settings["tick_scale"]
        price = paid_price(reference, -account.held.side, settings["slippage_rate"], tick_numerator, tick_scale)
        account = _left(account, bar, price, settings["taker_fee_rate"], SIGNAL, settings, trades)
        seen = price  # the last price that a session has seen when its close is reported
    if orders.side != 0:
        quantity = orders.quantity
        if math.isnan(quantity):
            quantity = _sized(account.cash, seen, distances[0], settings, refused)
        if quantity > 0.0:
            account = _entered(account, bar, reference, orders.side, quantity, distances, settings, refused)
    return account


@compiled
def _protected(
    account: Account, bar: int, open_: float, high: float, low: float, settings: Settings, trades: Trades
) -> Account:
    """Within a bar: the stop first, which is the pessimistic guess where a bar reaches both, then the target."""
    held = account.held
    tick_numerator, tick_scale = settings["tick_numerator"], settings["tick_scale"]
    price = stop_fill(open_, high, low, held.side, held.stop, settings["slippage_rate"], tick_numerator, tick_scale)
    if not math.isnan(price):
        return _left(account, bar, price, settings["taker_fee_rate"], STOP, settings, trades)
    price = target_fill(open_, high, low, held.side, held.target)
    if not math.isnan(price):
        return _left(account, bar, price, settings["maker_fee_rate"], TARGET, settings, trades)
    return account


@compiled
def _equity(account: Account, price: float, is_spot: bool) -> float:
    held = account.held
    if is_spot:
        return account.cash + held.quantity * price
    return account.cash + held.side * held.quantity * (price - held.entry_price)


@compiled
def _next_event(
    account: Account,
    t: int,
    last: int,
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    entries: npt.NDArray[np.int8],
    exit_long: npt.NDArray[np.bool_],
    exit_short: npt.NDArray[np.bool_],
    is_spot: bool,
    equity: FloatArray,
) -> int:
    """The first bar from `t` to `last` in which something may happen; writes the equity of the quiet ones before it.

    Most bars are quiet, and pass here three times as fast (measured).
    """
    held = account.held
    if held.side == 0:
        while t < last and entries[t] == 0:
            equity[t] = account.cash
            t += 1
        return t
    exits = exit_long if held.side > 0 else exit_short
    lower, upper = (held.stop, held.target) if held.side > 0 else (held.target, held.stop)
    while t < last and entries[t] == 0 and not exits[t]:
        if low[t] <= lower or high[t] >= upper or open_[t] <= lower or open_[t] >= upper:
            return t
        equity[t] = _equity(account, close[t], is_spot)
        t += 1
    return t


@compiled
def _ended(account: Account, bar: int, close: float, settings: Settings, trades: Trades) -> Account:
    """The account after the last bar: what is held is closed, or listed at the last close as still open."""
    side = account.held.side
    if not settings["closes_at_end"]:
        _left(account, bar, close, 0.0, STILL_OPEN, settings, trades)
        return Account(account.cash, account.trades + 1, account.held)
    price = paid_price(close, -side, settings["slippage_rate"], settings["tick_numerator"], settings["tick_scale"])
    return _left(account, bar, price, settings["taker_fee_rate"], END, settings, trades)


@compiled
def simulate_bars(
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    entries: npt.NDArray[np.int8],
    exit_long: npt.NDArray[np.bool_],
    exit_short: npt.NDArray[np.bool_],
    stop_distance: FloatArray,
    target_distance: FloatArray,
    settings: Settings,
    equity: FloatArray,
    trades: Trades,
    refused: npt.NDArray[np.int64],
) -> int:
    """One pass over n bars: fills, trades, and the equity at each close. Returns the number of trades.

    Within a bar: at the open what waits is filled (next-open mode); then stop and target of what is held; at the close
    the flags are read, and filled at once (this-close mode) or wait. A reversal is a close and then an entry sized with
    what the close left, at the price the close was filled at; an entry from flat is sized at the signal's close.

    Inputs have shape (n,): prices in quote, entries +1, -1 or 0, distances in quote from the entry price (NaN: none).
    Outputs are the caller's: `equity` float64[n], `trades` TRADE_ROW[entries that are not 0], `refused` int64[4]
    counted by reason (sizing.py), which is added to.
    """
    account = Account(settings["initial_balance"], 0, _flat())
    orders = Orders(False, 0, math.nan, 0)
    fills_at_close, is_spot, last, t = settings["fills_at_close"], settings["is_spot"], close.size - 1, 0
    while t <= last:
        if orders.is_close or orders.side != 0:
            distances = (stop_distance[orders.signal_bar], target_distance[orders.signal_bar])
            account = _executed(account, orders, t, open_[t], distances, settings, trades, refused)
            orders = Orders(False, 0, math.nan, 0)
        else:
            t = _next_event(account, t, last, open_, high, low, close, entries, exit_long, exit_short, is_spot, equity)
        if account.held.side != 0:
            account = _protected(account, t, open_[t], high[t], low[t], settings, trades)
        if account.held.side != 0 or entries[t] != 0:
            orders = _wanted(account.held.side, int(entries[t]), exit_long[t], exit_short[t], t)
            if fills_at_close:
                distances = (stop_distance[t], target_distance[t])
                account = _executed(account, orders, t, close[t], distances, settings, trades, refused)
                orders = Orders(False, 0, math.nan, 0)
            elif orders.side != 0 and not orders.is_close:
                quantity = _sized(account.cash, close[t], stop_distance[t], settings, refused)
                orders = Orders(False, orders.side if quantity > 0.0 else 0, quantity, t)
        if t == last and account.held.side != 0:
            account = _ended(account, t, close[t], settings, trades)
        equity[t] = _equity(account, close[t], is_spot)
        t += 1
    return account.trades
