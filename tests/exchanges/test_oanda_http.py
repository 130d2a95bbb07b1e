"""Questions to OANDA over HTTP, to a server that answers what it must not: no token is told, and nobody waits on."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from workstation.errors import VenueRefused, VenueUnavailable
from workstation.exchanges import oanda_client
from workstation.exchanges.fx_hours import closed_until
from workstation.exchanges.oanda_client import CONNECTION_S, REQUEST_S, OandaClient
from workstation.exchanges.oanda_instruments import ListedInstruments
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_check import CheckLine, _check_quotes
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.ports.feed import FeedCounts, FeedState, FeedStatus, MarketSink, Subscription

CANARY = "canary-0d44"
SATURDAY_NS = 1_773_489_600 * SECOND_NS
"""2026-03-14T12:00Z."""
WEDNESDAY_NS = SATURDAY_NS + 4 * 86_400 * SECOND_NS
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Line(RestLimiter):
    """A limiter that remembers what each turn cost."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[float] = []

    async def turn(self, spacing_s: float) -> None:
        self.turns.append(spacing_s)


@contextlib.asynccontextmanager
async def asking(answer: Handler, **changes: Any) -> AsyncIterator[tuple[OandaClient, Line, Line]]:
    """A client, its lines for requests and for connections, and a server that answers so."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/fx"
    fields = {"exchange": "oanda", "url": url, "account": "1", "token": SecretStr(CANARY), "timeout_s": 0.5}
    requests, connections = Line(), Line()
    client = OandaClient(VenueSettings(venue=Venue("fx"), **(fields | changes)), requests, connections)
    try:
        yield client, requests, connections
    finally:
        await client.close()
        await runner.cleanup()


def scene(play: Awaitable[None]) -> None:
    asyncio.run(asyncio.wait_for(play, 30))  # type: ignore[arg-type]


async def failure(client: OandaClient) -> VenueRefused | VenueUnavailable:
    """What a question ends with."""
    with pytest.raises((VenueRefused, VenueUnavailable)) as failed:
        await client.ask(f"{client.account_path}/instruments", {}, ListedInstruments)
    return failed.value


def answering(body: bytes | str, status: int = 200, **headers: str) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"Bearer {CANARY}"
        return web.Response(body=body, status=status, headers=headers)

    return answer


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, '{"errorMessage": "so not"}', VenueRefused, "fx (oanda) /instruments: HTTP 400: so not"),
        (404, "", VenueRefused, "HTTP 404: Not Found"),
        (403, "<html>no</html>", VenueRefused, "HTTP 403: <html>no</html>; is WORKSTATION_VENUES__FX__TOKEN of this"),
        (429, "{}", VenueUnavailable, "HTTP 429: Too Many Requests"),
        (500, '{"errorMessage": 5}', VenueUnavailable, "HTTP 500: 5"),
        (503, "[" * 10_000, VenueUnavailable, "HTTP 503: [[["),
        (200, "", VenueUnavailable, "answer not understood"),
        (200, "[]", VenueUnavailable, "answer not understood"),
        (200, '{"instruments": [{"name": 5}]}', VenueUnavailable, "answer not understood"),
        (200, "[" * 10_000, VenueUnavailable, "answer not understood"),
        (400, f'{{"errorMessage": "who is {CANARY}?"}}', VenueRefused, "HTTP 400: who is (token)?"),
        (200, f'"{CANARY}"', VenueUnavailable, "answer not understood"),
    ],
)
def test_an_answer_that_is_none_says_what_it_was_in_one_line_and_no_token(
    status: int, body: str, kind: type[Exception], message: str
) -> None:
    async def play() -> None:
        async with asking(answering(body, status)) as (client, _, _):
            error = await failure(client)
        assert type(error) is kind and message in str(error)
        assert "\n" not in str(error) and len(str(error)) < 600
        assert CANARY not in f"{error!r} {error.__cause__!r} {client!r} {vars(client)}"

    scene(play())


def test_a_redirect_is_not_followed() -> None:
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async def play() -> None:
        async with asking(answer) as (client, _, _):
            assert "HTTP 302" in str(await failure(client))
        assert asked == ["/fx/api-fxpractice.oanda.com/v3/accounts/1/instruments"]

    scene(play())


def test_live_and_practice_are_other_hosts() -> None:
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path.split("/")[2])
        return web.Response(status=404)

    async def play() -> None:
        for environment in ("practice", "live"):
            async with asking(answer, environment=environment) as (client, _, _):
                await failure(client)
                with pytest.raises(VenueRefused):
                    async with client.stream("/v3/x", {}):
                        raise AssertionError("it was refused")

    scene(play())
    assert asked == [
        "api-fxpractice.oanda.com",
        "stream-fxpractice.oanda.com",
        "api-fxtrade.oanda.com",
        "stream-fxtrade.oanda.com",
    ]


def test_an_answer_that_is_late_or_far_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    async def play() -> None:
        began = time.monotonic()
        async with asking(slow) as (client, _, _):
            assert "TimeoutError" in str(await failure(client))
        assert time.monotonic() - began < 3
        async with asking(answering(b" " * (oanda_client.MOST_ANSWER + 1)), timeout_s=20.0) as (client, _, _):
            assert f"an answer of more than {oanda_client.MOST_ANSWER} bytes" in str(await failure(client))

    scene(play())


def test_each_request_and_each_new_connection_stands_in_its_line() -> None:
    async def play() -> None:
        async with asking(answering('{"instruments": []}')) as (client, requests, connections):
            for _ in range(5):
                await client.ask("/v3/x", {}, ListedInstruments)
            async with client.stream("/v3/x", {}) as pieces:
                assert [piece async for piece in pieces] == [b'{"instruments": []}']
        assert requests.turns == [REQUEST_S] * 6
        assert set(connections.turns) == {CONNECTION_S}
        assert len(connections.turns) <= 2

    scene(play())


@pytest.mark.parametrize(
    ("headers", "pause_s"), [({"Retry-After": "3"}, 3.0), ({}, 1.0), ({"Retry-After": "soon"}, 60.0)]
)
def test_a_429_pauses_everybody_as_long_as_it_says(headers: dict[str, str], pause_s: float) -> None:
    async def play() -> None:
        async with asking(answering("{}", 429, **headers)) as (client, requests, _):
            await failure(client)
            left_s = requests.pause_left_s(asyncio.get_running_loop().time())
        assert pause_s - 1 < left_s <= pause_s

    scene(play())


def test_a_closed_market_says_when_it_opens() -> None:
    assert closed_until(SATURDAY_NS) == "2026-03-15T21:00:00Z"
    assert closed_until(WEDNESDAY_NS) is None


class Closed:
    """A feed whose one symbol is not to be traded at."""

    venue = Venue("fx")
    counts = FeedCounts()

    async def run(self, subscriptions: list[Subscription], sink: MarketSink) -> None:
        for each in subscriptions:
            reason = "not to be traded now: the FX market is closed"
            sink.status(
                FeedStatus(venue=self.venue, state=FeedState.STALE, reason=reason, counts=self.counts, key=each.key)
            )
        await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("now_ns", "is_ok"), [(SATURDAY_NS, True), (WEDNESDAY_NS, False)], ids=["saturday", "wednesday"]
)
def test_a_check_over_the_weekend_finds_no_fault_in_a_closed_market(now_ns: int, is_ok: bool) -> None:
    lines: list[CheckLine] = []
    settings = VenueSettings(venue=Venue("fx"), exchange="oanda")
    check = _check_quotes(settings, Closed(), [Symbol("EUR/USD")], 0.3, lines.append, lambda: now_ns)  # type: ignore[arg-type]
    scene(check)
    assert [line.is_ok for line in lines] == [is_ok]
    assert "not to be traded now: the FX market is closed" in lines[0].found
