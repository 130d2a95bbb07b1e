"""What differs between exchanges, read in ccxt's source and measured: how quotes are had, and what is lacking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class QuoteSource(StrEnum):
    """By which of ccxt's calls the best prices are had."""

    BIDS_ASKS = "watch_bids_asks"
    TICKER = "watch_ticker"
    BOOK = "watch_order_book"


class Unit(StrEnum):
    """What a venue's quantities of perpetuals count, as ccxt passes them on."""

    BASE = "base currency"
    CONTRACTS = "contracts"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestLimits:
    """How an exchange says "slow down" and "banned" beside HTTP 429 and 418, and until when."""

    reset_header: str = ""
    """Names the moment, in s or ms of Unix time, from which requests are taken again; else there is Retry-After."""
    code: str = ""
    """What a refusal as of 429 begins with, where its HTTP status is another."""
    ban_text: str = ""
    """What an answer with 403 says, where it is a ban; it ends after `ban_s`."""
    ban_s: float = 600.0
    ban_end: str = ""
    """A pattern of what an answer says that is a ban, whatever its status; the moment of its end is the first group."""


DEFAULT_LIMITS = RestLimits()
OANDA = "oanda"
"""The one exchange that is not ccxt's: `exchanges/oanda_feed.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFacts:
    """Of one ccxt id. `options` go to ccxt; `lacks` is one sentence, empty where nothing is known to be lacking."""

    quotes: QuoteSource | None = None
    """None: the best that ccxt says it has."""
    swap_quotes: QuoteSource | None = None
    """Where perpetuals differ."""
    options: Mapping[str, Any] = field(default_factory=dict)
    quick_quotes: bool = False
    """Its frames of best prices are those that `QuickQuotes` reads."""
    trades_by_id: bool = False
    """Their ids are running numbers: one left out is noticed, and REST gives those from an id on, however many."""
    bars_by_rest: bool = False
    """Each bar is asked for after its end, because what ccxt streams is not it."""
    trades_until: bool = False
    """Past trades of a spot market are told from a time on only up to another."""
    trades_newest_first: bool = False
    """And without ids: ccxt then leaves those of one moment in that order."""
    trades_again: Mapping[str, Any] = field(default_factory=dict)
    """What is said besides when trades of a spot market are asked for that were missed."""
    funding_by_page: bool = False
    """Past rates are told by the numbers of pages alone, the newest first: a span that is asked for is not heeded."""
    most_spot_trades: int = 1_000
    """How many past trades of a spot market may be asked for at once."""
    most_symbols: int = 100
    """In one request to subscribe."""
    limits: RestLimits = DEFAULT_LIMITS
    """How it says that there were too many requests."""
    one_book: bool = False
    """ccxt puts its best prices into the same book as its levels, each spoiling the other: where levels are wanted,
    quotes are the top of them."""
    marks_tell_funding: bool = False
    """Its stream of mark prices bears the rate `r`, due at `T`."""
    mark_names: tuple[str, str] | None = None
    """What its tickers call mark and index price, which ccxt leaves in `info`."""
    quantities_in: Unit | None = None
    """Of perpetuals: what quotes, trades and books count, streamed and fetched. None where that was not looked at, or
    contracts are of 1 anyhow."""
    bars_in: Unit | None = None
    """The same of the volume of bars."""
    only_markets: str = ""
    """The parameter by which it tells the rules of some markets, named in a JSON list of its ids, instead of all."""
    lacks: str = ""


_ONLY_RECENT = "after a gap only the latest trades can be fetched again"
# Binance's raw trades cannot be fetched again without a key; its aggregated ones (one per taker and price) can, by id
_AGGREGATED = {"watchTradesForSymbols": {"name": "aggTrade"}, "fetchCurrencies": False}

VENUES: Mapping[str, VenueFacts] = {
    "binance": VenueFacts(
        options={**_AGGREGATED, "fetchMarkets": {"types": ["spot"]}},
        quick_quotes=True,
        trades_by_id=True,
        only_markets="symbols",
        lacks="spot only (perpetuals are the exchange binanceusdm); quotes bear no venue time",
    ),
    "binanceusdm": VenueFacts(
        options={**_AGGREGATED, "fetchMarkets": {"types": ["linear"]}},
        quick_quotes=True,
        trades_by_id=True,
        marks_tell_funding=True,
        lacks="linear contracts only (spot is the exchange binance)",
    ),
    "bybit": VenueFacts(
        options={"fetchMarkets": {"types": ["spot", "linear"]}},
        most_spot_trades=60,
        one_book=True,
        most_symbols=10,  # a longer request to subscribe is refused for spot
        limits=RestLimits(
            reset_header="x-bapi-limit-reset-timestamp", code='"retCode":10006', ban_text="access too frequent"
        ),
        lacks="after a gap only the latest 60 trades of spot can be fetched again, 1000 of perpetuals",
    ),
    "gate": VenueFacts(
        options={"fetchMarkets": {"types": ["spot", "swap"]}},
        limits=RestLimits(reset_header="x-gate-ratelimit-reset-timestamp"),
        bars_by_rest=True,  # the volume of its streamed spot bars is in quote currency, as ccxt 4.5.90 reads them
        quantities_in=Unit.CONTRACTS,
        bars_in=Unit.CONTRACTS,  # `v`; what `sum` tells, in quote currency, ccxt leaves out
        lacks=f"bars come by REST after their end; {_ONLY_RECENT}",
    ),
    "mexc": VenueFacts(
        quotes=QuoteSource.TICKER,  # watch_bids_asks never answers for spot, measured with ccxt 4.5.90
        swap_quotes=QuoteSource.BOOK,  # best prices without quantities
        # the ids that ccxt makes up are the same for two equal trades, and the streamed ones of spot have none;
        # and a book is asked for after the third update, and not after 25: those of a quiet market are seconds apart
        options={"useCcxtTradeId": False, "watchOrderBook": {"snapshotDelay": 2}},
        trades_until=True,
        trades_newest_first=True,
        trades_again={"method": "spotPublicGetTrades"},  # each by itself; others are told joined by time and price
        funding_by_page=True,
        mark_names=("fairPrice", "indexPrice"),
        quantities_in=Unit.CONTRACTS,
        bars_in=Unit.CONTRACTS,  # `q` of those streamed, `vol` of those fetched
        lacks="trades bear no id; of spot 30 streams at the most, and ccxt does not hear that one is refused; "
        f"quotes of perpetuals are the top of the order book; {_ONLY_RECENT}",
    ),
    "bitvavo": VenueFacts(
        quotes=QuoteSource.BOOK,  # its ticker of 24 hours is late
        limits=RestLimits(reset_header="bitvavo-ratelimit-resetat", ban_end=r"ban expires at (\d+)"),
        lacks=f"quotes are the top of the order book; spot only; {_ONLY_RECENT}",
    ),
    "kraken": VenueFacts(
        lacks=f"spot only; quotes bear no venue time; REST once a second; {_ONLY_RECENT}",
    ),
    "kucoin": VenueFacts(
        options={"fetchMarkets": {"types": ["spot"]}},
        lacks=f"spot only (perpetuals are the exchange kucoinfutures); {_ONLY_RECENT}",
    ),
    "okx": VenueFacts(
        options={"fetchMarkets": {"types": ["spot", "swap"]}},
        quantities_in=Unit.CONTRACTS,
        bars_in=Unit.BASE,  # of the three volumes that a candle has, ccxt takes `volCcy`
        lacks=_ONLY_RECENT,
    ),
    "coinbase": VenueFacts(
        quotes=QuoteSource.BOOK,
        lacks="quotes are the top of the order book; bars come by REST after their end; spot only",
    ),
    OANDA: VenueFacts(
        lacks="needs an account and its token; no public trades, no book; at most four prices a second; bars of mid "
        "prices, by REST after their end, whose volume counts prices; commission and financing are not known",
    ),
}
"""The exchanges that were looked at. Any other id of ccxt.pro works by what ccxt says of it."""

UNKNOWN = VenueFacts(lacks="not looked at: what ccxt offers is used as it is")


def facts_of(exchange: str) -> VenueFacts:
    return VENUES.get(exchange, UNKNOWN)


def quote_source(exchange: str, has: Mapping[str, Any], *, is_spot: bool) -> QuoteSource:
    """By our table, and where it is silent by what ccxt says the exchange has."""
    facts = facts_of(exchange)
    named = facts.quotes if is_spot or facts.swap_quotes is None else facts.swap_quotes
    if named is not None:
        return named
    if has.get("watchBidsAsks") is True:
        return QuoteSource.BIDS_ASKS
    return QuoteSource.BOOK if has.get("watchOrderBook") is True else QuoteSource.TICKER
