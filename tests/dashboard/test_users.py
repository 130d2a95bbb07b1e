"""The list of users: what it takes in, what it keeps, who is let in by it, and what it does with a damaged file."""

import json
import os
import stat
import string
import threading
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.serving import PASSWORD, QUICK, quick_store
from workstation.dashboard.passwords import MOST_CHARACTERS, Passwords
from workstation.dashboard.private_files import read_private, write_private
from workstation.dashboard.users import NAME, Role, UserExists, UserNotFound, UsersDamaged, UserStore, check_name
from workstation.errors import AccessRefused, BadInput

posix_only = pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")


@pytest.fixture
def store(tmp_path: Path) -> UserStore:
    return quick_store(tmp_path)


@pytest.fixture
def ada(store: UserStore) -> UserStore:
    store.add("Ada", Role.TRADER, PASSWORD)
    return store


def test_without_a_file_there_is_nobody(store: UserStore) -> None:
    assert store.users() == ()
    assert store.user("ada") is None
    assert store.verify("ada", PASSWORD) is None


def test_the_right_password_finds_the_user_and_another_one_does_not(ada: UserStore) -> None:
    found = ada.verify("Ada", PASSWORD)
    assert found is not None and (found.name, found.role) == ("Ada", Role.TRADER)
    assert ada.verify("Ada", PASSWORD + " ") is None
    assert ada.verify("Ada", "") is None
    assert ada.verify("Eve", PASSWORD) is None


def test_names_are_found_in_any_case_and_are_there_once(ada: UserStore) -> None:
    assert ada.verify("aDA", PASSWORD) == ada.user("ada")
    assert ada.user("ADA") is not None
    with pytest.raises(UserExists, match=r"user ADA: Ada is there already; `workstation user password Ada`"):
        ada.add("ADA", Role.ADMIN, PASSWORD)
    assert [user.role for user in ada.users()] == [Role.TRADER]


@pytest.mark.parametrize("name", ["", "-ada", ".ada", "a" * 41, "ada eve", "ada\n", "ädå", "a/b", "../ada", "<b>"])
def test_a_name_of_another_form_is_refused(store: UserStore, name: str) -> None:
    with pytest.raises(BadInput, match="expected 1 to 40 letters, digits"):
        store.add(name, Role.VIEWER, PASSWORD)
    assert not store.file.exists()


@given(st.text(string.ascii_letters + string.digits + "._-é /\n", max_size=45))
def test_a_name_is_taken_exactly_if_it_has_the_form(name: str) -> None:
    plain = string.ascii_letters + string.digits
    has_form = 1 <= len(name) <= 40 and name[0] in plain and all(one in plain + "._-" for one in name)
    if has_form:
        check_name(name)
    else:
        with pytest.raises(BadInput):
            check_name(name)
    assert has_form is (NAME.fullmatch(name) is not None)


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("", "of 0 characters"),
        ("nine char", "of 9 characters"),
        ("x" * 201, "of 201 characters"),
        ("A-long-Name", "something else than the name"),
        ("four words\nin a row", "a line break, a control character"),
        ("four words \udcff in a row", "broken UTF-8"),
    ],
)
def test_a_password_that_breaks_a_rule_is_refused_and_not_repeated(
    store: UserStore, password: str, complaint: str
) -> None:
    with pytest.raises(BadInput, match=complaint) as refused:
        store.add("a-long-name", Role.VIEWER, password)
    assert not password or password not in str(refused.value)
    assert not store.file.exists()


@pytest.mark.parametrize("password", ["ten chars!", "x" * MOST_CHARACTERS, "пароль из слов", "🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑"])
def test_any_text_of_ten_to_two_hundred_characters_is_a_password(store: UserStore, password: str) -> None:
    store.add("ada", Role.VIEWER, password)
    assert store.verify("ada", password) is not None


def test_an_umlaut_is_the_same_however_the_keyboard_writes_it(store: UserStore) -> None:
    store.add("ada", Role.VIEWER, "zehn schöne")
    assert store.verify("ada", "zehn scho\u0308ne") is not None


def test_the_file_holds_no_password_and_is_its_owners_alone(ada: UserStore) -> None:
    text = ada.file.read_text("utf-8")
    assert PASSWORD not in text and "$argon2id$" in text
    if os.name == "posix":
        assert stat.S_IMODE(ada.file.stat().st_mode) == 0o600
    assert sorted(path.name for path in ada.file.parent.iterdir()) == ["users.json", "users.lock"]


def test_each_change_of_password_or_role_gives_another_stamp(ada: UserStore) -> None:
    stamps = [ada.user("ada"), ada.set_password("ada", "another row of words"), ada.set_role("ada", Role.VIEWER)]
    ada.remove("ada")
    stamps.append(ada.add("Ada", Role.TRADER, PASSWORD))
    assert len({user.stamp for user in stamps if user is not None}) == 4


def test_the_same_role_again_logs_nobody_out(ada: UserStore) -> None:
    before = ada.user("ada")
    assert ada.set_role("ada", Role.TRADER) == before


def test_a_new_password_replaces_the_old_one(ada: UserStore) -> None:
    ada.set_password("ada", "another row of words")
    assert ada.verify("ada", PASSWORD) is None
    assert ada.verify("ada", "another row of words") is not None


def test_who_is_not_there_cannot_be_changed(ada: UserStore) -> None:
    for change in (
        lambda: ada.set_password("eve", PASSWORD),
        lambda: ada.set_role("eve", Role.ADMIN),
        lambda: ada.remove("eve"),
        lambda: ada.found("eve"),
    ):
        with pytest.raises(UserNotFound, match="user eve: there is none of that name; there are Ada"):
            change()


def test_a_change_of_another_process_is_seen_at_the_next_call(ada: UserStore) -> None:
    other = quick_store(ada.file.parent)
    assert other.user("ada") == ada.user("ada")
    other.set_role("ada", Role.ADMIN)
    assert ada.user("ada") == other.user("ada")
    other.remove("ada")
    assert ada.users() == ()


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    names = [f"user{number}" for number in range(12)]
    threads = [threading.Thread(target=quick_store(tmp_path).add, args=(name, Role.VIEWER, PASSWORD)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(user.name for user in quick_store(tmp_path).users()) == sorted(names)


def test_a_hash_of_old_parameters_is_made_again_at_the_next_login_and_logs_nobody_out(ada: UserStore) -> None:
    before, text = ada.user("ada"), ada.file.read_text("utf-8")
    assert "m=8,t=1,p=1" in text
    stronger = UserStore(ada.file.parent, Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)))
    assert stronger.verify("ada", "wrong wrong wrong") is None
    assert ada.file.read_text("utf-8") == text
    assert stronger.verify("ada", PASSWORD) == before == stronger.user("ada")
    assert "m=16,t=2,p=1" in ada.file.read_text("utf-8")
    assert stronger.verify("ada", PASSWORD) is not None


class CountedHasher(PasswordHasher):
    """Says how often it was asked."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.hashes = self.looks = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.hashes += 1
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:
        self.looks += 1
        return super().verify(hash, password)


@pytest.mark.parametrize("name", ["ada", "eve", "", "x" * 10_000])
@pytest.mark.parametrize("password", [PASSWORD, "wrong wrong wrong", "", "x" * 100_000, "\udcff"])
def test_a_guess_takes_the_same_work_whoever_is_guessed_and_whatever_the_guess(
    tmp_path: Path, name: str, password: str
) -> None:
    quick_store(tmp_path).add("ada", Role.VIEWER, PASSWORD)
    hasher = CountedHasher()
    store = UserStore(tmp_path, Passwords(hasher))
    for _ in range(2):
        assert (store.verify(name, password) is not None) is (name == "ada" and password == PASSWORD)
    assert (hasher.hashes, hasher.looks) == (1, 2)


DAMAGES = [
    "",
    "[]",
    "{",
    '{"version": 1}',
    '{"version": 2, "users": []}',
    '{"version": 1, "users": [{"name": "ada"}]}',
    '{"version": 1, "users": [{"name": "ada", "role": "root", "stamp": "1", "password": "x"}]}',
    '{"version": 1, "users": [{"name": "a b", "role": "admin", "stamp": "1", "password": "x"}]}',
    '{"version": 1, "users": [{"name": "ada", "role": "admin", "stamp": "", "password": "x"}]}',
    '{"version": 1, "users": [{"name": "ada", "role": "admin", "stamp": "1", "password": "x", "more": 1}]}',
]


@pytest.mark.parametrize("text", [*DAMAGES, json.dumps({"version": 1, "users": []}) + "x"])
def test_a_damaged_file_lets_nobody_in_and_is_not_written_over(ada: UserStore, text: str) -> None:
    write_private(ada.file, text.encode())
    for use in (
        ada.users,
        lambda: ada.user("ada"),
        lambda: ada.verify("ada", PASSWORD),
        lambda: ada.add("eve", Role.ADMIN, PASSWORD),
        lambda: ada.remove("ada"),
    ):
        with pytest.raises(UsersDamaged, match=r"users\.json: .*(mend it|expected version 1)"):
            use()
    assert ada.file.read_text("utf-8") == text


def test_two_users_of_one_name_are_a_damage(ada: UserStore) -> None:
    document = json.loads(ada.file.read_text("utf-8"))
    document["users"] += [document["users"][0] | {"name": "ADA"}]
    write_private(ada.file, json.dumps(document).encode())
    with pytest.raises(UsersDamaged, match="2 users, 1 of them with a name of their own"):
        ada.users()


def test_a_hash_that_is_none_lets_nobody_in(ada: UserStore) -> None:
    document = json.loads(ada.file.read_text("utf-8"))
    document["users"][0]["password"] = PASSWORD
    write_private(ada.file, json.dumps(document).encode())
    assert ada.verify("ada", PASSWORD) is None


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_reach_lets_nobody_in(ada: UserStore, mode: int) -> None:
    ada.file.chmod(mode)
    with pytest.raises(AccessRefused, match=f"mode {mode:o} lets others at it; expected 600: chmod 600"):
        ada.verify("ada", PASSWORD)
    ada.file.chmod(0o600)
    assert ada.verify("ada", PASSWORD) is not None


@posix_only
def test_a_private_file_is_never_open_to_others_even_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def rename(source: Path, target: Path) -> Path:
        seen.append(stat.S_IMODE(source.stat().st_mode))
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", rename)
    before = os.umask(0)
    try:
        with pytest.raises(OSError, match="no"):
            write_private(tmp_path / "one", b"secret")
    finally:
        os.umask(before)
    assert seen == [0o600]
    assert list(tmp_path.iterdir()) == []


def test_a_private_file_that_is_a_folder_is_said_to_be_unreadable(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(AccessRefused, match="one: cannot be read"):
        read_private(tmp_path / "one")


@given(st.sampled_from(Role), st.sampled_from(Role))
def test_a_role_may_what_those_before_it_may(role: Role, needed: Role) -> None:
    assert role.may(needed) is (list(Role).index(role) >= list(Role).index(needed))


def test_the_order_of_roles_is_viewer_trader_admin() -> None:
    assert [str(role) for role in Role] == ["viewer", "trader", "admin"]
    assert Role.ADMIN.may(Role.TRADER) and not Role.VIEWER.may(Role.TRADER)


def test_the_librarys_parameters_are_those_that_are_advised() -> None:
    hashed = Passwords().hash(PASSWORD)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords(QUICK).is_outdated(hashed)
