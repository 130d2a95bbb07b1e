"""Cookies: what they say, how long they hold, and what ends them."""

import base64
import json
import logging
import os
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import create_signed_value

from tests.dashboard.serving import PASSWORD, Clocks, quick_store
from workstation.dashboard.access import (
    LASTS_AT_MOST_S,
    LASTS_S,
    MOST_ENDED,
    MOST_SKEW_S,
    OWNER,
    RENEWED_AFTER_S,
    Access,
    Login,
    cookie_secret,
)
from workstation.dashboard.private_files import write_private
from workstation.dashboard.users import Role
from workstation.errors import AccessRefused


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def access(tmp_path: Path, clocks: Clocks) -> Access:
    access = Access(tmp_path, 5006, store=quick_store(tmp_path), now_s=lambda: clocks.now_s)
    access.store.add("ada", Role.TRADER, PASSWORD)
    return access


def login_of(access: Access, name: str = "ada") -> Login:
    return access.begin(access.store.found(name))


def cookie_of(access: Access, name: str = "ada") -> str:
    return access.written(login_of(access, name)).decode("ascii")


def test_a_cookie_is_its_users_for_twelve_hours(access: Access, clocks: Clocks) -> None:
    cookie, began_s = cookie_of(access), clocks.now_s
    clocks.now_s = began_s + LASTS_S - 1
    login = access.read(cookie)
    assert login is not None and access.user(login) == access.store.user("ada")
    clocks.now_s = began_s + LASTS_S
    assert access.read(cookie) is None


def test_a_page_that_is_open_stays_its_users_when_the_cookie_is_over(access: Access, clocks: Clocks) -> None:
    login = login_of(access)
    clocks.now_s += 2 * LASTS_AT_MOST_S
    assert access.user(login) == access.store.user("ada")


def test_a_cookie_is_renewed_once_an_hour_and_for_a_week_at_most(access: Access, clocks: Clocks) -> None:
    login, began_s = login_of(access), clocks.now_s
    assert access.renewed(login) is None
    while clocks.now_s < began_s + LASTS_AT_MOST_S - RENEWED_AFTER_S:
        clocks.now_s += RENEWED_AFTER_S
        renewed = access.renewed(login)
        assert renewed is not None and renewed.since_s == login.since_s and renewed.session == login.session
        login = renewed
        assert (access.read(access.written(login).decode()) is not None) is (clocks.now_s < began_s + LASTS_AT_MOST_S)
    clocks.now_s = began_s + LASTS_AT_MOST_S
    assert access.read(access.written(login).decode()) is None


def test_a_clock_that_was_set_back_ends_cookies_from_the_future(access: Access, clocks: Clocks) -> None:
    cookie = cookie_of(access)
    clocks.now_s -= MOST_SKEW_S
    assert access.read(cookie) is not None
    clocks.now_s -= 1
    assert access.read(cookie) is None


@pytest.mark.parametrize("change", ["password", "role", "remove", "remove and add"])
def test_a_change_of_the_user_ends_cookies_and_open_pages(access: Access, change: str) -> None:
    cookie, login = cookie_of(access), login_of(access)
    if change == "password":
        access.store.set_password("ada", "another row of words")
    elif change == "role":
        access.store.set_role("ada", Role.VIEWER)
    else:
        access.store.remove("ada")
        if change == "remove and add":
            access.store.add("ada", Role.TRADER, PASSWORD)
    assert access.read(cookie) is None
    assert access.user(login) is None


def test_a_logout_ends_the_session_and_no_other_one(access: Access) -> None:
    mine, others = login_of(access), login_of(access)
    cookie = access.written(mine).decode()
    access.end(mine)
    assert access.read(cookie) is None and access.user(mine) is None
    assert access.user(others) is not None


def test_logouts_do_not_pile_up(access: Access) -> None:
    first = login_of(access)
    access.end(first)
    for _ in range(MOST_ENDED):
        access.end(login_of(access))
    assert access.user(first) is not None  # the oldest is forgotten


def test_a_damaged_list_ends_logins_and_is_said_once(access: Access, caplog: pytest.LogCaptureFixture) -> None:
    cookie, owner = cookie_of(access), access.begin(OWNER)
    write_private(access.store.file, b"{")
    with caplog.at_level(logging.ERROR):
        assert [access.read(cookie) for _ in range(3)] == [None, None, None]
    assert len(caplog.records) == 1 and "users.json: not a list of users" in caplog.text
    assert access.user(owner) == OWNER  # who needs no list


def test_nobody_of_the_list_can_be_the_owner(access: Access) -> None:
    assert access.store.user(OWNER.name) is None
    assert access.user(Login(OWNER.name, "1", "s", 0, 0)) is None


def test_a_cookie_of_another_home_or_another_port_is_none(access: Access, tmp_path: Path) -> None:
    cookie = cookie_of(access)
    other_port = Access(tmp_path, 5007, store=access.store)
    assert other_port.secret == access.secret and other_port.cookie_name != access.cookie_name
    assert other_port.read(cookie) is None
    other_home = Access(tmp_path / "other", 5006, store=access.store)
    assert other_home.read(cookie) is None


@given(st.data())
def test_a_cookie_with_any_byte_changed_is_none(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    access = Access(tmp_path_factory.getbasetemp() / "changed", 5006)
    cookie = access.written(access.begin(OWNER)).decode()
    place = data.draw(st.integers(0, 300)) % len(cookie)
    other = chr((ord(cookie[place]) - 33 + data.draw(st.integers(1, 93))) % 94 + 33)
    assert access.read(cookie) is not None
    assert access.read(cookie[:place] + other + cookie[place + 1 :]) is None


@given(st.text(max_size=200))
def test_any_text_as_a_cookie_is_none(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    access = Access(tmp_path_factory.getbasetemp() / "texts", 5006)
    assert access.read(text) is None


@pytest.mark.parametrize("value", ["", "{}", "[]", '{"user":"ada"}', '{"user":1,"stamp":2}', "\ufeff"])
def test_what_we_signed_but_never_wrote_is_none(access: Access, value: str) -> None:
    assert access.read(create_signed_value(access.secret, access.cookie_name, value, version=2).decode()) is None


def test_a_cookie_of_the_old_signature_is_none(access: Access) -> None:
    """Tornado's first kind does not bind the cookie's name."""
    value = msgspec.json.encode(login_of(access))
    assert access.read(create_signed_value(access.secret, access.cookie_name, value, version=2).decode()) is not None
    assert access.read(create_signed_value(access.secret, access.cookie_name, value, version=1).decode()) is None


def test_the_cookie_says_nothing_that_is_secret(access: Access) -> None:
    payload = cookie_of(access).split("|")[4].partition(":")[2]
    said: dict[str, Any] = json.loads(base64.b64decode(payload))
    assert set(said) == {"user", "stamp", "session", "since_s", "issued_s"}
    assert access.secret not in cookie_of(access)


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    secret = cookie_secret(tmp_path)
    assert cookie_secret(tmp_path) == secret and len(secret) >= 43
    file = tmp_path / "cookie_secret"
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.chmod(0o644)
        with pytest.raises(AccessRefused, match="mode 644 lets others at it"):
            cookie_secret(tmp_path)
    write_private(file, b"short\n")
    with pytest.raises(AccessRefused, match="holds no secret"):
        cookie_secret(tmp_path)
    file.unlink()
    assert cookie_secret(tmp_path) != secret
