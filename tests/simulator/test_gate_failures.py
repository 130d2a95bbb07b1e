"""What a client of a simulated venue with Gate's protocol sees when something goes wrong."""

import asyncio
import hashlib
import hmac
import http.client
import json
import time
from typing import Any

import ccxt
import pytest

from tests.simulator.client import a_client, clear_faults, control, low_price, run, wanted
from workstation.simulator.server import SimulatedExchanges

BTC, PAIR = "BTC/USDT", "BTC_USDT"
ORDERS = "/api/v4/spot/orders"
SHORT_S = 1.5


def gate(wired: SimulatedExchanges, name: str = "alice", **fields: Any) -> Any:
    """A client of orion, which speaks Gate's protocol."""
    return a_client(wired, name, venue="orion", **fields)


async def is_there(client: Any, name: str) -> bool:
    """Whether the venue has the order, open or not."""
    try:
        await client.fetch_order(None, BTC, {"clientOrderId": name})
    except ccxt.OrderNotFound:
        return False
    return True


@pytest.mark.parametrize(
    ("fault", "error", "is_placed"),
    [
        ("timeout_before", ccxt.RequestTimeout, False),
        ("timeout_after", ccxt.RequestTimeout, True),
        ("reset_before", ccxt.ExchangeNotAvailable, False),
        ("reset_after", ccxt.ExchangeNotAvailable, True),
        ("html_502", ccxt.ExchangeNotAvailable, True),
        ("unknown_504", ccxt.RequestTimeout, True),
        ("busy_503", ccxt.ExchangeNotAvailable, False),
        ("rate_429", ccxt.RateLimitExceeded, False),
        ("ban_418", ccxt.RateLimitExceeded, False),
    ],
)
def test_a_new_order_fails_as_it_does_at_the_real_venue(
    wired: SimulatedExchanges, fault: str, error: type[Exception], is_placed: bool
) -> None:
    async def scene() -> None:
        async with gate(wired, "grace", timeout_s=SHORT_S) as client:
            price, name = await low_price(client, BTC), f"mine-{fault}"
            control(wired, "faults", kind=fault, method="POST", path=ORDERS, count=1, seconds=7)
            with pytest.raises(error) as failure:
                await client.create_order(BTC, "limit", "buy", "0.001", price, {"clientOrderId": name})
            assert type(failure.value) is error
            if fault in ("rate_429", "ban_418"):
                reset_s = int(client.last_response_headers["X-Gate-RateLimit-Reset-Timestamp"])
                assert 5 < reset_s - time.time() <= 8
            clear_faults(wired)
            assert await is_there(client, name) is is_placed

    run(scene())


@pytest.mark.parametrize("fault", ["truncated", "malformed"])
def test_an_answer_that_is_no_json_is_an_order_without_an_id(wired: SimulatedExchanges, fault: str) -> None:
    async def scene() -> None:
        async with gate(wired, "grace") as client:
            price, fields = await low_price(client, BTC), {"clientOrderId": f"mine-{fault}"}
            control(wired, "faults", kind=fault, method="POST", path=ORDERS, count=1)
            order = await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
            assert order["id"] is None and order["status"] is None  # the client library raises nothing
            assert await is_there(client, f"mine-{fault}")

    run(scene())


def test_an_order_may_be_accepted_after_the_client_gave_up(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "grace", timeout_s=SHORT_S) as client:
            price = await low_price(client, BTC)
            control(wired, "faults", kind="late_accept", method="POST", path=ORDERS, count=1, seconds=2.5)
            with pytest.raises(ccxt.RequestTimeout):
                await client.create_order(BTC, "limit", "buy", "0.001", price, {"clientOrderId": "late"})
            assert not await is_there(client, "late")
            async with asyncio.timeout(20):
                while not await is_there(client, "late"):
                    await asyncio.sleep(0.05)

    run(scene())


@pytest.mark.parametrize(
    ("changes", "label", "error"),
    [
        ({"price": "1000.05"}, "INVALID_PRECISION", ccxt.InvalidOrder),
        ({"amount": "0.0015"}, "INVALID_PRECISION", ccxt.InvalidOrder),
        ({"amount": "0.0005"}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"price": "100"}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"amount": "0.01"}, "BALANCE_NOT_ENOUGH", ccxt.InsufficientFunds),
        ({"currency_pair": "NONE_USDT"}, "INVALID_CURRENCY_PAIR", ccxt.BadSymbol),
        ({"side": "up"}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"type": "iceberg"}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"time_in_force": "gtx"}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"type": "market"}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"account": "margin"}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"amount": "-1"}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"price": ""}, "MISSING_REQUIRED_PARAM", ccxt.ArgumentsRequired),
        ({"text": "mine"}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"text": "t-" + "x" * 29}, "INVALID_PARAM_VALUE", ccxt.BadRequest),
        ({"price": "60000", "time_in_force": "poc"}, "POC_FILL_IMMEDIATELY", ccxt.OrderImmediatelyFillable),
    ],
)
def test_a_refused_order_has_the_label_and_the_error_of_the_real_venue(
    wired: SimulatedExchanges, changes: dict[str, str], label: str, error: type[Exception]
) -> None:
    async def scene() -> None:
        async with gate(wired, "poor") as client:
            usual = {"currency_pair": PAIR, "side": "buy", "type": "limit", "amount": "0.001", "price": "40000"}
            with pytest.raises(error, match=f'"label":"{label}"') as failure:
                await client.privateSpotPostOrders(usual | changes)
            assert type(failure.value) is error

    run(scene())


def test_a_client_id_is_refused_while_it_is_open_and_taken_again_after(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "heidi") as client:
            price, fields = await low_price(client, BTC), {"clientOrderId": "again"}
            first = await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
            with pytest.raises(ccxt.InvalidOrder, match="REPEATED_CREATION"):
                await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
            control(wired, "fill", venue="orion", clientOrderId="t-again")
            with pytest.raises(ccxt.InvalidOrder, match="ORDER_CLOSED"):
                await client.cancel_order(first["id"], BTC)
            second = await client.create_order(BTC, "limit", "buy", "0.001", price, fields)
            assert second["id"] != first["id"]

    run(scene())


def test_a_client_id_that_begins_with_a_t_is_sent_without_its_prefix_and_refused(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "heidi") as client:
            with pytest.raises(ccxt.BadRequest, match="`text`"):  # ccxt takes any t for the prefix
                await client.create_order(BTC, "limit", "buy", "0.001", "40000", {"clientOrderId": "twice"})

    run(scene())


def test_a_clock_that_is_more_than_a_minute_off_is_refused_until_the_difference_is_loaded(
    wired: SimulatedExchanges,
) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            control(wired, "faults", kind="skew", seconds=90)
            with pytest.raises(ccxt.AuthenticationError, match="REQUEST_EXPIRED"):
                await client.fetch_balance()
            await client.load_time_difference()
            assert (await client.fetch_balance())["USDT"]["total"] is not None

    run(scene())


def test_a_wrong_secret_and_an_unknown_key_are_refused_by_rest_and_on_sockets(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            client.secret = "wrong"
            with pytest.raises(ccxt.AuthenticationError, match="INVALID_SIGNATURE"):
                await client.fetch_balance()
            with pytest.raises(ccxt.AuthenticationError, match="INVALID_SIGNATURE"):
                await client.watch_orders(BTC)
            with pytest.raises(ccxt.AuthenticationError, match="INVALID_SIGNATURE"):
                await client.create_order_ws(BTC, "limit", "buy", "0.001", "40000")
            client.apiKey = "nobody"
            with pytest.raises(ccxt.AuthenticationError, match="INVALID_KEY"):
                await client.fetch_balance()

    run(scene())


def test_what_is_asked_for_wrongly_has_gates_labels(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            pair = {"currency_pair": PAIR}
            for call, fields, error in (
                (client.publicSpotGetOrderBook, {"currency_pair": "NONE"}, ccxt.BadSymbol),
                (client.publicSpotGetOrderBook, {}, ccxt.ArgumentsRequired),
                (client.publicSpotGetOrderBook, pair | {"limit": "x"}, ccxt.BadRequest),
                (client.publicSpotGetTrades, pair | {"limit": "1001"}, ccxt.BadRequest),
                (client.publicSpotGetCandlesticks, pair | {"interval": "7m"}, ccxt.BadRequest),
                (client.publicSpotGetCandlesticks, pair | {"interval": "1m", "from": 1, "limit": 5}, ccxt.BadRequest),
                (client.publicSpotGetCandlesticks, pair | {"interval": "1m", "from": 1}, ccxt.BadRequest),
                (client.publicSpotGetCandlesticks, pair | {"interval": "1m", "from": 2, "to": 1}, ccxt.BadRequest),
                (client.privateSpotGetOrders, pair, ccxt.ArgumentsRequired),
                (client.privateSpotGetOrders, pair | {"status": "odd"}, ccxt.BadRequest),
                (client.privateSpotDeleteOrdersOrderId, pair | {"order_id": "1"}, ccxt.OrderNotFound),
                (client.privateSpotDeleteOrdersOrderId, pair | {"order_id": "t-none"}, ccxt.OrderNotFound),
                (client.privateSpotGetPriceOrders, {"status": "open"}, ccxt.ExchangeError),
            ):
                with pytest.raises(error) as failure:
                    await call(fields)
                assert type(failure.value) is error

    run(scene())


def test_lists_come_in_pages(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "frank") as client:
            price = await low_price(client, "ETH/USDT")
            placed = [await client.create_order("ETH/USDT", "limit", "buy", "0.01", price) for _ in range(5)]
            asked = {"currency_pair": "ETH_USDT", "status": "open", "limit": 2}
            told: list[str] = []
            for page in (1, 2, 3, 4):
                told += [one["id"] for one in await client.privateSpotGetOrders(asked | {"page": page})]
            assert told == [one["id"] for one in placed[::-1]]
            cancelled = await client.privateSpotDeleteOrders({"currency_pair": "ETH_USDT", "side": "sell"})
            assert cancelled == []
            cancelled = await client.privateSpotDeleteOrders({"currency_pair": "ETH_USDT", "side": "buy"})
            assert len(cancelled) == 5

    run(scene())


@pytest.mark.parametrize(
    ("body", "changes", "status", "label"),
    [
        (b"{nope", {}, 400, "INVALID_REQUEST_BODY"),
        (b"[1]", {}, 400, "INVALID_REQUEST_BODY"),
        (b"{}", {}, 400, "MISSING_REQUIRED_PARAM"),
        (b"\xff\xfe", {}, 401, "INVALID_SIGNATURE"),  # what is signed is the text as it was understood
        (b"{}", {"Timestamp": "9" * 5000}, 403, "REQUEST_EXPIRED"),
        (b"{}", {"SIGN": "\xe9"}, 401, "INVALID_SIGNATURE"),
        (b"{}", {"SIGN": ""}, 400, "MISSING_REQUIRED_HEADER"),
        (b"{}", {"KEY": "nobody"}, 401, "INVALID_KEY"),
    ],
)
def test_nonsense_has_gates_labels_too(
    wired: SimulatedExchanges, body: bytes, changes: dict[str, str], status: int, label: str
) -> None:
    stamp = str(int(time.time()))
    text = "\n".join(("POST", ORDERS, "", hashlib.sha512(body).hexdigest(), stamp))
    signature = hmac.new(b"alice-secret", text.encode(), hashlib.sha512).hexdigest()
    headers = {"KEY": "alice-key", "Timestamp": stamp, "SIGN": signature} | changes
    connection = http.client.HTTPConnection("127.0.0.1", wired.port, timeout=5)
    connection.request("POST", f"/orion/api.gateio.ws{ORDERS}", body, headers)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["label"]) == (status, label)
    connection.close()


def test_the_first_queries_of_an_order_may_find_nothing(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "heidi") as client:
            order = await client.create_order(BTC, "limit", "buy", "0.001", await low_price(client, BTC))
            control(wired, "faults", kind="not_found", method="GET", path=f"{ORDERS}/*", count=2)
            for _ in range(2):
                with pytest.raises(ccxt.OrderNotFound):
                    await client.fetch_order(order["id"], BTC)
            assert (await client.fetch_order(order["id"], BTC))["status"] == "open"

    run(scene())


def test_a_fill_may_be_told_twice_and_after_the_cancel(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired, "dave") as client:
            told, handle = list[tuple[str, str]](), client.handle_order
            fills, handle_fill = list[int](), client.handle_my_trades

            def heard(socket: Any, message: Any) -> None:
                told.extend((one["text"], one["event"]) for one in message["result"])
                handle(socket, message)

            def heard_fill(socket: Any, message: Any) -> None:
                fills.extend(one["id"] for one in message["result"])
                handle_fill(socket, message)

            client.handle_order, client.handle_my_trades = heard, heard_fill
            watching = [
                asyncio.ensure_future(client.watch_orders(BTC)),
                asyncio.ensure_future(client.watch_my_trades()),
            ]
            await wanted(wired, "orion", "user:dave-key:spot.orders:BTC_USDT")
            await wanted(wired, "orion", "user:dave-key:spot.usertrades:!all")
            control(wired, "faults", kind="duplicate", stream="user:spot.usertrades:taker", count=1)
            await client.create_order(BTC, "market", "sell", "0.001", None, {"clientOrderId": "fast"})
            price = await low_price(client, BTC)
            order = await client.create_order(BTC, "limit", "buy", "0.002", price, {"clientOrderId": "slow"})
            control(wired, "faults", kind="late", stream="user:spot.orders:update", count=1, seconds=1.0)
            control(wired, "fill", venue="orion", clientOrderId="t-slow", quantity="0.001")
            await client.cancel_order(order["id"], BTC)
            async with asyncio.timeout(20):
                while len(told) < 5:
                    await asyncio.sleep(0.01)
            assert told == [
                ("t-fast", "put"),
                ("t-fast", "finish"),
                ("t-slow", "put"),
                ("t-slow", "finish"),
                ("t-slow", "update"),
            ]
            assert len(fills) == 3 and fills[0] == fills[1] != fills[2]
            await asyncio.gather(*watching)

    run(scene())


def test_a_dropped_socket_is_an_error_and_a_silent_one_is_silent(wired: SimulatedExchanges) -> None:
    async def scene() -> None:
        async with gate(wired) as client:
            watching = asyncio.ensure_future(client.watch_trades(BTC))
            await wanted(wired, "orion", "spot.trades.BTC_USDT")
            control(wired, "faults", kind="drop_socket", stream="spot.trades.BTC_USDT", count=1)
            control(wired, "faults", kind="burst", venue="orion", market="BTC_USDT", size=1)
            with pytest.raises(ccxt.NetworkError):
                await watching
            await client.watch_bids_asks([BTC])
            control(wired, "faults", kind="silent_socket", stream="spot.book_ticker.BTC_USDT", count=1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(4.0):
                    while True:
                        await client.watch_bids_asks([BTC])

    run(scene())
