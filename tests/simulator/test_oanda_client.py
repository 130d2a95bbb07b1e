"""The client library oandapyV20 trades and streams at a simulated venue as at OANDA: only its host is another."""

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from oandapyV20.endpoints import accounts, instruments, orders, positions, pricing, trades, transactions

from tests.simulator.client import clear_faults, control
from tests.simulator.oanda import EURO, POUND, VENUE, YEN, Desk, account_id, api_of, first_of, running_oanda
from workstation.model.durations import SECOND_NS
from workstation.simulator.server import SimulatedExchanges


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedExchanges]:
    with running_oanda(quotes_per_second=300.0) as exchanges:
        yield exchanges


@pytest.fixture
def exchanges(server: SimulatedExchanges) -> Iterator[SimulatedExchanges]:
    """The server without faults, and with the market's own levels."""
    clear_faults(server)
    yield server
    clear_faults(server)
    for name in (EURO, YEN):
        control(server, "book", venue=VENUE, market=name, bids=[], asks=[])


def shown(exchanges: SimulatedExchanges, bid: str, ask: str, units: int = 1_000_000) -> None:
    """The venue offers this, and nothing else."""
    control(exchanges, "book", venue=VENUE, market=EURO, bids=[[bid, units]], asks=[[ask, units]])


def test_an_account_knows_its_number_its_money_and_its_instruments(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "alice")
    assert desk.api.request(accounts.AccountList()) == {"accounts": [{"id": account_id("alice"), "tags": []}]}
    summary = desk.ask(accounts.AccountSummary)["account"]
    assert (summary["currency"], summary["balance"], summary["NAV"]) == ("USD", "100000.0000", "100000.0000")
    rules = {one["name"]: one for one in desk.ask(accounts.AccountInstruments)["instruments"]}
    assert [(name, one["displayPrecision"], one["pipLocation"]) for name, one in rules.items()] == [
        ("EUR_USD", 5, -4),
        ("GBP_USD", 5, -4),
        ("USD_JPY", 3, -2),
    ]
    named = desk.ask(accounts.AccountInstruments, params={"instruments": YEN})["instruments"]
    assert named == [rules[YEN]]


def test_prices_have_the_decimals_of_their_instrument_and_a_time_to_the_nanosecond(
    exchanges: SimulatedExchanges,
) -> None:
    answer = Desk(exchanges, "alice").ask(pricing.PricingInfo, params={"instruments": f"{EURO},{YEN}"})
    euro, yen = answer["prices"]
    assert [len(price["bids"][0]["price"].partition(".")[2]) for price in (euro, yen)] == [5, 3]
    assert float(euro["bids"][0]["price"]) < float(euro["asks"][0]["price"])
    assert euro["tradeable"] is True and euro["status"] == "tradeable"
    assert len(answer["time"]) == len("2016-10-05T05:28:16.729643492Z")


def test_a_stream_begins_with_the_present_prices_goes_on_with_new_ones_and_beats(
    exchanges: SimulatedExchanges,
) -> None:
    lines = Desk(exchanges, "alice").prices()
    begun = [next(lines) for _ in range(3)]
    assert [(line["type"], line.get("instrument")) for line in begun] == [
        ("PRICE", EURO),
        ("PRICE", YEN),
        ("HEARTBEAT", None),
    ]
    heard: set[str] = set()
    while heard != {EURO, YEN}:  # prices come as the market moves, not in turn; a stream that ends raises
        line = next(lines)
        heard |= {line["instrument"]} if line["type"] == "PRICE" else set()


def test_a_stream_without_a_snapshot_begins_with_what_happens_next(exchanges: SimulatedExchanges) -> None:
    assert next(Desk(exchanges, "alice").prices(snapshot="False"))["type"] == "HEARTBEAT"


def test_heartbeats_come_every_five_seconds_while_nothing_is_quoted(exchanges: SimulatedExchanges) -> None:
    lines = Desk(exchanges, "alice").prices()
    control(exchanges, "faults", kind="sequence_gap", venue=VENUE, stream="pricing.*")
    assert first_of(lines, "HEARTBEAT")
    began = time.monotonic()
    assert first_of(lines, "HEARTBEAT")
    first = time.monotonic()
    assert first_of(lines, "HEARTBEAT")
    assert first - began < 5.5
    assert 4.0 < time.monotonic() - first < 6.5


def test_a_market_order_opens_a_trade_and_one_the_other_way_closes_it_and_opens_another(
    exchanges: SimulatedExchanges,
) -> None:
    desk = Desk(exchanges, "bob")
    shown(exchanges, "1.20000", "1.20010")
    bought = desk.order(type="MARKET", units="1000", clientExtensions={"id": "mine"})
    fill = bought["orderFillTransaction"]
    assert (fill["price"], fill["units"], fill["reason"], fill["clientOrderID"]) == (
        "1.20010",
        "1000",
        "MARKET_ORDER",
        "mine",
    )
    assert bought["relatedTransactionIDs"] == [bought["orderCreateTransaction"]["id"], fill["id"]]
    trade = fill["tradeOpened"]["tradeID"]
    assert desk.ask(trades.TradeDetails, trade)["trade"]["unrealizedPL"] == "-0.1000"
    shown(exchanges, "1.20100", "1.20110")
    sold = desk.order(type="MARKET", units="-1500")["orderFillTransaction"]
    assert (sold["pl"], sold["accountBalance"]) == ("0.9000", "100000.9000")
    assert sold["tradesClosed"] == [{"tradeID": trade, "units": "-1000", "realizedPL": "0.9000", "financing": "0.0000"}]
    assert sold["tradeOpened"]["units"] == "-500"
    position = desk.ask(positions.OpenPositions)["positions"]
    assert [(one["instrument"], one["long"]["units"], one["short"]["units"]) for one in position] == [
        (EURO, "0", "-500")
    ]
    assert desk.ask(trades.TradeDetails, trade)["trade"]["state"] == "CLOSED"
    closed = desk.ask(positions.PositionClose, EURO, data={"shortUnits": "ALL"})
    assert closed["shortOrderFillTransaction"]["reason"] == "MARKET_ORDER_POSITION_CLOSEOUT"
    assert desk.ask(positions.OpenPositions)["positions"] == []
    assert desk.ask(accounts.AccountSummary)["account"]["balance"] == "100000.8500"


def test_profit_in_yen_is_told_in_dollars(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "carol")
    control(exchanges, "book", venue=VENUE, market=YEN, bids=[["150.000", 10**6]], asks=[["150.000", 10**6]])
    desk.order(instrument=YEN, type="MARKET", units="3000")
    control(exchanges, "book", venue=VENUE, market=YEN, bids=[["151.500", 10**6]], asks=[["151.500", 10**6]])
    sold = desk.order(instrument=YEN, type="MARKET", units="-3000")["orderFillTransaction"]
    assert sold["pl"] == f"{Decimal(4500) / Decimal('151.5'):.4f}"


def test_a_limit_order_rests_is_found_by_its_own_id_is_replaced_and_cancelled(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "dave")
    placed = desk.order(type="LIMIT", units="100", price="1.00000", clientExtensions={"id": "low"})
    order_id = placed["orderCreateTransaction"]["id"]
    assert "orderFillTransaction" not in placed
    assert [one["id"] for one in desk.ask(orders.OrdersPending)["orders"]] == [order_id]
    assert desk.ask(orders.OrderDetails, "@low")["order"]["price"] == "1.00000"
    change = {"order": {"type": "LIMIT", "instrument": EURO, "units": "200", "price": "1.00010"}}
    replaced = desk.ask(orders.OrderReplace, "@low", data=change)
    new_id = replaced["orderCreateTransaction"]["id"]
    assert replaced["orderCancelTransaction"]["replacedByOrderID"] == new_id
    assert replaced["orderCreateTransaction"]["replacesOrderID"] == order_id
    assert desk.ask(orders.OrderDetails, order_id)["order"]["state"] == "CANCELLED"
    cancelled = desk.ask(orders.OrderCancel, new_id)["orderCancelTransaction"]
    assert (cancelled["reason"], cancelled["orderID"]) == ("CLIENT_REQUEST", new_id)
    assert desk.ask(orders.OrderList)["orders"] == []
    status, body = desk.refused(lambda: desk.ask(orders.OrderCancel, new_id))
    assert (status, body["errorCode"]) == (404, "ORDER_DOESNT_EXIST")
    assert body["orderCancelRejectTransaction"]["rejectReason"] == "ORDER_DOESNT_EXIST"


def test_a_resting_order_is_filled_when_the_price_comes_to_it_and_the_stream_tells(
    exchanges: SimulatedExchanges,
) -> None:
    desk = Desk(exchanges, "erin")
    shown(exchanges, "1.20000", "1.20010")
    lines = desk.transactions()
    assert next(lines)["type"] == "HEARTBEAT"
    order_id = desk.order(type="LIMIT", units="700", price="1.19000")["orderCreateTransaction"]["id"]
    assert first_of(lines, "LIMIT_ORDER")["id"] == order_id
    shown(exchanges, "1.18980", "1.18990")
    fill = first_of(lines, "ORDER_FILL")
    assert (fill["orderID"], fill["price"], fill["units"], fill["reason"]) == (
        order_id,
        "1.19000",
        "700",
        "LIMIT_ORDER",
    )
    assert desk.ask(orders.OrderDetails, order_id)["order"]["fillingTransactionID"] == fill["id"]
    since = desk.ask(transactions.TransactionsSinceID, params={"id": int(order_id) - 1})["transactions"]
    assert [one["type"] for one in since] == ["LIMIT_ORDER", "ORDER_FILL"]
    trade = fill["tradeOpened"]["tradeID"]
    closed = desk.ask(trades.TradeClose, trade, data={"units": "200"})["orderFillTransaction"]
    assert closed["tradeReduced"]["tradeID"] == trade
    assert desk.ask(trades.OpenTrades)["trades"][0]["currentUnits"] == "500"


def test_a_stop_waits_for_its_price_and_one_that_is_reached_is_filled_at_once(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "frank")
    price = float(desk.price(POUND)["asks"][0]["price"])
    waits = desk.order(instrument=POUND, type="STOP", units="100", price=f"{price * 1.05:.5f}")
    assert "orderFillTransaction" not in waits
    reached = desk.order(instrument=POUND, type="STOP", units="100", price=f"{price * 0.95:.5f}")
    assert reached["orderFillTransaction"]["reason"] == "STOP_ORDER"
    assert desk.ask(orders.OrderCancel, waits["orderCreateTransaction"]["id"])


def test_what_cannot_be_paid_is_created_and_cancelled_for_want_of_margin(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "poor")
    for fields in (
        {"type": "MARKET", "units": "1000"},
        {"type": "MARKET", "units": "-1000"},
        {"type": "LIMIT", "units": "1000", "price": "1.00000"},
    ):
        answer = desk.order(**fields)
        assert answer["orderCancelTransaction"]["reason"] == "INSUFFICIENT_MARGIN"
        assert "orderFillTransaction" not in answer
    bounded = desk.order(type="MARKET", units="1", priceBound="0.50000")
    assert bounded["orderCancelTransaction"]["reason"] == "INSUFFICIENT_LIQUIDITY"
    assert desk.ask(positions.OpenPositions)["positions"] == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "MARKET"}, "UNITS_MISSING"),
        ({"type": "MARKET", "units": "0"}, "UNITS_INVALID"),
        ({"type": "MARKET", "units": "many"}, "UNITS_INVALID"),
        ({"type": "MARKET", "units": "0.5"}, "UNITS_PRECISION_EXCEEDED"),
        ({"type": "MARKET", "units": "100000001"}, "UNITS_LIMIT_EXCEEDED"),
        ({"type": "MARKET", "units": "5", "timeInForce": "GTC"}, "TIME_IN_FORCE_INVALID"),
        ({"type": "LIMIT", "units": "5"}, "PRICE_MISSING"),
        ({"type": "LIMIT", "units": "5", "price": "-1"}, "PRICE_INVALID"),
        ({"type": "LIMIT", "units": "5", "price": "1.000001"}, "PRICE_PRECISION_EXCEEDED"),
        ({"type": "MARKET", "units": "5", "instrument": "NO_PE"}, "INSTRUMENT_UNKNOWN"),
        ({"type": "MARKET", "units": "5", "instrument": ""}, "INSTRUMENT_MISSING"),
        ({"type": "MARKET", "units": "5", "clientExtensions": {"id": ""}}, "CLIENT_ORDER_ID_INVALID"),
    ],
)
def test_an_order_that_is_none_is_rejected_with_the_reason_and_a_transaction(
    exchanges: SimulatedExchanges, fields: dict[str, Any], reason: str
) -> None:
    desk = Desk(exchanges, "alice")
    status, body = desk.refused(lambda: desk.order(**fields))
    assert (status, body["errorCode"], body["orderRejectTransaction"]["rejectReason"]) == (400, reason, reason)
    assert body["errorMessage"]
    assert body["lastTransactionID"] == body["orderRejectTransaction"]["id"]


def test_a_client_id_is_free_again_when_its_order_has_ended(exchanges: SimulatedExchanges) -> None:
    desk, fields = Desk(exchanges, "alice"), {"type": "LIMIT", "units": "5", "price": "1.00000"}
    desk.order(**fields, clientExtensions={"id": "one"})
    status, body = desk.refused(lambda: desk.order(**fields, clientExtensions={"id": "one"}))
    assert (status, body["errorCode"]) == (400, "CLIENT_ORDER_ID_ALREADY_EXISTS")
    desk.ask(orders.OrderCancel, "@one")
    assert desk.order(**fields, clientExtensions={"id": "one"})["orderCreateTransaction"]
    desk.ask(orders.OrderCancel, "@one")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "TRAILING_STOP_LOSS", "units": "1"},
        {"type": "MARKET", "units": "1", "stopLossOnFill": {"price": "1.0"}},
        {"type": "LIMIT", "units": "1", "price": "1.0", "timeInForce": "GFD"},
        {"type": "MARKET", "units": "1", "positionFill": "OPEN_ONLY"},
    ],
)
def test_what_is_not_simulated_is_refused_and_not_left_out(
    exchanges: SimulatedExchanges, fields: dict[str, Any]
) -> None:
    desk = Desk(exchanges, "alice")
    status, body = desk.refused(lambda: desk.order(**fields))
    assert status == 400 and "not part of this simulated venue" in body["errorMessage"]


def test_a_token_opens_its_own_account_alone(exchanges: SimulatedExchanges) -> None:
    desk, stranger = Desk(exchanges, "alice"), Desk(exchanges, "bob")
    stranger.account = desk.account
    assert stranger.refused(lambda: stranger.ask(accounts.AccountSummary))[0] == 403
    nobody = api_of(exchanges, "guessed")
    desk.api = nobody
    for call in (lambda: desk.ask(accounts.AccountSummary), lambda: next(desk.prices())):
        status, body = desk.refused(call)
        assert (status, body["errorMessage"]) == (401, "Insufficient authorization to perform request.")


def test_each_transaction_has_its_number_and_all_can_be_had_again(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "alice")
    last = int(desk.order(type="MARKET", units="1")["lastTransactionID"])
    pages = desk.ask(transactions.TransactionList, params={"pageSize": 2})
    assert (pages["count"], len(pages["pages"])) == (last, -(-last // 2))
    whole = desk.ask(transactions.TransactionIDRange, params={"from": 1, "to": last})["transactions"]
    assert [one["id"] for one in whole] == [str(number) for number in range(1, last + 1)]
    assert [one["type"] for one in whole[:2]] == ["CREATE", "TRANSFER_FUNDS"]
    assert desk.ask(transactions.TransactionDetails, str(last))["transaction"] == whole[-1]


def test_candles_are_complete_but_for_the_running_one_and_hold_their_prices(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "alice")
    answer = desk.api.request(
        instruments.InstrumentsCandles(EURO, params={"granularity": "M1", "count": 30, "price": "MBA"})
    )
    candles = answer["candles"]
    assert [one["complete"] for one in candles] == [True] * 29 + [False]
    for one in candles:
        mid, bid, ask = ({letter: float(text) for letter, text in one[side].items()} for side in ("mid", "bid", "ask"))
        assert mid["l"] <= min(mid["o"], mid["c"]) <= max(mid["o"], mid["c"]) <= mid["h"]
        assert bid["c"] < mid["c"] < ask["c"]
        assert isinstance(one["volume"], int) and one["volume"] > 0


def test_the_next_page_of_candles_begins_behind_the_last(exchanges: SimulatedExchanges) -> None:
    desk = Desk(exchanges, "alice")

    def page(**params: Any) -> list[str]:
        params = {"granularity": "M1", **params}
        answer = desk.api.request(instruments.InstrumentsCandles(EURO, params=params))
        return [one["time"] for one in answer["candles"]]

    start = exchanges.venues[VENUE].exchange.now_ns // SECOND_NS - 7_200
    first = page(**{"from": str(start), "count": 40})
    assert len(first) == 40
    behind = page(**{"from": first[-1], "count": 40, "includeFirst": "False"})
    assert behind[0] > first[-1] and len({*first, *behind}) == 80
    assert page(**{"from": first[0], "to": behind[-1]}) == [*first, *behind[:-1]]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"granularity": "M3"}, "Invalid value specified for 'granularity'"),
        ({"granularity": "S5"}, "granularity S5: not part of this simulated venue"),
        ({"granularity": "M1", "count": 5001}, "Maximum value for 'count' exceeded"),
        ({"granularity": "M1", "from": "2999-01-01T00:00:00Z"}, "Time is in the future"),
        ({"granularity": "M1", "from": "yesterday"}, "Invalid value specified for 'from'"),
        ({"granularity": "M1", "from": "1", "to": "2", "count": 1}, "'count' cannot be specified"),
        ({"granularity": "M1", "from": "1", "to": "9999999"}, "Maximum value for 'count' exceeded"),
        ({"granularity": "D", "alignmentTimezone": "Mars/Olympus"}, "Invalid value specified for 'alignmentTimezone'"),
        ({"granularity": "M1", "price": "X"}, "Invalid value specified for 'price'"),
    ],
)
def test_candles_that_are_none_are_refused_with_the_parameter(
    exchanges: SimulatedExchanges, params: dict[str, Any], message: str
) -> None:
    desk = Desk(exchanges, "alice")
    status, body = desk.refused(lambda: desk.api.request(instruments.InstrumentsCandles(EURO, params=params)))
    assert status == 400 and message in body["errorMessage"]
