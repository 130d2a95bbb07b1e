"""`workstation user`: users come, change and go; passwords stand in no argument and no output."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from tests.cli.histories import refusal, run
from tests.cli.services import environment
from tests.cli.test_config_show import HEAVY, loaded_modules
from workstation.dashboard.users import Role, UserStore

PASSWORD = "four words in a row"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password, on stdin."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{PASSWORD}\nmore\n".encode())))


def test_a_user_is_added_with_a_password_from_stdin(
    home: Path, typed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("user", "add", "ada", "--role", "trader", "--password-stdin") == 0
    assert capsys.readouterr().out == "added ada, trader\n"
    found = UserStore(home).verify("ada", PASSWORD)
    assert found is not None and found.role is Role.TRADER


def test_the_line_end_of_windows_is_no_part_of_the_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"  {PASSWORD} \r\n".encode())))
    assert run("user", "add", "ada", "--role", "viewer", "--password-stdin") == 0
    assert UserStore(home).verify("ada", f"  {PASSWORD} ") is not None


def test_users_are_listed_by_name(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("user", "list") == 0
    assert "`workstation user add NAME --role admin`" in capsys.readouterr().out
    UserStore(home).add("eve", Role.VIEWER, PASSWORD)
    UserStore(home).add("Ada", Role.ADMIN, PASSWORD)
    assert run("user", "list") == 0
    assert capsys.readouterr().out == "NAME  ROLE\nAda   admin\neve   viewer\n"
    assert run("user", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"name": "Ada", "role": "admin"}, {"name": "eve", "role": "viewer"}]


def test_a_user_gets_another_password_another_role_and_goes(
    home: Path, typed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    store = UserStore(home)
    store.add("ada", Role.VIEWER, "another row of words")
    assert run("user", "password", "ada", "--password-stdin") == 0
    assert store.verify("ada", PASSWORD) is not None
    assert run("user", "role", "ADA", "admin") == 0
    assert [user.role for user in store.users()] == [Role.ADMIN]
    assert run("user", "remove", "ada") == 0
    assert store.users() == ()
    assert capsys.readouterr().out.splitlines() == [
        "ada has a new password and is logged out everywhere",
        "ada is admin now",
        "removed ada",
    ]


@pytest.mark.parametrize(
    "arguments", [("password", "ada", "--password-stdin"), ("role", "ada", "admin"), ("remove", "ada")]
)
def test_a_name_that_is_not_there_is_told_in_a_sentence(
    home: Path, typed: None, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert refusal(capsys, "user", *arguments) == "user ada: there is none of that name; there is nobody yet\n"


def test_bad_names_and_passwords_are_told_in_a_sentence(
    home: Path, typed: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "name 'a b': expected 1 to 40 letters" in refusal(
        capsys, "user", "add", "a b", "--role", "viewer", "--password-stdin"
    )
    for line, complaint in ((b"short\n", "password of 5 characters"), (b"\xff\xfe four words", "broken UTF-8")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
        assert complaint in refusal(capsys, "user", "add", "ada", "--role", "viewer", "--password-stdin")
    assert UserStore(home).users() == ()


def test_without_a_terminal_a_password_is_not_waited_for(
    home: Path, typed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "give it on stdin with --password-stdin" in refusal(capsys, "user", "add", "ada", "--role", "viewer")


def test_a_damaged_list_is_told_in_a_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "users.json"
    file.write_text("{")
    file.chmod(0o600)
    assert "users.json: not a list of users" in refusal(capsys, "user", "list")
    if os.name == "posix":
        file.chmod(0o644)
        assert "chmod 600" in refusal(capsys, "user", "list")


def test_there_is_no_argument_for_a_password(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("user", "add", "ada", "--role", "viewer", "--password", PASSWORD) == 2
    assert run("user", "password", "ada", PASSWORD) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
@pytest.mark.parametrize(
    ("again", "end"), [(PASSWORD, "added ada, admin"), (f"{PASSWORD}!", "the two passwords differ")]
)
def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(home: Path, again: str, end: str) -> None:
    pexpect = pytest.importorskip("pexpect")
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "workstation", "user", "add", "ada", "--role", "admin"],
        env=environment(home),
        encoding="utf-8",
        timeout=60,
    )
    seen = ""
    for question, answer in (("Password: ", PASSWORD), ("The same again: ", again)):
        terminal.expect_exact(question)
        seen += terminal.before or ""
        terminal.waitnoecho()
        terminal.sendline(answer)
    terminal.expect_exact(end)
    terminal.expect(pexpect.EOF)
    seen += terminal.before or ""
    terminal.close()
    assert PASSWORD not in seen
    assert (terminal.exitstatus == 0) is (again == PASSWORD) is bool(UserStore(home).users())


@pytest.mark.parametrize("words", [["--help"], ["list"]])
def test_it_waits_for_no_library_of_the_pages(home: Path, words: list[str]) -> None:
    imports = "import contextlib\nfrom workstation.cli.main import main\n"
    modules = loaded_modules(imports + f"with contextlib.suppress(SystemExit): main({['user', *words]})")
    assert "workstation.cli.user" in modules
    assert modules.isdisjoint({*HEAVY, "panel", "bokeh", "tornado"})
