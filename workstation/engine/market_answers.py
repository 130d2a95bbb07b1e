"""What the engine answers and tells of its market: quotes, spreads, bars and the rules of instruments."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from decimal import Decimal

from workstation.client.control import LARGEST_PAGE
from workstation.client.messages import BarsView, BookView, InstrumentView, OpportunityView, QuoteView, SpreadView
from workstation.engine.bar_shelf import BarShelf
from workstation.engine.book_shelf import BookShelf
from workstation.engine.bus import Bus
from workstation.engine.clock import Clock
from workstation.engine.feeds import Feeds
from workstation.engine.market_telling import QUOTES_EVERY_S, SPREADS_EVERY_S, quote_teller, spread_teller
from workstation.engine.opportunity_monitor import OpportunityMonitor
from workstation.engine.pair_monitor import PairMonitor
from workstation.engine.quote_monitor import QuoteMonitor
from workstation.engine.spread_monitor import SpreadMonitor
from workstation.engine.turns import Turns
from workstation.errors import BadInput
from workstation.history.durable import HistoryCorrupt
from workstation.history.last_opportunities import last_opportunities
from workstation.history.opportunities import KeptOpportunity
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.market import (
    interval_ns,
)
from workstation.model.sides import Sides
from workstation.windows.opportunities import OpportunitySpec

REMEMBERED_NS = 31 * DAY_NS
"""For how long opportunities of earlier lives are told."""

log = logging.getLogger(__name__)


class MarketAnswers:
    """`run` tells what changes; the rest answers. Nothing of it is read by a session."""

    def __init__(
        self,
        turns: Turns,
        feeds: Feeds,
        store: HistoryStore,
        bus: Bus,
        clock: Clock,
        opportunities: OpportunitySpec,
        pairs: Sequence[Sides] = (),
    ) -> None:
        self._registry, self._feeds, self._clock = turns.market.registry, feeds, clock
        self._turns, self._store, self._started_ns = turns, store, clock.now_ns()
        self._quotes, self._pairs = QuoteMonitor(turns.market, turns.tape), PairMonitor(turns.market, clock)
        self._spreads = SpreadMonitor(turns.market, self._pairs, pairs)
        self._opportunities = OpportunityMonitor(turns.market, bus, clock, opportunities, self._keep)
        self._quote_teller = quote_teller(bus, clock, self._quotes)
        self._spread_teller = spread_teller(bus, clock, self._quotes, self._spreads)
        self._shelf = BarShelf(self._registry, self._quotes, feeds, store, clock)
        self._books = BookShelf(self._registry)
        turns.tape.on_bars, turns.tape.on_books = self._shelf.take, self._books.take

    async def close(self) -> None:
        """No venue is asked for bars any more."""
        await self._shelf.close()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.remember(), name="opportunities of before")
            tasks.create_task(self._quote_teller.run(QUOTES_EVERY_S), name="quotes")
            tasks.create_task(self._spread_teller.run(SPREADS_EVERY_S), name="spreads")
            tasks.create_task(self._opportunities.run(), name="opportunities")
            tasks.create_task(self._pairs.run(), name="pairs")

    async def remember(self) -> None:
        """Opportunities from before this life, as far as the history has them."""
        since_ns = self._clock.now_ns() - REMEMBERED_NS
        try:
            before = await asyncio.to_thread(last_opportunities, self._store, since_ns)
        except (HistoryCorrupt, OSError) as error:
            log.error("opportunities of before are not known: %s", error)
            return
        self._opportunities.remember([one for one in before if one.closed_ns < self._started_ns])

    def _keep(self, opportunity: KeptOpportunity) -> None:
        if self._turns.recorder is not None:
            self._turns.recorder.keep(opportunity)

    def watch_spreads(self, keys: Iterable[InstrumentKey]) -> None:
        """Of every pair among the instruments, and of the declared ones that can be watched by now, from now on."""
        self._opportunities.watch(self._spreads.watch(keys))

    def quotes(self, symbol: str | None = None) -> Sequence[QuoteView]:
        return list(self._quotes.views(self._clock.now_ns(), symbol))

    def spreads(self, symbol: str | None = None) -> Sequence[SpreadView]:
        return list(self._spreads.views(self._clock.now_ns(), symbol))

    def opportunities(self, symbol: str | None, limit: int) -> Sequence[OpportunityView]:
        """Raises BadInput for another limit than 1 to LARGEST_PAGE."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise BadInput(f"limit {limit}: expected 1 to {LARGEST_PAGE}")
        return self._opportunities.views(symbol, limit)

    def book(self, venue: str, symbol: str) -> BookView:
        """Raises UnknownInstrument for what is not watched, BadInput while it has no book."""
        return self._books.view(InstrumentKey(Venue(venue), Symbol(symbol)), self._clock.now_ns())

    def instruments(self) -> Sequence[InstrumentView]:
        """By the rules that the venue told last."""
        return [instrument_view(self._feeds.rules(one.key) or one) for one in self._registry]

    async def bars(self, venue: str, symbol: str, interval: str, limit: int) -> BarsView:
        """Raises UnknownInstrument for what is not watched, BadInput for another interval or limit."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise BadInput(f"limit {limit}: expected 1 to {LARGEST_PAGE}")
        return await self._shelf.view(InstrumentKey(Venue(venue), Symbol(symbol)), interval_ns(interval), limit)


def instrument_view(one: Instrument) -> InstrumentView:
    return InstrumentView(
        venue=one.venue,
        symbol=one.symbol,
        kind=one.kind,
        base=one.base,
        quote=one.quote,
        tick_size=one.tick_size,
        lot_size=one.lot_size,
        min_quantity=one.min_quantity,
        min_notional=one.min_notional_quote,
        contract_size=one.contract_size,
        maker_fee_rate=one.maker_fee_rate,
        taker_fee_rate=one.taker_fee_rate,
        price_decimals=decimals_of(one.tick_size),
        quantity_decimals=decimals_of(one.lot_in_base),
    )


def decimals_of(step: Decimal) -> int:
    """How many decimals a multiple of the step has at most: 0.50 has 1, 10 has none."""
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a step is finite"
    return max(-exponent, 0)
