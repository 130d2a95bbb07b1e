"""Mark prices and funding rates of perpetuals: by stream where ccxt has one, else asked for by REST in turns."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

from workstation.errors import VenueRefused, VenueUnavailable
from workstation.exchanges.ccxt_client import venue_errors
from workstation.exchanges.ccxt_library import ccxt
from workstation.exchanges.ccxt_parse import Refusal, Refusals, funding_numbers, mark_numbers
from workstation.exchanges.ccxt_watch import Call, chunks, source_of
from workstation.exchanges.intake import Stream
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import QuoteSource, facts_of
from workstation.ports.feed import MarketSink

TakeTicker = Callable[[str, Any], None]


class Perpetuals:
    """Stands behind ccxt's tickers and funding rates. A rate is told when it changes, a mark price always."""

    def __init__(
        self,
        client: Any,
        settings: VenueSettings,
        sink: MarketSink,
        refusals: Refusals,
        now_ns: Callable[[], int],
        quote: TakeTicker,
        note: Callable[[], None],
    ) -> None:
        """`quote` takes the tickers that are quotes; `note` is called behind each row that is told here."""
        self._client, self._settings, self._sink = client, settings, sink
        self._refusals, self._now_ns, self._quote, self._note = refusals, now_ns, quote, note
        self._facts = facts_of(settings.exchange)
        self._streams: dict[str, Stream] = {}
        self._rates: dict[str, tuple[float, int]] = {}
        self._is_lacking = False
        """ccxt has no such question for this venue."""

    def add(self, stream: Stream) -> None:
        if stream.subscription.funding and self._client.market(stream.symbol)["swap"] is True:
            self._streams[stream.symbol] = stream

    def calls(self, streams: Sequence[Stream]) -> Iterator[Call]:
        """ccxt's calls that subscribe to what is streamed of them."""
        symbols = [each.symbol for each in streams if each.symbol in self._streams]
        client, has = self._client, self._client.has
        if self._facts.mark_names is not None:
            for symbol in symbols:
                yield lambda symbol=symbol: client.watch_ticker(symbol)  # type: ignore[misc]
        elif has.get("watchMarkPrices") is True:
            for chunk in chunks(self._settings, symbols):
                yield lambda chunk=chunk: client.watch_mark_prices(chunk)  # type: ignore[misc]
        if has.get("watchFundingRates") is True:
            for chunk in chunks(self._settings, symbols):
                yield lambda chunk=chunk: client.watch_funding_rates(chunk)  # type: ignore[misc]
        elif has.get("watchFundingRate") is True:
            for symbol in symbols:
                yield lambda symbol=symbol: client.watch_funding_rate(symbol)  # type: ignore[misc]

    @property
    def is_streamed(self) -> bool:
        """Whether nothing is left to ask for."""
        has = self._client.has
        rates = self._facts.marks_tell_funding or bool(has.get("watchFundingRates") or has.get("watchFundingRate"))
        return rates and (self._facts.mark_names is not None or has.get("watchMarkPrices") is True)

    async def ask(self, every_s: float) -> NoReturn:
        """Asks for what is not streamed; what the venue answers to one symbol keeps no other back, and what it does not
        have at all is not asked for again on this connection."""
        while True:
            if self._streams and not self.is_streamed and not self._is_lacking:
                await self._ask()
            await asyncio.sleep(every_s)

    def ticker(self, symbol: str, ticker: Any) -> None:
        """A ticker of ccxt's: a mark price, a quote, or both."""
        stream = self._streams.get(symbol)
        if stream is None:
            self._quote(symbol, ticker)
            return
        self._mark(stream, ticker)
        if self._facts.marks_tell_funding:
            self._rate(stream, ticker.get("info") or {}, ("E", "r", "T"))
        if source_of(self._settings, self._client, stream.subscription) is QuoteSource.TICKER:
            self._quote(symbol, ticker)

    def funding(self, symbol: str, told: Any) -> None:
        """A funding rate of ccxt's."""
        if (stream := self._streams.get(symbol)) is not None:
            self._rate(stream, told, ("timestamp", "fundingRate", "fundingTimestamp"))

    async def _ask(self) -> None:
        client = self._client
        if client.has.get("fetchFundingRates") is True:
            symbols = list(self._streams)
            found = await self._answered(self._settings.venue, lambda: client.fetch_funding_rates(symbols))
            self._tell(found.values() if found else ())
            return
        for symbol in list(self._streams):
            found = await self._answered(symbol, lambda symbol=symbol: client.fetch_funding_rate(symbol))  # type: ignore[misc]
            self._tell((found,) if found else ())

    async def _answered(self, subject: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        """None where the venue gives no answer, or says no."""
        try:
            with venue_errors(self._settings):
                return await ask()
        except (VenueUnavailable, VenueRefused) as error:
            self._refusals.add(Refusal.NO_ANSWER, f"funding rates of {subject}", error)
            self._is_lacking = isinstance(error.__cause__, ccxt.NotSupported)
            return None

    def _tell(self, rates: Iterable[Any]) -> None:
        for told in rates:
            if (stream := self._streams.get(str(told.get("symbol")))) is not None:
                self.funding(stream.symbol, told)
                if told.get("markPrice") is not None:
                    self._mark(stream, told)

    def _mark(self, stream: Stream, told: Any) -> None:
        mark = mark_numbers(told, self._facts.mark_names, self._now_ns())
        if isinstance(mark, Refusal):
            self._refusals.add(mark, f"mark price of {stream.symbol}", told)
        else:
            self._sink.mark(stream.subscription.index, *mark)
            self._note()

    def _rate(self, stream: Stream, told: Any, names: tuple[str, str, str]) -> None:
        rate = funding_numbers(told, names, self._now_ns())
        if isinstance(rate, Refusal):
            self._refusals.add(rate, f"funding rate of {stream.symbol}", told)
        elif self._rates.get(stream.symbol) != (rate.rate, rate.ts_due):
            self._rates[stream.symbol] = rate.rate, rate.ts_due
            self._sink.funding(stream.subscription.index, *rate)
            self._note()
