"""The market data of Binance's USD-M futures; there are no orders."""

from typing import Any

import ccxt

from tests.simulator.dialects.base import BTC, ETH, Dialect

SYMBOL = {"symbol": "BTCUSDT"}
CANDLES = SYMBOL | {"interval": "1m"}


class BinanceUsdm(Dialect):
    wire, venue, form = "binanceusdm", "cetus", "{0}{1}"
    symbols, kind = (f"{BTC}:USDT", f"{ETH}:USDT"), "swap"
    socket = "/cetus/fstream.binance.com/public/ws"
    quotes, trades, book = "{}@bookTicker", "{}@trade", "{}@depth@100ms"
    ticker_has_best = False
    gap_is_noticed = True
    wrong_questions = (
        ("fapiPublicGetDepth", {"symbol": "NONE"}, ccxt.BadSymbol, '"code":-1121,'),
        ("fapiPublicGetDepth", {"symbol": ".BTCUSDT"}, ccxt.BadSymbol, '"code":-1121,'),
        ("fapiPublicGetDepth", {}, ccxt.BadRequest, '"code":-1102,'),
        ("fapiPublicGetDepth", SYMBOL | {"limit": "x"}, ccxt.BadRequest, '"code":-1102,'),
        ("fapiPublicGetDepth", SYMBOL | {"limit": 7}, ccxt.BadRequest, '"code":-4021,'),
        ("fapiPublicGetKlines", SYMBOL | {"interval": "7m"}, ccxt.BadRequest, '"code":-1120,'),
        ("fapiPublicGetKlines", CANDLES | {"limit": 1501}, ccxt.BadRequest, '"code":-1130,'),
        ("fapiPublicGetTrades", SYMBOL | {"limit": 0}, ccxt.BadRequest, '"code":-1130,'),
        ("fapiPublicGetAggTrades", SYMBOL | {"fromId": 1, "startTime": 1}, ccxt.BadRequest, '"code":-1128,'),
        ("fapiPublicGetAggTrades", SYMBOL | {"startTime": 1, "endTime": 3_600_002}, ccxt.BadRequest, '"code":-1127,'),
        ("fapiPublicGetFundingRate", {"symbol": "NONE"}, ccxt.BadSymbol, '"code":-1121,'),
        ("fapiPublicGetPremiumIndex", {"symbol": "NONE"}, ccxt.BadSymbol, '"code":-1121,'),
        ("fapiPublicGetOpenInterest", SYMBOL, ccxt.ExchangeError, '"code":-5000,'),
        ("fapiPrivateGetUserTrades", SYMBOL, ccxt.AuthenticationError, '"code":-2015,'),
    )

    def stream(self, name: str, symbol: str = BTC) -> str:
        return str(getattr(self, name)).format(self.market(symbol).lower())

    def subscription(self, stream: str) -> Any:
        return {"method": "SUBSCRIBE", "params": [stream], "id": 1}

    def is_answer(self, data: Any) -> bool:
        return '"result"' in data
