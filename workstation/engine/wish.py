"""What is wanted of one instrument."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Wishes add up."""

    quotes: bool = True
    trades: bool = False
    intervals_ns: frozenset[int] = frozenset()
    funding: bool = False
    book_levels: int = 0

    def __or__(self, other: "Wish") -> "Wish":
        return Wish(
            quotes=self.quotes or other.quotes,
            trades=self.trades or other.trades,
            intervals_ns=self.intervals_ns | other.intervals_ns,
            funding=self.funding or other.funding,
            book_levels=max(self.book_levels, other.book_levels),
        )
