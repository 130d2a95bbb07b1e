"""`scripts/channel.js` alone, in a real browser: who is told what, when components come and go while it tells."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, WebSocketRoute

URL = "http://page.test/"
SCRIPT = files("workstation.dashboard").joinpath("scripts/channel.js").read_text(encoding="utf-8")
COMPONENTS = """
globalThis.told = []
globalThis.stops = {}
const component = (name, others = {}) => (stops[name] = live.watch("bars", {
  snapshot: (now) => { told.push([name, "snapshot", now.n]); others.snapshot?.() },
  delta: (now) => { told.push([name, "delta", now.n]); others.delta?.() },
}))
const whole = (name) => (stops[name] = live.watch("bars", {whole: (now) => told.push([name, "whole", now])}))
"""


class Server:
    """The other end of the page's socket."""

    def __init__(self, browser: Browser) -> None:
        self.heard: list[Any] = []
        self.page = browser.new_context().new_page()
        self.page.route(URL, lambda one: one.fulfill(body="<!doctype html>", content_type="text/html"))
        self.page.route_web_socket("**/channel", self._open)
        self.page.goto(URL)
        self.page.add_script_tag(content=SCRIPT + COMPONENTS)
        self.wait_for(lambda: self.heard)

    def _open(self, socket: WebSocketRoute) -> None:
        self.socket = socket
        socket.on_message(lambda text: self.heard.append(json.loads(text)))

    def wait_for(self, condition: Any) -> None:
        for _ in range(1_000):
            if condition():
                return
            self.page.wait_for_timeout(10)
        raise AssertionError(f"did not come about; heard {self.heard}, told {self.told}")

    def say(self, sequence: int, **parts: Any) -> None:
        self.socket.send(json.dumps({"channel": "bars", "sequence": sequence, **parts}))

    def run(self, code: str) -> None:
        self.page.evaluate(f"() => {{ {code} }}")

    @property
    def told(self) -> list[Any]:
        return self.page.evaluate("told")


@pytest.fixture
def server(browser: Browser) -> Iterator[Server]:
    made = Server(browser)
    yield made
    made.page.context.close()


def test_who_comes_while_a_delta_is_told_gets_a_snapshot_before_any_delta(server: Server) -> None:
    server.run("component('first', {delta: () => stops.second ?? component('second')})")
    server.say(1, snapshot={"n": 1})
    server.say(2, delta={"n": 2})
    server.say(3, delta={"n": 3})
    server.say(3, snapshot={"n": 3})
    server.say(4, delta={"n": 4})
    server.wait_for(lambda: len(server.told) == 7)
    assert [one for one in server.told if one[0] == "second"] == [["second", "snapshot", 3], ["second", "delta", 4]]
    assert server.heard[-1] == {"again": "bars"}


def test_who_asks_again_at_each_delta_is_told_each_but_once(server: Server) -> None:
    """As the Live page does where its chart was replaced: it lets go only after it has come anew."""
    server.run(
        "const anew = (name) => component(name, {delta: () => { const before = stops[name]; anew(name); before() }});"
        "anew('chart')"
    )
    server.say(1, snapshot={"n": 1})
    server.say(2, delta={"n": 2})
    server.say(3, delta={"n": 3})
    server.say(3, snapshot={"n": 3})
    server.say(4, delta={"n": 4})
    server.wait_for(lambda: len(server.told) == 4)
    assert [kind for _, kind, _ in server.told] == ["snapshot", "delta", "snapshot", "delta"]
    assert server.heard[-1] == {"again": "bars"}


def test_who_was_let_go_meanwhile_is_told_nothing_more(server: Server) -> None:
    server.run("component('first', {delta: () => stops.second()}); component('second')")
    server.say(1, snapshot={"n": 1})
    server.say(2, delta={"n": 2})
    server.wait_for(lambda: len(server.told) == 3)
    server.say(3, delta={"n": 3})
    server.wait_for(lambda: len(server.told) == 4)
    assert [one for one in server.told if one[1] == "delta"] == [["first", "delta", 2], ["first", "delta", 3]]


def test_parts_that_changed_are_put_into_the_whole_and_a_missing_one_asks_for_all_anew(server: Server) -> None:
    server.run("whole('state')")
    server.say(1, snapshot={"a": 1, "b": 1})
    server.say(2, delta={"b": 2})
    server.wait_for(lambda: len(server.told) == 2)
    assert server.told[-1] == ["state", "whole", {"a": 1, "b": 2}]
    server.run("whole('late')")  # comes in the middle: told at once, without asking
    assert server.told[-1] == ["late", "whole", {"a": 1, "b": 2}]
    server.say(4, delta={"a": 4})
    server.wait_for(lambda: server.heard[-1] == {"again": "bars"})
    server.say(5, delta={"a": 5})
    server.say(5, snapshot={"a": 5, "b": 5})
    server.wait_for(lambda: len(server.told) == 5)
    assert server.told[-2:] == [["state", "whole", {"a": 5, "b": 5}], ["late", "whole", {"a": 5, "b": 5}]]


def test_the_last_that_lets_go_ends_the_watch(server: Server) -> None:
    server.run("component('first'); component('second')")
    server.wait_for(lambda: {"watch": ["bars"]} in server.heard)
    server.run("stops.first()")
    server.run("stops.second(); stops.second()")
    server.wait_for(lambda: server.heard[-1] == {"watch": []})
    assert server.heard.count({"watch": []}) == 2  # at the beginning, and now
