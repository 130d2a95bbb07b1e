"""Mark prices, funding rates and books to a depth: from the venues' own frames, by REST, and what is none."""

import asyncio
import math
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import ccxt
import pytest
from ccxt.async_support.base.ws.order_book import OrderBook
from hypothesis import given
from hypothesis import strategies as st

from tests.exchanges.sinks import ToldSink
from tests.exchanges.test_taps_of_venues import AT, NOW_NS, market, told_by
from workstation.errors import BadInput
from workstation.exchanges.ccxt_books import Books
from workstation.exchanges.ccxt_client import open_client
from workstation.exchanges.ccxt_parse import (
    FUTURE_NS,
    BookNumbers,
    FundingNumbers,
    MarkNumbers,
    Refusal,
    Refusals,
    book_numbers,
    funding_numbers,
    mark_numbers,
)
from workstation.exchanges.ccxt_perpetuals import Perpetuals
from workstation.exchanges.ccxt_watch import source_of
from workstation.exchanges.contract_sizes import Contract, Counting
from workstation.exchanges.intake import Stream
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.trade_series import TradeSeries
from workstation.exchanges.venue_facts import QuoteSource
from workstation.model.durations import HOUR_NS, MS_NS
from workstation.model.ids import InstrumentIndex, Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import Subscription

PERPETUAL = "BTC/USDT:USDT"
DUE = AT + 8 * 3_600_000
AT_NS, DUE_NS = AT * MS_NS, DUE * MS_NS
NAMES = ("timestamp", "fundingRate", "fundingTimestamp")
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.none(), max_size=2)
)


def binance_mark(price: str, rate: str, due: int = DUE) -> dict[str, Any]:
    told = {"e": "markPriceUpdate", "E": AT, "s": "BTCUSDT", "p": price, "i": "100.25", "P": price, "r": rate}
    return {"stream": "btcusdt@markPrice@1s", "data": told | {"T": due}}


def test_binance_streams_both_in_one_frame_and_a_rate_is_told_when_it_changes() -> None:
    frames = [binance_mark("100.5", "0.0001"), binance_mark("100.75", "0.0001"), binance_mark("101", "-0.0002")]
    frames.append(binance_mark("101", "-0.0002", DUE + 28_800_000))
    sink, refusals = told_by(
        "binanceusdm", {PERPETUAL: "BTCUSDT"}, "wss://fstream.binance.com/market/ws/0", frames, funding=True
    )
    assert sink.marks == [(0, AT_NS, price, 100.25) for price in (100.5, 100.75, 101.0, 101.0)]
    assert sink.rates == [
        (0, AT_NS, 0.0001, DUE_NS),
        (0, AT_NS, -0.0002, DUE_NS),
        (0, AT_NS, -0.0002, DUE_NS + 8 * HOUR_NS),
    ]
    assert sink.quotes == [] and refusals.total == 0


def test_who_does_not_want_them_is_not_told() -> None:
    frames = [binance_mark("100.5", "0.0001")]
    sink, _ = told_by("binanceusdm", {PERPETUAL: "BTCUSDT"}, "wss://fstream.binance.com/market/ws/0", frames)
    assert sink.marks == sink.rates == []


def test_mexc_tells_the_mark_in_its_ticker_and_the_rate_by_itself() -> None:
    ticker = {"symbol": "BTC_USDT", "lastPrice": 100.4, "bid1": 100.4, "ask1": 100.6, "fairPrice": 100.5}
    frames = [
        {
            "channel": "push.ticker",
            "symbol": "BTC_USDT",
            "ts": AT,
            "data": ticker | {"indexPrice": 100.25, "timestamp": AT},
        },
        {
            "channel": "push.funding.rate",
            "symbol": "BTC_USDT",
            "ts": AT,
            "data": {"symbol": "BTC_USDT", "rate": -0.000021, "nextSettleTime": DUE},
        },
    ]
    sink, refusals = told_by("mexc", {PERPETUAL: "BTC_USDT"}, "wss://contract.mexc.com/edge", frames, funding=True)
    assert sink.marks == [(0, AT_NS, 100.5, 100.25)]
    assert sink.rates == [(0, 0, -0.000021, DUE_NS)]
    assert sink.quotes == [] and refusals.total == 0  # its ticker has no quantities: quotes are the top of its book


def test_okx_streams_them_apart() -> None:
    frames = [
        {
            "arg": {"channel": "mark-price", "instId": "BTC-USDT-SWAP"},
            "data": [{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "markPx": "100.5", "ts": str(AT)}],
        },
        {
            "arg": {"channel": "funding-rate", "instId": "BTC-USDT-SWAP"},
            "data": [
                {
                    "fundingRate": "0.0001",
                    "fundingTime": str(DUE),
                    "instId": "BTC-USDT-SWAP",
                    "instType": "SWAP",
                    "nextFundingRate": "",
                    "nextFundingTime": str(DUE + 28_800_000),
                    "ts": str(AT),
                }
            ],
        },
    ]
    sink, refusals = told_by(
        "okx", {PERPETUAL: "BTC-USDT-SWAP"}, "wss://ws.okx.com:8443/ws/v5/public", frames, funding=True
    )
    assert sink.marks == [(0, AT_NS, 100.5, 0.0)]
    assert [rate[2:] for rate in sink.rates] == [(0.0001, DUE_NS)] and refusals.total == 0


def a_stream(symbol: str, **wanted: Any) -> Stream:
    key = InstrumentKey(Venue("nova"), Symbol(symbol))
    return Stream(subscription=Subscription(key=key, index=InstrumentIndex(3), **wanted), trades=TradeSeries(), bars={})


class Asked:
    """Perpetuals on ccxt's real client of an exchange; what its REST calls answer is given."""

    def __init__(self, exchange: str, symbols: tuple[str, ...] = (PERPETUAL,)) -> None:
        self.settings = VenueSettings(venue=Venue("nova"), exchange=exchange)
        self.client, self.sink, self.refusals = open_client(self.settings), ToldSink(), Refusals()
        self.client.set_markets([market(self.client, symbol, symbol) for symbol in symbols])
        self.perpetuals = Perpetuals(
            self.client, self.settings, self.sink, self.refusals, lambda: NOW_NS, lambda *_: None, lambda: None
        )
        for symbol in symbols:
            self.perpetuals.add(a_stream(symbol, funding=True))

    async def ask(self, rounds: int) -> None:
        """Asks until so many rounds were answered or refused."""
        asking = asyncio.create_task(self.perpetuals.ask(0.0))
        while self.answered < rounds and not asking.done():
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    answered = 0

    def answers(self, name: str, *answers: Any) -> None:
        """The call returns or raises these, the last one again and again."""

        async def answer(*_: Any) -> Any:
            self.answered += 1
            found = answers[min(self.answered, len(answers)) - 1]
            if isinstance(found, Exception):
                raise found
            return found

        setattr(self.client, name, answer)


def a_rate(symbol: str = PERPETUAL, **changes: Any) -> dict[str, Any]:
    told = {"symbol": symbol, "timestamp": AT, "fundingRate": 0.0001, "fundingTimestamp": DUE, "markPrice": 100.5}
    return told | changes


def test_what_is_not_streamed_is_asked_for_and_a_spot_market_has_none() -> None:
    asked = Asked("bybit", (PERPETUAL, "BTC/USDT"))
    asked.answers("fetch_funding_rates", {PERPETUAL: a_rate()}, {PERPETUAL: a_rate(markPrice=101.0)})
    asyncio.run(asked.ask(3))
    assert list(asked.perpetuals.calls([a_stream(PERPETUAL), a_stream("BTC/USDT")])) == []
    assert asked.sink.rates == [(3, AT_NS, 0.0001, DUE_NS)]
    assert asked.sink.marks[:2] == [(3, AT_NS, 100.5, 0.0), (3, AT_NS, 101.0, 0.0)]


def test_a_venue_that_does_not_answer_is_asked_again_and_one_that_refuses_is_not() -> None:
    asked = Asked("bybit")
    asked.answers("fetch_funding_rates", ccxt.RequestTimeout("late"), {PERPETUAL: a_rate()})
    asyncio.run(asked.ask(2))
    assert asked.refusals.counts == {Refusal.NO_ANSWER: 1} and len(asked.sink.rates) == 1
    refused = Asked("bybit")
    refused.answers("fetch_funding_rates", ccxt.NotSupported("no such thing"))

    async def a_while() -> None:
        asking = asyncio.create_task(refused.perpetuals.ask(0.0))
        for _ in range(50):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(a_while())
    assert refused.answered == 1 and refused.refusals.counts == {Refusal.NO_ANSWER: 1}


def test_what_the_venue_refuses_of_one_symbol_keeps_no_other_back() -> None:
    other = "ETH/USDT:USDT"
    asked = Asked("mexc", (PERPETUAL, other))
    asked.client.has |= {"fetchFundingRates": False, "watchFundingRate": False, "watchFundingRates": False}
    settled = ccxt.BadRequest("the contract is being settled")
    asked.answers("fetch_funding_rate", settled, a_rate(other), settled, a_rate(other, fundingRate=0.0002))
    asyncio.run(asked.ask(4))
    assert [rate[2] for rate in asked.sink.rates] == [0.0001, 0.0002]
    assert asked.refusals.counts[Refusal.NO_ANSWER] >= 2


@pytest.mark.parametrize(("exchange", "calls"), [("binanceusdm", 1), ("okx", 2), ("mexc", 2), ("gate", 0)])
def test_what_is_streamed_is_not_asked_for(exchange: str, calls: int) -> None:
    asked = Asked(exchange)
    assert len(list(asked.perpetuals.calls([a_stream(PERPETUAL)]))) == calls
    assert asked.perpetuals.is_streamed == (calls > 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"markPrice": None}, Refusal.NOT_A_NUMBER),
        ({"markPrice": 0}, Refusal.NOT_POSITIVE),
        ({"markPrice": math.inf}, Refusal.ABSURD),
        ({"indexPrice": -1.0}, Refusal.NOT_POSITIVE),
        ({"indexPrice": math.nan}, Refusal.NOT_A_NUMBER),
        ({"timestamp": AT + 10**9}, Refusal.FUTURE),
    ],
)
def test_a_mark_price_that_is_none_is_refused_with_the_reason(changes: dict[str, Any], reason: Refusal) -> None:
    assert mark_numbers(a_rate(**changes), None, NOW_NS) is reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fundingRate": None}, Refusal.NOT_A_NUMBER),
        ({"fundingRate": "no"}, Refusal.NOT_A_NUMBER),
        ({"fundingRate": math.nan}, Refusal.NOT_A_NUMBER),
        ({"fundingRate": 1.0}, Refusal.ABSURD),
        ({"fundingRate": -math.inf}, Refusal.ABSURD),
        ({"fundingTimestamp": AT + 20 * 86_400_000}, Refusal.FUTURE),
        ({"fundingTimestamp": "soon"}, Refusal.NOT_A_NUMBER),
    ],
)
def test_a_rate_that_is_none_is_refused_with_the_reason(changes: dict[str, Any], reason: Refusal) -> None:
    assert funding_numbers(a_rate(**changes), NAMES, NOW_NS) is reason


@given(first=ANYTHING, second=ANYTHING, third=ANYTHING)
def test_whatever_comes_is_numbers_or_a_reason(first: Any, second: Any, third: Any) -> None:
    told = {
        "timestamp": first,
        "fundingRate": second,
        "fundingTimestamp": third,
        "markPrice": second,
        "indexPrice": third,
    }
    assert isinstance(mark_numbers(told, None, NOW_NS), MarkNumbers | Refusal)
    assert isinstance(mark_numbers({"info": {"a": first, "b": second}}, ("a", "b"), NOW_NS), MarkNumbers | Refusal)
    assert isinstance(funding_numbers(told, NAMES, NOW_NS), FundingNumbers | Refusal)
    book = {"bids": [[first, second]], "asks": [[second, third]], "timestamp": third}
    assert isinstance(book_numbers(book, 5, NOW_NS, None), BookNumbers | Refusal)


class Book:
    """Books on ccxt's own order book."""

    def __init__(self, levels: int) -> None:
        self.sink, self.refusals = ToldSink(), Refusals()
        client = SimpleNamespace(orderbooks={})
        self.books = client.orderbooks
        self.watched = Books(client, self.sink, self.refusals, lambda: NOW_NS, lambda: None)
        self.stream = a_stream(PERPETUAL, book_levels=levels)
        self.watched.add(self.stream)

    def tell(self, bids: list[list[float]], asks: list[list[float]], timestamp: Any = AT) -> None:
        self.books[PERPETUAL] = OrderBook({"bids": bids, "asks": asks, "timestamp": timestamp})
        self.watched.look()


def test_a_book_is_told_to_its_depth_when_it_has_changed() -> None:
    book = Book(levels=2)
    book.watched.look()
    bids, asks = [[100.0, 1.0], [99.0, 2.0], [98.0, 3.0]], [[101.0, 4.0]]
    book.tell(bids, asks)
    book.tell([*bids[:2], [98.0, 9.0]], asks)  # what changed lies deeper
    book.tell(bids, [[101.0, 5.0]])
    assert book.sink.books == [
        (3, AT_NS, [(100.0, 1.0), (99.0, 2.0)], [(101.0, 4.0)]),
        (3, AT_NS, [(100.0, 1.0), (99.0, 2.0)], [(101.0, 5.0)]),
    ]
    assert book.refusals.total == 0


def test_a_book_of_contracts_is_told_in_base() -> None:
    book, contract = Book(levels=2), Contract(Decimal("0.0001"))
    book.stream.counting = Counting(contract, contract)
    book.tell([[100.0, 3.0], [99.0, 70.0]], [[101.0, 7.0]])
    assert book.sink.books == [(3, AT_NS, [(100.0, 0.0003), (99.0, 0.007)], [(101.0, 0.0007)])]


def test_a_book_without_a_side_is_told_and_an_empty_or_impossible_one_is_not() -> None:
    book = Book(levels=2)
    book.tell([], [])
    book.tell([[100.0, 1.0]], [])
    book.tell([[102.0, 1.0]], [[101.0, 1.0]])
    book.tell([[100.0, 1.0]], [[101.0, 1.0]], timestamp=AT + FUTURE_NS // MS_NS * 10)
    assert [told[2:] for told in book.sink.books] == [([(100.0, 1.0)], [])]
    assert book.refusals.counts == {Refusal.CROSSED: 1, Refusal.FUTURE: 1}


def test_quotes_are_the_top_of_the_book_where_ccxt_has_but_one_book() -> None:
    asked = Asked("bybit")
    subscribed = a_stream(PERPETUAL).subscription
    assert source_of(asked.settings, asked.client, subscribed) is QuoteSource.BIDS_ASKS
    wanted = a_stream(PERPETUAL, book_levels=5).subscription
    assert source_of(asked.settings, asked.client, wanted) is QuoteSource.BOOK


def test_more_levels_than_are_sensible_are_refused() -> None:
    with pytest.raises(BadInput, match="book_levels 51: expected 0 to 50"):
        a_stream(PERPETUAL, book_levels=51)
