"""The token: made once, for its owner alone; and no address that others reach."""

import stat
from pathlib import Path

import pytest

from workstation.client.access import read_token
from workstation.errors import AccessRefused, ConfigError, EngineUnreachable
from workstation.server.auth import api_token, check_bind, is_same_token


def test_the_first_start_makes_a_token_of_256_bits_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    token = api_token(tmp_path / "home")
    file = tmp_path / "home" / "api_token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(token) == 43
    assert api_token(tmp_path / "home") == token == read_token(tmp_path / "home")
    assert api_token(tmp_path / "other") != token


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    token = api_token(tmp_path)
    (tmp_path / "api_token").chmod(0o640)
    with pytest.raises(AccessRefused, match="mode 640 lets others read the token") as refused:
        api_token(tmp_path)
    assert token not in str(refused.value)


@pytest.mark.parametrize("content", ["", "short", "x" * 42, "é" * 50])
def test_a_file_that_holds_no_token_is_refused_in_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "api_token").write_text(content)
    (tmp_path / "api_token").chmod(0o600)
    with pytest.raises(AccessRefused, match="holds no token; remove it"):
        api_token(tmp_path)


def test_a_home_without_a_token_has_had_no_engine(tmp_path: Path) -> None:
    with pytest.raises(EngineUnreachable, match="no engine has run in"):
        read_token(tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_may_be_bound(host: str) -> None:
    check_bind(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "localhost.example.org", ""])
def test_what_others_reach_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="expected an address of this machine alone"):
        check_bind(host)


@pytest.mark.parametrize("shown", ["", "t" * 42, "T" * 43, "t" * 44, "ü", "\ud800"])
def test_another_token_is_another(shown: str) -> None:
    assert not is_same_token(shown, "t" * 43)
    assert is_same_token("t" * 43, "t" * 43)
