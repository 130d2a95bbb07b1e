"""The subscriptions of one connection: which of ccxt's calls are kept alive, for which symbols."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from workstation.errors import BadInput
from workstation.exchanges.ccxt_client import venue_errors
from workstation.exchanges.ccxt_library import ccxt
from workstation.exchanges.ccxt_parse import Refusal, Refusals
from workstation.exchanges.intake import Stream
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import QuoteSource, facts_of, quote_source
from workstation.ports.feed import Subscription

Call = Callable[[], Awaitable[Any]]


def source_of(settings: VenueSettings, client: Any, subscription: Subscription) -> QuoteSource:
    """By which of ccxt's calls the best prices of an instrument are had."""
    if subscription.book_levels and facts_of(settings.exchange).one_book:
        return QuoteSource.BOOK
    is_spot = client.market(subscription.key.symbol)["spot"] is True
    return quote_source(settings.exchange, client.has, is_spot=is_spot)


def book_symbols(client: Any, settings: VenueSettings, streams: Sequence[Stream]) -> list[str]:
    """Symbols whose quotes are the top of their order book."""
    return [each.symbol for each in _of(client, settings, streams, QuoteSource.BOOK)]


def may_read_books(client: Any, settings: VenueSettings) -> bool:
    """Whether any symbol's quotes can be the top of its order book."""
    return facts_of(settings.exchange).one_book or any(
        quote_source(settings.exchange, client.has, is_spot=spot) is QuoteSource.BOOK for spot in (True, False)
    )


def check_intervals(client: Any, settings: VenueSettings, streams: Sequence[Stream]) -> None:
    """Raises BadInput for bars that the exchange does not have."""
    for each in streams:
        for label in each.bars:
            if label not in (client.timeframes or {}):
                known = ", ".join(client.timeframes or {}) or "none"
                raise BadInput(
                    f"{settings.venue}:{each.symbol}: no bars of {label} on {settings.exchange}; it has {known}"
                )


def watch_calls(client: Any, settings: VenueSettings, streams: Sequence[Stream]) -> Iterator[Call]:
    """The calls that subscribe to everything wanted."""
    of_book = _of(client, settings, streams, QuoteSource.BOOK)
    for stream in [*of_book, *(each for each in streams if each.subscription.book_levels and each not in of_book)]:
        yield _call(client.watch_order_book, stream.symbol)
    for stream in _of(client, settings, streams, QuoteSource.TICKER):
        yield _call(client.watch_ticker, stream.symbol)
    for chunk in chunks(settings, [each.symbol for each in _of(client, settings, streams, QuoteSource.BIDS_ASKS)]):
        yield _call(client.watch_bids_asks, chunk)
    yield from _trades(client, settings, [each.symbol for each in streams if each.subscription.trades])
    yield from _bars(client, settings, streams)


async def keep(call: Call, settings: VenueSettings, refusals: Refusals, recall_s: float) -> None:
    """Calls every `recall_s`: a call tells of a subscription that the venue has refused, or that ccxt has ended.

    Raises VenueUnavailable, VenueRefused.
    """
    broken: ccxt.InvalidNonce | None = None
    while True:
        with venue_errors(settings):
            try:
                await call()
            except ccxt.InvalidNonce as error:  # ccxt dropped the book, and this call has asked for it anew
                if error is not broken:  # it is raised again and again until the new one is there
                    refusals.add(Refusal.BROKEN_BOOK, f"order book of {settings.venue}", error)
                broken = error
        await asyncio.sleep(recall_s)


def _of(client: Any, settings: VenueSettings, streams: Sequence[Stream], source: QuoteSource) -> list[Stream]:
    return [
        each
        for each in streams
        if each.subscription.quotes and source is source_of(settings, client, each.subscription)
    ]


def _trades(client: Any, settings: VenueSettings, symbols: Sequence[str]) -> Iterator[Call]:
    if client.has.get("watchTradesForSymbols") is True:
        for chunk in chunks(settings, symbols):
            yield _call(client.watch_trades_for_symbols, chunk)
    else:
        for symbol in symbols:
            yield _call(client.watch_trades, symbol)


def _bars(client: Any, settings: VenueSettings, streams: Sequence[Stream]) -> Iterator[Call]:
    wanted = [[each.symbol, label] for each in streams for label in each.bars]
    if facts_of(settings.exchange).bars_by_rest:
        return
    if client.has.get("watchOHLCVForSymbols") is True:
        for chunk in chunks(settings, wanted):
            yield _call(client.watch_ohlcv_for_symbols, chunk)
    elif client.has.get("watchOHLCV") is True:
        for symbol, label in wanted:
            yield _call(client.watch_ohlcv, symbol, label)
    # else: each bar is asked for by REST after its end


def chunks(settings: VenueSettings, items: Sequence[Any]) -> Iterator[list[Any]]:
    """Of as many as one request to subscribe may have."""
    most = facts_of(settings.exchange).most_symbols
    for start in range(0, len(items), most):
        yield list(items[start : start + most])


def _call(method: Callable[..., Awaitable[Any]], *arguments: Any) -> Call:
    return lambda: method(*arguments)
