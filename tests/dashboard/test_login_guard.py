"""Strangers, foreign pages and rebound names at a real server: who gets how far."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bokeh.util.token import generate_jwt_token, generate_session_id, get_session_id, get_token_payload
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.dashboard.serving import PASSWORD, Served, dashboard, log_in
from workstation.dashboard.guard import HEADERS
from workstation.dashboard.users import Role


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Nobody changes its users."""
    with dashboard(tmp_path_factory.mktemp("home"), hosts=["desk.example.org"]) as served:
        served.access.store.add("ada", Role.TRADER, PASSWORD)
        yield served


@pytest.fixture
def ada(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as browser:
        assert log_in(browser, "ada").status_code == 303
        yield browser


@pytest.fixture
def stranger(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as browser:
        yield browser


def cookies_of(browser: httpx.Client) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


def socket_of(served: Served, path: str, headers: dict[str, str], **options: Any) -> Any:
    return connect(f"ws://127.0.0.1:{served.access.port}{path}", additional_headers=headers, **options)


def refused_socket(served: Served, path: str, headers: dict[str, str], **options: Any) -> int:
    with pytest.raises(InvalidStatus) as refused:
        socket_of(served, path, headers, **options)
    return int(refused.value.response.status_code)


# -- strangers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/desk",
        "/desk/",
        "/desk/metadata",
        "/desk/autoload.js?bokeh-autoload-element=x",
        "/desk/static/js/bokeh.js",
        "/channel",
        "/components/panel.pane/Markdown/x/y",
        "/nothing",
        "//example.org",
        "/LOGIN",
        "/login/",
        "/login/../desk",
        "/liveness/x",
        "/staticx",
        "/%73tatic/../desk",
    ],
)
def test_a_stranger_is_sent_to_the_login_and_comes_back_where_he_wanted(stranger: httpx.Client, path: str) -> None:
    raw = httpx.URL(str(stranger.base_url)).copy_with(raw_path=path.encode())
    answer = stranger.get(raw)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/login?next=%2F")


@pytest.mark.parametrize("path", ["/login", "/liveness", "/favicon.ico", "/static/js/bokeh.min.js"])
def test_login_liveness_and_the_libraries_files_are_everybodys(stranger: httpx.Client, path: str) -> None:
    assert stranger.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/static/../desk", "/static/%2e%2e/desk", "/static/extensions/panel/../../../desk"])
def test_below_static_is_nothing_but_files(stranger: httpx.Client, path: str) -> None:
    raw = httpx.URL(str(stranger.base_url)).copy_with(raw_path=path.encode())
    answer = stranger.get(raw)
    assert answer.status_code in (302, 403, 404) and "drawn for" not in answer.text


@pytest.mark.parametrize("path", ["/components/this/x/y/z", "/components/this", "/components"])
def test_no_address_imports_a_module_whoever_is_logged_in(ada: httpx.Client, path: str) -> None:
    """Panel has a route that imports what it is told to, and a module may end the process."""
    answer = ada.get(path, headers={"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"})
    assert answer.status_code == 404
    assert "this" not in sys.modules


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_a_stranger_who_writes_is_refused(stranger: httpx.Client, method: str) -> None:
    answer = stranger.request(method, "/desk")
    assert (answer.status_code, answer.text) == (403, "nobody is logged in here: open /login\n")


@pytest.mark.parametrize("path", ["/desk/ws", "/channel"])
def test_a_socket_of_a_stranger_is_refused_before_the_handshake(served: Served, path: str) -> None:
    assert refused_socket(served, path, {}, origin=served.url) == 403
    assert refused_socket(served, path, {"Cookie": f"workstation_{served.access.port}=x"}, origin=served.url) == 403


def test_without_its_guard_the_server_knows_nobody(tmp_path: Path) -> None:
    with dashboard(tmp_path, is_guarded=False) as served, served.browser() as browser:
        served.access.store.add("ada", Role.ADMIN, PASSWORD)
        assert log_in(browser, "ada").status_code == 303
        assert browser.get("/desk").status_code == 302
        assert served.documents == []


# -- hosts and origins


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", "evil.example:{port}", ""]
)
@pytest.mark.parametrize("path", ["/desk", "/login", "/static/js/bokeh.min.js", "/liveness"])
def test_a_name_that_was_rebound_to_us_is_refused(ada: httpx.Client, served: Served, host: str, path: str) -> None:
    answer = ada.get(path, headers={"Host": host.format(port=served.access.port)})
    assert answer.status_code == 400
    assert not host or "expected 127.0.0.1:" in answer.text


def test_hosts_of_ours_are_answered_in_any_case(ada: httpx.Client, served: Served) -> None:
    for host in (f"127.0.0.1:{served.access.port}", f"LocalHost:{served.access.port}", "desk.example.org"):
        assert ada.get("/login", headers={"Host": host}).status_code in (200, 302)


@pytest.mark.parametrize("lines", [b"", b"Host: 127.0.0.1:{port}\r\nHost: evil.example\r\n"])
def test_a_request_with_no_host_or_two_is_refused(served: Served, lines: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.access.port)) as one:
        host = lines.replace(b"{port}", str(served.access.port).encode())
        one.sendall(b"GET /desk HTTP/1.0\r\n" + host + b"\r\n")
        assert b" 400 " in one.recv(100)


FOREIGN_ORIGINS = [
    "http://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:8888",
    "http://127.0.0.1:{port}.evil.example",
    "http://localhost:{port}",  # ours, but not the name that this page was loaded by
    "http://x@127.0.0.1:{port}",
    "file://",
    "null",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
@pytest.mark.parametrize("path", ["/desk/ws", "/channel"])
def test_a_socket_of_a_foreign_page_is_refused_whoever_is_logged_in(
    ada: httpx.Client, served: Served, origin: str, path: str
) -> None:
    shown = origin.format(port=served.access.port)
    assert refused_socket(served, path, cookies_of(ada), origin=shown) == 403


@pytest.mark.parametrize("path", ["/desk/ws", "/channel"])
def test_a_socket_that_names_no_origin_is_refused(ada: httpx.Client, served: Served, path: str) -> None:
    assert refused_socket(served, path, cookies_of(ada)) == 403


@pytest.mark.parametrize("allowed", ["*", "evil.example"])
def test_no_variable_of_the_environment_opens_sockets_to_foreign_pages(
    ada: httpx.Client, served: Served, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOKEH_ALLOW_WS_ORIGIN", allowed)
    assert refused_socket(served, "/desk/ws", cookies_of(ada), origin="http://evil.example") == 403


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_form_of_a_foreign_page_is_refused(ada: httpx.Client, served: Served, origin: str) -> None:
    answer = ada.post("/login", headers={"Origin": origin.format(port=served.access.port)})
    assert answer.status_code == 403 and "expected a page of ours" in answer.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_can_link_to_us_but_not_take_parts_of_us(ada: httpx.Client, site: str) -> None:
    linked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ada.get("/desk", headers=linked).status_code == 200
    script = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
    assert ada.get("/desk/autoload.js?bokeh-autoload-element=x", headers=script).status_code == 403
    assert ada.post("/desk", headers=linked | {"Origin": "http://127.0.0.1:1"}).status_code == 403


# -- who is in


@pytest.mark.parametrize("path", ["/desk", "/login", "/liveness", "/static/js/bokeh.min.js"])
def test_every_answer_says_what_browsers_must_not_do_with_it(ada: httpx.Client, path: str) -> None:
    answer = ada.get(path)
    assert set(HEADERS) <= {name.title().replace("Csp", "CSP") for name in answer.headers}
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"  # "no-referrer" makes the Origin of our own forms null
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_page_is_drawn_for_its_user_and_its_socket_opens(ada: httpx.Client, served: Served) -> None:
    page = ada.get("/desk")
    assert page.status_code == 200
    user = served.access.user_of_document(served.documents[-1])
    assert user is not None and (user.name, user.role) == ("ada", Role.TRADER)
    token = token_of(page)
    with socket_of(
        served, "/desk/ws", cookies_of(ada), origin=served.url, subprotocols=[Subprotocol("bokeh"), Subprotocol(token)]
    ) as opened:
        assert "ACK" in opened.recv(10.0)


def test_a_handler_of_a_socket_knows_who_is_there(ada: httpx.Client, served: Served) -> None:
    with socket_of(served, "/channel", cookies_of(ada), origin=served.url) as opened:
        assert opened.recv(10.0) == "ada trader"


def test_the_pages_token_keeps_no_cookie_where_scripts_could_read_it(ada: httpx.Client) -> None:
    payload = get_token_payload(token_of(ada.get("/desk", headers={"Authorization": "Bearer x"})))
    assert payload["cookies"] == {}
    assert not {"cookie", "authorization"} & {name.lower() for name in payload["headers"]}


def test_a_page_whose_token_was_made_elsewhere_is_nobodys(ada: httpx.Client, served: Served) -> None:
    """The token names the session: who could write one could name another's."""
    count = len(served.documents)
    token = generate_jwt_token(generate_session_id(signed=False), signed=False, extra_payload={"cookies": {}})
    with (
        socket_of(
            served,
            "/desk/ws",
            cookies_of(ada),
            origin=served.url,
            subprotocols=[Subprotocol("bokeh"), Subprotocol(token)],
        ) as opened,
        pytest.raises(Exception, match="1005"),
    ):
        opened.recv(10.0)
    assert len(served.documents) == count


def test_no_link_leads_into_a_page_that_its_writer_shares(ada: httpx.Client, served: Served) -> None:
    """Two who are in one page act as the one whose page it is."""
    token, count = token_of(ada.get("/desk")), len(served.documents)
    for named in ({"bokeh-token": token}, {"bokeh-session-id": get_session_id(token)}):
        assert ada.get("/desk", params=named).status_code == 403
    assert ada.get("/desk", headers={"Bokeh-Session-Id": "x"}).status_code == 403
    assert len(served.documents) == count


def token_of(page: httpx.Response) -> str:
    text = page.text.split('"token":"', 1)[1]
    return text.split('"', 1)[0]


def test_a_body_that_is_too_large_is_not_taken_in(served: Served) -> None:
    async def post() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.access.port)
        head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{served.access.port}\r\nContent-Length: 100000000\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(200), 10.0)
        writer.close()
        return answer

    assert not asyncio.run(post()).startswith(b"HTTP/1.1 2")
