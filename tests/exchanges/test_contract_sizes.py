"""Contracts become base currency in one place: exactly, for each venue's channels as they count, or are refused."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.exchanges.captured import Okx
from tests.exchanges.replayed import a_feed, serve, subscribed
from tests.exchanges.sinks import running
from tests.exchanges.test_taps_of_venues import AT, NOW_NS, market, mexc_bar, told_by
from workstation.errors import BadInput
from workstation.exchanges.ccxt_client import open_client
from workstation.exchanges.ccxt_parse import (
    Refusal,
    Refusals,
    TradeNumbers,
    bar_numbers,
    book_numbers,
    quote_numbers,
    trade_numbers,
)
from workstation.exchanges.ccxt_repair import Repair
from workstation.exchanges.contract_sizes import IN_BASE, Contract, Counting, counting_of
from workstation.exchanges.download import CcxtPast
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.trade_series import TradeSeries
from workstation.exchanges.venue_facts import VENUES, Unit
from workstation.model.durations import MINUTE_NS, MS_NS
from workstation.model.ids import Venue
from workstation.ports.feed import FeedState

PERPETUAL = "BTC/USDT:USDT"
END_NS = (AT + 60_000) * MS_NS
SIZES = st.builds(lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(1, 999), st.integers(-12, 6))
TICKER = {"timestamp": AT, "bid": 100.0, "ask": 101.0, "bidVolume": 1.0, "askVolume": 2.0}


def settings_of(exchange: str) -> VenueSettings:
    return VenueSettings(venue=Venue("nova"), exchange=exchange)


def a_swap(**changes: Any) -> dict[str, Any]:
    swap = {"symbol": PERPETUAL, "base": "BTC", "spot": False, "swap": True, "linear": True, "contractSize": 0.0001}
    return swap | changes


# -- the product


@given(lots=st.integers(1, 10**13), lot=st.sampled_from(["1", "10", "0.1", "0.01", "0.001", "0.00001"]), size=SIZES)
def test_contracts_times_their_size_is_the_float_nearest_to_the_decimal_product(
    lots: int, lot: str, size: Decimal
) -> None:
    contracts = Decimal(lots) * Decimal(lot)
    assert Contract(size).in_base(float(contracts)) == float(Decimal(repr(float(contracts))) * size)
    if len(str(lots)) <= 15:  # so many digits a float holds
        assert Contract(size).in_base(float(contracts)) == float(contracts * size)


def test_a_product_of_floats_would_not_do() -> None:
    off = [count for count in range(1, 1_000) if Contract(Decimal("0.0001")).in_base(count) != count * 0.0001]
    assert len(off) > 50
    assert Contract(Decimal("0.0001")).in_base(3.0) == 0.0003 and 3 * 0.0001 != 0.0003
    assert Contract(Decimal("0.01")).in_base(0.07) == 0.0007


@pytest.mark.parametrize("size", ["0", "-1", "NaN", "Infinity", "0.12345678901234567"])
def test_a_size_that_is_none_is_refused(size: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        Contract(Decimal(size))


@example(quantity=1_289_769_975_822_419, size=Decimal(49))  # a hundred times as many is no whole number of a float
@given(quantity=st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)), size=SIZES)
def test_whatever_comes_is_a_quantity_in_base_or_the_reason_of_before(quantity: Any, size: Decimal) -> None:
    counted = Contract(size)
    book = {"timestamp": AT, "bids": [[100.0, quantity]], "asks": []}
    pairs = [(quote_numbers(TICKER | {"bidVolume": quantity}, NOW_NS, each), 3) for each in (None, counted)] + [
        (trade_numbers({"timestamp": AT, "price": 1.0, "amount": quantity, "side": "buy"}, NOW_NS, each), 2)
        for each in (None, counted)
    ]
    for (plain, place), (scaled, _) in (pairs[:2], pairs[2:]):
        if isinstance(plain, Refusal):
            assert scaled is plain
        elif not isinstance(scaled, Refusal):
            assert scaled[place] == counted.in_base(plain[place]) > 0
            assert [one for at, one in enumerate(scaled) if at not in (place, 4)] == [
                one for at, one in enumerate(plain) if at not in (place, 4)
            ]
    bar, told = (bar_numbers([AT, 1.0, 1.0, 1.0, 1.0, quantity], NOW_NS, each) for each in (None, counted))
    if not isinstance(bar, Refusal) and not isinstance(told, Refusal):
        assert told == bar._replace(volume=counted.in_base(bar.volume))
    levels = book_numbers(book, 5, NOW_NS, counted)
    assert isinstance(levels, Refusal) or levels.bids == [(100.0, counted.in_base(quantity))]


# -- which figures count contracts


def test_each_channel_of_a_venue_counts_as_the_table_says() -> None:
    contract = Contract(Decimal("0.0001"))
    assert counting_of(a_swap(), settings_of("mexc")) == Counting(contract, contract)
    assert counting_of(a_swap(), settings_of("gate")) == Counting(contract, contract)
    assert counting_of(a_swap(), settings_of("okx")) == Counting(contract, None)
    told = {name for name, facts in VENUES.items() if facts.quantities_in is Unit.CONTRACTS}
    assert told == {"mexc", "gate", "okx"}


@pytest.mark.parametrize("exchange", ["mexc", "binanceusdm", "kucoinfutures"])
@pytest.mark.parametrize(
    "told", [a_swap(contractSize=1.0), a_swap(contractSize=None), {"symbol": "BTC/USDT", "spot": True}]
)
def test_spot_and_contracts_of_1_are_base_currency_at_every_venue(exchange: str, told: Mapping[str, Any]) -> None:
    assert counting_of(told, settings_of(exchange)) is IN_BASE


def test_a_venue_that_was_not_looked_at_and_an_inverse_contract_are_refused_in_one_sentence() -> None:
    with pytest.raises(BadInput) as refused:
        counting_of(a_swap(), settings_of("htx"))
    assert str(refused.value) == (
        "nova:BTC/USDT:USDT: contract_size 0.0001: expected 1 on htx, of which it was not looked at whether its "
        "quantities count contracts or base currency"
    )
    inverse = a_swap(symbol="BTC/USD:BTC", linear=False, contractSize=100.0)
    with pytest.raises(BadInput, match=r"nova:BTC/USD:BTC: inverse perpetual: expected spot or a linear perpetual"):
        counting_of(inverse, settings_of("okx"))


def test_a_feed_tells_why_it_leaves_an_inverse_contract_out_and_the_others_go_on() -> None:
    rules = {"state": "live", "tickSz": "0.1", "lotSz": "1", "minSz": "1"}
    spot = rules | {"instId": "BTC-USDT", "instType": "SPOT", "baseCcy": "BTC", "quoteCcy": "USDT"}
    inverse = {"instId": "BTC-USD-SWAP", "instType": "SWAP", "uly": "BTC-USD", "settleCcy": "BTC", "ctVal": "100"}
    venue = Okx([spot, rules | inverse])
    best = {"asks": [["100.6", "1", "0", "1"]], "bids": [["100.5", "2", "0", "2"]], "ts": str(AT)}
    told = {"arg": {"channel": "bbo-tbt", "instId": "BTC-USDT"}, "data": [best]}
    sentence = "nova:BTC/USD:BTC: inverse perpetual: expected spot or a linear perpetual"

    async def scene() -> None:
        venue.at_ns = END_NS
        feed = a_feed(venue, "okx")
        wanted, refused = subscribed(["BTC/USDT", "BTC/USD:BTC"])
        async with running(feed, [wanted, refused]) as sink:
            await venue.wait_for("bbo-tbt:BTC-USDT")
            await venue.send("bbo-tbt:BTC-USDT", json.dumps(told))
            await sink.until(lambda: bool(sink.quotes))
            with pytest.raises(BadInput, match=sentence):
                feed.add([replace(refused, trades=True)])
            with pytest.raises(BadInput, match=sentence):
                await feed.bars(refused.key, MINUTE_NS, AT * MS_NS)
        said = [(each.state, each.reason) for each in sink.statuses if each.key == refused.key]
        assert said == [(FeedState.STALE, sentence)]

    serve(venue, scene)


# -- what the sink is told


def test_frames_of_mexc_swap_are_told_in_base() -> None:
    deal = {"p": 100.5, "T": 1, "O": 3, "M": 2, "t": AT}
    frames: list[Any] = [
        {"channel": "push.deal", "symbol": "BTC_USDT", "ts": AT, "data": [deal | {"v": 3}]},
        mexc_bar(AT, 101),
        mexc_bar(AT + 60_000, 102),
    ]
    sink, refusals = told_by(
        "mexc", {PERPETUAL: "BTC_USDT"}, "wss://contract.mexc.com/edge", frames, contract_size=0.0001
    )
    assert refusals.total == 0, refusals.last
    assert sink.trades == [(0, AT * MS_NS, 100.5, 0.0003, False)]
    assert [row[-1] for row in sink.bars] == [0.0007]


def test_frames_of_gate_swap_are_told_in_base() -> None:
    def frame(channel: str, result: Any) -> dict[str, Any]:
        return {"time": AT // 1000, "channel": f"futures.{channel}", "event": "update", "result": result}

    best = {"t": AT, "u": 1, "s": "BTC_USDT", "b": "100.5", "B": 3, "a": "100.6", "A": 7}
    deal = {"create_time": AT // 1000, "create_time_ms": AT, "price": "100.5", "contract": "BTC_USDT"}
    deals = [deal | {"id": 1, "size": -3}, deal | {"id": 2, "size": 70}]
    sink, refusals = told_by(
        "gate",
        {PERPETUAL: "BTC_USDT"},
        "wss://fx-ws.gateio.ws/v4/ws/usdt",
        [frame("book_ticker", best), frame("trades", deals)],
        contract_size=0.0001,
    )
    assert refusals.total == 0, refusals.last
    assert sink.quotes == [(0, AT * MS_NS, 100.5, 100.6, 0.0003, 0.0007)]
    assert sink.trades == [(0, AT * MS_NS, 100.5, 0.0003, True), (0, AT * MS_NS, 100.5, 0.007, False)]


def test_frames_of_okx_swap_are_told_in_base_and_its_bars_are_so_already() -> None:
    def frame(channel: str, *told: Any) -> dict[str, Any]:
        return {"arg": {"channel": channel, "instId": "BTC-USDT-SWAP"}, "data": list(told)}

    def candle(at: int) -> dict[str, Any]:
        return frame("candle1m", [str(at), "100", "102", "99", "101", "700", "7", "700", "0"])

    best = {"asks": [["100.6", "0.07", "0", "1"]], "bids": [["100.5", "3", "0", "2"]], "ts": str(AT)}
    deal = {"instId": "BTC-USDT-SWAP", "tradeId": "1", "px": "100.5", "sz": "0.29", "side": "sell", "ts": str(AT)}
    sink, refusals = told_by(
        "okx",
        {PERPETUAL: "BTC-USDT-SWAP"},
        "wss://ws.okx.com:8443/ws/v5/public",
        [frame("bbo-tbt", best), frame("trades", deal), candle(AT), candle(AT + 60_000)],
        contract_size=0.01,
    )
    assert refusals.total == 0, refusals.last
    assert sink.quotes == [(0, AT * MS_NS, 100.5, 100.6, 0.03, 0.0007)]
    assert sink.trades == [(0, AT * MS_NS, 100.5, 0.0029, True)]
    assert [row[3:] for row in sink.bars] == [(100.0, 102.0, 99.0, 101.0, 7.0)]


# -- what is fetched

CANDLE = {"o": "100", "h": "102", "l": "99", "c": "101"}
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "mexc": {
        "contractPublicGetDealsSymbol": {"data": [{"p": 100.5, "v": 3, "T": 1, "O": 3, "M": 1, "t": AT}]},
        "contractPublicGetKlineSymbol": {
            "data": {
                name: [float(value)]
                for name, value in zip(("open", "high", "low", "close"), CANDLE.values(), strict=True)
            }
            | {"time": [AT // 1000], "vol": [7.0], "amount": [0.07]}
        },
    },
    "gate": {
        "publicFuturesGetSettleTrades": [
            {
                "id": 1,
                "create_time": AT // 1000,
                "create_time_ms": AT / 1000,
                "contract": "M",
                "size": 3,
                "price": "100.5",
            }
        ],
        "publicFuturesGetSettleCandlesticks": [CANDLE | {"t": AT // 1000, "v": 7, "sum": "0.07"}],
    },
    "okx": {
        "publicGetMarketTrades": {
            "code": "0",
            "data": [{"instId": "M", "side": "buy", "sz": "3", "px": "100.5", "tradeId": "1", "ts": str(AT)}],
        },
        "publicGetMarketHistoryCandles": {
            "code": "0",
            "data": [[str(AT), *CANDLE.values(), "7", "0.0007", "0.07", "1"]],
        },
    },
}
"""As the venues' pages on the endpoints show them: 3 contracts traded, a bar of 7, each of 0.0001."""


async def answering(exchange: str) -> Any:
    """ccxt's client of an exchange that answers so."""
    client = open_client(settings_of(exchange))
    client.open()
    client.set_markets([market(client, "M", PERPETUAL, 0.0001)])
    client.last_json_response = {}
    for method, answer in ANSWERS[exchange].items():

        async def answered(params: Any = None, told: Any = answer) -> Any:
            return told

        setattr(client, method, answered)
    return client


@pytest.mark.parametrize("exchange", ANSWERS)
def test_what_repair_and_downloads_fetch_is_in_base(exchange: str) -> None:
    async def scene() -> None:
        client, settings, now_ns = await answering(exchange), settings_of(exchange), lambda: END_NS
        try:
            repair = Repair(client, settings, Refusals(), now_ns, 0.01)
            series = TradeSeries()
            series.told(TradeNumbers(AT * MS_NS - 1, 99.0, 1.0, False, None))
            trades, _ = await repair.trades(PERPETUAL, series)
            bars = await repair.bars_since(PERPETUAL, MINUTE_NS, AT * MS_NS)
            past = CcxtPast(settings, RestLimiter(), now_ns)
            past._client = client
            span = AT * MS_NS, END_NS
            bought = [row async for page in past.trades(PERPETUAL, *span) for row in page.table["quantity"].to_pylist()]
            pages = past.bars(PERPETUAL, MINUTE_NS, *span)
            volumes = [row async for page in pages for row in page.table["volume"].to_pylist()]
        finally:
            await client.close()
        assert ([one.quantity for one in trades], bought) == ([0.0003], [0.0003])
        assert ([one.volume for one in bars], volumes) == ([0.0007], [0.0007])

    asyncio.run(scene())
