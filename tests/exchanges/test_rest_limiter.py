"""One line for all calls; a pause holds everyone."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.exchanges.rest_limiter import (
    BAN_S,
    PAUSE_S,
    RestLimiter,
    RestLimiters,
    RestPace,
    limit_told,
    retry_after_s,
)
from workstation.exchanges.venue_facts import facts_of


@given(calls=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 2)), min_size=1))
def test_places_are_never_closer_than_the_calls_before_them_cost(calls: list[tuple[float, float]]) -> None:
    pace, now, free = RestPace(), 0.0, 0.0
    for pause, spacing in calls:
        now += pause
        place = pace.place(now, spacing)
        assert place == max(now, free)
        free = place + spacing


@given(answers=st.lists(st.tuples(st.floats(0, 5), st.sampled_from([200, 429, 418]), st.integers(0, 50))))
def test_a_pause_lasts_as_long_as_the_longest_that_was_told(answers: list[tuple[float, int, int]]) -> None:
    pace, now, until = RestPace(), 0.0, 0.0
    for pause, status, after in answers:
        now += pause
        pace.answered(now, status, str(after))
        until = max(until, now + after) if status != 200 else until
        assert pace.pause_left_s(now) == max(0.0, until - now)
        assert pace.ban_left_s(now) <= pace.pause_left_s(now)
        assert pace.place(now, 0) >= until


@pytest.mark.parametrize("header", [None, "", "soon", "nan", "-1", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_pause_without_a_number_of_seconds_has_a_length_of_ours(header: str | None) -> None:
    assert retry_after_s(header, 7.0) == 7.0


BYBIT, GATE = "X-Bapi-Limit-Reset-Timestamp", "X-Gate-RateLimit-Reset-Timestamp"


@pytest.mark.parametrize(
    ("exchange", "status", "headers", "body", "told"),
    [
        ("binance", 429, {"Retry-After": "7"}, "", (429, "7")),
        ("binance", 418, {"retry-after": "9"}, "", (418, "9")),
        ("binance", 200, {}, '{"retCode":10006}', (200, None)),
        ("bybit", 200, {BYBIT: "1700000009"}, '{"retCode": 10006, "retMsg": "Too many visits!"}', (429, "9.0")),
        ("bybit", 200, {BYBIT: "1700000007000"}, '{"retCode":10006}', (429, "7.0")),
        ("bybit", 200, {BYBIT: "1700000000000"}, '{"retCode":0,"retMsg":"OK"}', (200, None)),
        ("bybit", 200, {}, '{"retCode":10006}', (429, None)),
        ("bitvavo", 429, {"Bitvavo-Ratelimit-ResetAt": "1700000009000"}, '{"errorCode":110}', (429, "9.0")),
        ("bitvavo", 429, {}, '{"errorCode":105,"error":"The ban expires at 1700000030000."}', (418, "30.0")),
        ("bitvavo", 200, {"Bitvavo-Ratelimit-ResetAt": "1700000009000"}, "[]", (200, None)),
        ("bybit", 403, {}, "403, access too frequent", (418, "600.0")),
        ("bybit", 403, {}, "<html>blocked in your country</html>", (403, None)),
        ("gate", 429, {GATE: "1700000007"}, "{}", (429, "7.0")),
        ("gate", 429, {GATE: "1600000000"}, "{}", (429, "1.0")),
        ("gate", 429, {GATE: "soon"}, "{}", (429, None)),
        ("gate", 200, {GATE: "1700000007"}, "[]", (200, None)),
    ],
)
def test_each_venue_is_understood_when_it_says_too_many(
    exchange: str, status: int, headers: dict[str, str], body: str, told: tuple[int, str | None]
) -> None:
    assert limit_told(facts_of(exchange).limits, status, headers, body, 1_700_000_000.0) == told


def test_a_ban_without_a_length_is_longer_than_a_pause() -> None:
    paused, banned = RestPace(), RestPace()
    paused.answered(0, 429, None)
    banned.answered(0, 418, None)
    assert (paused.pause_left_s(0), paused.ban_left_s(0)) == (PAUSE_S, 0)
    assert (banned.pause_left_s(0), banned.ban_left_s(0)) == (BAN_S, BAN_S)


def test_a_pause_that_begins_holds_the_calls_that_stand_in_line() -> None:
    async def scenario() -> list[float]:
        limiter, loop, gone = RestLimiter(), asyncio.get_running_loop(), list[float]()
        start = loop.time()

        async def call() -> None:
            await limiter.turn(0.05)
            gone.append(loop.time() - start)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(call())
            await asyncio.sleep(0)
            limiter.answered(loop.time(), 429, "0.3")
        return gone

    gone = asyncio.run(scenario())
    assert [second >= 0.3 for second in gone[1:]] == [True] * 3
    assert all(second >= 0.295 + 0.05 * place for place, second in enumerate(gone[1:]))  # none before its place


def test_half_of_the_pace_is_twice_the_distance_and_all_of_an_exchange_s_calls_keep_it() -> None:
    async def scenario() -> float:
        limiter, loop = RestLimiters(0.5).of("binance"), asyncio.get_running_loop()
        began_s = loop.time()
        for _ in range(4):
            await limiter.turn(0.05)
        return loop.time() - began_s

    assert 0.295 <= asyncio.run(scenario()) < 2.0


def test_venues_of_one_address_share_a_limiter() -> None:
    limiters = RestLimiters()
    assert limiters.of("binance") is limiters.of("binance")
    assert limiters.of("binance") is not limiters.of("http://127.0.0.1:1/nova")
