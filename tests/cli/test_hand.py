"""`workstation orders`, `groups` and `positions`: what a person does from a terminal."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.engines import running
from tests.cli.histories import refusal, run
from tests.server.desk import DECLARED, Desk
from workstation.client.declaration import SessionDeclaration
from workstation.client.ticket import RefusalView


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    desk = Desk()
    for name, venues in (("one", ["nova"]), ("two", ["nova", "orion"])):
        declared = SessionDeclaration.model_validate({**DECLARED, "session": name, "venues": venues})
        asyncio.run(desk.start_session(declared, "x"))
    desk.acts.clear()
    with running(desk, home):
        yield desk


def test_an_order_is_placed_as_its_options_say(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("orders", "place", "one", "buy", "--quantity", "0.1", "--limit", "99.5", "--stop", "90") == 0
    assert "order one-submitted: buy 0.30 nova:BTC/USDT, submitted; group g" in capsys.readouterr().out
    assert run("orders", "place", "two", "sell", "--notional", "250", "--venue", "orion", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["status"] == "submitted"
    first, second = (one.model_dump(mode="json", exclude_none=True) for one in desk.tickets)
    assert first == {
        "session": "one",
        "venue": "nova",
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "limit",
        "quantity": "0.1",
        "limit_price": "99.5",
        "stop_price": "90",
    }
    assert (second["venue"], second["type"], second["notional"]) == ("orion", "market", "250")


def test_what_risk_refuses_is_told_with_the_figures(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.refusal = RefusalView(limit="balance", allowed="10 USDT", figure="5 at 100", instrument="nova:BTC/USDT")
    told = refusal(capsys, "orders", "place", "one", "buy", "--quantity", "5")
    assert "refused by balance on nova:BTC/USDT: 5 at 100, allowed 10 USDT" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("one", "buy"), "exactly one of quantity and notional"),
        (("one", "buy", "--quantity", "1", "--notional", "5"), "exactly one of quantity and notional"),
        (("one", "buy", "--quantity", "0"), "quantity: expected"),
        (("two", "buy", "--quantity", "1"), "venue not named: expected --venue, one of nova, orion"),
        (("one", "buy", "--quantity", "1", "--venue", "vega"), "venue vega: expected --venue, one of nova"),
        (("onee", "buy", "--quantity", "1"), "did you mean one?"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(desk: Desk, capsys, arguments: tuple[str, ...], words: str) -> None:
    assert words in refusal(capsys, "orders", "place", *arguments)
    assert desk.tickets == []


def test_orders_groups_and_positions_are_listed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("orders", "list", "--open") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ORDER") and len(lines) == 3 and "100.1" in lines[1]
    assert run("orders", "list", "--session", "one", "--limit", "7", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 2 and desk.pages[-1] == (7, None)
    assert run("positions") == 0
    assert "nova:BTC/USDT" in capsys.readouterr().out
    assert run("groups", "list") == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("GROUP")


def test_an_order_a_group_and_a_position_are_given_up(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("orders", "cancel", "one-open") == 0
    assert run("groups", "close", "g", "--session", "one") == 0
    assert run("positions", "close", "two", "BTC/USDT", "--venue", "orion") == 0
    assert [act[:2] for act in desk.acts] == [
        ("cancel order", "one-open"),
        ("close group", "g of one"),
        ("close position", "two orion:BTC/USDT"),
    ]
    capsys.readouterr()
    assert "no session knows it" in refusal(capsys, "orders", "cancel", "other")
    assert "group g9: not open" in refusal(capsys, "groups", "close", "g9")
