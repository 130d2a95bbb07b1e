"""A small dashboard behind the real login, served from a thread: tests speak HTTP and WebSocket to it."""

import asyncio
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import panel as pn
from argon2 import PasswordHasher
from panel.io.server import get_server
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketHandler

from workstation.dashboard.access import Access
from workstation.dashboard.guard import protect
from workstation.dashboard.login import server_options
from workstation.dashboard.passwords import Passwords
from workstation.dashboard.users import UserStore

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "four words in a row"
XSRF = re.compile(r'name="_xsrf" value="([^"]+)"')


@dataclass
class Clocks:
    """What the test says it is."""

    now_s: float = 1_800_000_000.0
    elapsed_s: float = 1_000.0


@dataclass
class Served:
    """The server, and whom its pages were drawn for."""

    access: Access
    clocks: Clocks
    documents: list[Any] = field(default_factory=list)
    server: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.access.port}"

    def browser(self, **options: Any) -> httpx.Client:
        """Follows no redirect; keeps cookies."""
        return httpx.Client(base_url=self.url, timeout=30.0, **options)


class Channel(WebSocketHandler):
    """As the pages' own channel: says who is there."""

    def initialize(self, access: Access) -> None:
        self._access = access

    def check_origin(self, origin: str) -> bool:
        return True  # the guard stands before it

    async def open(self, *_: str, **__: str) -> None:
        user = self._access.user_of(self)
        await self.write_message("nobody" if user is None else f"{user.name} {user.role}")


def quick_store(home: Path) -> UserStore:
    return UserStore(home, Passwords(QUICK))


@contextmanager
def dashboard(home: Path, *, is_guarded: bool = True, hosts: Sequence[str] = ()) -> Iterator[Served]:
    """Until the block ends."""
    clocks = Clocks()
    access = Access(
        home,
        free_port(),
        hosts,
        store=quick_store(home),
        now_s=lambda: clocks.now_s,
        elapsed_s=lambda: clocks.elapsed_s,
    )
    served, is_up = Served(access, clocks), threading.Event()

    def page() -> Any:
        served.documents.append(pn.state.curdoc)
        user = access.user_of_document(pn.state.curdoc)
        return pn.pane.Markdown("nobody" if user is None else f"drawn for {user.name}, {user.role}")

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        options = server_options(access)
        options["extra_patterns"] += [("/channel", Channel, {"access": access})]
        served.server = get_server(
            {"desk": page}, port=access.port, address="127.0.0.1", start=False, liveness=True, **options
        )
        if is_guarded:
            protect(served.server, access)
        served.server.start()
        served.server.io_loop.add_callback(is_up.set)
        served.server.io_loop.start()

    thread = threading.Thread(target=run, name="dashboard")
    thread.start()
    try:
        assert is_up.wait(30.0)
        yield served
    finally:
        loop: IOLoop = served.server.io_loop
        loop.add_callback(served.server.stop)
        loop.add_callback(loop.stop)
        thread.join()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def form_token(answer: httpx.Response) -> str:
    found = XSRF.search(answer.text)
    assert found is not None, answer.text
    return unescape(found[1])


def log_in(browser: httpx.Client, name: str, password: str = PASSWORD, target: str = "/desk") -> httpx.Response:
    """As the form does."""
    token = form_token(browser.get("/login", params={"next": target}))
    form = {"_xsrf": token, "next": target, "name": name, "password": password}
    return browser.post("/login", data=form, headers={"Origin": str(browser.base_url).rstrip("/")})
