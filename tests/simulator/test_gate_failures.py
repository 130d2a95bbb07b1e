"""What a client of Gate's protocol alone sees when something goes wrong."""

import hashlib
import hmac
import http.client
import json
import time
from typing import Any

import ccxt
import pytest

from tests.simulator.client import a_client, control, low_price, run
from workstation.simulator.server import SimulatedExchanges

BTC, PAIR = "BTC/USDT", "BTC_USDT"
ORDERS = "/api/v4/spot/orders"
SHORT_S = 1.5


def gate(wired: SimulatedExchanges, name: str = "alice", **fields: Any) -> Any:
    """A client of orion, which speaks Gate's protocol."""
    return a_client(wired, name, venue="orion", **fields)


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
