"""A small venue on loopback that speaks just enough of Binance spot, and misbehaves when it is told to."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import WSMsgType, web

SYMBOLS = {"BTCUSDT": ("BTC", "USDT"), "ETHUSDT": ("ETH", "USDT")}
MINUTE_MS = 60_000


def exchange_info() -> dict[str, Any]:
    """Two markets with the filters of the real ones."""
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00010000", "maxQty": "9000.0", "stepSize": "0.00001000"},
        {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
    ]
    markets = [
        {
            "symbol": name,
            "status": "TRADING",
            "baseAsset": base,
            "quoteAsset": quote,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "isSpotTradingAllowed": True,
            "permissions": ["SPOT"],
            "filters": filters,
        }
        for name, (base, quote) in SYMBOLS.items()
    ]
    return {"timezone": "UTC", "serverTime": 0, "rateLimits": [], "symbols": markets}


def book_ticker(name: str, bid: float, ask: float) -> str:
    return json.dumps({"u": 1, "s": name, "b": f"{bid:.2f}", "B": "1.5", "a": f"{ask:.2f}", "A": "2.5"})


def agg_trade(name: str, number: int, price: float, at_ms: int) -> dict[str, Any]:
    return {"a": number, "p": f"{price:.2f}", "q": "0.5", "f": number, "l": number, "T": at_ms, "m": number % 2 == 0}


def kline(name: str, open_ms: int, close: float, *, volume: float = 3.0) -> str:
    """A minute bar as the stream tells it, open or closed alike to ccxt."""
    candle = {"t": open_ms, "T": open_ms + MINUTE_MS - 1, "s": name, "i": "1m", "x": False}
    prices = {"o": "100.00", "c": f"{close:.2f}", "h": "110.00", "l": "90.00", "v": f"{volume:.2f}"}
    return json.dumps({"e": "kline", "E": open_ms, "s": name, "k": candle | prices})


class Venue:
    """`url` is what a venue's settings name. Every fault is a plain attribute or method."""

    def __init__(self) -> None:
        self.sockets: dict[web.WebSocketResponse, set[str]] = {}
        self.trades: dict[str, list[dict[str, Any]]] = {name: [] for name in SYMBOLS}
        self.bars: dict[str, list[list[Any]]] = {name: [] for name in SYMBOLS}
        self.tops: dict[str, tuple[float, float]] = {}
        self.before_answer: Callable[[str], Awaitable[web.Response | None]] | None = None
        """Awaited before REST answers; what it returns, if anything, is the answer."""
        self.answer: Callable[[str], web.Response | None] = lambda path: None
        """What REST answers in place of the truth."""
        self.asked: list[str] = []
        self.gone: set[str] = set()
        """What it lists no more."""
        self.rules_told: list[list[str]] = []
        """Of which markets, each time."""
        self.refuses_sockets = False
        self.is_half_open = False
        """Frames are taken and nothing, not even a pong, is answered."""
        self._subscribed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        app = web.Application()
        for address in ("/nova/{host}", "/nova/{host}/{path:.*}"):
            app.router.add_get(address, self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{port}/nova"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def wait_for(self, *streams: str, timeout_s: float = 10) -> None:
        """Returns when all of these are subscribed to on open sockets."""

        def are_there() -> bool:
            return set(streams) <= {name for names in self.sockets.values() for name in names}

        async with asyncio.timeout(timeout_s), self._subscribed:
            await self._subscribed.wait_for(are_there)

    async def send(self, stream: str, *frames: str) -> None:
        """To the socket that subscribed to the stream."""
        for socket, streams in self.sockets.items():
            if stream in streams:
                for frame in frames:
                    await socket.send_str(frame)

    async def trade(self, name: str, number: int, *, is_told: bool = True, at_ms: int | None = None) -> None:
        """A trade happens; untold, only REST knows."""
        trade = agg_trade(name, number, 100 + number / 100, 1_700_000_000_000 + number if at_ms is None else at_ms)
        self.trades[name].append(trade)
        if is_told:
            frame = json.dumps({"e": "aggTrade", "E": trade["T"], "s": name, **trade})
            await self.send(f"{name.lower()}@aggTrade", frame)

    def drop(self) -> None:
        """Every socket's connection is torn, without a close frame."""
        for socket in list(self.sockets):
            transport = socket._req.transport if socket._req is not None else None  # type: ignore[union-attr]
            if transport is not None:
                transport.abort()

    def tear(self, stream: str, frame: str) -> None:
        """The connections that subscribed to the stream are torn in the middle of a frame."""
        content = frame.encode()
        whole = bytes([0x81, 126, *len(content).to_bytes(2, "big")]) + content
        for socket, streams in self.sockets.items():
            transport = socket._req.transport if socket._req is not None else None  # type: ignore[union-attr]
            if stream in streams and transport is not None:
                transport.write(whole[: len(whole) // 2])
                transport.abort()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info.get("path", "")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request)
        self.asked.append(path)
        if self.before_answer is not None and (answer := await self.before_answer(path)) is not None:
            return answer
        return self.answer(path) or self._rest(path, request.query)

    def _rest(self, path: str, query: Any) -> web.Response:
        name = query.get("symbol", "")
        if path.endswith("exchangeInfo"):
            return self._rules(query)
        if path.endswith("aggTrades"):
            since = int(query.get("fromId", 0))
            return web.json_response([each for each in self.trades[name] if each["a"] >= since][: int(query["limit"])])
        if path.endswith("klines"):
            start = int(query.get("startTime", 0))
            return web.json_response([each for each in self.bars[name] if each[0] >= start])
        if path.endswith("depth"):
            bid, ask = self.tops.get(name, (0.0, 0.0))
            sides = {"bids": [[f"{bid:.2f}", "1"]], "asks": [[f"{ask:.2f}", "1"]]} if bid else {"bids": [], "asks": []}
            return web.json_response({"lastUpdateId": 1, **sides})
        if path.endswith("time"):
            return web.json_response({"serverTime": 1_700_000_000_000})
        return web.json_response({"code": -1121, "msg": f"no {path} here"}, status=404)

    def _rules(self, query: Any) -> web.Response:
        listed = {each["symbol"]: each for each in exchange_info()["symbols"] if each["symbol"] not in self.gone}
        wanted = json.loads(query["symbols"]) if "symbols" in query else list(listed)
        if not listed.keys() >= set(wanted):
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        self.rules_told.append(wanted)
        return web.json_response(exchange_info() | {"symbols": [listed[name] for name in wanted]})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.refuses_sockets:
            return web.Response(status=503, text="busy")
        socket = web.WebSocketResponse(autoping=False, compress=False)
        await socket.prepare(request)
        self.sockets[socket] = set()
        try:
            async for message in socket:
                if self.is_half_open:
                    continue
                if message.type == WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type == WSMsgType.TEXT:
                    await self._take(socket, message.data)
        finally:
            del self.sockets[socket]
        return socket

    async def _take(self, socket: web.WebSocketResponse, text: str) -> None:
        """What a client says."""
        request = json.loads(text)
        await socket.send_json({"result": None, "id": request["id"]})
        await self._subscribe(socket, request["params"])

    async def _subscribe(self, socket: web.WebSocketResponse, streams: Iterable[str]) -> None:
        async with self._subscribed:
            self.sockets[socket] |= set(streams)
            self._subscribed.notify_all()


def recorded_frames(file: Any) -> list[dict[str, Any]]:
    """The received frames of a recording: lines of "time: json", others are the frames sent."""
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    return [json.loads(line.split(": ", 1)[1]) for line in lines if line[:1].isdigit()]
