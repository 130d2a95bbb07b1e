"""A book as far as one kind of stream shows it: its best levels, and what changed of them since the last time."""

from itertools import islice

from workstation.model.units import Side
from workstation.simulator.venue_market import DepthChange, VenueMarket

Levels = dict[int, int]
"""Price to quantity in ticks and lots, best first."""


class BookView:
    """The best `depth` levels of each side, or all, with a counter of its own: up by one with each change."""

    def __init__(self, market: VenueMarket, depth: int | None = None) -> None:
        self.market, self._depth = market, depth
        self.update_id = market.update_id
        self._told: tuple[Levels, Levels] = ({}, {})

    def levels(self) -> tuple[Levels, Levels]:
        """Bids and asks as of the last change."""
        return self._told

    def change(self) -> DepthChange | None:
        """What became of the levels since the last call: 0 = gone, or no longer among the best. None for nothing."""
        now = (self._best(Side.BUY), self._best(Side.SELL))
        bids, asks = (
            {
                price: after.get(price, 0)
                for price in before.keys() | after.keys()
                if before.get(price) != after.get(price)
            }
            for before, after in zip(self._told, now, strict=True)
        )
        if not bids and not asks:
            return None
        self.update_id, self._told = self.update_id + 1, now
        return DepthChange(self.update_id, self.update_id, bids, asks)

    def _best(self, side: Side) -> Levels:
        return dict(islice(self.market.book.levels(side).items(), self._depth))


def level_texts(market: VenueMarket, levels: Levels, limit: int | None = None) -> list[list[str]]:
    """[price, quantity] of each level, or of the first `limit`."""
    return [
        [market.price_text(market.float_price(price)), market.quantity_text(market.float_quantity(lots))]
        for price, lots in islice(levels.items(), limit)
    ]


def touch_texts(market: VenueMarket) -> tuple[tuple[str, str], tuple[str, str]]:
    """Best bid and ask, each with its quantity; empty texts while a side of the book is."""
    touch = market.book.touch()
    if touch is None:
        return ("", ""), ("", "")
    bid, bid_lots, ask, ask_lots = touch
    return (
        (market.price_text(market.float_price(bid)), market.quantity_text(market.float_quantity(bid_lots))),
        (market.price_text(market.float_price(ask)), market.quantity_text(market.float_quantity(ask_lots))),
    )
