"""The login's pages at a real server: in, out, the one-time link, and everything that is neither."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.serving import PASSWORD, Served, dashboard, form_token, log_in
from workstation.dashboard.access import LASTS_S, OWNER, RENEWED_AFTER_S
from workstation.dashboard.login import BUSY, DAMAGED, STALE, USED, WRONG, in_words, local_target
from workstation.dashboard.private_files import write_private
from workstation.dashboard.users import Role, User
from workstation.dashboard.verifier import MOST_WAITING


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with dashboard(tmp_path) as served:
        for role in Role:
            served.access.store.add(f"a-{role}", role, PASSWORD)
        yield served


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as browser:
        yield browser


def user_drawn_for(served: Served) -> User | None:
    return served.access.user_of_document(served.documents[-1])


@pytest.mark.parametrize("role", Role)
def test_the_right_password_leads_to_the_page_that_was_wanted_in_ones_role(
    served: Served, browser: httpx.Client, role: Role
) -> None:
    answer = log_in(browser, f"a-{role}", target="/desk?symbol=BTC/USDT")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk?symbol=BTC/USDT")
    assert browser.get("/desk").status_code == 200
    user = user_drawn_for(served)
    assert user is not None and user.role is role
    assert browser.get("/login?next=/desk").headers["location"] == "/desk"


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(served: Served, browser: httpx.Client) -> None:
    cookie = log_in(browser, "a-viewer").headers["set-cookie"]
    assert cookie.startswith(f"workstation_{served.access.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={LASTS_S}"} <= set(cookie.split("; ")[1:])


@pytest.mark.parametrize(("name", "password"), [("a-trader", "wrong wrong wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_name_and_a_wrong_password_are_told_in_the_same_words(
    browser: httpx.Client, name: str, password: str
) -> None:
    answer = log_in(browser, name, password)
    assert answer.status_code == 403 and WRONG in answer.text
    assert "set-cookie" not in answer.headers
    assert browser.get("/desk").status_code == 302


def test_what_was_typed_comes_back_as_text_and_the_password_not_at_all(browser: httpx.Client) -> None:
    answer = log_in(browser, '"><script>alert(1)</script>', "a-wrong-password", target='/desk?x="><b>')
    assert "<script>alert" not in answer.text and "<b>" not in answer.text
    assert "a-wrong-password" not in answer.text
    assert 'value="a-trader"' in log_in(browser, "a-trader", "a-wrong-password").text


def test_without_the_forms_token_nobody_gets_in(browser: httpx.Client) -> None:
    form = {"name": "a-trader", "password": PASSWORD, "next": "/desk"}
    for token in ({}, {"_xsrf": "x"}, {"_xsrf": "2|00000000|00000000|1"}):
        answer = browser.post("/login", data=form | token)
        assert answer.status_code == 403 and STALE.split(",")[0] in answer.text
    other_browsers_token = form_token(httpx.get(str(browser.base_url) + "/login"))
    assert browser.post("/login", data=form | {"_xsrf": other_browsers_token}).status_code == 403
    assert log_in(browser, "a-trader").status_code == 303


def test_after_five_wrong_passwords_one_waits_even_with_the_right_one(served: Served, browser: httpx.Client) -> None:
    assert [log_in(browser, "a-trader", "wrong wrong wrong").status_code for _ in range(6)] == [403] * 5 + [429]
    answer = log_in(browser, "A-Trader")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "looked at in 1 s" in answer.text
    with served.browser() as other:
        assert log_in(other, "a-admin").status_code == 303  # another user is not kept out
    served.clocks.elapsed_s += 1.0
    assert log_in(browser, "a-trader").status_code == 303


def test_a_thousand_wrong_attempts_are_bounded(served: Served, browser: httpx.Client) -> None:
    """At most twenty of one address are looked at; none is remembered by more than its name's place."""
    token = form_token(browser.get("/login"))

    def attempt(number: int) -> int:
        form = {"_xsrf": token, "name": f"user{number}", "password": "wrong wrong wrong"}
        return browser.post("/login", data=form).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(attempt, range(1_000)))
    assert (codes.count(403), codes.count(429)) == (20, 980)
    assert len(served.access.attempts) == 21


def test_too_many_at_the_same_moment_are_asked_to_come_again(served: Served, browser: httpx.Client) -> None:
    verifier = next(one for one in served.server._tornado.wildcard_router.rules if one.target_kwargs.get("verifier"))
    verifier.target_kwargs["verifier"]._waiting = MOST_WAITING
    answer = log_in(browser, "a-trader")
    assert answer.status_code == 503 and BUSY in answer.text


def test_logout_ends_the_session_in_every_tab(served: Served, browser: httpx.Client) -> None:
    log_in(browser, "a-trader")
    stolen = dict(browser.cookies)
    browser.get("/desk")
    assert user_drawn_for(served) is not None
    answer = browser.get("/logout")
    assert (answer.status_code, answer.headers["location"]) == (302, "/login")
    assert f"workstation_{served.access.port}" not in dict(browser.cookies)
    assert browser.get("/desk").status_code == 302
    assert user_drawn_for(served) is None
    assert httpx.get(f"{served.url}/desk", cookies=stolen).status_code == 302


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_a_stranger_cannot_log_anybody_out(browser: httpx.Client, site: str) -> None:
    log_in(browser, "a-trader")
    for mode in ("navigate", "no-cors"):
        assert browser.get("/logout", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}).status_code == 403
    assert browser.get("/desk").status_code == 200


@pytest.mark.parametrize("change", ["password", "role", "remove"])
def test_a_change_of_the_user_ends_what_is_open(served: Served, browser: httpx.Client, change: str) -> None:
    log_in(browser, "a-trader")
    browser.get("/desk")
    store = served.access.store
    if change == "password":
        store.set_password("a-trader", "another row of words")
    elif change == "role":
        store.set_role("a-trader", Role.VIEWER)
    else:
        store.remove("a-trader")
    assert user_drawn_for(served) is None
    assert browser.get("/desk").status_code == 302


def test_a_cookie_that_was_tampered_with_is_a_strangers(served: Served, browser: httpx.Client) -> None:
    log_in(browser, "a-viewer")
    name = served.access.cookie_name
    value = str(browser.cookies[name]).strip('"')
    for other in (value[:-1] + ("0" if value[-1] != "0" else "1"), value.replace("|17:", "|18:"), "", "x"):
        assert httpx.get(f"{served.url}/desk", headers={"Cookie": f"{name}={other}"}).status_code == 302
    assert httpx.get(f"{served.url}/desk", headers={"Cookie": f"{name}={value}"}).status_code == 200


def test_a_cookie_is_renewed_by_loading_a_page_and_over_after_twelve_hours(
    served: Served, browser: httpx.Client
) -> None:
    log_in(browser, "a-trader")
    assert "set-cookie" not in browser.get("/desk").headers
    served.clocks.now_s += RENEWED_AFTER_S
    assert "set-cookie" in browser.get("/desk").headers
    served.clocks.now_s += LASTS_S - 1
    assert browser.get("/desk").status_code == 200
    served.clocks.now_s += LASTS_S
    assert browser.get("/desk").status_code == 302


def test_who_logs_in_again_has_one_session(served: Served, browser: httpx.Client) -> None:
    token = form_token(browser.get("/login"))
    for name in ("a-trader", "a-admin"):
        browser.post("/login", data={"_xsrf": token, "name": name, "password": PASSWORD})
        browser.get("/desk")
    before, after = (served.access.user_of_document(document) for document in served.documents)
    assert before is None and after is not None and after.name == "a-admin"


# -- the first start


def test_without_users_the_page_says_the_command_and_has_no_form(tmp_path: Path) -> None:
    with dashboard(tmp_path) as served, served.browser() as browser:
        page = browser.get("/login").text
        assert "<code>workstation user add NAME --role admin</code>" in page and "<form" not in page
        served.access.store.add("ada", Role.ADMIN, PASSWORD)
        assert log_in(browser, "ada").status_code == 303


def test_the_link_lets_the_owner_in_once(tmp_path: Path) -> None:
    with dashboard(tmp_path) as served, served.browser() as browser, served.browser() as other:
        link = served.access.link()
        assert link.startswith(f"http://127.0.0.1:{served.access.port}/enter?key=")
        answer = browser.get(link)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert browser.get("/desk").status_code == 200
        assert user_drawn_for(served) == OWNER and OWNER.role is Role.ADMIN
        again = other.get(link)
        assert again.status_code == 403 and USED in again.text
        assert other.get("/desk").status_code == 302
        assert link.partition("key=")[2] not in again.text


def test_the_link_is_void_after_ten_minutes(served: Served, browser: httpx.Client) -> None:
    link = served.access.link()
    served.clocks.elapsed_s += 600.0
    assert browser.get(link).status_code == 403
    for key in ("", "?key=", "?key=x", "?key=%00%ff"):
        assert browser.get(f"/enter{key}").status_code in (400, 403)
    assert browser.get("/desk").status_code == 302


def test_a_browser_that_looks_ahead_does_not_use_the_link_up(served: Served, browser: httpx.Client) -> None:
    link = served.access.link()
    assert browser.get(link, headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 403
    assert browser.head(link).status_code == 405
    assert browser.get(link).status_code == 303


def test_with_a_damaged_list_nobody_of_it_gets_in_and_the_page_says_what_to_do(
    served: Served, browser: httpx.Client
) -> None:
    token = form_token(browser.get("/login"))
    log_in(browser, "a-trader")
    write_private(served.access.store.file, b"{")
    assert browser.get("/desk").status_code == 302
    page = browser.get("/login")
    assert page.status_code == 503 and DAMAGED in page.text
    answer = browser.post("/login", data={"_xsrf": token, "name": "a-trader", "password": PASSWORD})
    assert answer.status_code == 503 and DAMAGED in answer.text and "set-cookie" not in answer.headers


# -- where to go afterwards


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "http:/desk",
        "desk",
        "",
        " //evil.example",
        "/desk\r\nSet-Cookie: x=1",
        "/login?next=/login",
        "/logout",
        "/enter?key=x",
        "/\u202eevil",
    ],
)
def test_no_target_leads_elsewhere(browser: httpx.Client, target: str) -> None:
    assert local_target(target) == "/"
    answer = log_in(browser, "a-trader", target=target)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@given(st.text(max_size=40) | st.text("/\\:?#@.\t\n evil", max_size=20) | st.from_regex(r"/[/\\a-z.:@?#%0-9]*"))
def test_any_target_stays_on_this_server(text: str) -> None:
    target = local_target(text)
    assert target.startswith("/") and target.isascii() and target.isprintable()
    landed = urlsplit(urljoin("http://127.0.0.1:5006/login", target))
    assert (landed.scheme, landed.netloc) == ("http", "127.0.0.1:5006")
    assert local_target(target) == target


def test_the_address_that_was_asked_for_survives_the_login(browser: httpx.Client) -> None:
    wanted = "/desk?symbol=BTC/USDT:USDT&span=1d&note=a%20b%26c"
    sent = browser.get(wanted).headers["location"]
    target = parse_qs(urlsplit(sent).query)["next"][0]
    assert target == wanted
    assert log_in(browser, "a-viewer", target=target).headers["location"] == wanted


def test_a_link_on_a_foreign_page_reaches_who_is_logged_in(browser: httpx.Client) -> None:
    """The browser keeps a strict cookie back then; our own answer brings it to ask again as a page of ours."""
    log_in(browser, "a-trader")
    cross_site = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    with httpx.Client(base_url=browser.base_url) as without_cookie:
        sent = without_cookie.get("/desk", headers=cross_site).headers["location"]
        page = without_cookie.get(sent, headers=cross_site)
        assert page.status_code == 200 and page.headers["refresh"] == "0" and page.text == ""
        asked = without_cookie.get(sent, headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"})
        assert "refresh" not in asked.headers and "<form" in asked.text
    assert browser.get(sent, headers={"Sec-Fetch-Site": "same-origin"}).headers["location"] == "/desk"


# -- the page


def test_the_page_asks_nothing_of_the_outside_and_runs_no_script_but_its_own(browser: httpx.Client) -> None:
    answer = browser.get("/login")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy and "form-action 'self'" in policy
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert answer.text.count("<script") == answer.text.count(f'<script nonce="{nonce}"') == 1
    assert "http:" not in answer.text and "https:" not in answer.text and "//" not in answer.text
    assert browser.get("/login").headers["content-security-policy"] != policy
    assert answer.headers["cache-control"] == "no-store"


def test_the_form_is_one_that_password_managers_and_screen_readers_know(browser: httpx.Client) -> None:
    page = browser.get("/login").text
    for words in (
        'autocomplete="username"',
        'autocomplete="current-password"',
        'autocapitalize="none"',
        '<label for="name">',
        '<label for="password">',
        'type="password"',
        '<html lang="en">',
        'name="viewport"',
        "prefers-color-scheme: dark",
        'getModifierState("CapsLock")',
    ):
        assert words in page
    assert 'role="alert"' in log_in(browser, "a-trader", "wrong wrong wrong").text


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 s"), (119, "119 s"), (120, "2 minutes"), (256, "5 minutes")])
def test_a_wait_is_told_in_words(seconds: int, words: str) -> None:
    assert in_words(seconds) == words
