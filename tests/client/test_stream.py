"""The stream's client: through losses and restarts, with what was missed named."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.server.desk import TOKEN, Desk, an_app, served
from workstation.client.frames import Gap
from workstation.client.messages import StreamEvent
from workstation.client.stream import EventStream
from workstation.errors import AccessRefused, OperatorError


async def places(stream: AsyncIterator[StreamEvent], number: int) -> list[int]:
    async with asyncio.timeout(20):
        return [(await anext(stream)).data["place"] for _ in range(number)]


def test_it_goes_on_where_it_was_when_the_engine_goes_and_comes_back() -> None:
    async def scenario() -> None:
        desk, states, slept = Desk(), [], []
        come_back = asyncio.Event()

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 7:
                desk.publish(2)  # while nobody is connected
                come_back.set()
                await up.wait()

        up = asyncio.Event()
        async with served(an_app(desk)) as port:
            address = f"http://127.0.0.1:{port}"
            stream = EventStream(address, TOKEN, ["order_filled"], on_state=states.append, sleep=sleep)
            events = aiter(stream)
            first = asyncio.create_task(places(events, 1))
            while not states:
                await asyncio.sleep(0.01)
            desk.publish(1)
            assert await first == [0]
            rest = asyncio.create_task(places(events, 3))
        await come_back.wait()
        async with served(an_app(desk), port):
            up.set()
            while states != ["connected", "disconnected", "connected"]:
                await asyncio.sleep(0.01)
            desk.publish(1)
            assert await rest == [0, 1, 0]
        assert slept == [1, 2, 4, 8, 16, 16, 16]
        assert stream.loss != ""
        await events.aclose()

    asyncio.run(scenario())


async def no_sleep(seconds: float) -> None:
    await asyncio.sleep(0)


def test_after_a_new_life_of_the_engine_it_takes_all_of_that_life() -> None:
    async def scenario() -> None:
        desk, told, seen = Desk(), asyncio.Event(), []

        def on_state(_: str) -> None:
            told.set()
            seen.append(stream.sequence)

        async with served(an_app(desk)) as port:
            stream = EventStream(f"http://127.0.0.1:{port}", TOKEN, on_state=on_state, sleep=no_sleep)
            events = aiter(stream)
            waiting = asyncio.create_task(places(events, 5))
            await told.wait()
            desk.publish(5)
            await waiting
            assert stream.sequence == 5
            waiting = asyncio.create_task(places(events, 2))
        reborn = Desk()
        reborn.health = lambda: desk.health().model_copy(update={"started_ns": 5})  # type: ignore[method-assign]
        reborn.publish(2)
        async with served(an_app(reborn), port):
            assert await waiting == [0, 1]
            assert (stream.sequence, stream.life) == (2, "5")
            assert seen == [0, 5, 0]
            await events.aclose()

    asyncio.run(scenario())


Handler = Callable[[ServerConnection], Awaitable[None]]


async def against(handler: Handler, scenario: Callable[[str], Awaitable[None]]) -> None:
    """The scenario with a server that says what a test wants."""
    async with serve(handler, "127.0.0.1", 0) as server:
        await scenario(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")


def acknowledged(sequence: int, missed: str = "null") -> str:
    return (
        '{"subscribed":{"topics":["order_filled"],"symbols":null,"session":null,'
        f'"sequence":{sequence},"life":"1","missed":{missed}}}}}'
    )


def an_event(sequence: int) -> str:
    return (
        f'{{"topic":"order_filled","sequence":{sequence},"time_ns":1,"session":null,"symbol":null,'
        f'"data":{{"place":{sequence}}}}}'
    )


def test_gaps_are_told_in_their_place_and_a_heartbeat_counts_as_seen() -> None:
    asked: list[str] = []

    async def handler(connection: ServerConnection) -> None:
        asked.append(str(await connection.recv()))
        if len(asked) == 1:
            for text in (
                acknowledged(9),
                an_event(10),
                '{"missed":{"from":11,"to":14}}',
                an_event(15),
                '{"heartbeat":{"sequence":40}}',
            ):
                await connection.send(text)
        else:
            await connection.send(acknowledged(70, '{"from":41,"to":60}'))
            await connection.send(an_event(61))
            await connection.wait_closed()

    async def scenario(url: str) -> None:
        gaps: list[Gap] = []
        events = aiter(EventStream(url, TOKEN, ["order_filled"], on_gap=gaps.append, sleep=no_sleep))
        heard = await places(events, 3)
        await events.aclose()
        assert heard == [10, 15, 61]
        assert gaps == [Gap(first=11, last=14), Gap(first=41, last=60)]
        assert "resume_from" not in asked[0]
        assert '"resume_from":40' in asked[1] and '"life":"1"' in asked[1]

    asyncio.run(against(handler, scenario))


def test_a_connection_that_falls_silent_is_left_for_a_new_one() -> None:
    connections: list[int] = []

    async def handler(connection: ServerConnection) -> None:
        connections.append(1)
        await connection.recv()
        await connection.send(acknowledged(0))
        if len(connections) == 2:
            await connection.send(an_event(1))
        await connection.wait_closed()

    async def scenario(url: str) -> None:
        events = aiter(EventStream(url, TOKEN, sleep=no_sleep, silence_s=0.1))
        assert await places(events, 1) == [1]
        assert len(connections) == 2
        await events.aclose()

    asyncio.run(against(handler, scenario))


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"subscribed": {"topics": []}}'])
def test_what_is_not_of_this_version_is_no_loss_to_retry(text: str) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(text)
        await connection.wait_closed()

    async def scenario(url: str) -> None:
        with pytest.raises(OperatorError, match="not of this version"):
            await places(aiter(EventStream(url, TOKEN, sleep=no_sleep)), 1)

    asyncio.run(against(handler, scenario))


def test_a_wrong_token_is_raised_and_not_tried_again() -> None:
    async def scenario() -> None:
        async def never(seconds: float) -> Any:
            raise AssertionError("it tries again")

        async with served(an_app(Desk())) as port:
            stream = EventStream(f"http://127.0.0.1:{port}", "x" * 43, sleep=never)
            with pytest.raises(AccessRefused, match="the token is not this engine's"):
                await anext(aiter(stream))

    asyncio.run(scenario())
