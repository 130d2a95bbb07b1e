"""What the sides of a pair are called where a person reads them."""

from workstation.client.messages import OpportunityView, SpreadView


def sides_of(view: SpreadView) -> tuple[str, str]:
    """A and B: "nova" and "orion", or "nova BTC/USDT" and "orion BTC/USDC" where the symbols differ."""
    return _sides((view.venue_a, view.symbol), (view.venue_b, view.symbol_b))


def sold_and_bought(view: OpportunityView) -> tuple[str, str]:
    """The same of what is sold and what is bought."""
    return _sides((view.sell_at, view.symbol), (view.buy_at, view.buy_symbol))


def _sides(one: tuple[str, str], other: tuple[str, str]) -> tuple[str, str]:
    if one[1] == other[1]:
        return one[0], other[0]
    return " ".join(one), " ".join(other)
