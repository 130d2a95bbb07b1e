"""Each venue's own frames through ccxt's real parsing into the taps: quotes, trades and bars arrive as they are parsed.

The frames are those of ccxt's comments on its handlers, and recordings.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType

from tests.exchanges.sinks import QUICK, ToldSink
from tests.exchanges.venue import recorded_frames
from workstation.exchanges.bar_series import BarSeries
from workstation.exchanges.ccxt_client import open_client
from workstation.exchanges.ccxt_connection import Connection
from workstation.exchanges.ccxt_parse import Refusals
from workstation.exchanges.intake import Stream
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.trade_series import TradeSeries
from workstation.exchanges.venue_facts import facts_of
from workstation.model.durations import MINUTE_NS
from workstation.model.ids import InstrumentIndex, Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.ports.feed import Subscription

NOW_NS = 1_700_000_130_000_000_000
AT = 1_700_000_100_000
"""A whole minute, in ms."""
BOOK = {"bids": [["100.5", "2"], ["100.4", "3"]], "asks": [["100.6", "1"], ["100.7", "4"]]}


def market(client: Any, name: str, symbol: str, contract_size: float = 1.0) -> dict[str, Any]:
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    is_swap = bool(settle)
    return dict(
        client.safe_market_structure(
            {
                "id": name,
                "symbol": symbol,
                "base": base,
                "quote": quote,
                "settle": settle or None,
                "baseId": base,
                "quoteId": quote,
                "type": "swap" if is_swap else "spot",
                "spot": not is_swap,
                "swap": is_swap,
                "contract": is_swap,
                "linear": is_swap or None,
                "contractSize": contract_size if is_swap else None,
                "option": False,
                "precision": {"price": 0.1, "amount": 0.001},
            }
        )
    )


def told_by(
    exchange: str,
    names: dict[str, str],
    address: str,
    frames: Sequence[Any],
    now_ns: int = NOW_NS,
    contract_size: float = 1.0,
    **wanted: Any,
) -> tuple[ToldSink, Refusals]:
    """What a connection's sink is told when these frames come out of a socket at the address."""

    async def replay() -> tuple[ToldSink, Refusals]:
        settings = VenueSettings(venue=Venue("nova"), exchange=exchange)
        client, sink, refusals = open_client(settings), ToldSink(), Refusals()
        client.open()
        client.set_markets([market(client, name, symbol, contract_size) for symbol, name in names.items()])
        streams = [
            Stream(
                subscription=Subscription(
                    key=InstrumentKey(settings.venue, Symbol(symbol)),
                    index=InstrumentIndex(index),
                    trades=True,
                    intervals_ns=(MINUTE_NS,),
                    **wanted,
                ),
                trades=TradeSeries(),
                bars={"1m": BarSeries(MINUTE_NS)},
            )
            for index, symbol in enumerate(names)
        ]
        for symbol in names:
            client.orderbooks[symbol] = client.order_book({}, 10)
        Connection(
            client,
            settings,
            streams,
            sink,
            refusals=refusals,
            now_ns=lambda: now_ns,
            limiter=RestLimiter(),
            pace=QUICK,
            say=lambda *_: None,
            on_live=lambda: None,
        )
        socket = client.client(address)
        for frame in frames:
            socket.handle_message(WSMessage(WSMsgType.TEXT, json.dumps(frame), None))
        client.timeout_on_exit = 1
        await client.close()
        return sink, refusals

    return asyncio.run(replay())


def bybit_bar(at: int, close: str) -> dict[str, Any]:
    candle = {"start": at, "open": "100", "high": "102", "low": "99", "close": close, "volume": "7", "timestamp": at}
    return {"topic": "kline.1.BTCUSDT", "ts": at, "type": "snapshot", "data": [candle | {"interval": "1"}]}


def okx_bar(at: int, close: str) -> dict[str, Any]:
    candle = [str(at), "100", "102", "99", close, "7", "700", "700", "0"]
    return {"arg": {"channel": "candle1m", "instId": "BTC-USDT"}, "data": [candle]}


def kraken_bar(at: str, close: float) -> dict[str, Any]:
    prices = {"open": 100.0, "high": 102.0, "low": 99.0, "close": close, "volume": 7.0, "interval": 1}
    return {
        "channel": "ohlc",
        "type": "update",
        "data": [prices | {"symbol": "BTC/USD", "interval_begin": at, "timestamp": at}],
    }


def kucoin_bar(at: int, close: str) -> dict[str, Any]:
    candles = [str(at // 1000), "100", close, "102", "99", "7", "700"]
    return {
        "type": "message",
        "topic": "/market/candles:BTC-USDT_1min",
        "subject": "trade.candles.update",
        "data": {"symbol": "BTC-USDT", "candles": candles, "time": at * 1_000_000},
    }


def mexc_bar(at: int, close: float) -> dict[str, Any]:
    candle = {"a": 700, "c": close, "h": 102, "interval": "Min1", "l": 99, "o": 100, "q": 7, "symbol": "BTC_USDT"}
    return {"channel": "push.kline", "data": candle | {"t": at // 1000}, "symbol": "BTC_USDT"}


FRAMES: dict[str, tuple[str, str, str, list[Any]]] = {
    "bybit": (
        "BTC/USDT",
        "BTCUSDT",
        "wss://stream.bybit.com/v5/public/spot",
        [
            {
                "topic": "orderbook.1.BTCUSDT",
                "ts": AT,
                "type": "snapshot",
                "data": {"s": "BTCUSDT", "b": [["100.5", "2"]], "a": [["100.6", "1"]], "u": 1, "seq": 1},
            },
            {
                "topic": "publicTrade.BTCUSDT",
                "type": "snapshot",
                "ts": AT,
                "data": [
                    {"T": AT, "s": "BTCUSDT", "S": side, "v": "0.5", "p": "100.5", "i": side, "BT": False}
                    for side in ("Buy", "Sell")
                ],
            },
            bybit_bar(AT, "101"),
            bybit_bar(AT + 60_000, "102"),
        ],
    ),
    "gate": (
        "BTC/USDT",
        "BTC_USDT",
        "wss://api.gateio.ws/ws/v4/",
        [
            {
                "time": AT // 1000,
                "channel": "spot.book_ticker",
                "event": "update",
                "result": {"t": AT, "u": 1, "s": "BTC_USDT", "b": "100.5", "B": "2", "a": "100.6", "A": "1"},
            },
            *(
                {
                    "time": AT // 1000,
                    "channel": "spot.trades",
                    "event": "update",
                    "result": {
                        "id": number,
                        "create_time": AT // 1000,
                        "create_time_ms": str(AT),
                        "side": side,
                        "currency_pair": "BTC_USDT",
                        "amount": "0.5",
                        "price": "100.5",
                    },
                }
                for number, side in enumerate(("buy", "sell"))
            ),
        ],
    ),
    "mexc": (
        "BTC/USDT:USDT",
        "BTC_USDT",
        "wss://contract.mexc.com/edge",
        [
            {
                "channel": "push.deal",
                "symbol": "BTC_USDT",
                "ts": AT,
                "data": [{"p": 100.5, "v": 0.5, "T": side, "O": 3, "M": 2, "t": AT} for side in (1, 2)],
            },
            mexc_bar(AT, 101),
            mexc_bar(AT + 60_000, 102),
        ],
    ),
    "bitvavo": (
        "BTC/EUR",
        "BTC-EUR",
        "wss://ws.bitvavo.com/v2",
        [
            {"action": "getBook", "response": {"market": "BTC-EUR", "nonce": 1, **BOOK}},
            *(
                {
                    "event": "trade",
                    "timestamp": AT,
                    "market": "BTC-EUR",
                    "id": side,
                    "amount": "0.5",
                    "price": "100.5",
                    "side": side,
                }
                for side in ("buy", "sell")
            ),
            *(
                {
                    "event": "candle",
                    "market": "BTC-EUR",
                    "interval": "1m",
                    "candle": [[at, "100", "102", "99", close, "7"]],
                }
                for at, close in ((AT, "101"), (AT + 60_000, "102"))
            ),
        ],
    ),
    "kraken": (
        "BTC/USD",
        "XXBTZUSD",
        "wss://ws.kraken.com/v2",
        [
            {
                "channel": "ticker",
                "type": "update",
                "data": [
                    {"symbol": "BTC/USD", "bid": 100.5, "bid_qty": 2.0, "ask": 100.6, "ask_qty": 1.0, "last": 100.5}
                ],
            },
            {
                "channel": "trade",
                "type": "update",
                "data": [
                    {
                        "symbol": "BTC/USD",
                        "side": side,
                        "price": 100.5,
                        "qty": 0.5,
                        "ord_type": "market",
                        "trade_id": number,
                        "timestamp": "2023-11-14T22:15:00.000000Z",
                    }
                    for number, side in enumerate(("buy", "sell"))
                ],
            },
            kraken_bar("2023-11-14T22:15:00.000000000Z", 101.0),
            kraken_bar("2023-11-14T22:16:00.000000000Z", 102.0),
        ],
    ),
    "kucoin": (
        "BTC/USDT",
        "BTC-USDT",
        "wss://ws-api-spot.kucoin.com/",
        [
            {
                "type": "message",
                "topic": "/spotMarket/level1:BTC-USDT",
                "subject": "level1",
                "data": {"asks": ["100.6", "1"], "bids": ["100.5", "2"], "timestamp": AT},
            },
            *(
                {
                    "type": "message",
                    "topic": "/market/match:BTC-USDT",
                    "subject": "trade.l3match",
                    "data": {
                        "sequence": "1",
                        "type": "match",
                        "symbol": "BTC-USDT",
                        "side": side,
                        "price": "100.5",
                        "size": "0.5",
                        "tradeId": side,
                        "time": str(AT * 1_000_000),
                    },
                }
                for side in ("buy", "sell")
            ),
            kucoin_bar(AT, "101"),
            kucoin_bar(AT + 60_000, "102"),
        ],
    ),
    "okx": (
        "BTC/USDT",
        "BTC-USDT",
        "wss://ws.okx.com:8443/ws/v5/public",
        [
            {
                "arg": {"channel": "bbo-tbt", "instId": "BTC-USDT"},
                "data": [{"asks": [["100.6", "1", "0", "1"]], "bids": [["100.5", "2", "0", "2"]], "ts": str(AT)}],
            },
            {
                "arg": {"channel": "trades", "instId": "BTC-USDT"},
                "data": [
                    {"instId": "BTC-USDT", "tradeId": side, "px": "100.5", "sz": "0.5", "side": side, "ts": str(AT)}
                    for side in ("buy", "sell")
                ],
            },
            okx_bar(AT, "101"),
            okx_bar(AT + 60_000, "102"),
        ],
    ),
}


@pytest.mark.parametrize("exchange", FRAMES)
def test_each_kind_of_frame_of_a_venue_is_told_once(exchange: str) -> None:
    symbol, name, address, frames = FRAMES[exchange]
    sink, refusals = told_by(exchange, {symbol: name}, address, frames)
    assert refusals.total == 0, refusals.last
    assert [row[2:] for row in sink.quotes] == ([] if exchange == "mexc" else [(100.5, 100.6, 2.0, 1.0)])
    assert [row[2:] for row in sink.trades] == [(100.5, 0.5, False), (100.5, 0.5, True)]
    bars = [((AT + 60_000) * 1_000_000, 100.0, 102.0, 99.0, 101.0, 7.0)]
    assert [row[2:] for row in sink.bars] == ([] if facts_of(exchange).bars_by_rest else bars)


@pytest.mark.shared
def test_recorded_frames_of_binance_futures_become_every_quote_and_trade_in_them(shared_dir: Path) -> None:
    frames = recorded_frames(shared_dir / "data" / "raw_ws" / "BINANCE_FUTURES.ws.1.0.gz")
    names = {f"{coin}/USDT:USDT": f"{coin}USDT" for coin in ("SUSHI", "AKRO", "KEEP", "CTK")}
    expected = {"bookTicker": list[Any](), "aggTrade": list[Any]()}
    for frame in frames:
        event = frame.get("data", {})
        if event.get("e") in expected and event["s"] in names.values():
            expected[event["e"]].append(event)
    now_ns = 1_700_000_000_000_000_000
    sink, refusals = told_by("binanceusdm", names, "wss://fstream.binance.com/public/ws/0", frames, now_ns)
    quotes, trades = expected["bookTicker"], expected["aggTrade"]
    assert len(quotes) > 100
    assert [row[2:] for row in sink.quotes] == [tuple(float(each[key]) for key in "baBA") for each in quotes]
    assert [row[1] for row in sink.quotes] == [each["E"] * 1_000_000 for each in quotes]
    assert [row[2:4] for row in sink.trades] == [(float(each["p"]), float(each["q"])) for each in trades]
    assert [row[4] for row in sink.trades] == [each["m"] for each in trades]
    assert refusals.total == 0, refusals.last


@pytest.mark.shared
def test_recorded_frames_of_okx_become_every_trade_in_them(shared_dir: Path) -> None:
    frames = recorded_frames(shared_dir / "data" / "raw_ws" / "OKX.ws.1.0.gz")
    channels = [frame for frame in frames if frame.get("arg", {}).get("channel") == "trades" and "data" in frame]
    spot = [each for frame in channels for each in frame["data"] if each["instId"] == "BTC-USDT"]
    address = "wss://ws.okx.com:8443/ws/v5/public"
    wanted = [frame for frame in frames if frame.get("arg", {}).get("instId") == "BTC-USDT" and "data" in frame]
    sink, refusals = told_by("okx", {"BTC/USDT": "BTC-USDT"}, address, wanted)
    assert spot
    assert [row[2:4] for row in sink.trades] == [(float(each["px"]), float(each["sz"])) for each in spot]
    assert [row[4] for row in sink.trades] == [each["side"] == "sell" for each in spot]
    assert refusals.total == 0, refusals.last
