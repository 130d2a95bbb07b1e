"""What comes out of a socket of a simulated venue with Gate's protocol: ids, answers to nonsense, broken frames."""

from aiohttp import ClientSession, WSMsgType

from tests.simulator.client import a_client, control, run
from workstation.simulator.server import SimulatedExchanges

BTC, PAIR = "BTC/USDT", "BTC_USDT"
SOCKET = "/orion/api.gateio.ws/ws/v4/"


def test_a_gap_in_the_book_shows_in_its_ids_which_ccxt_does_not_look_at(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        stream_name = "spot.obu.ob.BTC_USDT.50"
        async with ClientSession() as session, session.ws_connect(wired.url + SOCKET) as stream:
            await stream.send_json({"channel": "spot.obu", "event": "subscribe", "payload": ["ob.BTC_USDT.50"]})
            assert (await stream.receive_json(timeout=20))["result"] == {"status": "success"}
            frames = [(await stream.receive_json(timeout=20))["result"] for _ in range(4)]
            assert frames[0]["full"] is True and len(frames[0]["b"]) >= 20 and len(frames[0]["a"]) >= 20
            ids = [(frame["U"], frame["u"]) for frame in frames[1:]]
            assert [first for first, _ in ids] == [frames[0]["u"] + 1 + step for step in range(3)]
            control(wired, "faults", kind="sequence_gap", stream=stream_name, count=1)
            after = [(await stream.receive_json(timeout=20))["result"]["u"] for _ in range(6)]
            assert after[-1] - ids[-1][1] == 7
        async with a_client(wired, venue="orion") as client:
            await client.watch_order_book(BTC)
            control(wired, "faults", kind="sequence_gap", stream=stream_name, count=1)
            for _ in range(6):
                await client.watch_order_book(BTC)

    run(scene())


def test_sockets_answer_pings_and_say_what_is_wrong(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with ClientSession() as session, session.ws_connect(wired.url + SOCKET, autoping=False) as stream:
            await stream.ping(b"x")
            assert (await stream.receive(timeout=20)).type is WSMsgType.PONG
            await stream.send_json({"channel": "spot.ping", "time": 1})
            assert (await stream.receive_json(timeout=20))["channel"] == "spot.pong"
            for said, code, told in (
                (
                    {"channel": "spot.trades", "event": "subscribe", "payload": ["NONE_USDT"]},
                    2,
                    "unknown currency pair",
                ),
                ({"channel": "spot.candlesticks", "event": "subscribe", "payload": ["7m", PAIR]}, 2, "unknown"),
                ({"channel": "spot.odd", "event": "subscribe", "payload": [PAIR]}, 1, "invalid channel"),
                ({"channel": "spot.trades", "event": "subscribe", "payload": 5}, 1, "invalid channel"),
                ({"channel": "spot.trades", "event": "odd", "payload": [PAIR]}, 1, "unknown event"),
                ({"channel": "spot.orders", "event": "subscribe", "payload": [PAIR], "time": 1}, 4, "INVALID_KEY"),
                ([1], 1, "unknown event"),
            ):
                await stream.send_json(said)
                error = (await stream.receive_json(timeout=20))["error"]
                assert error["code"] == code and told in error["message"]
            for channel, label in (("spot.order_place", "AUTHENTICATION_FAILED"), ("spot.odd", "INVALID_PROTOCOL")):
                await stream.send_json({"channel": channel, "event": "api", "payload": {"req_id": "7"}})
                answer = await stream.receive_json(timeout=20)
                assert (answer["request_id"], answer["data"]["errs"]["label"]) == ("7", label)

    run(scene())
