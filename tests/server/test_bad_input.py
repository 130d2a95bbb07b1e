"""Whatever is sent: one sentence, the right status, and nothing is changed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.server.desk import AUTHORIZED, DECLARED, HOST, TOKEN, Desk, an_app, asking
from workstation.client.problem import Problem
from workstation.server.settings import Rate

IMAGE = "<img src=x onerror=alert(1)>"


def sent(method: str = "GET", path: str = "/sessions", **request: Any) -> httpx.Response:
    """The answer to one bad request; asserts that nothing was changed, and that the answer has our form."""
    settings = request.pop("settings", {})
    desk = Desk()

    async def ask() -> httpx.Response:
        async with asking(an_app(desk, **settings)) as client:
            assert (await client.post("/sessions", json={**DECLARED, "session": "kept"})).status_code == 201
            client.headers.pop("Authorization")
            headers = request.pop("headers", AUTHORIZED)
            if "content" in request:
                headers = {"Content-Type": "application/json"} | headers
            return await client.request(method, path, headers=headers, **request)

    answer = asyncio.run(ask())
    assert desk.acts == [("start", "kept", "api")]
    assert desk.kept["kept"].status == "running"
    assert TOKEN not in answer.text and "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    if method != "HEAD":
        assert answer.headers["content-type"] == "application/json"
        Problem.model_validate_json(answer.content)
    return answer


def started(**changes: Any) -> httpx.Response:
    return sent("POST", content=json.dumps(DECLARED | changes))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"session": ""}, "body.session"),
        ({"session": "../etc"}, "body.session"),
        ({"session": "one two"}, "body.session"),
        ({"session": "x" * 61}, "body.session"),
        ({"session": 7}, "body.session"),
        ({"session": IMAGE}, "body.session"),
        ({"session": "one\n"}, "body.session"),
        ({"mode": "live"}, "body.mode"),
        ({"mode": "collect"}, "body.mode"),
        ({"strategy": None}, "body.strategy"),
        ({"strategy": "\ud800"}, "body.strategy"),
        ({"parameters": []}, "body.parameters"),
        ({"parameters": {"fast": {"a": 1}}}, "body.parameters.fast"),
        ({"parameters": {str(n): n for n in range(101)}}, "body.parameters"),
        ({"venues": []}, "body.venues"),
        ({"venues": ["a", "b", "c"]}, "body.venues"),
        ({"balance": "-1"}, "body.balance"),
        ({"balance": 0}, "body.balance"),
        ({"balance": "NaN"}, "body.balance"),
        ({"balance": "Infinity"}, "body.balance"),
        ({"balance": "1e999999"}, "body.balance"),
        ({"balance": "1e-999999"}, "body.balance"),
        ({"leverage": -1}, "body.leverage"),
        ({"coins": "-0.1"}, "body.coins"),
        ({"latency_ms": 1.5}, "body.latency_ms"),
        ({"latency_ms": 10**30}, "body.latency_ms"),
        ({"limits": {"max_open_positions": 0}}, "body.limits.max_open_positions"),
        ({"limits": {"max_position_notional": "some"}}, "body.limits.max_position_notional"),
        ({"unknown": 1}, "body.unknown"),
    ],
)
def test_a_declaration_that_cannot_be_names_the_field_the_value_and_what_was_expected(
    changes: dict[str, Any], field: str
) -> None:
    answer = started(**changes)
    problem = Problem.model_validate_json(answer.content)
    assert answer.status_code == 422
    assert (problem.kind, problem.field) == ("BadInput", field)
    assert problem.value and problem.expected
    assert f"{problem.field} = {problem.value}: expected {problem.expected}" in problem.error


JOB = {"kind": "replay", "session": "one", "strategy": "ma-cross", "venues": ["nova"], "symbol": "BTC/USDT",
       "interval": "1m", "start_ns": 10**18, "end_ns": 2 * 10**18}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "sweep"}, "body.kind = 'sweep': expected one of 'replay', 'backtest', 'download'"),
        ({"kind": None}, "body.kind = 'None': expected one of 'replay', 'backtest', 'download'"),
        ({"end_ns": 10**18}, "body.end_ns = 1000000000000000000: expected later than start_ns 1000000000000000000"),
        ({"end_ns": 5}, "body.end_ns = 5: expected greater than or equal to 100000000000000000"),
        ({"start_ns": "2024-05-01"}, "body.start_ns = '2024-05-01': expected a valid integer"),
        ({"mode": "paper"}, "body.mode = 'paper': expected no such field"),
        ({"session": "a/b"}, "body.session = 'a/b': expected String should match pattern"),
        (
            {"limits": {"max_open_positions": 0}},
            "body.limits.max_open_positions = 0: expected greater than 0 or 'none'",
        ),
        ({"kind": "backtest"}, "body.venue = nothing: expected a value"),
    ],
)
def test_a_job_that_cannot_be_names_the_field_the_value_and_what_was_expected(
    changes: dict[str, Any], sentence: str
) -> None:
    answer = sent("POST", "/jobs", json=JOB | changes)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(sentence)


def test_a_job_without_a_kind_is_asked_for_it() -> None:
    answer = sent("POST", "/jobs", json={name: value for name, value in JOB.items() if name != "kind"})
    assert answer.json()["error"] == "body.kind = nothing: expected a value"


def test_a_job_over_history_that_is_not_there_and_a_job_that_is_not_there_are_not_found() -> None:
    absent = sent("POST", "/jobs", json=JOB | {"symbol": "GONE/USDT"})
    assert (absent.status_code, absent.json()["kind"]) == (404, "HistoryMissing")
    for method in ("GET", "DELETE"):
        unknown = sent(method, "/jobs/replay-9")
        assert (unknown.status_code, unknown.json()["kind"]) == (404, "JobNotFound")
        assert sent(method, "/jobs/..").status_code in (404, 405)
        assert sent(method, "/jobs/a job").status_code == 422


def test_a_field_of_several_kinds_says_all_that_it_may_be() -> None:
    answer = started(limits={"max_open_positions": 0})
    assert answer.json()["expected"] == "greater than 0 or 'none'"


def test_a_field_that_is_missing_is_named() -> None:
    answer = sent("POST", json={name: value for name, value in DECLARED.items() if name != "symbol"})
    assert answer.json()["error"] == "body.symbol = nothing: expected a value"


def test_markup_comes_back_as_text() -> None:
    answer = started(strategy=IMAGE)
    assert answer.status_code == 400
    assert answer.json()["error"] == f"strategy {IMAGE!r}: expected ma-cross"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    for field in ("leverage", "balance"):
        body = json.dumps({**DECLARED, field: "HERE"}).replace('"HERE"', text)
        assert sent("POST", content=body).status_code == 422
    body = json.dumps({**DECLARED, "parameters": {"fast": "HERE"}}).replace('"HERE"', text)
    assert sent("POST", content=body).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"null", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b'{"session": "one"', 422),
        (json.dumps(DECLARED).encode("utf-16"), 400),
        (b'{"session": "\xff"}', 400),
        (b"\x00\x01", 422),
        (b"[" * 30_000, 400),
        (b'{"a":' * 17 + b"1" + b"}" * 17, 400),
        (b'{"leverage": ' + b"9" * 5_000 + b"}", 400),
    ],
)
def test_a_body_that_is_no_declaration_is_refused(body: bytes, status: int) -> None:
    assert sent("POST", content=body).status_code == status


def test_brackets_in_text_are_not_nesting() -> None:
    assert started(strategy="[" * 40 + '"]\\').status_code == 400


def test_a_body_of_another_kind_is_refused() -> None:
    headers = AUTHORIZED | {"Content-Type": "text/plain"}
    assert sent("POST", content=json.dumps(DECLARED), headers=headers).status_code == 422
    assert sent("POST", data={"session": "one"}).status_code == 422


def test_a_huge_body_is_refused_whether_announced_or_in_chunks() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_024

    for content in (b" " * 65_537, chunks()):
        answer = sent("POST", content=content)
        assert answer.status_code == 413
        assert "expected at most" in answer.json()["error"]
    for announced in ("99999999999999999999", "-1", "many"):
        assert sent("POST", content=b"{}", headers=AUTHORIZED | {"Content-Length": announced}).status_code == 413


def test_the_same_session_twice_is_a_conflict() -> None:
    answer = started(session="kept")
    assert answer.status_code == 409
    assert answer.json()["kind"] == "SessionExists"


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
def test_an_unknown_session_is_not_found(verb: str) -> None:
    answer = sent("POST", f"/sessions/two/{verb}")
    assert answer.status_code == 404
    assert answer.json()["error"] == "session two: there is none; kept is there"


@pytest.mark.parametrize("name", ["..%2fkept", "%00", "%ff", "a b", "%3Cimg%3E", "x" * 61, "kept%0A"])
def test_a_name_that_no_session_can_have_is_refused(name: str) -> None:
    assert sent("POST", f"/sessions/{name}/stop").status_code in (404, 422)
    assert sent("GET", f"/sessions/{name}").status_code in (404, 422)


@pytest.mark.parametrize(
    "path",
    ["/orders?open=1", "/orders?open_only=perhaps", "/orders?session=", "/spreads?symbol=" + "x" * 61, "/groups?a=b"],
)
def test_a_question_with_unknown_words_is_refused(path: str) -> None:
    assert sent("GET", path).status_code == 422


def test_unknown_parts_of_a_command_are_refused() -> None:
    assert sent("POST", "/sessions/kept/stop", json={"flaten": True}).status_code == 422
    assert sent("POST", "/sessions/kept/pause", json={"reason": "x" * 201}).status_code == 422
    named = AUTHORIZED | {"Workstation-Client": "<b>"}
    assert sent("POST", "/sessions/kept/stop", headers=named).status_code == 422


def test_what_is_not_there_is_told_in_the_same_form() -> None:
    assert sent("GET", "/nowhere").status_code == 404
    assert sent("DELETE", "/sessions").status_code == 405
    assert sent("GET", "/docs/../sessions/..", headers=AUTHORIZED).status_code in (404, 422)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "x" * 43},
        {"Authorization": "Basic " + TOKEN},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer " + TOKEN[:-1]},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/sessions"), ("POST", "/sessions"), ("GET", "/metrics"), ("GET", "/health/details"), ("GET", "/nowhere")],
)
def test_nothing_answers_without_the_token(headers: dict[str, str], method: str, path: str) -> None:
    answer = sent(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "[::1", "a b"]
)
def test_a_rebound_name_is_refused(host: str) -> None:
    for path in ("/health", "/sessions"):
        assert sent("GET", path, headers=AUTHORIZED | {"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8790", "127.0.0.1", "[::1]:8790", "LOCALHOST"])
def test_loopback_by_any_of_its_names_is_answered(host: str) -> None:
    assert sent("GET", "/nowhere", headers=AUTHORIZED | {"Host": host}).status_code == 404


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9", "http://127.0.0.1.evil.example"]
)
def test_a_page_of_another_origin_changes_nothing(origin: str) -> None:
    headers = AUTHORIZED | {"Origin": origin}
    assert sent("POST", "/sessions", json=DECLARED, headers=headers).status_code == 403
    assert sent("OPTIONS", "/sessions", headers=headers).status_code == 403


def test_a_page_of_an_allowed_origin_may() -> None:
    headers = AUTHORIZED | {"Origin": "http://127.0.0.1:5006"}
    settings = {"origins": frozenset({"http://127.0.0.1:5006"})}
    assert sent("POST", "/sessions/two/stop", headers=headers, settings=settings).status_code == 404
    assert sent("POST", "/sessions/two/stop", headers=AUTHORIZED | {"Origin": HOST}).status_code == 404


def test_too_many_requests_are_told_when_to_come_again_and_guessing_takes_nothing_from_who_has_the_token() -> None:
    desk = Desk()
    app = an_app(desk, stranger_rate=Rate(per_second=0.1, burst=2), rate=Rate(per_second=1, burst=3))

    async def ask() -> tuple[list[httpx.Response], list[httpx.Response]]:
        async with asking(app) as client:
            wrong = {"Authorization": "Bearer wrong"}
            strangers = [await client.get("/sessions", headers=wrong) for _ in range(3)]
            return strangers, [await client.get("/sessions") for _ in range(4)]

    strangers, known = asyncio.run(ask())
    assert [answer.status_code for answer in strangers] == [401, 401, 429]
    assert strangers[-1].headers["retry-after"] == "10"
    assert [answer.status_code for answer in known] == [200, 200, 200, 429]
    assert known[-1].json()["kind"] == "RetryError"
