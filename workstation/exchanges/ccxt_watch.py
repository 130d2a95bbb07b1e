"""The subscriptions of one connection: which of ccxt's calls are kept alive, for which symbols."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import ccxt

from workstation.errors import BadInput
from workstation.exchanges.ccxt_client import venue_errors
from workstation.exchanges.ccxt_parse import Refusal, Refusals
from workstation.exchanges.intake import Stream
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import QuoteSource, facts_of, quote_source

Call = Callable[[], Awaitable[Any]]


def book_symbols(client: Any, settings: VenueSettings, streams: Sequence[Stream]) -> list[str]:
    """Symbols whose quotes are the top of their order book."""
    return [each.symbol for each in _of(client, settings, streams, QuoteSource.BOOK)]


def may_read_books(client: Any, settings: VenueSettings) -> bool:
    """Whether any symbol's quotes can be the top of its order book."""
    return any(quote_source(settings.exchange, client.has, is_spot=spot) is QuoteSource.BOOK for spot in (True, False))


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
    for stream in _of(client, settings, streams, QuoteSource.BOOK):
        yield _call(client.watch_order_book, stream.symbol)
    for stream in _of(client, settings, streams, QuoteSource.TICKER):
        yield _call(client.watch_ticker, stream.symbol)
    for chunk in _chunks(settings, [each.symbol for each in _of(client, settings, streams, QuoteSource.BIDS_ASKS)]):
        yield _call(client.watch_bids_asks, chunk)
    yield from _trades(client, settings, [each.symbol for each in streams if each.subscription.trades])
    yield from _bars(client, settings, streams)


async def keep(call: Call, settings: VenueSettings, refusals: Refusals, recall_s: float) -> None:
    """Calls every `recall_s`: a call tells of a subscription that the venue has refused, or that ccxt has ended.

    Raises VenueUnavailable, VenueRefused.
    """
    while True:
        with venue_errors(settings):
            try:
                await call()
            except ccxt.ChecksumError as error:  # ccxt dropped the book; the next call takes a new one
                refusals.add(Refusal.BROKEN_FRAME, f"order book of {settings.venue}", error)
        await asyncio.sleep(recall_s)


def _of(client: Any, settings: VenueSettings, streams: Sequence[Stream], source: QuoteSource) -> list[Stream]:
    return [
        each
        for each in streams
        if each.subscription.quotes
        and source is quote_source(settings.exchange, client.has, is_spot=client.market(each.symbol)["spot"] is True)
    ]


def _trades(client: Any, settings: VenueSettings, symbols: Sequence[str]) -> Iterator[Call]:
    if client.has.get("watchTradesForSymbols") is True:
        for chunk in _chunks(settings, symbols):
            yield _call(client.watch_trades_for_symbols, chunk)
    else:
        for symbol in symbols:
            yield _call(client.watch_trades, symbol)


def _bars(client: Any, settings: VenueSettings, streams: Sequence[Stream]) -> Iterator[Call]:
    wanted = [[each.symbol, label] for each in streams for label in each.bars]
    if facts_of(settings.exchange).bars_by_rest:
        return
    if client.has.get("watchOHLCVForSymbols") is True:
        for chunk in _chunks(settings, wanted):
            yield _call(client.watch_ohlcv_for_symbols, chunk)
    elif client.has.get("watchOHLCV") is True:
        for symbol, label in wanted:
            yield _call(client.watch_ohlcv, symbol, label)
    # else: each bar is asked for by REST after its end


def _chunks(settings: VenueSettings, items: Sequence[Any]) -> Iterator[list[Any]]:
    most = facts_of(settings.exchange).most_symbols
    for start in range(0, len(items), most):
        yield list(items[start : start + most])


def _call(method: Callable[..., Awaitable[Any]], *arguments: Any) -> Call:
    return lambda: method(*arguments)
