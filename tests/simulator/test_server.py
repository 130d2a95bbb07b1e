"""Hosting: loopback only, clear sentences, sockets that do not read, time that runs faster."""

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType

from tests.simulator.client import a_source, running_exchanges
from workstation.errors import ConfigError
from workstation.simulator import socket_hub
from workstation.simulator.server import ServerSettings, SimulatedExchanges

STREAM = "stream.binance.com:9443"


def got(exchanges: SimulatedExchanges, path: str) -> Any:
    with urllib.request.urlopen(f"{exchanges.url}{path}", timeout=10) as answer:
        return json.load(answer)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com"])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(ConfigError, match="loopback only"):
        ServerSettings(host=host)


@pytest.mark.parametrize(("field", "value"), [("port", 70_000), ("speed", 0.0), ("speed", float("nan"))])
def test_a_setting_out_of_range_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{field} {value}"):
        ServerSettings(**{field: value})


def test_a_port_in_use_is_said_in_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        async def scene() -> None:
            with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1: another program listens there"):
                await SimulatedExchanges(a_source(), ServerSettings(port=port)).start()

        asyncio.run(scene())


def test_a_venue_that_is_not_there_is_answered_with_those_that_are(exchanges: SimulatedExchanges) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        got(exchanges, "/nowhere/api.binance.com/api/v3/ping")
    assert refused.value.code == 404
    assert "nova, orion" in json.load(refused.value)["msg"]


@pytest.mark.parametrize(
    ("path", "said", "told"),
    [
        (f"{STREAM}/ws", '{"method": "SUBSCRIBE", "params": 5, "id": 1}', '"id":1'),
        (f"{STREAM}/ws", "[" * 30_000, "Invalid request"),
        ("ws-api.binance.com/ws-api/v3", '{"method": "order.place", "params": [1], "id": 1}', "-1100"),
        (
            "ws-api.binance.com/ws-api/v3",
            '{"method": "account.status", "params": {"apiKey": "alice-key", "timestamp": 1, "signature": "é"}}',
            "-1022",
        ),
    ],
)
def test_nonsense_on_a_socket_is_answered_and_the_socket_lives(
    exchanges: SimulatedExchanges, path: str, said: str, told: str
) -> None:
    async def scene() -> None:
        url = f"{exchanges.url.replace('http', 'ws')}/nova/{path}"
        async with ClientSession() as session, session.ws_connect(url) as stream:
            for _ in range(2):
                await stream.send_str(said)
                assert told in await stream.receive_str(timeout=10)

    asyncio.run(scene())


def test_market_time_runs_as_fast_as_was_asked_and_signatures_go_by_the_wall() -> None:
    with running_exchanges(a_source(), ServerSettings(speed=60.0)) as exchanges:
        before, started = exchanges.now_ns(), time.time_ns()
        trades = got(exchanges, "/nova/api.binance.com/api/v3/trades?symbol=BTCUSDT&limit=1")
        latest = trades[-1]["time"]
        while (
            got(exchanges, "/nova/api.binance.com/api/v3/trades?symbol=BTCUSDT&limit=1")[-1]["time"] < latest + 30_000
        ):
            time.sleep(0.02)
        passed = (exchanges.now_ns() - before) / (time.time_ns() - started)
        assert passed == pytest.approx(60.0, rel=0.05)
        served_ms = got(exchanges, "/nova/api.binance.com/api/v3/time")["serverTime"]
        assert abs(served_ms - time.time_ns() // 10**6) < 5000


def test_streams_are_named_in_the_address_listed_and_taken_back(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        url = f"{exchanges.url}/nova/{STREAM}/stream?streams=btcusdt@bookTicker/ethusdt@trade"
        async with ClientSession() as session, session.ws_connect(url) as stream:
            message = await stream.receive_json(timeout=20)  # whichever of the two speaks first
            assert message["stream"] in ("btcusdt@bookTicker", "ethusdt@trade")
            assert message["stream"].startswith(message["data"]["s"].lower())
            for request, expected in (
                ({"method": "LIST_SUBSCRIPTIONS"}, ["btcusdt@bookTicker", "ethusdt@trade"]),
                ({"method": "UNSUBSCRIBE", "params": ["ethusdt@trade"]}, None),
                ({"method": "LIST_SUBSCRIPTIONS"}, ["btcusdt@bookTicker"]),
            ):
                await stream.send_json(request | {"id": 5})
                assert (await _answer(stream))["result"] == expected
            for request in ({"method": "SUBSCRIBE", "params": ["none@trade"]}, {"method": "X"}, {}):
                await stream.send_json(request | {"id": 6})
                assert (await _answer(stream))["error"]["code"] == 2

    asyncio.run(scene())


async def _answer(stream: Any) -> Any:
    while True:
        message = await stream.receive_json(timeout=20)
        if "id" in message:
            return message


def test_a_client_that_does_not_read_is_dropped(exchanges: SimulatedExchanges, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_hub, "MOST_BUFFERED", 100_000)

    async def scene() -> None:
        hub = exchanges.venues["nova"].hub
        async with ClientSession() as session:
            stream = await session.ws_connect(f"{exchanges.url}/nova/{STREAM}/ws")
            await stream.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@trade", "btcusdt@bookTicker"], "id": 1})
            await stream.receive(timeout=20)
            assert hub.is_wanted("btcusdt@trade")
            body = {"kind": "burst", "venue": "nova", "market": "BTCUSDT", "size": 20_000}
            # nothing is read meanwhile: aiohttp stops taking from the socket after 64 kB
            async with session.post(f"{exchanges.url}/_control/faults", json=body) as answer:
                assert answer.status == 200
            async with asyncio.timeout(20):
                while hub.is_wanted("btcusdt@trade"):
                    await asyncio.sleep(0.01)

    asyncio.run(scene())


def test_a_ping_is_answered(exchanges: SimulatedExchanges) -> None:
    async def scene() -> None:
        url = f"{exchanges.url}/nova/{STREAM}/ws"
        async with ClientSession() as session, session.ws_connect(url, autoping=False) as stream:
            await stream.ping(b"x")
            answer = await stream.receive(timeout=20)
            assert (answer.type, answer.data) == (WSMsgType.PONG, b"x")

    asyncio.run(scene())


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_frame_of_any_length_has_its_header(length: int) -> None:
    frame = socket_hub.text_frame(b"x" * length)
    header = 2 if length < 126 else 4 if length < 65_536 else 10
    assert frame[0] == 0x81 and len(frame) == header + length
    shown = frame[1] if header == 2 else int.from_bytes(frame[2:header], "big")
    assert shown == length
