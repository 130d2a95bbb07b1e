"""Collections over REST: begun, shown, stopped; what cannot be is refused in a sentence."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.server.desk import STARTED_NS, Desk, an_app, asking

ASKED = {"name": "night", "venues": ["nova"], "symbols": ["BTC/USDT"], "seconds": 90}


def asked(desk: Desk, *requests: tuple[str, str, Any], **headers: str) -> list[httpx.Response]:
    """The answers, one after the other."""

    async def ask() -> list[httpx.Response]:
        async with asking(an_app(desk), **headers) as client:
            return [await client.request(method, path, json=body) for method, path, body in requests]

    return asyncio.run(ask())


def test_one_is_begun_shown_and_stopped_with_who_asked() -> None:
    desk = Desk()
    begun, unnamed, every, shown, stopped = asked(
        desk,
        ("POST", "/collections", ASKED),
        ("POST", "/collections", {"symbols": ["ETH/USDT"]}),
        ("GET", "/collections", None),
        ("GET", "/collections/night", None),
        ("POST", "/collections/night/stop", None),
        **{"Workstation-Client": "notebook"},
    )
    assert (begun.status_code, unnamed.status_code, stopped.status_code) == (201, 201, 200)
    assert [one["name"] for one in every.json()] == ["night", "collection-2"]
    assert shown.json()["planned_end_ns"] - STARTED_NS == 90 * 10**9
    assert (shown.json()["series"][0]["rows"], shown.json()["gaps"]) == (7, [])
    assert (stopped.json()["state"], stopped.json()["reason"]) == ("stopped", "by notebook")
    assert desk.acts == [
        ("collect", "night", "notebook"), ("collect", "collection-2", "notebook"),
        ("stop collection", "night", "notebook"),
    ]  # fmt: skip


def test_the_same_name_twice_and_a_name_of_nobody() -> None:
    desk = Desk()
    answers = asked(
        desk,
        ("POST", "/collections", ASKED),
        ("POST", "/collections", ASKED),
        ("GET", "/collections/day", None),
        ("POST", "/collections/day/stop", None),
    )
    assert [answer.status_code for answer in answers] == [201, 409, 404, 404]
    assert [answer.json()["kind"] for answer in answers[1:]] == [
        "CollectionExists", "CollectionNotFound", "CollectionNotFound"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "<img src=x onerror=alert(1)>"}, "body.name"),
        ({"name": "../kill"}, "body.name"),
        ({"name": ""}, "body.name"),
        ({"name": "x" * 61}, "body.name"),
        ({"symbols": []}, "body.symbols"),
        ({"symbols": ["x" * 61]}, "body.symbols.0"),
        ({"intervals": ["7m"]}, "body.intervals.0"),
        ({"book_levels": 51}, "body.book_levels"),
        ({"book_levels": -1}, "body.book_levels"),
        ({"seconds": 0}, "body.seconds"),
        ({"seconds": -1}, "body.seconds"),
        ({"seconds": 1e300}, "body.seconds"),
        ({"seconds": "soon"}, "body.seconds"),
        ({"until": "tomorrow"}, "body.until"),
    ],
)
def test_what_cannot_be_collected_is_refused_with_field_and_value(changes: dict[str, Any], field: str) -> None:
    desk = Desk()
    [answer] = asked(desk, ("POST", "/collections", ASKED | changes))
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.json()["expected"] and desk.acts == []


@pytest.mark.parametrize("name", ["..", "a%2Fb", "%3Cimg%20src=x%3E", "x" * 61])
def test_a_name_that_no_collection_has_asks_for_nothing(name: str) -> None:
    desk = Desk()
    shown, stopped = asked(desk, ("GET", f"/collections/{name}", None), ("POST", f"/collections/{name}/stop", None))
    assert shown.status_code in (404, 405, 422) and stopped.status_code in (404, 405, 422) and desk.acts == []
