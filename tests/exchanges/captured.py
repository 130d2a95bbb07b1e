"""Captures of real venues, and venues on loopback that say it again to whoever subscribes as the real one wants it.

A capture is lines of "unix seconds: json". What it proves is read here by the plainest means: no code of the package.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from tests.exchanges.venue import Venue

Level = tuple[float, float]


class Frame(NamedTuple):
    """`topic` is what one subscribes to for it, `text` as it is sent, `told` the message within."""

    received_ns: int
    topic: str
    text: str
    told: dict[str, Any]


class PlainBook:
    """A book as its frames make it: the texts of price and quantity, by price; `size` is that of a contract."""

    def __init__(self, size: Decimal = Decimal(1)) -> None:
        self.size = size
        self.bids: dict[float, tuple[str, str]] = {}
        self.asks: dict[float, tuple[str, str]] = {}

    def apply(self, bids: Iterable[Any], asks: Iterable[Any]) -> None:
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for price, quantity, *_ in levels:
                if float(quantity) == 0:
                    side.pop(float(price), None)
                else:
                    side[float(price)] = price, quantity

    def texts(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Bids from the highest, asks from the lowest."""
        return [self.bids[at] for at in sorted(self.bids, reverse=True)], [self.asks[at] for at in sorted(self.asks)]

    def best(self, levels: int) -> tuple[list[Level], list[Level]]:
        bids, asks = (
            [(float(price), float(Decimal(count) * self.size)) for price, count in side[:levels]]
            for side in self.texts()
        )
        return bids, asks

    def okx_checksum(self) -> int:
        """CRC32, signed, over the best 25 of each side in turns: bid price, bid quantity, ask price, ask quantity."""
        bids, asks = self.texts()
        parts = [
            text for place in range(25) for side in (bids, asks) for level in side[place : place + 1] for text in level
        ]
        checksum = zlib.crc32(":".join(parts).encode())
        return checksum - 2**32 if checksum >= 2**31 else checksum


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """Nanoseconds and text of each received frame."""
    for line in gzip.decompress(file.read_bytes()).decode().splitlines():
        if line[:1].isdigit():
            seconds, text = line.split(": ", 1)
            yield int(Decimal(seconds) * 10**9), text


def binance_frames(file: Path) -> list[Frame]:
    """Of combined streams; ccxt asks for plain ones, whose frames are the same without their envelope."""
    frames = []
    for at, text in lines_of(file):
        envelope = json.loads(text)
        plain = text[text.index('"data":') + len('"data":') : -1]
        frames.append(Frame(at, envelope["stream"], plain, envelope["data"]))
    return frames


def okx_frames(file: Path) -> list[Frame]:
    """Those with data. The best prices of `tickers` are told by `bbo-tbt`, which ccxt asks for and came later."""
    frames = []
    for at, text in lines_of(file):
        told = json.loads(text)
        if "data" in told:
            topic = okx_topic(told["arg"])
            if told["arg"]["channel"] == "tickers":
                topic, text = topic.replace("tickers", "bbo-tbt"), json.dumps(as_best_prices(told))
            frames.append(Frame(at, topic, text, told))
    return frames


def as_best_prices(tickers: dict[str, Any]) -> dict[str, Any]:
    def side(ticker: dict[str, str], name: str) -> list[list[str]]:
        return [[ticker[f"{name}Px"], ticker[f"{name}Sz"], "0", "1"]]

    best = [{"bids": side(one, "bid"), "asks": side(one, "ask"), "ts": one["ts"]} for one in tickers["data"]]
    return {"arg": tickers["arg"] | {"channel": "bbo-tbt"}, "data": best}


def okx_topic(arg: Mapping[str, str]) -> str:
    return f"{arg['channel']}:{arg['instId']}"


COINBASE_CHANNELS = {"snapshot": "level2", "l2update": "level2", "match": "matches", "last_match": "matches"}


def coinbase_frames(file: Path) -> list[Frame]:
    """Of level2 and matches."""
    told = ((at, text, json.loads(text)) for at, text in lines_of(file))
    return [
        Frame(at, f"{COINBASE_CHANNELS[one['type']]}:{one['product_id']}", text, one)
        for at, text, one in told
        if one["type"] in COINBASE_CHANNELS
    ]


class CapturedVenue(Venue):
    """Its time is that of the last frame played; its books are as the frames make them, whoever was told of them."""

    def __init__(self, markets: list[dict[str, Any]]) -> None:
        super().__init__()
        self._markets = markets
        self.books: dict[str, PlainBook] = {}
        self.sizes: dict[str, Decimal] = {}
        """Of its contracts, in base currency; of others 1."""
        self.at_ns = 0

    def now_ns(self) -> int:
        return self.at_ns

    async def play(self, frame: Frame, *, text: str | None = None, is_told: bool = True) -> None:
        """It happens; it is told as it is, as another text, or to nobody."""
        self.at_ns = frame.received_ns
        self.take(frame.told)
        if is_told:
            await self.send(frame.topic, frame.text if text is None else text)

    def take(self, told: dict[str, Any]) -> None:
        """Applies what changes a book."""

    def book(self, name: str) -> PlainBook:
        return self.books.setdefault(name, PlainBook(self.sizes.get(name, Decimal(1))))


class BinanceFutures(CapturedVenue):
    """A snapshot of a book is of now and bears `number(frame)`: the last update's, or one within it."""

    def __init__(self, markets: list[dict[str, Any]]) -> None:
        super().__init__(markets)
        self.number: Callable[[dict[str, Any]], int] = lambda update: int(update["u"])
        self._last: dict[str, dict[str, Any]] = {}
        self._closed: dict[str, list[dict[str, Any]]] = {}

    def take(self, told: dict[str, Any]) -> None:
        if told["e"] == "depthUpdate":
            self.book(told["s"]).apply(told["b"], told["a"])
            self._last[told["s"]] = told
        elif told["e"] == "kline" and told["k"]["x"]:
            self._closed.setdefault(told["s"], []).append(told["k"])

    def _rest(self, path: str, query: Any) -> web.Response:
        if path.endswith("exchangeInfo"):
            return web.json_response({"serverTime": 0, "rateLimits": [], "symbols": self._markets})
        name = query["symbol"]
        if path.endswith("depth"):
            bids, asks = self.book(name).texts()
            return web.json_response({"lastUpdateId": self.number(self._last[name]), "bids": bids, "asks": asks})
        if path.endswith("klines"):
            bars = [[k["t"], k["o"], k["h"], k["l"], k["c"], k["v"]] for k in self._closed.get(name, ())]
            return web.json_response([bar for bar in bars if bar[0] >= int(query.get("startTime", 0))])
        return web.json_response({"code": -1121, "msg": f"no {path} here"}, status=404)


class Okx(CapturedVenue):
    """Who subscribes to a book that is there is sent all of it first."""

    def take(self, told: dict[str, Any]) -> None:
        if told["arg"]["channel"] == "books":
            for change in told["data"]:
                self.book(told["arg"]["instId"]).apply(change["bids"], change["asks"])

    def _rest(self, path: str, query: Any) -> web.Response:
        found = [market for market in self._markets if market["instType"] == query.get("instType")]
        return web.json_response({"code": "0", "msg": "", "data": found})

    async def _take(self, socket: web.WebSocketResponse, text: str) -> None:
        if text == "ping":
            await socket.send_str("pong")
            return
        request = json.loads(text)
        for arg in request["args"]:
            await socket.send_json({"event": request["op"], "arg": arg})
            if request["op"] == "unsubscribe":
                self.sockets[socket].discard(okx_topic(arg))
                continue
            if arg["channel"] == "books" and arg["instId"] in self.books:
                await socket.send_json(self.snapshot(arg))
            await self._subscribe(socket, [okx_topic(arg)])

    def snapshot(self, arg: dict[str, str]) -> dict[str, Any]:
        bids, asks = ([[*level, "0", "1"] for level in side] for side in self.book(arg["instId"]).texts())
        whole = {"bids": bids, "asks": asks, "ts": str(self.at_ns // 1_000_000)}
        return {"arg": arg, "action": "snapshot", "data": [whole | self.marks(arg["instId"])]}

    def marks(self, name: str) -> dict[str, int]:
        """What a book's message bears for proof."""
        return {"checksum": self.book(name).okx_checksum()}


class Coinbase(CapturedVenue):
    def take(self, told: dict[str, Any]) -> None:
        if told["type"] == "snapshot":
            self.book(told["product_id"]).apply(told["bids"], told["asks"])
        elif told["type"] == "l2update":
            changes = told["changes"]
            bids, asks = ([change[1:] for change in changes if change[0] == side] for side in ("buy", "sell"))
            self.book(told["product_id"]).apply(bids, asks)

    def _rest(self, path: str, query: Any) -> web.Response:
        return web.json_response(self._markets)

    async def _take(self, socket: web.WebSocketResponse, text: str) -> None:
        request = json.loads(text)
        names, channels = request["product_ids"], request["channels"]
        told = [{"name": channel, "product_ids": names} for channel in channels]
        await socket.send_json({"type": "subscriptions", "channels": told})
        await self._subscribe(socket, [f"{channel}:{name}" for channel in channels for name in names])
