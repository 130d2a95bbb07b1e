"""The event stream over real sockets: order, resume, gaps, slow and dead clients, and who is shown the door."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.server.desk import AUTHORIZED, TOKEN, Desk, an_app, listening, served
from workstation.client.messages import StreamEvent, Topic
from workstation.server.app import create_app
from workstation.server.settings import Rate, ServerSettings

Scenario = Callable[[Desk, int], Awaitable[None]]


def played(scenario: Scenario, ping_s: float = 20.0, **settings: Any) -> Desk:
    """Plays it against a server of its own; returns the desk."""
    desk = Desk()

    async def play() -> None:
        async with served(an_app(desk, **settings), ping_s=ping_s) as port:
            await scenario(desk, port)

    asyncio.run(play())
    return desk


def test_events_come_in_order_after_the_acknowledgement_and_only_those_wanted() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        desk.publish(2)
        async with listening(port) as stream:
            told = await stream.subscribe("order_filled", "order_created", session="one", symbols=["A/B"])
            assert (told["sequence"], told["missed"], told["topics"]) == (2, None, ["order_created", "order_filled"])
            desk.publish(3, symbol="A/B", session="one")
            desk.publish(1, Topic.SIGNAL_GENERATED)
            desk.publish(1, symbol="C/D")
            desk.publish(1, session="two")
            desk.publish(1, Topic.ORDER_CREATED)
            heard = [await stream.hear() for _ in range(4)]
            assert [event["sequence"] for event in heard] == [3, 4, 5, 9]
            assert StreamEvent.model_validate(heard[3]).topic is Topic.ORDER_CREATED

    played(scenario)


def test_a_client_resumes_behind_the_sequence_it_has_seen() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        desk.publish(6)
        async with listening(port) as stream:
            told = await stream.subscribe(resume_from=2)
            assert (told["sequence"], told["missed"]) == (6, None)
            desk.publish(1)
            assert [(await stream.hear())["sequence"] for _ in range(5)] == [3, 4, 5, 6, 7]

    played(scenario)


def test_what_is_kept_no_more_is_told_when_resuming() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        desk.publish(10_005)
        async with listening(port) as stream:
            told = await stream.subscribe(resume_from=2)
            assert told["missed"] == {"from": 3, "to": 5}
            assert [(await stream.hear())["sequence"] for _ in range(10_000)] == list(range(6, 10_006))

    played(scenario, waiting_events=10)


@pytest.mark.parametrize("resume", [{"resume_from": 2, "life": "another"}, {"resume_from": 900}])
def test_after_a_new_start_of_the_engine_all_of_its_new_life_is_news(resume: dict[str, Any]) -> None:
    async def scenario(desk: Desk, port: int) -> None:
        desk.publish(3)
        async with listening(port) as stream:
            assert (await stream.subscribe(**resume))["life"] == str(desk.health().started_ns)
            assert await stream.places(3) == [0, 1, 2]

    played(scenario)


def test_a_subscription_can_be_changed() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with listening(port) as stream:
            await stream.subscribe("order_filled")
            await stream.subscribe("risk_alert")
            desk.publish(1)
            desk.publish(1, Topic.RISK_ALERT)
            assert (await stream.hear())["topic"] == "risk_alert"

    played(scenario)


def test_a_quiet_stream_has_a_heartbeat_with_the_present_sequence() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with listening(port) as stream:
            await stream.subscribe("risk_alert")
            desk.publish(4)
            beats = [await stream.hear() for _ in range(2)]
            assert beats == [{"heartbeat": {"sequence": 4}}] * 2

    played(scenario, heartbeat_s=0.05)


async def let_it_write(desk: Desk, waiting: Callable[[], bool]) -> None:
    """Publishes large events, with turns of the loop between, until the condition holds."""
    for _ in range(20_000):
        if waiting():
            return
        desk.bus.publish(Topic.ORDER_FILLED, {"place": 0, "text": "x" * 20_000}, time_ns=0)
        await asyncio.sleep(0)
    raise AssertionError("the client never became slow")


def test_a_slow_client_is_bounded_told_what_it_missed_and_goes_on_with_the_newest() -> None:
    async def play() -> None:
        desk = Desk()
        app = create_app(desk, desk.bus, TOKEN, ServerSettings(waiting_events=50), lambda: 0.0)
        stream_app = next(route.app for route in app.routes if getattr(route, "path", "") == "/stream")
        async with served(app) as port, listening(port, max_queue=1) as slow, listening(port) as quick:
            await slow.subscribe()
            await quick.subscribe("risk_alert")
            await let_it_write(desk, lambda: stream_app.lost > 100)  # it reads nothing meanwhile
            assert stream_app.waiting <= 50
            desk.publish(1, Topic.RISK_ALERT)
            assert (await quick.hear())["topic"] == "risk_alert"  # nobody waits for the slow one
            last = desk.bus.sequence - 1
            heard, gaps = [], []
            while not heard or heard[-1] < last:
                message = await slow.hear()
                if "missed" in message:
                    gaps.append(range(message["missed"]["from"], message["missed"]["to"] + 1))
                else:
                    heard.append(message["sequence"])
            assert heard == sorted(heard)
            assert sorted([*heard, *(lost for gap in gaps for lost in gap)]) == list(range(1, last + 1))
            assert sum(map(len, gaps)) == stream_app.lost

    asyncio.run(play())


def test_a_client_that_takes_nothing_for_long_is_let_go() -> None:
    async def play() -> None:
        desk, now_s = Desk(), [0.0]
        app = create_app(desk, desk.bus, TOKEN, ServerSettings(heartbeat_s=0.05, stall_s=60), lambda: now_s[0])
        stream_app = next(route.app for route in app.routes if getattr(route, "path", "") == "/stream")
        async with served(app) as port, listening(port, max_queue=1, close_timeout=0.1) as slow:
            await slow.subscribe()
            await let_it_write(desk, lambda: stream_app.waiting > 10)
            now_s[0] = 61.0
            async with asyncio.timeout(10):
                while stream_app.clients:
                    await asyncio.sleep(0.01)

    asyncio.run(play())


def handshake(port: int) -> socket.socket:
    """A client that says hello and then is dead: it answers no ping."""
    connection = socket.create_connection(("127.0.0.1", port))
    request = (
        f"GET /stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: {AUTHORIZED['Authorization']}\r\n\r\n"
    )
    connection.sendall(request.encode())
    return connection


def test_a_half_open_client_is_let_go() -> None:
    async def play() -> None:
        desk = Desk()
        app = an_app(desk)
        stream_app = next(route.app for route in app.routes if getattr(route, "path", "") == "/stream")
        async with served(app, ping_s=0.1) as port:
            connection = await asyncio.to_thread(handshake, port)
            async with asyncio.timeout(10):
                while not stream_app.clients:
                    await asyncio.sleep(0.01)
                while stream_app.clients:
                    await asyncio.sleep(0.01)
            connection.close()

    asyncio.run(play())


def test_two_hundred_clients_all_get_everything_in_order() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(listening(port)) for _ in range(200)]
            for stream in streams:
                await stream.subscribe()
            desk.publish(20)
            heard = await asyncio.gather(*(stream.places(20) for stream in streams))
            assert heard == [list(range(20))] * 200

    played(scenario)


def test_the_token_may_come_first_in_the_stream_itself() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with listening(port, headers={}) as stream:
            await stream.say({"token": TOKEN, "subscribe": {"topics": ["order_filled"]}})
            assert "subscribed" in await stream.hear()
            desk.publish(1)
            assert await stream.places(1) == [0]
        async with listening(port, headers={}) as stream:
            await stream.say({"token": TOKEN})
            await stream.subscribe()

    played(scenario)


@pytest.mark.parametrize(
    "first",
    [
        {"token": "wrong"},
        {"subscribe": {"topics": ["order_filled"]}},
        {"token": TOKEN, "unknown": 1},
        {"token": [TOKEN]},
        "no JSON",
        b"\x00\x01",
        "",
    ],
)
def test_a_stream_without_the_token_is_closed_with_nothing_said(first: object) -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with listening(port, headers={}) as stream:
            await stream.say(first)
            assert await stream.closed() == (1008, 'expected {"token": "..."} with this engine\'s token first')

    played(scenario)


def test_a_stream_that_shows_no_token_in_time_is_closed() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with listening(port, headers={}) as stream:
            assert await stream.closed() == (1008, "no token within 0.05 s")

    played(scenario, auth_timeout_s=0.05)


async def status_of_handshake(port: int, headers: dict[str, str], **options: Any) -> tuple[int, bytes]:
    with pytest.raises(InvalidStatus) as refused:
        async with listening(port, headers, **options):
            raise AssertionError("it was let in")
    return refused.value.response.status_code, refused.value.response.body or b""


def test_a_wrong_token_and_a_foreign_page_are_refused_before_the_stream_begins() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        wrong = await status_of_handshake(port, {"Authorization": "Bearer " + "x" * 43})
        assert (wrong[0], json.loads(wrong[1])["kind"]) == (401, "AccessRefused")
        foreign = await status_of_handshake(port, AUTHORIZED, origin="http://evil.example")
        assert (foreign[0], json.loads(foreign[1])["kind"]) == (403, "AccessRefused")
        async with listening(port, origin=f"http://127.0.0.1:{port}") as stream:
            await stream.subscribe()

    played(scenario)


def test_the_stream_has_a_most_of_clients_and_handshakes_a_rate() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with listening(port), listening(port):
            assert (await status_of_handshake(port, AUTHORIZED))[0] == 503
        assert (await status_of_handshake(port, AUTHORIZED))[0] == 429

    played(scenario, most_clients=2, rate=Rate(per_second=0.01, burst=3))


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("nonsense", "expected JSON"),
        ("[1]", "expected"),
        ({}, "asks for nothing"),
        ({"resume_from": 3}, "asks for nothing"),
        ({"subscribe": {"topics": []}}, "message.subscribe.topics"),
        ({"subscribe": {"topics": ["nonsense"]}}, "'order_filled'"),
        ({"subscribe": {"topics": ["order_filled"], "symbols": [""]}}, "message.subscribe.symbols"),
        ({"subscribe": {"topics": ["order_filled"], "session": "a b"}}, "message.subscribe.session"),
        ({"subscribe": {"topics": ["order_filled"]}, "resume_from": -1}, "greater than or equal to 0"),
        ({"subscribe": {"topics": ["order_filled"]}, "resume_from": 1.5}, "message.resume_from"),
        ({"unknown": "<img src=x onerror=alert(1)>"}, "no such field"),
        (b"\xff\x00", "expected text"),
        ("x" * 40_000, "a message of 40000 characters"),
        ("[" * 20_000, "expected"),
    ],
)
def test_a_faulty_message_is_answered_with_a_sentence_and_the_stream_goes_on(message: object, told: str) -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with listening(port) as stream:
            await stream.subscribe()
            await stream.say(message)
            answer = await stream.hear()
            assert answer["kind"] == "BadInput"
            assert told in answer["error"]
            desk.publish(1)
            assert await stream.places(1) == [0]

    played(scenario)


def test_who_goes_on_sending_nonsense_is_shown_the_door() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with listening(port) as stream:
            for _ in range(6):
                await stream.say("nonsense")
            for _ in range(5):
                assert (await stream.hear())["kind"] == "BadInput"
            assert await stream.closed() == (1008, "more than 5 faulty messages")

    played(scenario)


def test_who_subscribes_again_and_again_waits_and_nobody_else_does() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        desk.publish(3)
        async with listening(port) as eager, listening(port) as other:
            for _ in range(3):
                await eager.say({"subscribe": {"topics": ["order_filled"]}, "resume_from": 0})
            for _ in range(2):
                assert "subscribed" in await eager.hear()
                assert await eager.places(3) == [0, 1, 2]
            await other.subscribe()
            desk.publish(1)
            assert await other.places(1) == [0]
            assert await eager.places(1) == [0]  # and its third subscription still waits

    played(scenario, subscribe_rate=Rate(per_second=0.01, burst=2))


def test_a_message_beyond_all_measure_closes_the_stream() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        async with listening(port) as stream:
            await stream.say("x" * 100_000)
            assert (await stream.closed())[0] == 1009

    played(scenario)


def test_who_has_gone_leaves_nothing_behind() -> None:
    async def play() -> None:
        desk = Desk()
        app = an_app(desk)
        stream_app = next(route.app for route in app.routes if getattr(route, "path", "") == "/stream")
        async with served(app) as port:
            for _ in range(3):
                async with listening(port) as stream:
                    await stream.subscribe()
                    desk.publish(1)
                    await stream.places(1)
            async with asyncio.timeout(10):
                while stream_app.clients:
                    await asyncio.sleep(0.01)
            desk.publish(1)
            assert (stream_app.sent, stream_app.waiting) == (3, 0)

    asyncio.run(play())


def test_what_clients_want_is_known_to_who_makes_it_and_what_passes_is_not_resumed() -> None:
    async def scenario(desk: Desk, port: int) -> None:
        wanted = desk.bus.is_wanted
        assert not wanted(Topic.MARKET_DATA)
        async with listening(port) as one:
            await one.subscribe("market_data", symbols=["A/B"])
            assert wanted(Topic.MARKET_DATA) and wanted(Topic.MARKET_DATA, "A/B")
            assert not wanted(Topic.MARKET_DATA, "C/D") and not wanted(Topic.INDICATOR_UPDATED)
            async with listening(port) as other:
                await other.subscribe("market_data")
                assert wanted(Topic.MARKET_DATA, "C/D")
            desk.publish(1, Topic.MARKET_DATA, symbol="A/B")
            assert await one.places(1) == [0]
            desk.publish(2)
            await one.subscribe("market_data", "order_filled", resume_from=0)
            assert [(await one.hear())["sequence"] for _ in range(2)] == [2, 3]
        while wanted(Topic.MARKET_DATA):
            await asyncio.sleep(0)

    played(scenario)
