"""Acts by hand and the kill switch over REST, and as the client says them."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.cli.engines import serving
from tests.server.desk import DECLARED, TOKEN, Desk, an_app, asking
from workstation.client.client import Client
from workstation.client.declaration import SessionDeclaration
from workstation.client.kill import KillOrder, KillReset
from workstation.client.problem import Problem, error_of
from workstation.client.ticket import OrderTicket, RefusalView
from workstation.errors import BadInput, GroupNotFound, OrderNotFound, OrderRefused

TICKET: Mapping[str, Any] = {"session": "one", "venue": "nova", "symbol": "BTC/USDT", "side": "buy", "quantity": "0.1"}
TOO_MUCH = RefusalView(limit="max_position_notional_quote", allowed="1000", figure="7380", instrument="nova:BTC/USDT")


def asked(desk: Desk, *requests: tuple[str, str, Any], **headers: str) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        async with asking(an_app(desk), **headers) as client:
            answers = [await client.request("POST", "/sessions", json=DECLARED)]
            answers += [await client.request(method, path, json=body) for method, path, body in requests]
            return answers[1:]

    return asyncio.run(ask())


def test_each_act_by_hand_reaches_the_engine_with_who_asked() -> None:
    desk = Desk()
    answers = asked(
        desk,
        ("POST", "/orders", TICKET),
        ("DELETE", "/orders/one-open", None),
        ("POST", "/groups/g/close", None),
        ("POST", "/groups/g/close", {"session": "one"}),
        ("POST", "/positions/close", {"session": "one", "venue": "nova", "symbol": "BTC/USDT"}),
        ("GET", "/sessions/one/now", None),
        **{"Workstation-Client": "ada"},
    )
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200]
    assert desk.acts[1:] == [
        ("place", "one", "ada"),
        ("cancel order", "one-open", "ada"),
        ("close group", "g", "ada"),
        ("close group", "g of one", "ada"),
        ("close position", "one nova:BTC/USDT", "ada"),
    ]
    assert answers[0].json()["quantity"] == "0.30" and answers[5].json()["groups"][0]["group"] == "g"


def test_what_risk_refuses_is_409_with_limit_value_and_figure() -> None:
    desk = Desk()
    desk.refusal = TOO_MUCH
    [answer] = asked(desk, ("POST", "/orders", TICKET))
    assert answer.status_code == 409
    assert answer.json()["error"] == (
        "buy BTC/USDT: refused by max_position_notional_quote on nova:BTC/USDT: 7380, allowed 1000"
    )
    assert (answer.json()["kind"], answer.json()["refusal"]) == ("OrderRefused", TOO_MUCH.model_dump())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": None}, "body"),
        ({"notional": "5"}, "body"),
        ({"type": "limit"}, "body"),
        ({"limit_price": "5"}, "body"),
        ({"quantity": "-1"}, "body.quantity"),
        ({"quantity": "1e400"}, "body.quantity"),
        ({"quantity": "1e-400"}, "body.quantity"),
        ({"limit_price": "NaN", "type": "limit"}, "body.limit_price"),
        ({"side": "hold"}, "body.side"),
        ({"type": "stop"}, "body.type"),
        ({"session": "../x"}, "body.session"),
        ({"leverage": 2}, "body.leverage"),
    ],
)
def test_a_ticket_that_cannot_be_is_answered_with_its_field_and_places_nothing(
    changes: dict[str, Any], field: str
) -> None:
    desk = Desk()
    [answer] = asked(desk, ("POST", "/orders", {**TICKET, **changes}))
    assert answer.status_code == 422 and answer.json()["field"] == field
    assert desk.tickets == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("DELETE", "/orders/other", None, 404),
        ("DELETE", "/orders/a%20b", None, 422),
        ("POST", "/groups/g9/close", None, 404),
        ("POST", "/groups/g/close", {"session": "one", "by": "me"}, 422),
        ("POST", "/positions/close", {"session": "none", "venue": "nova", "symbol": "BTC/USDT"}, 404),
        ("POST", "/positions/close", {}, 422),
        ("GET", "/sessions/none/now", None, 404),
        ("POST", "/kill", {"session": "none"}, 404),
        ("POST", "/kill", {"flatten": "perhaps"}, 422),
        ("DELETE", "/kill", {}, 422),
        ("DELETE", "/kill", {"confirm": "yes"}, 422),
        ("DELETE", "/kill", {"confirm": "RESET"}, 422),
        ("DELETE", "/kill", None, 422),
    ],
)
def test_what_cannot_be_changes_nothing(method: str, path: str, body: Any, status: int) -> None:
    desk = Desk()
    [answer] = asked(desk, (method, path, body))
    assert answer.status_code == status and Problem.model_validate_json(answer.content).error
    assert len(desk.acts) == 1


def test_the_kill_switch_needs_no_body_and_its_lifting_the_typed_word() -> None:
    desk = Desk()
    answers = asked(
        desk,
        ("GET", "/kill", None),
        ("POST", "/kill", None),
        ("POST", "/kill", {"session": "one", "flatten": True, "reason": "odd"}),
        ("GET", "/health/details", None),
        ("DELETE", "/kill", {"confirm": "reset"}),
        ("DELETE", "/kill", {"confirm": "reset", "session": "one"}),
    )
    assert [answer.status_code for answer in answers] == [200] * 6
    assert [answer.json().get("is_on") for answer in answers] == [False, True, True, None, True, False]
    assert [one["session"] for one in answers[2].json()["scopes"]] == [None, "one"]
    assert answers[2].json()["scopes"][1]["reason"] == "odd"


def test_the_client_says_the_same_words_and_gets_a_refusal_as_a_value() -> None:
    desk = Desk()
    with serving(desk) as port, Client(f"http://127.0.0.1:{port}", TOKEN, by="notebook") as client:
        asyncio.run(desk.start_session(SessionDeclaration.model_validate(DECLARED), "x"))
        ticket = OrderTicket(**TICKET)
        placed = client.place_order(ticket)
        assert placed.order is not None and desk.tickets == [ticket] and desk.tickets[0].quantity == Decimal("0.1")
        desk.refusal = TOO_MUCH
        refused = client.place_order(ticket)
        assert refused.order is None and refused.refusal == TOO_MUCH
        assert client.cancel_order("one-open").client_order_id == "one-open"
        assert client.close_group("g", session="one").group == "g"
        assert client.close_position("one", "nova", "BTC/USDT")[0].group == "g"
        assert client.session_now("one").session == "one"
        assert client.kill().is_on and client.kill(KillOrder(session="one")).scopes[1].session == "one"
        client.lift_kill(KillReset(confirm="reset"))
        assert [one.session for one in client.kill_state().scopes] == ["one"]
        with pytest.raises(OrderNotFound):
            client.cancel_order("other")
        with pytest.raises(GroupNotFound):
            client.close_group("g9")
        with pytest.raises(BadInput, match="order"):
            client.cancel_order("../health")
    assert {by for _, _, by in desk.acts[1:]} == {"notebook"}


def test_a_refusal_is_the_same_error_on_either_side() -> None:
    without = error_of(Problem(error="no", kind="OrderRefused"))
    assert isinstance(without, OrderRefused) and without.refusal is None
    error = error_of(Problem(error="no", kind="OrderRefused", refusal=TOO_MUCH))
    assert isinstance(error, OrderRefused) and error.refusal["figure"] == "7380"
