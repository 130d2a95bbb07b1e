"""Control's words over REST."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.server.desk import DECLARED, Desk, an_app, asking
from workstation import errors
from workstation.errors import WorkstationError


def asked(desk: Desk, *requests: tuple[str, str, Any], **headers: str) -> list[httpx.Response]:
    """The answers, one after the other."""

    async def ask() -> list[httpx.Response]:
        async with asking(an_app(desk), **headers) as client:
            return [await client.request(method, path, json=body) for method, path, body in requests]

    return asyncio.run(ask())


def test_a_session_is_started_paused_resumed_and_stopped_with_who_asked() -> None:
    desk = Desk()
    answers = asked(
        desk,
        ("POST", "/sessions", DECLARED),
        ("POST", "/sessions/one/pause", {"reason": "lunch"}),
        ("GET", "/sessions/one", None),
        ("POST", "/sessions/one/resume", None),
        ("POST", "/sessions/one/stop", {"flatten": True}),
        ("POST", "/sessions/one/stop", None),
        **{"Workstation-Client": "notebook"},
    )
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200]
    assert [verb for verb, _, _ in desk.acts] == ["start", "pause", "resume", "flatten", "stop"]
    assert {by for _, _, by in desk.acts} == {"notebook"}
    assert answers[2].json()["reason"] == "lunch"
    assert answers[2].json()["parameters"] == DECLARED["parameters"]


def test_a_feed_is_reset_by_hand_with_who_asked() -> None:
    desk = Desk()
    reset, unknown, feeds = asked(
        desk,
        ("POST", "/feeds/nova/reset", None),
        ("POST", "/feeds/orion/reset", None),
        ("GET", "/feeds", None),
        **{"Workstation-Client": "notebook"},
    )
    assert (reset.status_code, unknown.status_code) == (200, 400)
    assert [reset.json()] == feeds.json() and reset.json()["venue"] == "nova"
    assert desk.acts == [("reset feed", "nova", "notebook")]


def test_who_does_not_say_its_name_is_the_api() -> None:
    desk = Desk()
    asked(desk, ("POST", "/sessions", DECLARED))
    assert desk.acts == [("start", "one", "api")]


def test_money_travels_as_text() -> None:
    desk = Desk()
    [_, sessions, positions] = asked(
        desk, ("POST", "/sessions", DECLARED), ("GET", "/sessions", None), ("GET", "/positions", None)
    )
    assert sessions.json()[0]["opening_equity"] == "10000.50"
    assert positions.json()[0]["quantity"] == "-0.10"


def test_lists_are_narrowed() -> None:
    desk = Desk()
    answers = asked(
        desk,
        ("POST", "/sessions", DECLARED),
        ("GET", "/orders", None),
        ("GET", "/orders?session=one&open_only=true", None),
        ("GET", "/groups?session=one", None),
        ("GET", "/signals", None),
        ("GET", "/spreads?symbol=ETH%2FUSDT", None),
    )
    assert [len(answer.json()) for answer in answers[1:]] == [3, 1, 1, 1, 1]
    assert answers[5].json()[0]["symbol"] == "ETH/USDT"


def test_lists_that_grow_are_told_page_by_page() -> None:
    desk = Desk()
    asked(
        desk, *(("GET", path, None) for path in ("/orders", "/orders?limit=7&after=", "/signals?limit=5000&after=s-1"))
    )
    assert desk.pages == [(500, None), (7, ""), (5_000, "s-1")]


def test_opportunities_are_told_of_one_symbol_or_all() -> None:
    desk = Desk()
    one, few = asked(desk, ("GET", "/opportunities?symbol=ETH%2FUSDT", None), ("GET", "/opportunities?limit=7", None))
    assert (one.json()[0]["symbol"], one.json()[0]["closed_ns"], one.json()[0]["peak_bps"]) == ("ETH/USDT", None, 2.5)
    assert few.status_code == 200 and desk.pages == [(500, None), (7, None)]


@pytest.mark.parametrize("path", ["orders", "opportunities"])
@pytest.mark.parametrize("limit", ["0", "5001", "many", ""])
def test_a_page_of_another_size_is_refused(path: str, limit: str) -> None:
    [answer] = asked(Desk(), ("GET", f"/{path}?limit={limit}", None))
    assert answer.status_code == 422 and "limit" in answer.text


def test_bars_travel_as_columns_and_quotes_and_rules_as_lists() -> None:
    desk = Desk()
    bars, book, quotes, rules = asked(
        desk,
        ("GET", "/bars?venue=nova&symbol=BTC%2FUSDT", None),
        ("GET", "/books?venue=nova&symbol=BTC%2FUSDT", None),
        ("GET", "/quotes?symbol=ETH%2FUSDT", None),
        ("GET", "/instruments", None),
    )
    assert (bars.json()["interval"], bars.json()["ts_open"], bars.json()["close"]) == ("1m", [1, 2], [1.5, 2.5])
    assert bars.json()["forming"]["close"] == 1.5
    assert desk.pages == [(500, None)]
    assert (book.json()["bids"], book.json()["asks"]) == ([[100.5, 2.0], [100.4, 3.0]], [[100.6, 1.0]])
    assert [one["symbol"] for one in quotes.json()] == ["ETH/USDT"]
    assert rules.json()[0]["tick_size"] == "0.10"


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/bars?venue=nova&symbol=BTC%2FUSDT&interval=7m", 422, "interval"),
        ("/bars?venue=nova&symbol=BTC%2FUSDT&limit=5001", 422, "limit"),
        ("/bars?venue=nova", 422, "symbol"),
        ("/books?venue=nova", 422, "symbol"),
        ("/books?venue=atlantis&symbol=BTC%2FUSDT", 404, "instrument atlantis:BTC/USDT"),
        ("/bars?venue=atlantis&symbol=BTC%2FUSDT", 404, "instrument atlantis:BTC/USDT"),
    ],
)
def test_bars_that_cannot_be_are_refused_with_what_is_wrong(path: str, status: int, word: str) -> None:
    [answer] = asked(Desk(), ("GET", path, None))
    assert answer.status_code == status and word in answer.json()["error"]


REPLAY = {name: value for name, value in DECLARED.items() if name != "balance"} | {"kind": "replay"}


def test_a_job_is_started_looked_at_and_cancelled_with_who_asked() -> None:
    desk = Desk()
    spanned = REPLAY | {"start_ns": 10**18, "end_ns": 10**18 + 1}
    answers = asked(
        desk,
        ("POST", "/jobs", spanned),
        ("GET", "/jobs", None),
        ("GET", "/jobs/replay-1", None),
        ("DELETE", "/jobs/replay-1", None),
        **{"Workstation-Client": "notebook"},
    )
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
    assert [verb for verb, _, _ in desk.acts] == ["job", "cancel"]
    assert {by for _, _, by in desk.acts} == {"notebook"}
    assert answers[1].json() == [answers[0].json()]
    assert "request" not in answers[0].json() and answers[2].json()["request"]["end_ns"] == 10**18 + 1
    assert answers[3].json()["state"] == "cancelled"


def test_health_says_one_word_without_the_token_and_all_with_it() -> None:
    desk = Desk()
    [well, details] = asked(desk, ("GET", "/health", None), ("GET", "/health/details", None))
    assert well.json() == {"status": "well"}
    assert details.json()["feeds"][0]["venue"] == "nova"
    desk.problems = ("nova: no data for 20 s",)
    [troubled] = asked(desk, ("GET", "/health", None))
    assert troubled.json() == {"status": "troubled"}


def test_metrics_hold_the_figures_of_engine_feeds_recorder_and_stream() -> None:
    desk = Desk()
    desk.publish(3)
    [_, answer] = asked(desk, ("POST", "/nowhere", None), ("GET", "/metrics", None), Origin="http://evil.example")
    lines = answer.text.splitlines()
    assert "workstation_rows_total 12.0" in lines
    assert "workstation_events_total 3.0" in lines
    assert 'workstation_feed_state{state="live",venue="nova"} 1.0' in lines
    assert 'workstation_feed_stale{venue="nova"} 1.0' in lines
    assert "workstation_recorder_lag_ms 1.5" in lines
    assert "workstation_recorder_opportunities_missed_total 0.0" in lines
    assert "workstation_stream_clients 0.0" in lines
    assert "workstation_requests_refused_total 1.0" in lines
    assert answer.headers["content-type"].startswith("text/plain")


CLASSES = sorted(
    {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, WorkstationError)},
    key=lambda cls: cls.__name__,
)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_of_the_package_has_a_status_and_keeps_its_class_and_sentence(cls: type[WorkstationError]) -> None:
    desk = Desk()
    desk.failure = cls("nova: no <b>rows</b> \ud800")
    [answer] = asked(desk, ("GET", "/positions", None))
    assert answer.json()["kind"] == cls.__name__
    assert answer.json()["error"] == "nova: no <b>rows</b> \\ud800"
    wanted = {errors.CallerError: 400, errors.OperatorError: 409, errors.RetryError: 503, errors.HaltError: 503}
    own = {
        "SessionNotFound": 404, "JobNotFound": 404, "UnknownInstrument": 404, "RunNotFound": 404, "HistoryMissing": 404,
        "SessionExists": 409, "IllegalTransition": 409, "AccessRefused": 403, "WorkstationError": 500,
        "OrderNotFound": 404, "GroupNotFound": 404, "CollectionNotFound": 404, "CollectionExists": 409,
    }  # fmt: skip
    base = next((status for base, status in wanted.items() if issubclass(cls, base)), 0)
    assert answer.status_code == own.get(cls.__name__, base)
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)


def test_a_fault_of_our_own_is_told_without_its_insides() -> None:
    desk = Desk()
    desk.failure = ZeroDivisionError("secret inside")
    [answer] = asked(desk, ("GET", "/positions", None))
    assert answer.status_code == 500
    assert "log says what" in answer.json()["error"]
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_of_operations_needs_no_internet_and_no_script() -> None:
    [answer] = asked(Desk(), ("GET", "/docs", None))
    assert answer.headers["content-type"].startswith("text/html")
    assert "<code>POST /sessions/{session}/pause</code>" in answer.text
    assert "<script" not in answer.text and "://" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_description_is_whole() -> None:
    [answer] = asked(Desk(), ("GET", "/openapi.json", None))
    operations = [
        (path, method, operation)
        for path, methods in answer.json()["paths"].items()
        for method, operation in methods.items()
    ]
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names)) == 37
    for path, _, operation in operations:
        assert operation["summary"] and operation["tags"]
        success = next(content for status, content in operation["responses"].items() if status.startswith("2"))
        assert success["content"]
        if path != "/health":
            assert operation["security"] == [{"HTTPBearer": []}]
            for status in ("400", "401", "404", "408", "409", "413", "422", "429", "500", "503"):
                schema = operation["responses"][status]["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}
    assert "HTTPValidationError" not in answer.json()["components"]["schemas"]
