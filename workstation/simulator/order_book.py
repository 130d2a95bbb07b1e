"""One symbol's book: the venue's own displayed liquidity around the market's quotes, and clients' resting orders.

Everything is counted in whole ticks and lots. The venue shows the quote's best prices and LEVELS - 1 levels behind
each, on a fixed grid and of sizes that depend on their price alone, so that a moving touch leaves them in place. What
is taken from it comes back with the next quote. At one price the venue's liquidity comes first, then clients by time.
"""

import heapq
from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from workstation.model.units import Side

LEVELS = 20
SPACING_BPS = 0.5
HASH_FACTOR = 2_654_435_761
"""Knuth's multiplicative hash: neighbouring levels get unlike sizes."""


@dataclass(slots=True)
class Resting:
    """A client's order in the book. `ahead`: lots of the venue's own that were at its price before it."""

    order_id: int
    side: Side
    price: int
    lots: int
    ahead: int = 0


class Offer(NamedTuple):
    """What a taker can have; `maker` None is the venue's own."""

    price: int
    lots: int
    maker: Resting | None


class Touch(NamedTuple):
    """Best prices and what stands there, in ticks and lots."""

    bid: int
    bid_lots: int
    ask: int
    ask_lots: int


class OrderBook:
    """Matches by price, then time. `level_lots` is the typical size of a level behind the touch."""

    def __init__(self, level_lots: int) -> None:
        self._level_lots = max(level_lots, 1)
        self._quote: Touch | None = None
        self._spacing = 1
        self._taken: dict[tuple[Side, int], int] = {}
        self._placed: dict[Side, list[tuple[int, int]]] = {}
        self._resting: dict[Side, list[Resting]] = {Side.BUY: [], Side.SELL: []}

    @property
    def has_quote(self) -> bool:
        return self._quote is not None

    def quote(self, quote: Touch) -> list[Offer]:
        """The venue's new best prices; what they cross is filled at the client's price, as far as it is displayed."""
        if self._quote is None:
            self._spacing = max(round(quote.bid * SPACING_BPS * 1e-4), 1)
        self._quote = quote
        if self._taken:
            # what was placed by hand does not come back
            self._taken = {key: lots for key, lots in self._taken.items() if key[0] in self._placed}
        return self.cross()

    def cross(self) -> list[Offer]:
        """Fills the clients' orders that the displayed levels reach, at their own prices."""
        matches: list[Offer] = []
        for side in Side:
            if self._resting[side]:
                matches += self._crossed(side)
        return matches

    def trade(self, price: int, lots: int, side: Side) -> tuple[list[Offer], int]:
        """A public trade whose taker is on `side`; the clients' orders that it reaches, and the lots it leaves."""
        left, matches = lots, []
        for order in list(self._resting[side.opposite]):
            is_better = order.price > price if order.side is Side.BUY else order.price < price
            if not is_better and order.price != price:
                break
            passed = 0 if is_better else order.ahead
            order.ahead = max(order.ahead - left, 0)
            filled = min(order.lots, left - passed)
            if filled > 0:
                matches.append(self._fill(order, filled))
                left -= filled
        return matches, left

    def offers(self, side: Side) -> Iterator[Offer]:
        """What a taker of `side` meets, best first."""
        sign = int(side)
        displayed = (Offer(price, lots, None) for price, lots in self._displayed(side.opposite))
        resting = (Offer(order.price, order.lots, order) for order in self._resting[side.opposite])
        return heapq.merge(displayed, resting, key=lambda offer: sign * offer.price)

    def take(self, side: Side, lots: int, limit: int | None) -> list[Offer]:
        """Takes up to `lots` at `limit` or better; each match bears what was taken of it."""
        matches = []
        for offer in list(self.offers(side)):
            if lots == 0 or (limit is not None and int(side) * (offer.price - limit) > 0):
                break
            taken = min(lots, offer.lots)
            lots -= taken
            if offer.maker is None:
                self._take_displayed(side.opposite, offer.price, taken)
                matches.append(offer._replace(lots=taken))
            else:
                matches.append(self._fill(offer.maker, taken))
        return matches

    def rest(self, order: Resting) -> None:
        """Puts an order behind all that is at its price."""
        order.ahead = dict(self._displayed(order.side)).get(order.price, 0)
        insort(self._resting[order.side], order, key=lambda resting: -int(resting.side) * resting.price)

    def remove(self, order: Resting) -> None:
        """Takes an order out."""
        self._resting[order.side].remove(order)

    def place_levels(self, side: Side, levels: Iterable[tuple[int, int]]) -> None:
        """Levels (ticks, lots) to show instead of the market's, best first; none: the market's again."""
        wanted = sorted(levels, key=lambda level: -int(side) * level[0])
        if wanted:
            self._placed[side] = wanted
        else:
            self._placed.pop(side, None)
        self._taken.clear()

    def levels(self, side: Side) -> dict[int, int]:
        """Price to lots of one side, best first, clients' orders included."""
        found: dict[int, int] = {}
        for offer in self.offers(side.opposite):
            found[offer.price] = found.get(offer.price, 0) + offer.lots
        return found

    def touch(self) -> Touch | None:
        """The best prices with clients' orders; None before the first quote, and while a side is empty."""
        if not (self._taken or self._placed or self._resting[Side.BUY] or self._resting[Side.SELL]):
            return self._quote
        bids, asks = self.levels(Side.BUY), self.levels(Side.SELL)
        if not bids or not asks:
            return None
        bid, ask = next(iter(bids)), next(iter(asks))
        return Touch(bid, bids[bid], ask, asks[ask])

    def _crossed(self, side: Side) -> list[Offer]:
        matches: list[Offer] = []
        for order in list(self._resting[side]):
            for price, lots in list(self._displayed(side.opposite)):
                if order.lots == 0 or int(side) * (price - order.price) > 0:
                    break
                filled = min(order.lots, lots)
                self._take_displayed(side.opposite, price, filled)
                matches.append(self._fill(order, filled))
        return matches

    def _fill(self, order: Resting, lots: int) -> Offer:
        order.lots -= lots
        if order.lots == 0:
            self.remove(order)
        return Offer(order.price, lots, order)

    def _take_displayed(self, side: Side, price: int, lots: int) -> None:
        self._taken[side, price] = self._taken.get((side, price), 0) + lots

    def _displayed(self, side: Side) -> Iterator[tuple[int, int]]:
        """The venue's own levels (ticks, lots) less what was taken of them, best first."""
        shown = self._placed[side] if side in self._placed else self._around_quote(side)
        for price, lots in shown:
            left = lots - self._taken.get((side, price), 0)
            if left > 0:
                yield price, left

    def _around_quote(self, side: Side) -> Iterator[tuple[int, int]]:
        if self._quote is None:
            return
        is_bid = side is Side.BUY
        price, lots = self._quote[:2] if is_bid else self._quote[2:]
        yield price, lots
        step = self._spacing
        first = (price - 1) // step * step if is_bid else (price // step + 1) * step
        for number in range(LEVELS - 1):
            level = first - int(side) * number * step
            if level > 0:
                yield level, 1 + (level * HASH_FACTOR) % 2**32 * 3 * self._level_lots // 2**32
