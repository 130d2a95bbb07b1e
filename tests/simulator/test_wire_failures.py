"""What a client of a simulated venue sees when something goes wrong, and whether the order is there: of each wire."""

import asyncio
from typing import Any

import ccxt
import pytest

from tests.simulator.client import clear_faults, control, low_price, run, wanted
from tests.simulator.dialects import BTC, DIALECTS, LOST, MARKET_DIALECTS, PLACED, Dialect
from workstation.simulator.server import SimulatedExchanges

SHORT_S = 1.5
each = pytest.mark.parametrize("told", DIALECTS.values(), ids=DIALECTS)
each_market = pytest.mark.parametrize("told", MARKET_DIALECTS.values(), ids=MARKET_DIALECTS)


@each
@pytest.mark.parametrize("fault", LOST)
def test_a_new_order_fails_as_it_does_at_the_real_venue(wired: SimulatedExchanges, told: Dialect, fault: str) -> None:
    async def scene() -> None:
        async with told.client(wired, "grace", timeout_s=SHORT_S) as client:
            price, name = await low_price(client, BTC), f"mine-{fault}"
            await told.prepare(client)
            control(wired, "faults", kind=fault, method="POST", path=told.create, count=1, seconds=7)
            with pytest.raises(told.errors[fault]) as failure:
                await client.create_order(BTC, "limit", "buy", "0.001", price, {"clientOrderId": told.named(name)})
            assert type(failure.value) is told.errors[fault]
            if fault in ("rate_429", "ban_418"):
                told.check_limit(client, fault, 7)
            clear_faults(wired)
            found = await told.find(client, name)
            assert found["status"] == "open" if fault in PLACED else found is None

    run(scene())


@each
@pytest.mark.parametrize("fault", ["truncated", "malformed"])
def test_an_answer_that_is_no_json_is_an_order_without_an_id(
    wired: SimulatedExchanges, told: Dialect, fault: str
) -> None:
    async def scene() -> None:
        async with told.client(wired, "grace") as client:
            price, fields = await low_price(client, BTC), {"clientOrderId": told.named(f"mine-{fault}")}
            await told.prepare(client)
            control(wired, "faults", kind=fault, method="POST", path=told.create, count=1)
            order = await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
            # the client library raises nothing; MEXC's takes the text that it was answered for the order's id
            assert (order["id"] is None or order["id"].count("{")) and order["status"] is None
            assert (await told.find(client, f"mine-{fault}"))["status"] == "open"

    run(scene())


@each
def test_an_order_may_be_accepted_after_the_client_gave_up(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired, "grace", timeout_s=SHORT_S) as client:
            price = await low_price(client, BTC)
            await told.prepare(client)
            control(wired, "faults", kind="late_accept", method="POST", path=told.create, count=1, seconds=2.5)
            with pytest.raises(ccxt.RequestTimeout):
                await client.create_order(BTC, "limit", "buy", "0.001", price, {"clientOrderId": told.named("late")})
            assert await told.find(client, "late") is None
            async with asyncio.timeout(20):
                while await told.find(client, "late") is None:
                    await asyncio.sleep(0.05)

    run(scene())


@each
def test_a_client_id_is_refused_while_its_order_is_open(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired, "heidi") as client:
            price, fields = await low_price(client, BTC), {"clientOrderId": told.named("only-once")}
            first = await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
            with pytest.raises(told.duplicate):
                await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
            told.fill(wired, "only-once")
            if wired.venues[told.venue].kind.ids_for_good:
                with pytest.raises(told.duplicate):
                    await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
                assert (await told.find(client, "only-once"))["status"] == "closed"
            else:
                second = await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
                assert second["id"] != first["id"]

    run(scene())


@each
def test_a_skewed_clock_is_refused_until_the_difference_is_loaded(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            control(wired, "faults", kind="skew", seconds=told.skew_s)
            with pytest.raises(told.skewed):
                await client.fetch_balance()
            if told.corrects_time:
                await client.load_time_difference()
                assert (await client.fetch_balance())["USDT"]["total"] is not None

    run(scene())


@each
def test_the_first_queries_of_an_order_may_find_nothing(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired, "heidi") as client:
            order = await client.create_order(BTC, "limit", "buy", "0.001", await low_price(client, BTC))
            control(wired, "faults", kind="not_found", method="GET", path=told.query, count=told.asks)
            with pytest.raises(told.missing):
                await told.order(client, order["id"])
            assert (await told.order(client, order["id"]))["status"] == "open"

    run(scene())


@each
def test_a_fill_may_be_told_twice_and_after_the_cancel(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired, "dave") as client:
            orders: list[Any] = []
            fills: list[Any] = []
            told.hear(client, orders, fills)
            watching = [asyncio.ensure_future(client.watch_orders(BTC))]
            watching.append(asyncio.ensure_future(client.watch_my_trades(BTC)))
            await told.listening(wired, "dave")
            await told.listening_to_fills(wired, "dave")
            control(wired, "faults", kind="duplicate", stream=told.fill_fault, count=1)
            await client.create_order(BTC, "market", "sell", "0.001", None, {"clientOrderId": told.named("fast")})
            price = await low_price(client, BTC)
            given = {"clientOrderId": told.named("slow")}
            order = await client.create_order(BTC, "limit", "buy", "0.002", price, given)
            clear_faults(wired)
            control(wired, "faults", kind="late", stream=told.part_fault, count=1, seconds=1.0)
            told.fill(wired, "slow", "0.001")
            await client.cancel_order(order["id"], BTC)
            async with asyncio.timeout(20):
                while len(orders) < len(told.told_orders) or len(fills) < 3:
                    await asyncio.sleep(0.01)
            assert orders == [(told.told_name(name), word) for name, word in told.told_orders]
            assert len(fills) == 3 and fills[0] == fills[1] != fills[2]
            await asyncio.gather(*watching)

    run(scene())


@each_market
def test_a_dropped_socket_is_an_error_and_a_silent_one_is_silent(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            control(wired, "faults", kind="drop_socket", stream=told.stream("trades"), count=1)
            watching = asyncio.ensure_future(client.watch_trades(told.symbols[0]))
            await wanted(wired, told.venue, told.stream("trades"))
            told.burst(wired, 1)
            with pytest.raises(ccxt.NetworkError):
                await watching
            await told.quote(client)
            control(wired, "faults", kind="silent_socket", stream=told.stream("quotes"), count=1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(4.0):
                    while True:
                        await told.quote(client)

    run(scene())


@each
def test_a_wrong_secret_and_an_unknown_key_are_refused(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            await told.prepare(client)
            client.secret = "wrong"
            with pytest.raises(told.unsigned, match=told.bad_signature):
                await client.fetch_balance()
            client.apiKey = "nobody"
            with pytest.raises(told.unknown, match=told.unknown_key):
                await client.fetch_balance()

    run(scene())


def refusals() -> list[Any]:
    """Each wire's: what differs from an order that is taken, the code or label of the refusal, ccxt's error."""
    return [
        pytest.param(told, *case, id=f"{told.wire}-{next(iter(case[0].items()))}")
        for told in DIALECTS.values()
        for case in told.refusals
    ]


@pytest.mark.parametrize(("told", "changes", "code", "error"), refusals())
def test_a_refused_order_has_the_words_and_the_error_of_the_real_venue(
    wired: SimulatedExchanges, told: Dialect, changes: dict[str, Any], code: str, error: type[Exception]
) -> None:
    async def scene() -> None:
        async with told.client(wired, "poor") as client:
            with pytest.raises(error, match=code) as failure:
                await told.send_order(client, changes)
            assert type(failure.value) is error

    run(scene())


@each_market
def test_what_is_asked_for_wrongly_has_the_words_of_the_real_venue(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            for call, fields, error, code in told.wrong_questions:
                with pytest.raises(error, match=code) as failure:
                    await getattr(client, call)(fields)
                assert type(failure.value) is error, (call, fields, failure.value)

    run(scene())
